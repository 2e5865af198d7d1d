"""A board as it is shown: the lines with the names that this audience may read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session

from core.db import among, table
from referral.boards.names import choices_of, public_name, tidy
from referral.boards.windows import Standings, since, standings
from referral.campaigns import Campaign
from referral.contests.boards import Board, board_of
from referral.contests.teams import teams_by_id
from referral.members import Member, keyed_hash


@dataclass(frozen=True, slots=True)
class Spot:
    """A line with its face. `owner`: the member or team; `key`: names them on this board and nowhere else; `name`: None
    where none is shown."""

    rank: int
    owner: UUID
    key: str
    name: str | None
    score: int
    reached_at: datetime


@dataclass(frozen=True, slots=True)
class Places:
    """Who stands on a board, before anybody has a face. `begin`: since when is counted; `revision`: of the final."""

    standings: Standings
    begin: datetime | None
    teams: bool
    revision: int | None


def places_of(session: Session, campaign: Campaign, window: str, now: datetime, limit: int) -> Places:
    """Who stands where in a window (one of `windows.WINDOWS`) of the campaign."""
    begin = since(window, ZoneInfo(campaign.timezone), now)
    contest: Board | None = board_of(session, campaign) if campaign.kind == "contest" else None
    counted = standings(session, campaign, begin, limit, contest)
    final = contest.final if contest is not None else None
    return Places(counted, begin, contest is not None and contest.teams, final.revision if final is not None else None)


def names_of(
    session: Session, campaign: Campaign, places: Places, owners: Sequence[UUID], *, public: bool
) -> dict[UUID, str | None]:
    """What these owners of lines are called: for the brand as its people are, in public as they chose. A team's name
    was given to be read, so it stands everywhere. Nobody is left out: who has no name has None."""
    found = _teams(session, campaign, owners) if places.teams else _people(session, campaign, owners, public=public)
    return {owner: found.get(owner) for owner in owners}


def spots_of(campaign: Campaign, places: Places, names: Mapping[UUID, str | None]) -> list[Spot]:
    """The lines with these names."""
    return [
        Spot(line.rank, line.owner, key_of(campaign, line.owner), names[line.owner], line.score, line.reached_at)
        for line in places.standings.lines
    ]


def _people(session: Session, campaign: Campaign, owners: Sequence[UUID], *, public: bool) -> dict[UUID, str | None]:
    t = table(Member)
    found = select(t.c.id, t.c.name).where(t.c.brand_id == campaign.brand_id, among(session, t.c.id, owners))
    called: dict[UUID, str] = dict(session.execute(found).all()) if owners else {}
    if not public:
        return {member: tidy(name) or None for member, name in called.items()}
    chosen = choices_of(session, campaign.brand_id, owners)
    return {member: public_name(name, chosen[member]) for member, name in called.items()}


def _teams(session: Session, campaign: Campaign, owners: Sequence[UUID]) -> dict[UUID, str | None]:
    teams = teams_by_id(session, campaign.brand_id, owners)
    return {team.id: tidy(team.name or "") or None for team in teams.values()}


def key_of(campaign: Campaign, owner: UUID) -> str:
    """The same for the same owner on the same board, so that a line can be seen to move; elsewhere another."""
    return keyed_hash("board", f"{campaign.id}/{owner}")[:12]
