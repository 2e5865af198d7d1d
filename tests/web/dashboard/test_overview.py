"""Mei opens the first page: figures with their formulas, of her own brand, in her language."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from core import clock, ids
from core.db import insert_all, table
from referral import orders
from referral.brands import Brand
from referral.conversions import Order
from referral.insight.models import InsightFigure
from rewards.insight import refresh
from tests.referral.insight.teashop import Shop
from tests.web.brandsite import open_brand

ZH, EN = "zh_Hans", "en"


@pytest.mark.parametrize(("locale", "rate", "funnel"), [(EN, "Referral rate", "Funnel"), (ZH, "转介绍率", "转化漏斗")])
async def test_the_first_page_tells_the_figures_with_what_went_into_them(
    tmp_path: Path, locale: str, rate: str, funnel: str
) -> None:
    async with open_brand(tmp_path, locale) as site:
        mei = await site.person("owner")
        page = await mei.get("/")
        assert page.status_code == 200
        assert rate in page.text
        assert funnel in page.text
        assert "100.0%" in page.text  # Bob is the only new customer, and Alice brought him
        assert "Otherworld" not in page.text
        assert "<Hill>" not in page.text


@pytest.mark.parametrize(("locale", "interval"), [(EN, "95% interval"), (ZH, "95% 区间")])
async def test_every_interval_says_by_which_method(tmp_path: Path, locale: str, interval: str) -> None:
    async with open_brand(tmp_path, locale) as site:
        mei = await site.person("owner")
        for address in ("/", f"/?campaign={site.ours.campaign}", f"/campaigns/{site.ours.campaign}"):
            hints = [one.partition("</p>\n</div>")[0] for one in (await mei.get(address)).text.split('class="tip-box"')]
            sure = [one for one in hints[1:] if interval in one]
            assert len(sure) >= 6, address
            for one in sure:
                assert any(name in one for name in ("Wilson", "Byar", "Cochran")), one


@pytest.mark.parametrize(("locale", "said"), [(EN, "No campaign yet"), (ZH, "还没有活动")])
async def test_a_brand_without_a_campaign_is_told_how_to_begin(tmp_path: Path, locale: str, said: str) -> None:
    async with open_brand(tmp_path, locale, empty=True) as site:
        mei = await site.person("owner")
        assert said in (await mei.get("/campaigns")).text


async def test_what_is_asked_for_amiss_is_answered_all_the_same(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("reviewer")
        for query in ("days=0", "days=99999999999", "days=²", "days=-7", "said=<b>.x", "said=insight.rate", "state=x"):
            page = await mei.get(f"/?{query}")
            assert page.status_code == 200
            assert "flash" not in page.text.partition('id="flash"')[2].partition("</div>")[0]
        assert (await mei.get("/?campaign=nowhere")).status_code == 404
        assert (await mei.get(f"/?campaign={site.theirs.campaign}")).status_code == 404
        assert (await mei.get("/campaigns?page=9999&state=running")).status_code == 200


async def test_no_address_upsets_postgresql(tmp_path: Path, postgres_house_url: str) -> None:
    async with open_brand(tmp_path, url=postgres_house_url) as site:
        mei = await site.person("owner")
        for address in (
            "/?campaign=",
            "/campaigns/",
            "/leaderboard/",
            f"/advocates/{site.ours.people['Alice']}?campaign=",
        ):
            for odd in ("%00", "spring%00-wild", "%F0%9F%98%80", "%ED%A0%80"):
                assert (await mei.get(address + odd)).status_code in (200, 404), (address, odd)
        kept = await mei.post("/settings/costs", what="baseline", currency="CNY", amount="5", note="of\x00 ads")
        assert kept.status_code == 303
        assert "of ads" in (await mei.get("/settings/costs")).text
        assert (await mei.post("/settings/sharing/spring%00/start")).status_code == 404


async def test_a_purchase_is_seen_by_whoever_opens_the_page_next(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        assert "1 of 1 new customers were brought" in (await mei.get("/")).text
        told = Order(site.ours.brand_id, "till", "dora", "CNY", 4_000, clock.now(), member_id=site.ours.people["Dora"])
        site.house.do(lambda session: orders.record_orders(session, [told]))
        with clock.moved(refresh.FRESH + timedelta(seconds=1)):
            assert "2 of 2 new customers were brought" in (await mei.get("/")).text


@pytest.mark.parametrize(
    ("locale", "brought", "against", "nameless"),
    [
        (
            EN,
            "7 of 20 new customers were brought",
            "−40.0% against your baseline of CN¥100.00",
            "Orders that name nobody",
        ),
        (ZH, "20 位新客中 7 位由老客带来", "较基准 ¥100.00：−40.0%", "认不出是谁的订单"),
    ],
)
async def test_seven_of_twenty_are_35_percent_and_sixty_yuan_40_percent_less_than_a_hundred(
    tmp_path: Path, locale: str, brought: str, against: str, nameless: str
) -> None:
    async with open_brand(tmp_path, locale, empty=True) as site:
        mei = await site.person("owner")
        ours = site.house.ask(lambda session: session.get_one(Brand, site.ours.brand_id))
        shop = Shop(site.house, ours)
        for friend in shop.brings(shop.code_of("Alice"), [f"friend{number}" for number in range(7)]):
            shop.buys(member_id=friend)
        for number in range(13):
            shop.buys(customer_hash=f"{number:032x}")
        for _ in range(3):
            shop.buys()
        await mei.post("/settings/costs", what="baseline", currency="CNY", amount="100.00")
        page = (await mei.get("/")).text
        assert re.search(rf"{nameless}</dt>\s*<dd[^>]*>3<", page)
        assert brought in page
        assert "35.0%" in page
        assert against in page
        told = (await mei.get("/?campaign=spring")).text
        assert brought in told, "of one campaign, too, it is a share of all new customers"
        assert "35.0%" in told


async def test_one_advocate_with_all_the_friends_is_warned_of(tmp_path: Path) -> None:
    async with open_brand(tmp_path, empty=True) as site:
        mei = await site.person("owner")
        shop = Shop(site.house, site.house.ask(lambda session: session.get_one(Brand, site.ours.brand_id)))
        friends = shop.brings(shop.code_of("Alice"), [f"friend{number}" for number in range(30)])
        shop.buys(member_id=friends[0])
        assert "Too early to tell" in (await mei.get("/")).text
        for friend in friends[1:]:
            shop.buys(member_id=friend)
        with clock.moved(refresh.FRESH + timedelta(seconds=1)):
            page = (await mei.get("/")).text
        assert "a single advocate brought 100%" in page
        assert "Healthy" not in page


async def test_of_many_communities_the_last_are_told_together_so_that_all_add_up(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        await mei.get("/")
        day = clock.now().date() - timedelta(days=3)
        here = {"brand_id": site.ours.brand_id, "day": day, "source": "referral"}
        of = here | {"campaign_id": UUID(site.ours.ids["campaign"])}
        rows = [
            of | {"what": what, "part": f"telegram/{ids.new()}", "amount": 2 if what == "came" else 1}
            for what in ("came", "qualified")
            for _ in range(13)
        ]
        for came, qualified in zip(rows[:13], rows[13:], strict=True):
            qualified["part"] = came["part"]
        site.house.do(lambda session: insert_all(session, table(InsightFigure), rows))
        told = (await mei.get("/")).text
        assert re.search(r"2 more</t[dh]>\s*<td[^>]*>4<", told), "thirteen, and those who came through none"
