"""`[announce]` of a campaign file: read, refused, kept with the version, and written back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from core import clock
from core.errors import BadInput
from referral.announcing import AnnounceTerms, terms_of
from referral.brands import create_brand
from rewards.campaign_files import apply_campaign, write_campaign
from rewards.campaign_format import build_campaign, read_campaign
from tests.house import House


def raw(**announce: Any) -> dict[str, Any]:
    return {
        "campaign": {
            "slug": "spring",
            "title": {"en": "Spring tea", "zh_Hans": "春茶会"},
            "benefit": {"en": "A free cup.", "zh_Hans": "送你一杯茶。"},
            "starts_at": clock.now() - timedelta(minutes=1),
            "ends_at": clock.now() + timedelta(days=30),
        },
        "announce": announce,
    }


def test_what_is_said_is_kept_and_written_back(house: House) -> None:
    def apply(session: Session) -> tuple[AnnounceTerms, str]:
        brand = create_brand(session, "Tea")
        applied = apply_campaign(session, brand, build_campaign(raw(on=["start", "end"], remind_hours=2)))
        terms = terms_of(session, [applied.campaign])
        return terms[applied.campaign.brand_id, applied.campaign.id], write_campaign(session, applied.campaign)

    terms, written = house.do(apply)
    assert terms == AnnounceTerms(on=("start", "end"), pin=True, remind_hours=2)
    assert '[announce]\non = ["start", "end"]\nremind_hours = 2\n' in written
    assert read_campaign(written).announce == terms


def test_who_says_nothing_announces_everything_and_nothing_is_written(house: House) -> None:
    def apply(session: Session) -> str:
        return write_campaign(
            session, apply_campaign(session, create_brand(session, "Tea"), build_campaign(raw())).campaign
        )

    written = house.do(apply)
    assert "announce" not in written
    assert read_campaign(written).announce.on == ("start", "reminder", "end", "results")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"on": ["begin"]}, "not_one_of"),
        ({"pin": "yes"}, "wants_yes_no"),
        ({"remind_hours": 0}, "too_small"),
        ({"remind_hours": 169}, "too_large"),
        ({"loudly": True}, "unknown_field"),
    ],
)
def test_a_mistake_is_named_with_its_place(said: dict[str, Any], code: str) -> None:
    with pytest.raises(BadInput) as refused:
        build_campaign(raw(**said))
    [problem] = refused.value.params["problems"]
    assert (problem.code, problem.where.partition(".")[0]) == (code, "announce")
