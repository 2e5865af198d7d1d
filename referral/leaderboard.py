"""Who brought most: counters kept with the score change, ranks from a histogram.

The order is most first, ties by who got there first. A rank is the number of better scores, plus those with the
same score reached in an earlier hour, plus those reached earlier in the same hour; the first two are sums over a
handful of counters, so my rank costs the same among a hundred members and among ten million.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Index,
    Integer,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlmodel import Field, Session, col

from core.db import Row, UtcDateTime, among_keys, connection_of, table, upsert


class Score(Row, table=True):
    """How many friends of a member qualified in a campaign, and when the last one did."""

    __tablename__ = "score"
    __table_args__ = (Index("ix_score_order", "brand_id", "campaign_id", "score", "reached_at", "member_id"),)

    brand_id: UUID = Field(primary_key=True)
    campaign_id: UUID = Field(primary_key=True)
    member_id: UUID = Field(primary_key=True)
    score: int
    reached_at: datetime = Field(sa_type=UtcDateTime)


class ScoreCount(Row, table=True):
    """How many members have exactly this score."""

    __tablename__ = "score_count"

    brand_id: UUID = Field(primary_key=True)
    campaign_id: UUID = Field(primary_key=True)
    score: int = Field(primary_key=True)
    members: int


class ScoreHour(Row, table=True):
    """How many members reached exactly this score in this hour (hours since 1970)."""

    __tablename__ = "score_hour"

    brand_id: UUID = Field(primary_key=True)
    campaign_id: UUID = Field(primary_key=True)
    score: int = Field(primary_key=True)
    hour: int = Field(primary_key=True)
    members: int


_S, _C, _H = table(Score).c, table(ScoreCount).c, table(ScoreHour).c


class Place(NamedTuple):
    """A line of the board."""

    rank: int
    member_id: UUID
    score: int
    reached_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A member's own place, and what separates them from the next better score (None at the top)."""

    rank: int
    score: int
    gap: int | None
    of: int


Key = tuple[UUID, UUID, UUID]
"""(brand, campaign, member)"""


def add(session: Session, gains: Iterable[tuple[Key, datetime]]) -> dict[Key, tuple[int, int]]:
    """One more qualified friend for each (key, when); the scores before and after. Set-based."""
    change: Counter[Key] = Counter()
    latest: dict[Key, datetime] = {}
    for key, at in gains:
        change[key] += 1
        latest[key] = max(at, latest.get(key, at))
    before = _current(session, list(change))
    after: dict[Key, tuple[int, datetime] | None] = {}
    for key, by in change.items():
        score, reached = before.get(key, (0, latest[key]))
        after[key] = (score + by, max(reached, latest[key]))
    _apply(session, before, after)
    return {key: (new[0] - change[key], new[0]) for key, new in after.items() if new is not None}


def replace(session: Session, after: dict[Key, tuple[int, datetime] | None]) -> None:
    """Set scores as counted again from the records; None takes a member off the board."""
    _apply(session, _current(session, list(after)), after)


def _apply(
    session: Session, before: dict[Key, tuple[int, datetime]], after: dict[Key, tuple[int, datetime] | None]
) -> None:
    rows, emptied = [], []
    moves: Counter[tuple[UUID, UUID, int, datetime]] = Counter()
    for key, new in sorted(after.items()):
        if key in before:
            moves[(key[0], key[1], *before[key])] -= 1
        if new is None:
            emptied.append(key)
        else:
            moves[(key[0], key[1], *new)] += 1
            rows.append(_row(key, *new))
    _write(session, rows, emptied)
    _count(session, moves)


def _current(session: Session, keys: Sequence[Key]) -> dict[Key, tuple[int, datetime]]:
    rows = session.execute(
        select(_S.brand_id, _S.campaign_id, _S.member_id, _S.score, _S.reached_at)
        .where(among_keys(session, (_S.brand_id, _S.campaign_id, _S.member_id), keys))
        .with_for_update(of=table(Score))
    )
    return {(brand, campaign, member): (score, at) for brand, campaign, member, score, at in rows}


def _row(key: Key, score: int, reached: datetime) -> dict[str, Any]:
    return {
        "brand_id": key[0],
        "campaign_id": key[1],
        "member_id": key[2],
        "score": score,
        "reached_at": reached,
    }


def _write(session: Session, rows: list[dict[str, Any]], emptied: list[Key]) -> None:
    upsert(session, table(Score), rows, ["brand_id", "campaign_id", "member_id"], ["score", "reached_at"])
    if emptied:
        key = tuple_(col(Score.brand_id), col(Score.campaign_id), col(Score.member_id))
        session.execute(delete(table(Score)).where(key.in_(emptied)))


def _count(session: Session, moves: Counter[tuple[UUID, UUID, int, datetime]]) -> None:
    totals: Counter[tuple[UUID, UUID, int]] = Counter()
    hours: Counter[tuple[UUID, UUID, int, int]] = Counter()
    for (brand, campaign, score, at), by in moves.items():
        totals[(brand, campaign, score)] += by
        hours[(brand, campaign, score, _hour(at))] += by
    names = ("brand_id", "campaign_id", "score", "hour")
    for model, counted in ((ScoreCount, totals), (ScoreHour, hours)):
        # One order for every writer, so that two of them never wait for each other in a ring.
        rows = [
            dict(zip(names, key, strict=False)) | {"members": by}
            for key, by in sorted(counted.items(), key=lambda item: str(item[0]))
            if by
        ]
        upsert(session, table(model), rows, [column.name for column in table(model).primary_key], [], add=["members"])


def _hour(at: datetime) -> int:
    return int(at.timestamp() // 3600)


_BRAND, _CAMPAIGN = bindparam("brand", type_=_S.brand_id.type), bindparam("campaign", type_=_S.campaign_id.type)


def _on_board(columns: Any) -> ColumnElement[bool]:
    return and_(columns.brand_id == _BRAND, columns.campaign_id == _CAMPAIGN)


# Made once: a question is answered in less time than it takes to put these together.
_SCORES_FROM_TOP = (
    select(_C.score, _C.members)
    .where(_on_board(_C), _C.members > 0)
    .order_by(_C.score.desc())
    .limit(bindparam("most", type_=Integer))
)
_PLACE = (_S.member_id, _S.score, _S.reached_at)
_ABOVE = select(*_PLACE).where(_on_board(_S), _S.score > bindparam("cut"))
_AT_CUT = (
    select(*_PLACE)
    .where(_on_board(_S), _S.score == bindparam("cut"))
    .order_by(_S.reached_at, _S.member_id)
    .limit(bindparam("room", type_=Integer))
)
_BEST = union_all(_ABOVE, select(_AT_CUT.subquery())).order_by(
    literal_column("2").desc(), literal_column("3"), literal_column("1")
)
_MINE = select(_S.score, _S.reached_at).where(_on_board(_S), _S.member_id == bindparam("member"))
_score, _reached = bindparam("score", type_=Integer), bindparam("reached", type_=UtcDateTime)
_AMONG = select(
    func.coalesce(func.sum(_C.members).filter(_C.score > _score), 0),
    func.sum(_C.members),
    func.min(_C.score).filter(_C.score > _score, _C.members > 0),
    select(func.coalesce(func.sum(_H.members), 0))
    .where(_on_board(_H), _H.score == _score, _H.hour < bindparam("hour", type_=Integer))
    .scalar_subquery(),
    select(func.count())
    .select_from(table(Score))
    .where(
        _on_board(_S),
        _S.score == _score,
        _S.reached_at >= bindparam("since", type_=UtcDateTime),
        tuple_(_S.reached_at, _S.member_id) < tuple_(_reached, bindparam("member", type_=_S.member_id.type)),
    )
    .scalar_subquery(),
).where(_on_board(_C))


def top(session: Session, brand_id: UUID, campaign_id: UUID, limit: int = 10) -> list[Place]:
    """The first `limit` of the board.

    The histogram says at which score the board is cut: those above are few, those at the cut come from the index in
    their order, however many share that score.
    """
    connection = connection_of(session)
    here = {"brand": brand_id, "campaign": campaign_id}
    cut, room, above = 0, 0, 0
    for score, members in connection.execute(_SCORES_FROM_TOP, here | {"most": limit}):
        cut, room = score, limit - above
        above += members
        if above >= limit:
            break
    best = connection.execute(_BEST, here | {"cut": cut, "room": room}).all()
    return list(map(Place, range(1, len(best) + 1), *zip(*best, strict=True))) if best else []


def standing(session: Session, brand_id: UUID, campaign_id: UUID, member_id: UUID) -> Standing | None:
    """The member's place; None for somebody with no qualified friend yet."""
    connection = connection_of(session)
    me = {"brand": brand_id, "campaign": campaign_id, "member": member_id}
    mine = connection.execute(_MINE, me).one_or_none()
    if mine is None:
        return None
    score, reached = mine
    hour = _hour(reached)
    since = datetime.fromtimestamp(hour * 3600, UTC)
    facts = me | {"score": score, "reached": reached, "hour": hour, "since": since}
    better, everyone, next_score, in_earlier_hours, earlier = connection.execute(_AMONG, facts).one()
    rank = 1 + int(better) + int(in_earlier_hours) + int(earlier)
    return Standing(rank, score, None if next_score is None else int(next_score) - score, int(everyone))
