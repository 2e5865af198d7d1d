"""What becomes of a picture when nobody has a use for it any more."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image
from sqlmodel import Session

from bots.drafts import CampaignDraft
from bots.state import Conversation
from core import clock, ids
from daixin.picture_sweep import forget_unused
from referral import pictures
from referral.privacy import forget_member
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from rewards.privacy import forget_rewards
from tests.house import House, later
from tests.rewards.tasting import Tasting, open_tasting, trial_file


def keep(town: Tasting, color: str) -> str:
    out = io.BytesIO()
    Image.new("RGB", (100, 100), color).save(out, "PNG")
    return town.house.do(lambda session: pictures.keep(session, town.brand.id, out.getvalue()))


def kept(town: Tasting, name: str) -> bool:
    return town.house.ask(lambda session: pictures.is_kept(session, town.brand.id, name))


def forgets(town: Tasting, name: str) -> None:
    member = town.who(name)

    def forget(session: Session) -> None:
        forget_rewards(session, town.brand.id, member)
        forget_member(session, town.brand.id, member)

    town.house.do(forget)


def test_a_triers_photo_goes_with_the_person_who_sent_it(house: House) -> None:
    town = open_tasting(house)
    photo = keep(town, "red")
    for name in ("Ann", "Bob"):
        town.applies(name)
        town.gets(name)
        town.reviews(name, picture=photo)
    forgets(town, "Ann")
    assert kept(town, photo), "Bob sent the same"
    forgets(town, "Bob")
    assert not kept(town, photo)


def test_a_photo_that_is_on_a_campaigns_card_stays(house: House) -> None:
    town = open_tasting(house)
    photo = keep(town, "red")
    raw = trial_file()
    raw["campaign"]["picture"] = photo
    house.do(lambda session: apply_campaign(session, town.brand, build_campaign(raw)))
    town.applies("Ann")
    town.gets("Ann")
    town.reviews("Ann", picture=photo)
    forgets(town, "Ann")
    assert kept(town, photo)


@pytest.mark.parametrize("used", ["campaign", "feedback", "draft", "talk", "finished talk", "nothing", "sent again"])
def test_after_thirty_days_what_nothing_mentions_is_forgotten(house: House, used: str) -> None:
    town = open_tasting(house)
    photo, other = keep(town, "red"), keep(town, "blue")

    def use(session: Session) -> None:
        now, brand = clock.now(), town.brand
        if used == "campaign":
            raw = trial_file()
            raw["campaign"]["picture"] = photo
            apply_campaign(session, brand, build_campaign(raw))
        elif used == "draft":
            said: dict[str, Any] = {
                "code": "c",
                "kind": "trial",
                "locale": "en",
                "author": "x:y",
                "answers": {"picture": photo},
            }
            session.add(CampaignDraft(brand_id=brand.id, id=ids.new(), created_at=now, updated_at=now, **said))
        elif "talk" in used:
            talk = {"answers": {"picture": photo}}
            dialog = None if "finished" in used else "trial_feedback"
            row: dict[str, Any] = {
                "platform": "webchat",
                "account": "mei",
                "dialog": dialog,
                "data": talk,
                "brand_id": brand.id,
            }
            session.add(Conversation(**row, updated_at=now))

    house.do(use)
    if used == "feedback":
        town.applies("Ann")
        town.gets("Ann")
        town.reviews("Ann", picture=photo)
    assert house.do(forget_unused) == 0, "it has just come"
    with later(days=31):
        if used == "sent again":
            keep(town, "red")
        stays = used in ("campaign", "feedback", "draft", "talk", "sent again")
        assert house.do(forget_unused) == (1 if stays else 2)
        assert house.do(forget_unused) == 0
    assert kept(town, photo) == stays
    assert not kept(town, other)
