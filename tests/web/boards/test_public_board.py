"""A board behind a link: who may look, what they read, and how it moves while they look."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from referral.boards import names, shares
from referral.campaigns import Campaign
from referral.members import Identity
from tests.web.site import Site, open_site


def link(site: Site, campaign: Campaign, hosts: str = "", *, renew: bool = False) -> str:
    """The brand shares the campaign's board; the path of its page."""

    def unit(session: Session) -> str:
        found = session.get_one(Campaign, (campaign.brand_id, campaign.id))
        token = shares.share(session, found, "user:mei", renew=renew).token
        shares.allow_hosts(session, found, "user:mei", hosts)
        return token

    return f"/board/{site.house.do(unit)}"


@asynccontextmanager
async def watching(site: Site, path: str, **headers: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """The boards that a browser on this page hears."""

    async def boards(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
        async for line in lines:
            if line.startswith("data: "):
                yield json.loads(line[6:] or "null")

    sent = {"accept": "text/event-stream"} | headers
    async with asyncio.timeout(20), site.client.stream("GET", path, headers=sent) as stream:
        assert stream.status_code == 200
        yield boards(stream.aiter_lines())


async def test_strangers_read_masks_and_see_the_board_move(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        campaign = site.campaign()
        site.scores("王小明", campaign)
        path = link(site, campaign)
        page = await site.click(f"{path}?lang=zh")
        assert page.status_code == 200
        assert "王**" in page.text
        assert "王小明" not in page.text
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        async with watching(site, f"{path}/stream") as boards:
            first = await anext(boards)
            assert [(place["n"], place["s"]) for place in first["places"]] == [("王**", 1)]
            site.scores("Alice", campaign)
            site.scores("Alice", campaign)
            board = await anext(boards)
            while board["places"][0]["s"] < 2:
                board = await anext(boards)
            assert [place["n"] for place in board["places"]] == ["A***e", "王**"]
            assert (board["of"], board["friends"]) == (2, 3)
            assert board["places"][1]["k"] == first["places"][0]["k"], "a line is the same line wherever it stands"


async def test_a_browser_that_comes_back_hears_only_what_is_new(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        campaign = site.campaign()
        site.scores("Alice", campaign)
        path = link(site, campaign)
        async with asyncio.timeout(20), site.client.stream("GET", f"{path}/stream") as stream:
            lines = stream.aiter_lines()
            seen = next(line[4:] for line in [await anext(lines) for _ in range(4)] if line.startswith("id: "))
        async with watching(site, f"{path}/stream", **{"last-event-id": seen}) as boards:
            site.scores("Bob", campaign)
            assert len((await anext(boards))["places"]) == 2, "the board it knew is not told again"


async def test_a_link_that_was_taken_back_closes_open_boards_and_never_opens_again(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        campaign = site.campaign()
        path = link(site, campaign)
        async with watching(site, f"{path}/stream") as boards:
            assert (await anext(boards))["places"] == []
            link(site, campaign, renew=True)
            assert await anext(boards) is None, "the stream says that it is over"
            assert await anext(boards, "closed") == "closed"
        for tail in ("", "/stage", "/embed", "/stream"):
            assert (await site.click(path + tail)).status_code == 404


@pytest.mark.parametrize("token", ["x", "a" * 22, "..%2F" * 7, "%00" * 8, "é" * 22])
async def test_no_token_is_guessed(tmp_path: Path, token: str) -> None:
    async with open_site(tmp_path) as site:
        link(site, site.campaign())
        assert (await site.click(f"/board/{token}")).status_code == 404


async def test_only_named_sites_may_show_the_board(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        campaign = site.campaign()
        path = link(site, campaign, "shop.example.com\nhttps://*.example.org:8443 茶.cn")
        embedded = await site.click(f"{path}/embed")
        allowed = "frame-ancestors https://shop.example.com https://*.example.org:8443 https://xn--2nq.cn"
        policy = embedded.headers["content-security-policy"]
        assert policy.split("; ")[-1].startswith("frame-ancestors https://shop.example.com https://*.example.org:8443 ")
        assert len(policy.split("; ")[-1].split()) == len(allowed.split())
        for tail in ("", "/stage"):
            assert "frame-ancestors 'none'" in (await site.click(path + tail)).headers["content-security-policy"]
        bare = link(site, site.campaign("other"))
        assert "frame-ancestors 'none'" in (await site.click(f"{bare}/embed")).headers["content-security-policy"]


async def test_names_are_what_their_owners_chose_and_never_markup(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        campaign = site.campaign()
        for name in ("<b>Mallory</b>", "Alice", "Bob"):
            site.scores(name, campaign)

        def choose(session: Session) -> None:
            for account, shown in (("<b>mallory</b>", "full"), ("alice", "hidden")):
                found = session.get_one(Identity, (site.brand_id, "telegram", account))
                names.choose(session, site.brand_id, found.member_id, shown)

        site.house.do(choose)
        path = link(site, campaign)
        page = (await site.click(path)).text
        assert "<b>Mallory" not in page
        assert "&lt;b&gt;Mallory&lt;/b&gt;" in page
        assert "Alice" not in page
        assert "Anonymous" in page
        assert "B***b" in page
        async with watching(site, f"{path}/stream") as boards:
            assert [place["n"] for place in (await anext(boards))["places"]] == ["<b>Mallory</b>", None, "B***b"]


async def test_somebody_who_wants_to_be_hidden_is_hidden_on_open_boards_too(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        campaign = site.campaign()
        site.scores("Alice", campaign)
        async with watching(site, f"{link(site, campaign)}/stream") as boards:
            assert (await anext(boards))["places"][0]["n"] == "A***e"
            who = site.house.ask(lambda session: session.get_one(Identity, (site.brand_id, "telegram", "alice")))
            site.house.do(lambda session: names.choose(session, site.brand_id, who.member_id, "hidden"))
            assert (await anext(boards))["places"][0]["n"] is None


async def test_an_empty_board_says_who_will_stand_there(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        path = link(site, site.campaign())
        for tail in ("", "/stage", "/embed"):
            page = await site.click(f"{path}{tail}?lang=zh")
            assert "还没有人上榜" in page.text
            assert "style=" not in page.text


async def test_a_draft_is_nobodys_business(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        path = link(site, site.campaign(state="draft"))
        assert (await site.click(path)).status_code == 404


async def test_a_screen_says_which_time_it_counts(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        path = link(site, site.campaign())
        for tail in ("/stage", "/embed"):
            assert "This week" in (await site.click(f"{path}{tail}?window=week")).text
            assert "This week" not in (await site.click(f"{path}{tail}")).text
