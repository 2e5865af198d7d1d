"""Two contests in teams at once: a button of one team says which contest it is about."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlmodel import Session

from referral.campaigns import find_campaign
from referral.contests import teams
from referral.members import find_identity
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from tests.bots.test_contest import a_contest
from tests.dialogue import NOON, Town, campaign_file, open_town


def team_of(town: Town, name: str, slug: str) -> str | None:
    """What the person's team of this contest is called."""

    def find(session: Session) -> str | None:
        known = find_identity(session, town.brand.id, "webchat", name)
        assert known is not None
        found = teams.team_of(session, find_campaign(session, town.brand.id, slug), known.member_id)
        return found.name if found else None

    return town.do(find)


async def test_old_buttons_mean_the_contest_they_were_shown_for(tmp_path: Path) -> None:
    terms = a_contest(mode="teams", team_most=5)
    async with open_town(tmp_path, **terms) as town:
        await town.say("Alice", "/team new Green")
        await town.say("Bob", "/team")
        await town.say("Alice", "/team")
        await town.say("Alice", "[Leave the team]")
        starts = NOON + timedelta(seconds=30)
        newer = build_campaign(campaign_file(campaign__slug="summer", campaign__starts_at=starts, **terms))
        await town.later(minutes=1)
        town.do(lambda session: apply_campaign(session, town.brand, newer))
        await town.say("Alice", "/team new Blue")
        assert (team_of(town, "alice", "spring"), team_of(town, "alice", "summer")) == ("Green", "Blue")
        assert "You are in Green" in await town.ask("Bob", "[Join Green]")
        assert "You have left Green" in await town.ask("Alice", "[Yes, leave]")
        assert (team_of(town, "alice", "spring"), team_of(town, "alice", "summer")) == (None, "Blue")
