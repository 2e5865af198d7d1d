"""The picture of a campaign, in its file and on its card."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image
from sqlmodel import Session

from core import clock
from core.errors import BadInput
from referral import pictures
from referral.brands import Brand, create_brand
from referral.cards import banner_of
from rewards.campaign_files import Applied, apply_campaign, write_campaign
from rewards.campaign_format import build_campaign, explain, read_campaign
from tests.house import House


def picture(color: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 300), color).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def brand(house: House) -> Brand:
    return house.do(lambda session: create_brand(session, "Mei"))


def raw(name: object) -> dict[str, Any]:
    now = clock.now()
    about = {
        "slug": "serum",
        "title": {"en": "Serum", "zh_Hans": "精华"},
        "benefit": {"en": "A box", "zh_Hans": "一盒"},
    }
    times = {"starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=9)}
    rewards = {"budget": 1000, "rules": [{"to": "advocate", "amount": 100}]}
    return {"campaign": {**about, **times, "picture": name}, "rewards": rewards}


def apply(house: House, brand: Brand, name: object) -> Applied:
    file = build_campaign(raw(name))
    return house.do(lambda session: apply_campaign(session, brand, file))


def keep(house: House, brand: Brand, body: bytes) -> str:
    return house.do(lambda session: pictures.keep(session, brand.id, body))


def test_a_kept_picture_is_the_campaigns_and_its_cards(house: House, brand: Brand) -> None:
    red, blue = keep(house, brand, picture("red")), keep(house, brand, picture("blue"))
    applied = apply(house, brand, red)

    banner = house.ask(lambda session: banner_of(session, applied.campaign))
    assert banner is not None
    assert banner.name == red
    written = house.ask(lambda session: write_campaign(session, applied.campaign))
    again = house.do(lambda session: apply_campaign(session, brand, read_campaign(written)))
    assert again.changed == "unchanged"
    changed = apply(house, brand, blue)
    assert (changed.changed, changed.campaign.version, changed.campaign.picture) == ("updated", 2, blue)


def test_a_picture_that_went_leaves_a_card_without_one(house: House, brand: Brand) -> None:
    red = keep(house, brand, picture("red"))
    campaign = apply(house, brand, red).campaign
    house.do(lambda session: pictures.drop(session, brand.id, red))

    assert house.ask(lambda session: banner_of(session, campaign)) is None


@pytest.mark.parametrize("name", ["serum.jpg", f"sha256:{'0' * 64}"])
def test_a_picture_that_is_not_kept_is_named(house: House, brand: Brand, name: str) -> None:
    with pytest.raises(BadInput) as refused:
        apply(house, brand, name)
    [problem] = refused.value.params["problems"]
    assert (problem.code, problem.where) == ("unknown_picture", "campaign.picture")
    assert name in explain(problem, "en")


def test_another_brands_picture_is_not_ours(house: House, brand: Brand) -> None:
    def other(session: Session) -> str:
        return pictures.keep(session, create_brand(session, "Other").id, picture("red"))

    with pytest.raises(BadInput):
        apply(house, brand, house.do(other))


@pytest.mark.parametrize("name", ["../secret.jpg", "/etc/x.jpg", "C:\\x.jpg", "serum", "sha256:abc", "a\nb.jpg", 7])
def test_what_is_no_name_of_a_picture(name: object) -> None:
    with pytest.raises(BadInput) as refused:
        build_campaign(raw(name))
    [problem] = refused.value.params["problems"]
    assert problem.code == ("wants_text" if name == 7 else "unreadable_picture")
    assert explain(problem, "zh_Hans") != explain(problem, "en")
