"""The page that answers "why was this order (not) counted?", by a real server, in both languages."""

from __future__ import annotations

import html
import re
from pathlib import Path
from uuid import uuid4

import pytest

from core import clock
from referral.conversions import Order, RefundOrder
from referral.orders import record_orders
from referral.refunds import record_refunds
from tests.web.brandsite import OTHER, open_brand


def plain(page: str) -> str:
    """What one reads of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


async def test_the_journey_of_an_order_that_counted_is_read_from_top_to_bottom(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("reviewer")
        answer = await mei.get(f"/journeys/order/{site.ours.ids['conversion:1001']}")
        assert answer.status_code == 200
        read = plain(answer.text)
        assert "Order wild-1001" in read
        assert "For Alice <b>&: part of Bob <b>&’s order went back, so CN¥108.00 of it counts." in read
        for words in ("Gave Alice <b>&’s invite code", "New to the brand held", "Refunded CN¥20.00", "In the books"):
            assert words in read, words
        assert "<b>&" not in answer.text
        assert "grant/" in read


async def test_what_is_sent_to_the_advocate_names_no_friend(tmp_path: Path) -> None:
    async with open_brand(tmp_path, "zh_Hans") as site:
        mei = await site.person("owner")
        for path in (
            f"/journeys/order/{site.ours.ids['conversion:1002']}",
            f"/journeys/friend/{site.ours.ids['referral:Bob']}",
            f"/journeys/person/{site.ours.people['Bob']}",
        ):
            answer = await mei.get(path)
            letters = [html.unescape(one) for one in re.findall(r'<p class="text"[^>]*>(.*?)</p>', answer.text, re.S)]
            assert len(letters) == 2
            assert letters[0].startswith("你好，Alice")
            assert letters[1].startswith("Hello Alice")
            for letter in letters:
                assert "Bob" not in letter
                assert "50.00" not in letter
                assert "wild-1002" not in letter


async def test_the_list_finds_orders_by_number_and_by_reason(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("reviewer")
        guest = Order(site.ours.brand_id, "shopify", "#2001", "CNY", 900, clock.now())
        site.house.do(lambda session: record_orders(session, [guest]))

        every = plain((await mei.get("/journeys")).text)
        assert all(number in every for number in ("wild-1001", "wild-1002", "#2001"))
        assert OTHER not in every
        found = plain((await mei.get("/journeys", params={"q": "2001"})).text)
        assert "#2001" in found
        assert "wild-1001" not in found
        uncounted = plain((await mei.get("/journeys", params={"status": "uncounted", "reason": "guest"})).text)
        assert "#2001" in uncounted
        assert "wild-1001" not in uncounted
        for strange in ("\x00", "1\x00' OR 1=1", "\u202e", "a" * 5000, "9999-12-31T23:59:59+14:00_" + "f" * 32):
            for name in ("q", "source", "campaign", "reason", "after"):
                assert (await mei.get("/journeys", params={name: strange})).status_code == 200, (name, strange)
        nothing = plain((await mei.get("/journeys", params={"q": "no-such", "after": "junk", "status": "'; --"})).text)
        assert "No order fits" in nothing


async def test_the_list_says_of_an_order_what_its_own_page_says(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("reviewer")
        row = plain((await mei.get("/journeys", params={"q": "wild-1002"})).text)
        assert "Counted" in row.partition("CN¥50.00")[2]
        back = RefundOrder(site.ours.brand_id, "till", "all", "wild-1002", None, "CNY", clock.now())
        site.house.do(lambda session: record_refunds(session, [back]))
        page = plain((await mei.get(f"/journeys/order/{site.ours.ids['conversion:1002']}")).text)
        assert "Not counted" in page
        row = plain((await mei.get("/journeys", params={"q": "wild-1002"})).text).partition("CN¥0.00")[2]
        assert "refunded" in row
        assert "Counted" not in row


async def test_a_refund_whose_order_has_not_come_is_found_by_the_orders_number(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("reviewer")
        for brand_id, amount in ((site.ours.brand_id, 700), (site.theirs.brand_id, 66_600)):
            early = RefundOrder(brand_id, "till", "early", "#3001", amount, "CNY", clock.now())
            site.house.do(lambda session, early=early: record_refunds(session, [early]))  # type: ignore[misc]
        told = plain((await mei.get("/journeys", params={"q": "3001"})).text)
        assert "the order itself has not" in told
        assert "CN¥7.00" in told
        assert "666" not in told
        order = Order(site.ours.brand_id, "till", "#3001", "CNY", 900, clock.now())
        site.house.do(lambda session: record_orders(session, [order]))
        assert "the order itself has not" not in plain((await mei.get("/journeys", params={"q": "3001"})).text)


async def test_a_brand_without_orders_is_told_how_they_come(tmp_path: Path) -> None:
    async with open_brand(tmp_path, empty=True) as site:
        owner, reviewer = await site.person("owner"), await site.person("reviewer", name="Ren")
        assert "Connect a shop" in plain((await owner.get("/journeys")).text)
        assert "Connect a shop" not in plain((await reviewer.get("/journeys")).text)


@pytest.mark.parametrize("kind", ["order", "friend", "person"])
async def test_what_is_not_the_brands_is_not_there(tmp_path: Path, kind: str) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        theirs = {
            "order": site.theirs.ids["conversion:1001"],
            "friend": site.theirs.ids["referral:Bob"],
            "person": str(site.theirs.people["Bob"]),
        }[kind]
        for which in (theirs, str(uuid4()), "junk", "0" * 400):
            answer = await mei.get(f"/journeys/{kind}/{which}")
            assert answer.status_code == 404, which
            assert OTHER not in answer.text
