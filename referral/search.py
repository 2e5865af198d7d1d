"""Finding members by a few letters of a name, an account, a code or an identifier, as they are typed.

What can be looked for is kept as *terms*: of Chinese (Japanese, Korean) words every ending, so that a beginning of a
term is any part of the name; of other words the words themselves, folded (NFKC, no case, no accents). A term is found
by a range of one index, whatever the number of members. Terms are made after the fact, by a job that follows the
members' identifiers, which are ordered by time: arriving costs nothing. Who came since the job's last run is looked at
one by one. The terms only propose: what a member is called now decides (see `docs/decisions/0026-search.md`).
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ColumnElement, Index, delete, select
from sqlmodel import Field, Session, col

from core import clock
from core.db import Row, among, insert_missing, table, upsert
from core.errors import BadInput
from core.events import Bus
from referral import codes
from referral.brands import Brand
from referral.campaigns import Enrollment, InviteCode
from referral.conversions import SHOP
from referral.linking import LinkUndone, MemberLink, MembersLinked
from referral.members import Identity, Member

LONGEST_QUERY = 80
TERM = 12
"""Characters of a term; what is typed beyond them is compared with the name itself."""
TERMS = 40
"""Terms of one member at most."""
AT_ONCE = 500
"""Members folded in one unit of work."""
SETTLED = timedelta(seconds=30)
"""How long after its identifier a member's row may still be on its way into the database."""
FRESH = 500
"""Members since the last run of the job who are looked at one by one."""
MANY = 300
"""With more members than these a search shows some, and asks for another letter."""
WIDE = (("\u2e80", "\u9fff"), ("\uac00", "\ud7af"), ("\uf900", "\ufaff"), ("\U00020000", "\U0003ffff"))
"""Writing that has no spaces between words."""
_END = "\U0010ffff"
SOME = 80
"""How many of those are compared with what was typed."""
_MARK = "members"
_SWEPT = "sweep"


class MemberTerm(Row, table=True):
    """A member can be found by what this term begins with."""

    __tablename__ = "member_term"
    __table_args__ = (Index("ix_member_term_member", "brand_id", "member_id"), {"sqlite_with_rowid": False})

    brand_id: UUID = Field(primary_key=True)
    term: str = Field(primary_key=True)
    """Compared by code points (collation C), in PostgreSQL too, so that a beginning is a range of the index."""
    member_id: UUID = Field(primary_key=True)


class SearchMark(Row, table=True):
    """How far a job that follows identifiers ordered by time has come."""

    __tablename__ = "search_mark"

    brand_id: UUID = Field(primary_key=True)
    name: str = Field(primary_key=True)
    reached: UUID


@dataclass(frozen=True, slots=True)
class Found:
    """The members a text may mean; `many`: there are more than could be looked at."""

    members: tuple[UUID, ...]
    many: bool = False
    tokens: tuple[str, ...] = ()


def fold(text: str) -> str:
    """A text as it is compared: compatibility forms, case and accents are gone."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFC", "".join(char for char in plain if not unicodedata.combining(char)))


def tokens_of(text: str) -> list[str]:
    """The words of a folded text: runs of one kind of letters; a picture is a word of its own."""
    found: list[str] = []
    kind = ""
    for char in fold(text):
        now = _kind(char)
        if now in ("wide", "word") and now == kind:
            found[-1] += char
        elif now:
            found.append(char)
        kind = now
    return found


@lru_cache(maxsize=8192)
def _kind(char: str) -> str:
    if any(first <= char <= last for first, last in WIDE):
        return "wide"
    if char.isalnum():
        return "word"
    return "sign" if unicodedata.category(char) == "So" else ""


def terms_of(texts: Iterable[str]) -> set[str]:
    """What somebody of this name, with these accounts and handles, can be found by."""
    found: dict[str, None] = {}
    for text in texts:
        for token in tokens_of(text[: LONGEST_QUERY * 2]):
            wide = _kind(token[0]) == "wide"
            for begin in range(len(token) if wide else 1):
                found[token[begin : begin + TERM]] = None
    return set(list(found)[:TERMS])


def find(session: Session, brand_id: UUID, text: str) -> Found:
    """Who is meant by what somebody typed: the brand's members by name, account, handle, code or identifier.

    Every word must be the beginning of something the member can be found by; of Chinese any part will do.
    """
    text = text.strip()[:LONGEST_QUERY]
    exact = [*_by_identifier(session, brand_id, text), *_by_code(session, brand_id, text)]
    if exact:
        return Found(tuple(dict.fromkeys(exact)))
    tokens = list(dict.fromkeys(tokens_of(text)))
    if not tokens:
        return Found(())
    proposed, many = _proposed(session, brand_id, tokens)
    fresh = _since(session, brand_id, reached(session, brand_id, _MARK), FRESH, newest=True)
    # Of very many who fit some are shown; of few everybody.
    wanted = list(dict.fromkeys([*fresh, *(proposed[:SOME] if many else proposed)]))
    return Found(tuple(_matching(session, brand_id, wanted, tokens)), many, tuple(tokens))


def matches(tokens: Sequence[str], terms: Collection[str]) -> bool:
    """Whether each of the words is the beginning of one of the terms."""
    return all(any(term.startswith(token[:TERM]) for term in terms) for token in tokens)


def begins(token: str, column: ColumnElement[str] | None = None) -> ColumnElement[bool]:
    """The condition on a term that it begins with this word: a range of the index."""
    term = table(MemberTerm).c.term if column is None else column
    return (term >= token[:TERM]) & (term < token[:TERM] + _END)


def _by_identifier(session: Session, brand_id: UUID, text: str) -> list[UUID]:
    try:
        wanted = UUID(text)
    except ValueError:
        return []
    return list(
        session.scalars(select(col(Member.id)).where(col(Member.brand_id) == brand_id, col(Member.id) == wanted))
    )


def _by_code(session: Session, brand_id: UUID, text: str) -> list[UUID]:
    try:
        code = codes.normalize(text)
    except BadInput:
        return []
    query = (
        select(col(Enrollment.member_id))
        .join(
            InviteCode,
            (col(InviteCode.brand_id) == col(Enrollment.brand_id))
            & (col(InviteCode.enrollment_id) == col(Enrollment.id)),
        )
        .where(col(Enrollment.brand_id) == brand_id, col(InviteCode.brand_id) == brand_id, col(InviteCode.code) == code)
    )
    return list(session.scalars(query))


def _proposed(session: Session, brand_id: UUID, tokens: Sequence[str]) -> tuple[list[UUID], bool]:
    """The members of the rarest of the words; whether even that has more than can be looked at."""
    t = table(MemberTerm).c
    best: list[UUID] = []
    for number, token in enumerate(sorted(tokens, key=len, reverse=True)):
        query = select(t.member_id).where(t.brand_id == brand_id, begins(token)).limit(MANY + 1)
        found = list(dict.fromkeys(session.scalars(query)))
        if number == 0 or len(found) < len(best):
            best = found
        if len(best) < MANY:
            break
    return best[:MANY], len(best) >= MANY


def _matching(session: Session, brand_id: UUID, members: Sequence[UUID], tokens: Sequence[str]) -> Iterator[UUID]:
    """Of these members those who are called so now."""
    terms = current_terms(session, brand_id, members)
    return (one for one in members if matches(tokens, terms.get(one, ())))


def current_terms(session: Session, brand_id: UUID, members: Sequence[UUID]) -> dict[UUID, set[str]]:
    """What these members can be found by as they are now; who was erased or is somebody else by now is missing."""
    if not members:
        return {}
    m, i = table(Member).c, table(Identity).c
    texts: dict[UUID, list[str]] = {}
    for member_id, name in session.execute(
        select(m.id, m.name).where(m.brand_id == brand_id, among(session, m.id, members), m.erased_at.is_(None))
    ):
        texts[member_id] = [name]
    accounts = select(i.member_id, i.account, i.handle).where(
        i.brand_id == brand_id, among(session, i.member_id, members), i.platform != SHOP
    )
    for member_id, account, handle in session.execute(accounts):
        if member_id in texts:
            texts[member_id] += [account, handle or ""]
    gone = absorbed_into(session, brand_id, list(texts))
    return {member_id: terms_of(said) for member_id, said in texts.items() if member_id not in gone}


def absorbed_into(session: Session, brand_id: UUID, members: Collection[UUID]) -> dict[UUID, UUID]:
    """Of these members those who became somebody else by linking their accounts, and who."""
    if not members:
        return {}
    link = table(MemberLink).c
    mine = select(link.absorbed_id, link.kept_id).where(
        link.brand_id == brand_id, among(session, link.absorbed_id, members), link.undone_at.is_(None)
    )
    return dict(session.execute(mine).all())


def fold_due(session: Session) -> int:
    """Make the terms of members who came since the last run; how many (at most `AT_ONCE` a brand). A job."""
    done = 0
    for brand_id in session.scalars(select(col(Brand.id)).order_by(col(Brand.id))).all():
        done += _fold_new(session, brand_id)
    return done


def _fold_new(session: Session, brand_id: UUID) -> int:
    fresh = _since(session, brand_id, reached(session, brand_id, _MARK), AT_ONCE, until=clock.now() - SETTLED)
    if fresh:
        refold(session, brand_id, fresh)
        move_mark(session, brand_id, _MARK, fresh[-1])
    return len(fresh)


def sweep_due(session: Session) -> None:
    """Look at some members' terms again, round and round, one brand at a run: handles change, and a machine whose clock
    is slow makes identifiers that the job has passed by. A job."""
    brands = session.scalars(select(col(Brand.id)).order_by(col(Brand.id))).all()
    if not brands:
        return
    brand_id = brands[int(clock.now().timestamp() // 60) % len(brands)]
    # No further than the terms have come: who is newer is the other job's to fold.
    last = reached(session, brand_id, _MARK)
    some = _since(session, brand_id, reached(session, brand_id, _SWEPT), AT_ONCE)
    known = [one for one in some if one <= last]
    refold(session, brand_id, known)
    move_mark(session, brand_id, _SWEPT, known[-1] if known else UUID(int=0))


def refold(session: Session, brand_id: UUID, members: Sequence[UUID]) -> None:
    """Let the terms of these members be what they are called now."""
    if not members:
        return
    t = table(MemberTerm)
    wanted = current_terms(session, brand_id, members)
    had: Mapping[UUID, set[str]] = defaultdict(set)
    for member_id, term in session.execute(
        select(t.c.member_id, t.c.term).where(t.c.brand_id == brand_id, among(session, t.c.member_id, members))
    ):
        had[member_id].add(term)
    stale = [one for one in members if had[one] - wanted.get(one, set())]
    if stale:
        session.execute(delete(t).where(t.c.brand_id == brand_id, among(session, t.c.member_id, stale)))
    rows = [
        {"brand_id": brand_id, "term": term, "member_id": one}
        for one in members
        for term in sorted(wanted.get(one, ()))
        if one in stale or term not in had[one]
    ]
    # Another process may be making the same now.
    ordered = sorted(rows, key=lambda row: (str(row["term"]), str(row["member_id"])))
    insert_missing(session, t, ordered, ["brand_id", "term", "member_id"])


def forget(session: Session, brand_id: UUID, members: Collection[UUID]) -> None:
    """Nobody finds these members any more: part of forgetting them."""
    t = table(MemberTerm)
    session.execute(delete(t).where(t.c.brand_id == brand_id, t.c.member_id.in_(list(members))))


def listen(bus: Bus) -> None:
    """Hear of accounts that went over to another member."""
    bus.on(MembersLinked, _on_linked)
    bus.on(LinkUndone, _on_linked)


def _on_linked(session: Session, happened: Sequence[MembersLinked | LinkUndone]) -> None:
    for event in happened:
        refold(session, event.brand_id, [event.kept_id, event.absorbed_id])


def reached(session: Session, brand_id: UUID, name: str) -> UUID:
    """How far a job has come that follows identifiers; the very beginning for one that never ran."""
    found = session.get(SearchMark, (brand_id, name), populate_existing=True)
    return found.reached if found is not None else UUID(int=0)


def move_mark(session: Session, brand_id: UUID, name: str, to: UUID) -> None:
    """The job has come so far."""
    row = {"brand_id": brand_id, "name": name, "reached": to}
    upsert(session, table(SearchMark), [row], ["brand_id", "name"], ["reached"])


def earliest(at: datetime) -> UUID:
    """The smallest identifier (UUID version 7, RFC 9562) that could be made at this moment."""
    return UUID(int=max(0, int(at.timestamp() * 1000)) << 80)


def _since(
    session: Session, brand_id: UUID, mark: UUID, most: int, *, newest: bool = False, until: datetime | None = None
) -> list[UUID]:
    """The members made after this one, in their order; or the newest of them."""
    m = table(Member).c
    query = select(m.id).where(m.brand_id == brand_id, m.id > mark)
    if until is not None:
        query = query.where(m.id < earliest(until))
    return list(session.scalars(query.order_by(m.id.desc() if newest else m.id).limit(most)))
