"""What a contest is played by: `[contest]` of a campaign file, kept with the campaign's version."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict
from sqlmodel import Session

from referral.campaigns import Campaign, CampaignVersion


class ContestTerms(BaseModel):
    """`[contest]`. A score is how many friends qualified between the campaign's start and its end.

    `tie_break` "first": of equal scores the one reached earlier is before. `objection_hours`: between the end and the
    frozen final. `floor`: the least score that wins anything. `team_most`: members of a team.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["single", "teams"] = "single"
    team_most: Annotated[int, Strict(), Field(ge=2, le=500)] = 20
    tie_break: Literal["first"] = "first"
    objection_hours: Annotated[int, Strict(), Field(ge=0, le=720)] = 24
    floor: Annotated[int, Strict(), Field(ge=0, le=1_000_000)] = 0

    @property
    def least(self) -> int:
        """The least score that wins anything: nobody wins with none."""
        return max(1, self.floor)

    def final_at(self, ends_at: datetime) -> datetime:
        """When the standings are frozen."""
        return ends_at + timedelta(hours=self.objection_hours)


def terms_of(session: Session, campaign: Campaign, version: int | None = None) -> ContestTerms:
    """The terms of the campaign's version, the present one if none is named; the usual ones where it has none."""
    key = (campaign.brand_id, campaign.id, version or campaign.version)
    found = session.get(CampaignVersion, key)
    said = found.document.get("contest") if found is not None else None
    return ContestTerms.model_validate(said or {})
