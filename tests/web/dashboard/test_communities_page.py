"""Groups on the web: what each brought, a code to connect another, and letting one go."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import pytest

from core import clock
from referral import staff, stays
from referral.brands import Community
from tests.web.brandsite import OTHER, Brandsite, open_brand
from tests.web.dashboard.test_review_page import words
from web.parts import Bot


def community(site: Brandsite) -> Community:
    found = site.house.ask(
        lambda session: session.get(Community, (site.ours.brand_id, UUID(site.ours.ids["community"])))
    )
    assert found is not None
    return found


async def test_what_each_group_brought(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        group = community(site)
        site.house.do(lambda session: stays.joined(session, group, "bob-wild", clock.now()))
        mei = await site.person("reviewer")
        page = words((await mei.get("/communities")).text)
        assert "Wild <Hill> Club Telegram Connected 1 1 1" in page
        assert OTHER not in page
        assert "Disconnect" not in page


async def test_a_code_connects_another_group_and_is_shown_once(tmp_path: Path) -> None:
    async with open_brand(tmp_path, "zh_Hans") as site:
        mei = await site.person("manager")
        page = (await mei.post("/communities/code", what="partner")).text
        code = re.search(r"<code>连接 ([0-9A-Z]{5}-[0-9A-Z]{5})</code>", page)
        assert code is not None
        used = site.house.do(lambda session: staff.use_code(session, code[1], ("partner",)))
        assert (used.brand_id, used.made_by) == (site.ours.brand_id, f"user:{mei.user_id}")
        assert code[1] not in (await mei.get("/communities")).text
        assert (await mei.post("/communities/code", what="owner")).status_code == 400
        kit = await site.person("reviewer")
        assert (await kit.post("/communities/code", what="connect")).status_code == 403


@pytest.mark.parametrize(("locale", "link"), [("en", "Add to a group"), ("zh_Hans", "拉进群")])
async def test_the_bot_that_is_to_be_added_is_named_with_the_link_that_adds_it(
    tmp_path: Path, locale: str, link: str
) -> None:
    known = [Bot("telegram", "@tea_bot", "https://t.me/tea_bot?startgroup"), Bot("wechat", "Tea <b>")]
    for empty, path in ((False, "/communities"), (True, "/")):
        (folder := tmp_path / path.strip("/").join("xx")).mkdir()
        async with open_brand(folder, locale, empty=empty, bots=known) as site:
            page = (await (await site.person("owner")).get(path)).text
            assert "@tea_bot" in page
            assert (
                f'<a class="btn small" href="https://t.me/tea_bot?startgroup" target="_blank" rel="noopener">{link}</a>'
                in page
            )
            assert "Tea &lt;b&gt;" in page
            assert page.count(f">{link}<") == 1  # WeChat has no such link


async def test_a_group_is_let_go_once_and_never_another_brands(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        assert (await mei.post(f"/communities/{site.theirs.ids['community']}/disconnect")).status_code == 404
        for _ in range(2):
            answer = await mei.post(f"/communities/{site.ours.ids['community']}/disconnect")
            assert answer.headers["location"] == "/b/wild/communities?said=desk.disconnected"
        assert community(site).removed_at is not None
        assert "Disconnected" in words((await mei.get("/communities")).text)
