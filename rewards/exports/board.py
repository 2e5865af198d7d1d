"""The leaderboard as a file: the live one as it stood at one moment, the final of a contest that has one.

A board moves while a file is written, and whoever moved from a later page to an earlier one would be on neither. So
its order is read at once, 32 bytes a line, and only the names are looked up page by page.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any
from uuid import UUID

from sqlmodel import Session

from referral.boards.windows import everybody
from referral.campaigns import Campaign
from referral.contests import boards
from referral.contests.boards import Board, Line
from referral.contests.teams import teams_by_id
from referral.leaderboard import Score
from rewards.account_words import names_of
from rewards.exports import reading
from rewards.exports.exports import Export
from rewards.exports.reading import Kind, Page, Row, counted
from rewards.statements.sheets import Column, columns

_MEMBERS = columns(rank="number", member="text", score="number", reached_at="moment", reference="text")
_TEAMS = columns(rank="number", team="text", score="number", reached_at="moment", reference="text")
_LINE = Struct("<16sqq")
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class _Order:
    """Who stands where, and how far the file is."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._packed = bytearray()
        for line in lines:
            self._packed += _LINE.pack(line.owner.bytes, line.score, (line.reached_at - _BEGIN) // _TICK)
        self._told = 0

    def take(self, most: int) -> list[Line]:
        """The next lines."""
        begin, size = self._told, _LINE.size
        self._told += most
        packed = memoryview(self._packed)[begin * size : (begin + most) * size]
        return [
            Line(rank, UUID(bytes=owner), score, _BEGIN + reached * _TICK)
            for rank, (owner, score, reached) in enumerate(_LINE.iter_unpack(packed), begin + 1)
        ]


def _contest(session: Session, export: Export) -> tuple[Campaign, Board | None]:
    campaign = session.get_one(Campaign, (export.brand_id, export.campaign_id))
    return campaign, boards.board_of(session, campaign) if campaign.kind == "contest" else None


def _columns(session: Session, export: Export) -> tuple[Column, ...]:
    _, contest = _contest(session, export)
    return _TEAMS if contest is not None and contest.teams else _MEMBERS


def _count(session: Session, export: Export) -> int:
    _, contest = _contest(session, export)
    return boards.how_many(session, contest) if contest is not None else counted(Score, None)(session, export)


def _page(session: Session, export: Export, after: Any) -> Page:
    campaign, contest = _contest(session, export)
    order = after if after is not None else _Order(everybody(session, campaign, contest))
    lines, owners = order.take(reading.AT_ONCE), list[UUID]()
    owners.extend(line.owner for line in lines)
    if contest is not None and contest.teams:
        names = {key: team.name or "" for key, team in teams_by_id(session, export.brand_id, owners).items()}
    else:
        names = names_of(session, export.brand_id, owners, export.locale)
    found: list[Row] = [
        (line.rank, names.get(line.owner, ""), line.score, line.reached_at, str(line.owner)) for line in lines
    ]
    return found, order


BOARD = Kind(_columns, _page, _count)
