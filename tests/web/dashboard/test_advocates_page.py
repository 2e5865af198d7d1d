"""The list of advocates and the page of one, by a real server."""

from __future__ import annotations

import html
import re
from pathlib import Path
from uuid import uuid4

import pytest

from referral.privacy import forget_member
from tests.web.brandsite import OTHER, open_brand


def plain(page: str) -> str:
    """What one reads of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


async def test_typing_asks_for_the_rows_alone_and_finds_by_any_order(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("reviewer")
        whole = await mei.get("/advocates")
        assert "<html" in whole.text
        assert "Alice <b>&" in plain(whole.text)
        assert "<b>&" not in whole.text
        for order in ("friends", "earned", "latest", "nonsense"):
            rows = await mei.client.get(
                f"/b/{mei.slug}/advocates", params={"q": "ali", "order": order}, headers={"hx-target": "found"}
            )
            assert "<html" not in rows.text
            assert "1 found" in plain(rows.text)
            assert OTHER not in rows.text
        nobody = await mei.get("/advocates", params={"q": "<script>alert(1)</script>"})
        assert "Nobody found" in plain(nobody.text)
        assert "<script>alert" not in nobody.text
        changed = await mei.get("/advocates", params={"after": "junk~more"})
        assert changed.status_code == 200


async def test_the_page_of_an_advocate_leads_to_each_friends_journey(tmp_path: Path) -> None:
    async with open_brand(tmp_path, "zh_Hans") as site:
        mei = await site.person("reviewer")
        page = await mei.get(f"/advocates/{site.ours.people['Alice']}")
        read = plain(page.text)
        assert "Bob <b>&" in read
        assert site.ours.code[:4] in read
        assert f"/journeys/friend/{site.ours.ids['referral:Bob']}" in page.text
        friend = plain((await mei.get(f"/advocates/{site.ours.people['Bob']}")).text)
        assert "wild-1001" in friend
        qualified = plain((await mei.get(f"/advocates/{site.ours.people['Alice']}", params={"state": "expired"})).text)
        assert "没有这种状态的好友" in qualified


async def test_whoever_was_forgotten_is_shown_so_and_is_not_found(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        alice = site.ours.people["Alice"]
        site.house.do(lambda session: forget_member(session, site.ours.brand_id, alice))
        page = await mei.get(f"/advocates/{alice}")
        assert "asked to be forgotten" in plain(page.text)
        assert "Alice" not in page.text
        assert "Nobody found" in plain((await mei.get("/advocates", params={"q": "alice"})).text)


async def test_an_empty_brand_is_told_what_will_be_here(tmp_path: Path) -> None:
    async with open_brand(tmp_path, empty=True) as site:
        mei = await site.person("owner")
        assert "No advocates yet" in plain((await mei.get("/advocates")).text)


@pytest.mark.parametrize("which", ["theirs", "unknown", "junk"])
async def test_what_is_not_the_brands_is_not_there(tmp_path: Path, which: str) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        wanted = {"theirs": str(site.theirs.people["Alice"]), "unknown": str(uuid4()), "junk": "a" * 300}[which]
        answer = await mei.get(f"/advocates/{wanted}")
        assert answer.status_code == 404
        assert OTHER not in answer.text
