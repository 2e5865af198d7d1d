"""The demo's stage: people side by side, the board that follows, and days that pass."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from core import clock
from tests.web.site import PREVIEW, open_site


async def test_three_people_stand_side_by_side_in_the_language_asked_for(tmp_path: Path) -> None:
    async with open_site(tmp_path, staged=True) as site:
        page = await site.click("/?lang=zh")
        for name in ("Alice", "Bob", "Carol"):
            assert f'src="/chat?as={name}&amp;lang=zh_Hans"' in page.text
        assert "frame-src 'self'" in page.headers["content-security-policy"]
        assert "frame-ancestors 'self'" in page.headers["content-security-policy"]


async def test_bob_opens_alices_link_in_his_phone_and_stays_bob(tmp_path: Path) -> None:
    async with open_site(tmp_path, staged=True) as site:
        site.campaign()
        invite = (await site.client.post("/stage/invite", json={"name": "Alice"})).json()
        assert invite["path"] == f"/r/{invite['code']}"
        arrived = await site.click(f"{invite['path']}?as=Bob&lang=en", PREVIEW)
        assert arrived.headers["location"].endswith("&lang=en&as=Bob"), "whoever plays is a person"
        page = await site.click(arrived.headers["location"])
        assert "&amp;lang=en&amp;as=Bob" in page.text
        assert [touch.robot for touch in site.touches()] == [False]


async def test_days_pass(tmp_path: Path) -> None:
    async with open_site(tmp_path, staged=True) as site:
        before = clock.now().date()
        answer = await site.client.post("/stage/advance", json={"days": 7})
        assert answer.status_code == 200
        assert site.advanced == [7]
        assert (clock.now().date() - before).days in (7, 8)


@pytest.mark.parametrize("body", [{"days": 0}, {"days": -1}, {"days": 401}, {"days": 1.5}, {"days": True}, {}, [], "x"])
async def test_time_takes_whole_days_only(tmp_path: Path, body: object) -> None:
    async with open_site(tmp_path, staged=True) as site:
        answer = await site.client.post("/stage/advance", json=body)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert site.advanced == []


async def test_another_site_cannot_move_the_clock(tmp_path: Path) -> None:
    async with open_site(tmp_path, staged=True) as site:
        foreign = await site.client.post("/stage/advance", json={"days": 1}, headers={"origin": "https://evil.example"})
        assert foreign.status_code == 403
        form = await site.client.post("/stage/advance", data={"days": "1"})
        assert form.status_code == 400
        assert (await site.client.post("/stage/invite", json={"name": "Mallory"})).status_code == 400
        assert site.advanced == []


async def test_the_board_follows_the_books(tmp_path: Path) -> None:
    async with open_site(tmp_path, staged=True) as site:
        campaign = site.campaign()
        site.scores("<b>Mallory</b>", campaign)
        accept = {"accept": "text/event-stream", "accept-language": "en"}
        async with asyncio.timeout(15), site.client.stream("GET", "/stage/board", headers=accept) as stream:
            boards = (json.loads(line[6:]) async for line in stream.aiter_lines() if line.startswith("data: "))
            first = await anext(boards)
            assert first["title"] == "Coffee for two"
            assert first["places"] == [{"rank": 1, "name": "<b>Mallory</b>", "score": 1}]
            site.scores("Alice", campaign)
            site.scores("Alice", campaign)
            board = await anext(boards)
            while board["places"][0]["score"] < 2:
                board = await anext(boards)
            assert [place["name"] for place in board["places"]] == ["Alice", "<b>Mallory</b>"]
            await site.client.post("/stage/advance", json={"days": 30})
            assert (await anext(boards))["today"] != first["today"]
        assert (await site.client.get("/stage/board")).json()["places"][0]["name"] == "Alice"


async def test_a_stage_without_a_campaign_has_an_empty_board(tmp_path: Path) -> None:
    async with open_site(tmp_path, staged=True) as site:
        assert (await site.client.get("/stage/board")).json()["places"] == []


async def test_there_is_no_stage_where_it_is_not_a_demo(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        for path in ("/stage/board", "/stage/advance", "/stage/invite"):
            assert (await site.client.post(path, json={"days": 1})).status_code == 404
