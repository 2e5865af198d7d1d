"""The advocates of a brand as a list: by friends, by what they earned, by who came last; all, or those a text means."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlmodel import Session

from core.db import among, table
from core.money import LARGEST
from referral import search
from referral.campaigns import Campaign
from referral.conversions import SHOP
from referral.leaderboard import Score
from referral.members import Identity, Member
from referral.search import MemberTerm
from rewards.earnings import Earning

Order = Literal["friends", "earned", "latest"]
ORDERS: tuple[Order, ...] = ("friends", "earned", "latest")
PAGE = 40
WALKED = 2000
"""Where a text fits too many members, so many of the list's first are looked through for it."""

Cursor = tuple[str, ...]
"""Where a page ends: the values its order goes by, the member last."""


@dataclass(frozen=True, slots=True)
class Advocate:
    """A line of the list. `friends` count in the campaign; `earned` there, by asset, as of about a minute ago."""

    id: UUID
    name: str
    erased: bool
    since: datetime
    platforms: tuple[str, ...]
    friends: int
    earned: dict[str, int]


@dataclass(frozen=True, slots=True)
class Listed:
    """A page. `older`: where the next one begins. `many`: a text fits more members than are looked at."""

    advocates: Sequence[Advocate]
    older: Cursor | None = None
    many: bool = False


@dataclass(slots=True)
class _Sort:
    """One order of the list as a query. `keys`: what it goes by, all of them from the greatest; the member last."""

    keys: tuple[ColumnElement[Any], ...]
    where: tuple[ColumnElement[bool], ...]
    read: Callable[[Cursor], tuple[Any, ...]] = field(default=tuple)

    @property
    def member(self) -> ColumnElement[UUID]:
        return self.keys[-1]

    def query(self, after: Cursor | None = None) -> Select[Any]:
        """The keys of everybody, from here on."""
        query = select(*self.keys).where(*self.where).order_by(*(key.desc() for key in self.keys))
        return query if after is None else query.where(tuple_(*self.keys) < tuple_(*self.read(after)))


def list_advocates(
    session: Session,
    campaign: Campaign | None,
    brand_id: UUID,
    *,
    order: Order = "friends",
    asset: str = "PTS",
    text: str = "",
    after: Cursor | None = None,
) -> Listed:
    """A page of the list. Without a campaign everybody is listed, who came last first. Raises `ValueError` for a cursor
    that is none of this order."""
    sort = _sort(brand_id, campaign, order, asset)
    if text.strip():
        return _found(session, brand_id, campaign, sort, text)
    rows = session.execute(sort.query(after).limit(PAGE + 1)).all()
    shown = rows[:PAGE]
    older = tuple(_written(value) for value in shown[-1]) if len(rows) > PAGE else None
    return Listed(_lines(session, brand_id, campaign, [row[-1] for row in shown]), older)


def _written(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _sort(brand_id: UUID, campaign: Campaign | None, order: Order, asset: str) -> _Sort:
    if campaign is None or order == "latest":
        m = table(Member).c
        return _Sort((m.id,), (m.brand_id == brand_id,), lambda after: (UUID(_only(after, 1)[0]),))
    if order == "earned":
        e = table(Earning).c
        best = (e.brand_id == brand_id, e.campaign_id == campaign.id, e.asset == asset, e.earned > 0)
        return _Sort((e.earned, e.member_id), best, lambda after: (_number(_only(after, 2)[0]), UUID(after[1])))
    s = table(Score).c
    where = (s.brand_id == brand_id, s.campaign_id == campaign.id)
    return _Sort(
        (s.score, s.reached_at, s.member_id),
        where,
        lambda after: (_number(_only(after, 3)[0]), _moment(after[1]), UUID(after[2])),
    )


def _number(text: str) -> int:
    found = int(text)
    if not 0 <= found <= LARGEST:
        raise ValueError("no figure of ours")
    return found


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return found


def _only(after: Cursor, parts: int) -> Cursor:
    if len(after) != parts:
        raise ValueError("a cursor of another order")
    return after


def _found(session: Session, brand_id: UUID, campaign: Campaign | None, sort: _Sort, text: str) -> Listed:
    found = search.find(session, brand_id, text)
    wanted = list(found.members)
    if found.many:
        first = _walk(session, brand_id, sort, found.tokens)
        wanted = list(dict.fromkeys([*first, *wanted]))[: PAGE * 2]
    placed = _places(session, sort, wanted)
    # Who stands in no place of this order comes after the others, the newest first.
    wanted.sort(key=lambda one: (one in placed, placed.get(one, ()), one), reverse=True)
    lines = _lines(session, brand_id, campaign, wanted[:PAGE])
    return Listed(lines, None, found.many or len(wanted) > PAGE)


def _walk(session: Session, brand_id: UUID, sort: _Sort, tokens: Sequence[str]) -> list[UUID]:
    """Of the first of the list those who are called so, in its order."""
    first = sort.query().limit(WALKED).subquery()
    member = list(first.c)[-1]
    t = table(MemberTerm)
    query = select(member)
    for number, token in enumerate(tokens):
        term = t.alias(f"term_{number}")
        query = query.where(
            select(term.c.member_id)
            .where(term.c.brand_id == brand_id, term.c.member_id == member, search.begins(token, term.c.term))
            .exists()
        )
    backwards = (column.desc() for column in first.c)
    wanted = session.scalars(query.order_by(*backwards).limit(PAGE)).all()
    terms = search.current_terms(session, brand_id, wanted)
    return [one for one in wanted if search.matches(tokens, terms.get(one, ()))]


def _places(session: Session, sort: _Sort, members: Collection[UUID]) -> dict[UUID, tuple[Any, ...]]:
    """Where these members stand in the order."""
    if not members:
        return {}
    rows = session.execute(select(*sort.keys).where(*sort.where, among(session, sort.member, members)))  # type: ignore[arg-type]
    return {row[-1]: tuple(row) for row in rows}


def _lines(session: Session, brand_id: UUID, campaign: Campaign | None, members: Sequence[UUID]) -> list[Advocate]:
    if not members:
        return []
    m, i = table(Member).c, table(Identity).c
    rows = session.execute(
        select(m.id, m.name, m.erased_at, m.created_at).where(m.brand_id == brand_id, among(session, m.id, members))
    )
    people = {row[0]: row for row in rows}
    accounts: dict[UUID, set[str]] = {}
    mine = select(i.member_id, i.platform).where(i.brand_id == brand_id, among(session, i.member_id, members))
    for member_id, platform in session.execute(mine):
        accounts.setdefault(member_id, set()).add(platform)
    gone = search.absorbed_into(session, brand_id, members)
    friends, earned = figures_of(session, brand_id, campaign, members)
    return [
        Advocate(
            one,
            people[one][1],
            people[one][2] is not None,
            people[one][3],
            tuple(sorted(accounts.get(one, set()) - {SHOP})),
            friends.get(one, 0),
            earned.get(one, {}),
        )
        for one in members
        if one in people and one not in gone
    ]


def figures_of(
    session: Session, brand_id: UUID, campaign: Campaign | None, members: Collection[UUID]
) -> tuple[dict[UUID, int], dict[UUID, dict[str, int]]]:
    """How many friends of each count in the campaign, and what each earned there by asset."""
    if campaign is None or not members:
        return {}, {}
    s, e = table(Score).c, table(Earning).c
    friends = session.execute(
        select(s.member_id, s.score).where(
            s.brand_id == brand_id, s.campaign_id == campaign.id, among(session, s.member_id, members)
        )
    )
    sums = session.execute(
        select(e.member_id, e.asset, e.earned)
        .where(e.brand_id == brand_id, e.campaign_id == campaign.id, among(session, e.member_id, members), e.earned > 0)
        .order_by(e.asset)
    )
    earned: dict[UUID, dict[str, int]] = {}
    for member_id, asset, amount in sums:
        earned.setdefault(member_id, {})[asset] = amount
    return dict(friends.all()), earned
