"""Teams of a contest: found one, join by the code of somebody in it, leave before the first friend counts.

A person is in one team at a time; the table's key says so. The captain is whoever has been in the team longest. A
friend counts for the team their advocate was in when the friend qualified, and from the first such friend on nobody
changes teams; so it is enough to know since when somebody is in.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, func, select
from sqlmodel import Field, Session, col

from core import clock, ids
from core.db import Row, TenantRow, UtcDateTime, insert_new, table
from core.errors import BadInput, Conflict, NotFound, Refused
from referral import codes
from referral.campaigns import Campaign, owners_of
from referral.contests.terms import ContestTerms, terms_of
from referral.referrals import Referral

NAME_LENGTH = 24
OPEN = ("scheduled", "running", "paused")
"""States of a campaign in which teams still form."""


class Team(TenantRow, table=True):
    """A team of one contest. `sameness`: its name as it is compared; no two of a contest have the same."""

    __tablename__ = "team"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        UniqueConstraint("brand_id", "campaign_id", "sameness"),
    )

    campaign_id: UUID
    name: str
    sameness: str
    created_at: datetime = Field(sa_type=UtcDateTime)


class TeamMember(Row, table=True):
    """Somebody is in a team of a contest, since when."""

    __tablename__ = "team_member"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "team_id"], ["team.brand_id", "team.id"]),
        ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),
        Index("ix_team_member_team", "brand_id", "team_id", "joined_at"),
    )

    brand_id: UUID = Field(primary_key=True)
    campaign_id: UUID = Field(primary_key=True)
    member_id: UUID = Field(primary_key=True)
    team_id: UUID
    joined_at: datetime = Field(sa_type=UtcDateTime)


def found_team(session: Session, campaign: Campaign, member_id: UUID, name: str) -> Team:
    """A new team with this member as its captain.

    Raises `BadInput("team_name")`; `Refused`: no_teams, teams_closed; `Conflict`: in_team, team_name_taken.
    """
    _open(campaign, terms_of(session, campaign))
    shown = " ".join(unicodedata.normalize("NFC", name).split())
    if not 0 < len(shown) <= NAME_LENGTH or not shown.isprintable():
        raise BadInput("team_name", limit=NAME_LENGTH)
    _not_in_one(session, campaign, member_id)
    row = {
        "brand_id": campaign.brand_id,
        "id": ids.new(),
        "campaign_id": campaign.id,
        "name": shown,
        "sameness": unicodedata.normalize("NFKC", shown).casefold(),
        "created_at": clock.now(),
    }
    target = table(Team)
    if not insert_new(session, target, [row], ["brand_id", "campaign_id", "sameness"], returning=target.c.id):
        raise Conflict("team_name_taken", name=shown)
    team = session.get_one(Team, (campaign.brand_id, row["id"]))
    _enter(session, team, member_id)
    return team


def join_team(session: Session, campaign: Campaign, member_id: UUID, code: str) -> Team:
    """Join the team of whoever this invite code belongs to; the team. Raises as `enter_team`, and
    `NotFound("team")`."""
    _open(campaign, terms_of(session, campaign))
    return enter_team(session, campaign, member_id, team_of_code(session, campaign, code))


def enter_team(session: Session, campaign: Campaign, member_id: UUID, team: Team) -> Team:
    """Join a team of this contest; joining one's own again changes nothing.

    Raises `NotFound("team_gone")`; `Refused`: no_teams, teams_closed, team_full; `Conflict("in_team")`.
    """
    terms = terms_of(session, campaign)
    _open(campaign, terms)
    session.refresh(team, with_for_update={"key_share": True})  # of two who want the last place one waits, and is told
    mine = team_of(session, campaign, member_id)
    if mine is not None and mine.id == team.id:
        return team
    if team.campaign_id != campaign.id or not members_of(session, team):  # its last member left at this moment
        raise NotFound("team_gone")
    _not_in_one(session, campaign, member_id)
    if len(members_of(session, team)) >= terms.team_most:
        raise Refused("team_full", name=team.name, most=terms.team_most)
    _enter(session, team, member_id)
    return team


def leave_team(session: Session, campaign: Campaign, member_id: UUID) -> str:
    """Leave one's team; what it was called.

    Raises `NotFound("own_team")`; `Refused`: teams_closed, team_bound (a friend has counted for it already).
    """
    team = team_to_leave(session, campaign, member_id)
    session.refresh(team, with_for_update=True)
    name = team.name
    _part(session, team, member_id)
    return name


def team_to_leave(session: Session, campaign: Campaign, member_id: UUID) -> Team:
    """One's team, if it may be left. Raises as `leave_team`."""
    team = team_of(session, campaign, member_id)
    if team is None:
        raise NotFound("own_team")
    _open(campaign, terms_of(session, campaign))
    if scored_in_team(session, campaign, member_id):
        raise Refused("team_bound", name=team.name)
    return team


def team_of(session: Session, campaign: Campaign, member_id: UUID) -> Team | None:
    """The team a member is in."""
    return session.scalar(
        select(Team)
        .join(TeamMember, (col(TeamMember.brand_id) == col(Team.brand_id)) & (col(TeamMember.team_id) == col(Team.id)))
        .where(
            col(TeamMember.brand_id) == campaign.brand_id,
            col(TeamMember.campaign_id) == campaign.id,
            col(TeamMember.member_id) == member_id,
        )
    )


def team_of_code(session: Session, campaign: Campaign, code: str) -> Team:
    """The team of whoever an invite code of this campaign belongs to. Raises `NotFound("team")`."""
    normal = codes.normalize(code)
    owner = owners_of(session, [normal]).get(normal) if normal else None
    found = (
        team_of(session, campaign, owner.advocate_id)
        if owner is not None and owner.brand_id == campaign.brand_id and owner.campaign.id == campaign.id
        else None
    )
    if found is None:
        raise NotFound("team", code=code[:20])
    return found


def members_of(session: Session, team: Team) -> list[UUID]:
    """Who is in the team, the captain first."""
    return list(
        session.scalars(
            select(col(TeamMember.member_id))
            .where(col(TeamMember.brand_id) == team.brand_id, col(TeamMember.team_id) == team.id)
            .order_by(col(TeamMember.joined_at), col(TeamMember.member_id))
        )
    )


def teams_by_id(session: Session, brand_id: UUID, wanted: Sequence[UUID]) -> dict[UUID, Team]:
    """These teams."""
    rows = session.scalars(select(Team).where(col(Team.brand_id) == brand_id, col(Team.id).in_(wanted)))
    return {row.id: row for row in rows}


def open_teams(session: Session, campaign: Campaign, most: int, limit: int) -> list[Team]:
    """Teams that still have a place (of `most`), the fullest first."""
    t, m = table(Team), table(TeamMember)
    count = func.count(m.c.member_id)
    named = (t.c.brand_id == m.c.brand_id) & (t.c.id == m.c.team_id)
    rows = session.execute(
        select(t.c.id)
        .join(m, named)
        .where(t.c.brand_id == campaign.brand_id, t.c.campaign_id == campaign.id)
        .group_by(t.c.id)
        .having(count < most)
        .order_by(count.desc(), t.c.id)
        .limit(limit)
    )
    wanted = list(rows.scalars())
    found = teams_by_id(session, campaign.brand_id, wanted)
    return [found[one] for one in wanted]


def teams_count(session: Session, campaign: Campaign) -> int:
    """How many teams a contest has that somebody is in."""
    t = table(TeamMember)
    found = session.scalar(
        select(func.count(t.c.team_id.distinct())).where(
            t.c.brand_id == campaign.brand_id, t.c.campaign_id == campaign.id
        )
    )
    return found or 0


def scored_in_team(session: Session, campaign: Campaign, member_id: UUID) -> bool:
    """Whether a friend of the member has counted since they are in their team."""
    r, t = table(Referral), table(TeamMember)
    found = session.execute(
        select(r.c.id)
        .join(
            t,
            (t.c.brand_id == r.c.brand_id)
            & (t.c.campaign_id == r.c.campaign_id)
            & (t.c.member_id == r.c.advocate_id)
            & (t.c.joined_at <= r.c.qualified_at),
        )
        .where(
            r.c.brand_id == campaign.brand_id,
            r.c.campaign_id == campaign.id,
            r.c.advocate_id == member_id,
            r.c.state == "qualified",
        )
        .limit(1)
    )
    return found.first() is not None


def move_teams(session: Session, brand_id: UUID, kept: UUID, absorbed: UUID) -> list[dict[str, str]]:
    """One of two members who are one person from now on keeps their team: the kept one's, else the absorbed one's.

    What the absorbed member was in, for `return_teams`.
    """
    rows = session.scalars(
        select(TeamMember).where(col(TeamMember.brand_id) == brand_id, col(TeamMember.member_id).in_((kept, absorbed)))
    ).all()
    own = {row.campaign_id for row in rows if row.member_id == kept}
    moved = []
    for row in rows:
        if row.member_id == absorbed:
            moved.append(
                {"campaign": str(row.campaign_id), "team": str(row.team_id), "joined_at": row.joined_at.isoformat()}
            )
            session.delete(row)
            if row.campaign_id not in own:
                session.flush()
                session.add(_row(brand_id, kept, moved[-1]))
    session.flush()
    return moved


def return_teams(session: Session, brand_id: UUID, kept: UUID, absorbed: UUID, moved: Sequence[dict[str, str]]) -> None:
    """Give the absorbed member back the teams they were in; those that went over leave the kept one."""
    for one in moved:
        held = session.get(TeamMember, (brand_id, UUID(one["campaign"]), kept))
        if held is not None and str(held.team_id) == one["team"] and held.joined_at.isoformat() == one["joined_at"]:
            session.delete(held)
            session.flush()
        if session.get(TeamMember, (brand_id, UUID(one["campaign"]), absorbed)) is None:
            session.add(_row(brand_id, absorbed, one))
    session.flush()


def _row(brand_id: UUID, member_id: UUID, said: dict[str, str]) -> TeamMember:
    return TeamMember(
        brand_id=brand_id,
        campaign_id=UUID(said["campaign"]),
        member_id=member_id,
        team_id=UUID(said["team"]),
        joined_at=datetime.fromisoformat(said["joined_at"]),
    )


def forget_teams(session: Session, brand_id: UUID, member_ids: Sequence[UUID]) -> None:
    """Whoever is forgotten is in no team any more, and a team that was theirs alone loses the name they gave it."""
    rows = session.scalars(
        select(TeamMember).where(col(TeamMember.brand_id) == brand_id, col(TeamMember.member_id).in_(member_ids))
    ).all()
    for row in rows:
        team = session.get_one(Team, (brand_id, row.team_id))
        _part(session, team, row.member_id)


def export_teams(session: Session, brand_id: UUID, member_id: UUID) -> list[dict[str, Any]]:
    """The teams a member is in, ready for JSON."""
    rows = session.execute(
        select(col(Team.name), col(TeamMember.campaign_id), col(TeamMember.joined_at))
        .join(TeamMember, (col(TeamMember.brand_id) == col(Team.brand_id)) & (col(TeamMember.team_id) == col(Team.id)))
        .where(col(TeamMember.brand_id) == brand_id, col(TeamMember.member_id) == member_id)
        .order_by(col(TeamMember.joined_at), col(Team.id))
    )
    return [{"team": name, "campaign": str(campaign), "joined_at": at.isoformat()} for name, campaign, at in rows]


def _open(campaign: Campaign, terms: ContestTerms) -> None:
    if campaign.kind != "contest" or terms.mode != "teams":
        raise Refused("no_teams")
    if campaign.state not in OPEN or campaign.ends_at <= clock.now():
        raise Refused("teams_closed")


def _not_in_one(session: Session, campaign: Campaign, member_id: UUID) -> None:
    mine = team_of(session, campaign, member_id)
    if mine is not None:
        raise Conflict("in_team", name=mine.name)


def _enter(session: Session, team: Team, member_id: UUID) -> None:
    """Put the member in; of two tries at once, into two teams, the second is told."""
    row = {
        "brand_id": team.brand_id,
        "campaign_id": team.campaign_id,
        "member_id": member_id,
        "team_id": team.id,
        "joined_at": clock.now(),
    }
    target = table(TeamMember)
    if not insert_new(session, target, [row], ["brand_id", "campaign_id", "member_id"], returning=target.c.member_id):
        raise Conflict("in_team", name=team.name)


def _part(session: Session, team: Team, member_id: UUID) -> None:
    """Take the member out. A team that nobody is in any more gives its name back."""
    session.delete(session.get_one(TeamMember, (team.brand_id, team.campaign_id, member_id)))
    session.flush()
    if not members_of(session, team):
        team.name, team.sameness = "", str(team.id)
        session.add(team)
        session.flush()
