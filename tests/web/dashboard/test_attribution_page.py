"""Mei reads whose each order is, and asks what another policy would have said."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from core import clock
from referral import campaigns, members
from referral.arrivals import Arrive, arrive
from referral.campaigns import Campaign
from referral.conversions import Order
from referral.orders import record_orders
from tests.web.brandsite import Brandsite, account, open_brand


def carol_touches_bob(site: Brandsite) -> None:
    """Bob, whom Alice brought, follows Carol's link two hours later, and buys again after that."""

    def unit(session: Session) -> None:
        brand, now = site.ours, clock.now()
        carol = account("Carol", brand.slug, "Wild <Hill>")
        [known] = members.meet(session, brand.brand_id, [carol], [now], "message")
        campaign: Campaign = campaigns.find_campaign(session, brand.brand_id, brand.campaign)
        code = campaigns.enroll(session, campaign, known.member_id)
        bob = account("Bob", brand.slug, "Wild <Hill>")
        arrive(session, [Arrive(code, bob, now + timedelta(hours=2))])
        at = now + timedelta(hours=3)
        told = Order(brand.brand_id, "till", "wild-1003", "CNY", 7_000, at, member_id=brand.people["Bob"])
        record_orders(session, [told])

    site.house.do(unit)


@pytest.mark.parametrize(
    ("locale", "rule", "why", "then", "one"),
    [
        ("en", "credited to the advocate who brought them first", "The friend was bound to them", "Last touch:", "+1"),
        ("zh_Hans", "好友归第一位带来 TA 的推荐人", "好友绑定在 TA 名下", "最后触点：", "+1"),
    ],
)
async def test_whose_the_orders_are_and_whose_they_would_be(
    tmp_path: Path, locale: str, rule: str, why: str, then: str, one: str
) -> None:
    async with open_brand(tmp_path, locale) as site:
        carol_touches_bob(site)
        mei = await site.person("reviewer")
        path = f"/campaigns/{site.ours.campaign}/attribution"
        page = await mei.get(path)
        assert page.status_code == 200
        assert rule in page.text
        assert page.text.count(why) == 3
        assert f'href="/b/wild/journeys/order/{site.ours.ids["conversion:1001"]}"' in page.text
        assert "Otherworld" not in page.text
        assert "<Hill>" not in page.text
        told = await mei.get(f"{path}?way=last_touch&validity_days=7&precedence=link&protect_days=")
        assert told.status_code == 200
        assert then in told.text
        assert f">{one}</span>" in told.text, "the third order would be Carol's"
        assert "2 → 2" not in told.text
        assert "3 → 3" in told.text


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("way=heads", "way"),
        ("way=binding&validity_days=-1", "validity_days"),
        ("way=linear&half_life_days=2", "half_life_days"),
        ("way=binding&validity_days=1e9", "validity_days"),
        ("way=binding&validity_days=7&protect_days=8", "protect_days"),
    ],
)
async def test_a_policy_that_is_none_is_said_so(tmp_path: Path, asked: str, field: str) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        page = await mei.get(f"/campaigns/{site.ours.campaign}/attribution?{asked}")
        assert page.status_code == 400
        assert "These do not go together." in page.text.partition(f'id="f-{field}-error">')[2].partition("</p>")[0]
        assert "docs/" not in page.text
        assert "Latest orders" in page.text, "the rest of the page is there"


async def test_another_brands_campaign_is_not_there_and_an_empty_one_says_so(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        assert (await mei.get(f"/campaigns/{site.theirs.campaign}/attribution")).status_code == 404
        assert (await mei.get("/campaigns/nothing/attribution")).status_code == 404
