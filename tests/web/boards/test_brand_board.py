"""The brand's own leaderboard, its stage view, and the settings that share it."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from sqlmodel import Session

from core import clock, ids
from referral.conversions import Order
from referral.orders import record_orders
from tests.web.brandsite import OTHER, Brandsite, open_brand

BOARD = "/leaderboard/spring-wild"


def buys(site: Brandsite, name: str) -> None:
    """A friend's first order, which makes them count."""

    def unit(session: Session) -> None:
        told = Order(
            site.ours.brand_id, "till", ids.new().hex, "CNY", 100, clock.now(), member_id=site.ours.people[name]
        )
        record_orders(session, [told])

    site.house.do(unit)


@pytest.mark.parametrize("role", ["owner", "manager", "reviewer"])
async def test_everybody_of_the_brand_sees_whole_names(tmp_path: Path, role: str) -> None:
    async with open_brand(tmp_path) as site:
        person = await site.person(role)
        for path in ("/leaderboard", BOARD, f"{BOARD}?window=day", f"{BOARD}?window=nonsense"):
            page = await person.get(path)
            assert page.status_code == 200, path
            assert "Alice &lt;b&gt;&amp;" in page.text
            assert f"/advocates/{site.ours.people['Alice']}" in page.text
            assert OTHER not in page.text
            assert "style=" not in page.text
        assert "A***&amp;" in (await person.get(f"{BOARD}/stage")).text, "a screen in the shop is public"


async def test_the_board_moves_while_it_is_looked_at(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("reviewer")
        address = f"/b/wild{BOARD}/stream?window=day"
        async with asyncio.timeout(20), mei.client.stream("GET", address) as stream:
            boards = (json.loads(line[6:]) async for line in stream.aiter_lines() if line.startswith("data: "))
            first = await anext(boards)
            assert [(one["n"], one["s"], one["m"]) for one in first["places"]] == [
                ("Alice <b>&", 1, str(site.ours.people["Alice"]))
            ]
            buys(site, "Dora")
            assert (await anext(boards))["places"][0]["s"] == 2


async def test_only_the_brands_people_get_in(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        theirs = await site.person("owner", of=site.theirs)
        theirs.slug = "wild"
        nobody = await site.visitor()
        for path in ("/leaderboard", BOARD, f"{BOARD}/stream", f"{BOARD}/stage", "/settings/sharing"):
            assert (await theirs.get(path)).status_code == 404, path
            assert (await nobody.get(f"/b/wild{path}")).status_code == 303, path
        mei = await site.person("owner")
        assert (await mei.get("/leaderboard/spring-faraway")).status_code == 404
        assert (await mei.post("/settings/sharing/spring-faraway/start")).status_code == 404


async def test_a_manager_shares_a_board_names_a_website_and_takes_it_back(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei, visitor = await site.person("manager"), await site.visitor()
        at = "/settings/sharing/spring-wild"
        assert (await mei.post(f"{at}/start")).status_code == 303
        page = (await mei.get("/settings/sharing")).text
        token = re.search(r"/board/([\w-]{22})", page)
        assert token is not None
        assert (await mei.post(f"{at}/start")).status_code == 303
        assert token[1] in (await mei.get("/settings/sharing")).text, "asked again it is the same link"
        assert "A***" in (await visitor.get(f"/board/{token[1]}")).text

        wrong = await mei.post(f"{at}/hosts", hosts="shop.example.com\njavascript:alert(1)")
        assert wrong.status_code == 400
        assert "javascript:alert(1)" in wrong.text, "what was typed is still there"
        assert (await mei.post(f"{at}/hosts", hosts="shop.example.com")).status_code == 303
        framed = await visitor.get(f"/board/{token[1]}/embed")
        assert framed.headers["content-security-policy"].endswith("frame-ancestors https://shop.example.com")
        assert f"/board/{token[1]}/embed" in (await mei.get("/settings/sharing")).text

        assert (await mei.post(f"{at}/renew")).status_code == 303
        assert (await visitor.get(f"/board/{token[1]}")).status_code == 404
        assert "shop.example.com" in (await mei.get("/settings/sharing")).text, "websites stay as they were"
        assert (await mei.post(f"{at}/stop")).status_code == 303
        assert re.search(r"/board/[\w-]{22}", (await mei.get("/settings/sharing")).text) is None


async def test_a_reviewer_shares_nothing_and_forms_of_others_do_nothing(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        reviewer, mei = await site.person("reviewer"), await site.person("owner")
        assert (await reviewer.get("/settings/sharing")).status_code == 403
        assert (await reviewer.post("/settings/sharing/spring-wild/start")).status_code == 403
        mei.csrf = "stale"
        assert (await mei.post("/settings/sharing/spring-wild/start")).status_code == 403
        assert "/settings/sharing" not in (await reviewer.get(BOARD)).text


async def test_a_brand_without_campaigns_is_told_what_will_be_here(tmp_path: Path) -> None:
    async with open_brand(tmp_path, "zh_Hans", empty=True) as site:
        mei = await site.person("owner")
        assert "还没有可以排名的活动" in (await mei.get("/leaderboard")).text
        assert "还没有可以排名的活动" in (await mei.get("/settings/sharing")).text
