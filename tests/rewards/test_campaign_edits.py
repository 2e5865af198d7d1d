"""What staff do to a campaign that is there: under the version they saw, audited, and never twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlmodel import Session

from core import clock
from core.errors import BadInput, Conflict, Refused
from referral import audit
from referral.brands import Brand, create_brand
from referral.campaigns import Campaign, find_campaign
from rewards import campaign_edits as edits
from rewards.campaign_files import apply_campaign, read_campaign, write_campaign
from rewards.campaign_format import build_campaign
from rewards.ledger import funded
from tests.house import House, later

ME, YOU = "telegram:me", "discord:you"


class Shop:
    """A brand with a running campaign."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.brand: Brand = house.do(lambda s: create_brand(s, "Acme", timezone="UTC"))
        self.first = house.do(lambda s: apply_campaign(s, self.brand, build_campaign(self.file())).campaign)

    def file(self, **changes: Any) -> dict[str, Any]:
        about = {
            "slug": "spring",
            "title": {"zh_Hans": "春", "en": "Spring"},
            "benefit": {"zh_Hans": "新朋友达标可得 5 积分", "en": "5 points once you count"},
            "timezone": "UTC",
            "starts_at": clock.now() - timedelta(hours=1),
            "ends_at": clock.now() + timedelta(days=30),
        }
        rules = [{"to": "advocate", "amount": 10, "hold_days": 3}, {"to": "friend", "amount": 5, "hold_days": 3}]
        return {"campaign": about | changes, "rewards": {"budget": 1000, "rules": rules}}

    def now(self, slug: str = "spring") -> Campaign:
        return self.house.ask(lambda s: find_campaign(s, self.brand.id, slug))

    def edit(self, field: str, value: str | int, version: int, actor: str = ME) -> Campaign:
        def unit(session: Session) -> Campaign:
            campaign = find_campaign(session, self.brand.id, "spring")
            return edits.edit(session, self.brand, campaign, version, field, value, actor).campaign

        return self.house.do(unit)

    def acts(self) -> list[tuple[str, str]]:
        assert self.house.ask(lambda s: audit.verify_chain(s, self.brand.id)) == []
        log = self.house.ask(lambda s: audit.entries_of(s, self.brand.id))
        return [(entry.act, entry.actor) for entry in reversed(log)]


@pytest.fixture
def shop(house: House) -> Shop:
    return Shop(house)


def test_a_change_is_a_new_version_and_says_who_made_it(shop: Shop) -> None:
    changed = shop.edit("title.en", "Late spring", 1)
    assert (changed.version, changed.title) == (2, {"zh_Hans": "春", "en": "Late spring"})
    shop.edit("friend", 7, 2)
    [entry, _] = shop.house.ask(lambda s: audit.entries_of(s, shop.brand.id))
    assert entry.details == {"version": 3, "field": "friend", "before": 5, "after": 7}
    assert shop.house.ask(lambda s: edits.value_of(s, find_campaign(s, shop.brand.id, "spring"), "friend")) == 7
    assert shop.acts() == [("campaign.edit", ME), ("campaign.edit", ME)]


def test_our_own_words_about_the_gift_name_the_new_amount(shop: Shop) -> None:
    own = shop.house.do(
        lambda s: edits.apply_file(
            s,
            shop.brand,
            build_campaign(shop.file(benefit={"zh_Hans": "新朋友达标可得 5 积分", "en": "A cup of tea"})),
            1,
            ME,
        )
    )
    assert own.campaign.version == 2
    changed = shop.edit("friend", 8, 2)
    assert changed.benefit == {"zh_Hans": "新朋友达标可得 8 积分", "en": "A cup of tea"}


def test_the_second_of_two_is_told_who_was_first(shop: Shop) -> None:
    shop.edit("title.en", "First", 1, YOU)
    with pytest.raises(Conflict) as refused:
        shop.edit("title.en", "Second", 1)
    assert refused.value.params["who"] == YOU
    assert refused.value.params["what"] == "campaign.edit"
    assert shop.now().title["en"] == "First"


def test_of_two_processes_one_wins(shop: Shop) -> None:
    other = House(shop.house.url)

    def attempt(house: House, name: str) -> str:
        def unit(session: Session) -> str:
            campaign = find_campaign(session, shop.brand.id, "spring")
            edits.raise_budget(session, shop.brand, campaign, 1, "PTS", 500, name)
            return "done"

        try:
            return house.do(unit)
        except Conflict as error:
            return error.code

    with ThreadPoolExecutor(2) as pool:
        tries = [pool.submit(attempt, shop.house, ME), pool.submit(attempt, other, YOU)]
        outcomes = sorted(one.result(timeout=60) for one in tries)
    other.close()
    assert outcomes == ["campaign_changed", "done"]
    assert shop.house.ask(lambda s: funded(s, shop.brand.id, shop.first.id, "PTS")) == 1500
    assert len(shop.acts()) == 1


def test_it_ends_later_and_never_sooner(shop: Shop) -> None:
    extend = partial(edits.extend, brand=shop.brand, version=1, actor=ME)
    ends = shop.first.ends_at + timedelta(days=7)
    shop.house.do(lambda s: extend(s, campaign=find_campaign(s, shop.brand.id, "spring"), ends_at=ends))
    assert shop.now().ends_at == ends
    with pytest.raises(BadInput, match="extend_not_later"):
        shop.house.do(lambda s: edits.extend(s, shop.brand, find_campaign(s, shop.brand.id, "spring"), 2, ends, ME))


def test_what_the_checks_refuse_changes_nothing(shop: Shop) -> None:
    with pytest.raises(Refused, match="plan_refused"):
        shop.edit("friend", 5000, 1)
    assert shop.now().version == 1
    assert shop.acts() == []


def test_one_that_is_over_is_changed_no_more_but_run_once_more(shop: Shop) -> None:
    shop.house.do(lambda s: edits.steer(s, find_campaign(s, shop.brand.id, "spring"), "end", ME))
    with pytest.raises(Refused, match="campaign_over"):
        shop.edit("title.en", "Too late", 1)
    with later(days=3):
        starts = clock.now() + timedelta(days=1)
        made = shop.house.do(
            lambda s: edits.duplicate(s, shop.brand, find_campaign(s, shop.brand.id, "spring"), starts, YOU)
        ).campaign
        assert (made.slug, made.state, made.starts_at) == ("spring-2", "scheduled", starts)
        assert abs(made.ends_at - starts - (shop.first.ends_at - shop.first.starts_at)) < timedelta(days=1)
        again = shop.house.do(
            lambda s: edits.duplicate(s, shop.brand, find_campaign(s, shop.brand.id, "spring-2"), starts, YOU)
        ).campaign
        assert again.slug == "spring-3"
    assert shop.acts() == [
        ("campaign.end", ME),
        ("campaign.duplicate", YOU),
        ("campaign.launch", YOU),
        ("campaign.duplicate", YOU),
        ("campaign.launch", YOU),
    ]


def test_a_file_is_applied_to_what_was_looked_at(shop: Shop) -> None:
    text = shop.house.ask(lambda s: write_campaign(s, find_campaign(s, shop.brand.id, "spring")))
    apply = partial(edits.apply_file, brand=shop.brand, actor=ME)
    assert shop.house.do(lambda s: apply(s, file=read_campaign(text), version=1)).changed == "unchanged"
    shop.edit("title.en", "Meanwhile", 1, YOU)
    changed = read_campaign(text.replace('"Spring"', '"From a file"'))
    with pytest.raises(Conflict):
        shop.house.do(lambda s: apply(s, file=changed, version=1))
    assert shop.house.do(lambda s: apply(s, file=changed, version=2)).campaign.title["en"] == "From a file"
    with pytest.raises(Conflict):
        shop.house.do(lambda s: apply(s, file=build_campaign(shop.file(slug="summer")), version=3))
    with pytest.raises(Conflict):
        shop.house.do(lambda s: apply(s, file=changed, version=0))
    assert shop.acts() == [("campaign.edit", YOU), ("campaign.apply", ME)]
