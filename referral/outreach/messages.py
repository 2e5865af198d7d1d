"""Unasked messages, each once: planned with the reason for it, let out one by one by the brand's manners, and kept
with what became of them.

A message is (brand, member, subject), which the database holds unique, so the same thing is never planned twice for
one person. Whether it may go out is decided when its turn has come, not when it was planned: meanwhile the person
may have asked for quiet, been written to by somebody else, linked another account, or been forgotten.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, select
from sqlmodel import Session

from core import clock
from core.db import among, among_keys, insert_new, table, update_each
from core.outbox import Message, put
from referral.brands import Brand
from referral.linking import person_of
from referral.members import Identity, Member
from referral.outreach.models import Broadcast, Outreach
from referral.outreach.people import open_from, quiet_among, settings_of

TOPIC = "unasked:"
"""Outbox topic of unasked messages, with the platform behind it."""
WEEK = timedelta(days=7)
BROADCAST = "broadcast/"
"""How the subject of a broadcast's message begins; its id follows."""
_KEY = ("brand_id", "member_id", "subject")
Key = tuple[UUID, UUID, str]


@dataclass(frozen=True, slots=True)
class Chat:
    """Where a member is written to: the account they were last heard on, in private."""

    platform: str
    account: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell a person. `facts`: what it is about, ready for JSON. `counted`: against the weekly cap."""

    member_id: UUID
    kind: str
    subject: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    campaign_id: UUID | None = None
    counted: bool = True


def chats_of(session: Session, brand_id: UUID, members: Collection[UUID]) -> dict[UUID, Chat]:
    """The chat of each of these members that can be written to: who has talked to us and not blocked us."""
    t = table(Identity)
    rows = session.execute(
        select(t.c.member_id, t.c.platform, t.c.account)
        .where(
            t.c.brand_id == brand_id,
            among(session, t.c.member_id, list(members)),
            t.c.reachable.is_(True),
            t.c.chat.is_not(None),
        )
        .order_by(t.c.seen_at, t.c.platform)
    )
    return {member_id: Chat(platform, account) for member_id, platform, account in rows}


def plan(session: Session, brand: Brand, notices: Sequence[Notice]) -> int:
    """Queue these for everybody who can be written to and did not ask for quiet; how many were.

    What was planned before for the same person and subject is dropped. In quiet hours they wait for their end.
    """
    people = {notice.member_id for notice in notices}
    chats = chats_of(session, brand.id, people)
    quiet = quiet_among(session, brand.id, chats.keys())
    now = clock.now()
    rows = [
        {
            "brand_id": brand.id,
            "member_id": notice.member_id,
            "subject": notice.subject,
            "kind": notice.kind,
            "campaign_id": notice.campaign_id,
            "platform": chats[notice.member_id].platform,
            "account": chats[notice.member_id].account,
            "facts": dict(notice.facts),
            "counted": notice.counted,
            "state": "waiting",
            "planned_at": now,
        }
        for notice in notices
        if notice.member_id in chats and notice.member_id not in quiet
    ]
    return _queue(session, rows, open_from(settings_of(session, brand.id), brand, now))


def _queue(session: Session, rows: Sequence[dict[str, Any]], due_at: datetime) -> int:
    """Write down and put into the outbox those that are new."""
    fresh: list[dict[str, Any]] = []
    by_subject: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_subject[row["subject"]].append(row)
    t = table(Outreach)
    for same in by_subject.values():
        made = insert_new(session, t, same, _KEY, returning=t.c.member_id)
        fresh += [row for row in same if row["member_id"] in made]
    put(
        session,
        [
            Message(
                TOPIC + row["platform"],
                f"{row['subject']}/to/{row['member_id']}",
                {"brand": str(row["brand_id"]), "member": str(row["member_id"]), "subject": row["subject"]},
                row["brand_id"],
                due_at,
            )
            for row in fresh
        ],
    )
    return len(fresh)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done with a message now: send it to `chat` in `locale`, or wait until `until`, or (neither)
    nothing any more."""

    key: Key
    kind: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    account: str = ""
    chat: str | None = None
    locale: str = ""
    until: datetime | None = None


@dataclass(slots=True)
class _Asked:
    """A message that is still to be sent, with what is known of the person."""

    key: Key
    kind: str
    facts: dict[str, Any]
    state: str
    counted: bool
    account: str
    chat: str | None
    locale: str
    erased: bool


def let_out(session: Session, asked: Sequence[Key]) -> list[Verdict]:
    """Decide about messages whose turn has come, and mark those that go out. One verdict for each, in order.

    Set-based. A message that was let out before and is asked for again (its process died) goes out again.
    """
    now = clock.now()
    found = _load(session, asked)
    _forget(session, [key for key, one in found.items() if one.erased])
    found = {key: one for key, one in found.items() if not one.erased}
    decided: dict[Key, str] = {}
    for brand_id in sorted({one.key[0] for one in found.values()}):
        mine = [one for one in found.values() if one.key[0] == brand_id and one.state in ("waiting", "sending")]
        decided |= _decide(session, brand_id, mine, now)
    changes: list[Change] = []
    for key, fate in sorted(decided.items()):
        if fate in ("go", "again"):
            changes.append((key, "sending", None, now))
        elif fate != "later":
            changes.append((key, "skipped", fate, None))
    _write(session, changes)
    return [_verdict(session, key, found.get(key), decided, now) for key in asked]


def _verdict(session: Session, key: Key, one: _Asked | None, decided: Mapping[Key, str], now: datetime) -> Verdict:
    fate = decided.get(one.key) if one is not None else None
    if one is None or fate is None:
        return Verdict(key)
    if fate == "later":
        brand = session.get_one(Brand, key[0])
        return Verdict(one.key, until=open_from(settings_of(session, key[0]), brand, now))
    if fate not in ("go", "again"):
        return Verdict(one.key)
    return Verdict(one.key, one.kind, one.facts, one.account, one.chat, one.locale)


def _load(session: Session, asked: Sequence[Key]) -> dict[Key, _Asked]:
    """What these messages are now, by what they were when they were planned. A message whose person was linked since
    is the whole person's; one of somebody who was forgotten is gone."""
    rows = _rows(session, asked)
    missing = [key for key in asked if key not in rows]
    now = {key: (key[0], person_of(session, key[0], key[1]), key[2]) for key in missing}
    moved = _rows(session, [key for old, key in now.items() if key != old])
    return rows | {old: moved[key] for old, key in now.items() if key in moved}


def _rows(session: Session, keys: Sequence[Key]) -> dict[Key, _Asked]:
    if not keys:
        return {}
    o, m, i = table(Outreach), table(Member), table(Identity)
    its_account = and_(
        i.c.brand_id == o.c.brand_id,
        i.c.platform == o.c.platform,
        i.c.account == o.c.account,
        # An account that is another member's by now is no way to this one.
        i.c.member_id == o.c.member_id,
        i.c.reachable.is_(True),
    )
    rows = session.execute(
        select(
            *(o.c[name] for name in _KEY),
            *(o.c[name] for name in ("kind", "facts", "state", "counted", "account")),
            i.c.chat,
            func.coalesce(m.c.locale, i.c.locale, ""),
            m.c.erased_at.is_not(None),
        )
        .join(m, and_(m.c.brand_id == o.c.brand_id, m.c.id == o.c.member_id))
        .outerjoin(i, its_account)
        .where(among_keys(session, tuple(o.c[name] for name in _KEY), keys))
    )
    return {(brand, member, subject): _Asked((brand, member, subject), *rest) for brand, member, subject, *rest in rows}


def _forget(session: Session, keys: Sequence[Key]) -> None:
    """Drop what was planned for somebody in the moment they were forgotten."""
    if keys:
        t = table(Outreach)
        session.execute(delete(t).where(among_keys(session, tuple(t.c[name] for name in _KEY), keys)))


def _decide(session: Session, brand_id: UUID, asked: Sequence[_Asked], now: datetime) -> dict[Key, str]:
    """By message: go, again (it was let out before), later (quiet hours), or why it is not sent at all."""
    if not asked:
        return {}
    brand, manners = session.get_one(Brand, brand_id), settings_of(session, brand_id)
    people = sorted({one.key[1] for one in asked})
    quiet = quiet_among(session, brand_id, people)
    stopped = _stopped(session, brand_id, {one.key[2] for one in asked})
    closed = open_from(manners, brand, now) > now
    had = _counted(session, brand_id, [one.key[1] for one in asked if one.counted], now)
    fates: dict[Key, str] = {}
    for one in asked:
        member_id = one.key[1]
        fate = "again" if one.state == "sending" else "go"
        if one.key[2] in stopped:
            fate = "stopped"
        elif member_id in quiet:
            fate = "quiet"
        elif one.chat is None:
            fate = "unreachable"
        elif closed:
            fate = "later"
        elif fate == "go" and one.counted:
            fate = "go" if had[member_id] < manners.weekly_cap else "cap"
            had[member_id] += fate == "go"
        fates[one.key] = fate
    return fates


def _stopped(session: Session, brand_id: UUID, subjects: Collection[str]) -> set[str]:
    """Those of these subjects whose broadcast was stopped."""
    wanted = [UUID(subject.removeprefix(BROADCAST)) for subject in subjects if subject.startswith(BROADCAST)]
    t = table(Broadcast)
    rows = session.scalars(
        select(t.c.id).where(t.c.brand_id == brand_id, among(session, t.c.id, wanted), t.c.state == "stopped")
    )
    return {f"{BROADCAST}{found}" for found in rows} if wanted else set()


def _counted(session: Session, brand_id: UUID, people: Collection[UUID], now: datetime) -> Counter[UUID]:
    """How many counted messages each had in the seven days that end now.

    The members are locked first, in one order, so that two processes that write to one person on two platforms count
    one after the other.
    """
    if not people:
        return Counter()
    m, o = table(Member), table(Outreach)
    session.execute(
        select(m.c.id)
        .where(m.c.brand_id == brand_id, among(session, m.c.id, list(people)))
        .order_by(m.c.id)
        .with_for_update(key_share=True)
    )
    rows = session.execute(
        select(o.c.member_id, func.count())
        .where(
            o.c.brand_id == brand_id,
            among(session, o.c.member_id, list(people)),
            o.c.at > now - WEEK,
            o.c.counted.is_(True),
            o.c.state.in_(("sending", "sent")),
        )
        .group_by(o.c.member_id)
    )
    return Counter(dict(rows.all()))


Fate = tuple[Key, str, str | None]
"""A message, the state it came to, and why."""


def settle(session: Session, fates: Sequence[Fate]) -> list[None]:
    """Keep what became of messages that were let out: sent, failed, or skipped after all (which counts for nothing)."""
    kept = [fate for fate in fates if fate[1] != "skipped"]
    rows = [dict(zip(_KEY, key, strict=True)) | {"state": state, "reason": reason} for key, state, reason in kept]
    update_each(session, table(Outreach), rows, _KEY)
    _write(session, [(key, "skipped", reason, None) for key, state, reason in fates if state == "skipped"])
    return [None] * len(fates)


Change = tuple[Key, str, str | None, datetime | None]
"""A message, its new state, why, and when it was let out."""


def _write(session: Session, changes: Sequence[Change]) -> None:
    rows = [
        dict(zip(_KEY, key, strict=True)) | {"state": state, "reason": reason, "at": at}
        for key, state, reason, at in changes
    ]
    update_each(session, table(Outreach), rows, _KEY)


def tally(session: Session, brand_id: UUID, subject: str) -> dict[str, int]:
    """How many of a subject's messages are in each state, what was skipped by its reason."""
    t = table(Outreach)
    rows = session.execute(
        select(t.c.state, t.c.reason, func.count())
        .where(t.c.brand_id == brand_id, t.c.subject == subject)
        .group_by(t.c.state, t.c.reason)
    )
    counts: Counter[str] = Counter()
    for state, reason, count in rows:
        counts[reason if state == "skipped" and reason else state] += count
    return dict(counts)
