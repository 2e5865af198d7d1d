"""`daixin serve` as a process of its own: what it runs, what it survives, and how it says goodbye."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import urllib.request
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from core import clock
from referral import brands
from referral.campaigns import Campaign
from rewards.campaign_files import new_campaign
from tests.bots.telegram.botapi import BotApi
from tests.daixin.program import Server, Shell, closed_port, migrated, serving
from tests.house import House


def found_tea(session: Session) -> Campaign:
    """A brand with a campaign that runs."""
    brand = brands.create_brand(session, "Tea")
    made = new_campaign(session, brand, "Tea for two", advocate=100, friend=50, budget=1000, days=30, stay_days=7)
    return made.campaign


@pytest.fixture
def folder(tmp_path: Path, migrated_sqlite: Path) -> Path:
    """A folder with the database of a small brand."""
    migrated(tmp_path, migrated_sqlite)
    house = House(f"sqlite:///{tmp_path / 'daixin.db'}")
    house.do(found_tea)
    house.close()
    return tmp_path


async def test_everything_runs_and_says_so(folder: Path, daixin: Shell) -> None:
    async with serving(daixin, folder) as server:
        status, text = await server.get("/healthz")
        assert (status, json.loads(text)["status"]) == (200, "ok")
        roles = json.loads(text)["roles"]
        assert {name: role["state"] for name, role in roles.items()} == dict.fromkeys(
            ("webchat", "outbox", "worker"), "ready"
        )
        assert "daixin_role_up" in (await server.get("/metrics"))[1]
        port = server.url.rpartition(":")[2]
        asked = await asyncio.to_thread(daixin, folder, "health", web_port=port)
        assert (asked.status, asked.json["status"]) == (0, "ok")
        taken = await asyncio.to_thread(daixin, folder, "serve", web_port=port)
        assert taken.status == 1
        assert f"Cannot listen on 127.0.0.1 port {port}" in taken.err
        assert "Traceback" not in taken.err
        assert await server.stop() == 0


async def test_what_telegram_handed_over_is_answered_before_the_end(folder: Path, daixin: Shell) -> None:
    async with BotApi() as api:
        people = [api.person(f"Person {number}") for number in range(12)]
        ours = {"telegram_token": api.token, "telegram_api_url": api.url}
        async with serving(daixin, folder, "--only", "telegram", **ours) as server:
            await server.until(lambda: api.asked)
            for someone in people:
                api.say(someone, "/start")
            await server.until(lambda: any(api.seen(someone) for someone in people))
            assert await server.stop() == 0
        answered = [len(api.seen(someone)) for someone in people]
        # Each was answered once, or Telegram still has the message and brings it to the next process.
        assert set(answered) <= {0, 1}
        assert sum(answered) + api.unheard == len(people)
        assert api.violations == []


async def test_what_the_web_chat_took_is_kept_and_answered_before_the_end(folder: Path, daixin: Shell) -> None:
    async with serving(daixin, folder, "--only", "web") as server:
        cookies = [await asyncio.to_thread(visit, server.url) for _ in range(6)]
        posts = [asyncio.create_task(asyncio.to_thread(post, server.url, cookie)) for cookie in cookies]
        await asyncio.wait(posts, return_when=asyncio.FIRST_COMPLETED)
        assert await server.stop() == 0
        taken = [await one for one in posts].count(200)
    with closing(sqlite3.connect(folder / "daixin.db")) as raw:
        kept = raw.execute("SELECT count(*) FROM identity WHERE platform = 'webchat'").fetchone()[0]
    assert 1 <= taken <= kept <= len(cookies)


def visit(url: str) -> str:
    with urllib.request.urlopen(url + "/chat") as answer:
        return str(answer.headers["Set-Cookie"]).partition(";")[0]


def post(url: str, cookie: str) -> int:
    """Ask for the invite card; 0 if the server no longer took the question."""
    headers = {"Cookie": cookie, "Content-Type": "application/json"}
    request = urllib.request.Request(url + "/chat/messages", json.dumps({"text": "/invite"}).encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except OSError:
        return 0


async def test_a_platform_in_trouble_is_shown_and_the_others_answer(folder: Path, daixin: Shell) -> None:
    nobody = closed_port()
    async with BotApi() as api:
        ours = {
            "telegram_token": "43:NOBODY",
            "telegram_api_url": api.url,
            "wechat_endpoint": f"127.0.0.1:{nobody}",
            "wechat_token": "a-token-of-the-gateway",
            "discord_token": "a.wrong.token",
            "discord_api_url": f"http://127.0.0.1:{nobody}/api",
        }
        async with serving(daixin, folder, begun="web.listening", **ours) as server:

            async def troubles() -> dict[str, dict[str, str]]:
                roles = (await server.health())["roles"]
                named = {name: roles[name] for name in ("telegram", "wechat", "discord")}
                return named if all(one["state"] in ("down", "degraded") for one in named.values()) else {}

            shown = await server.until(troubles)
            assert "refuses the token" in shown["telegram"]["detail"]
            assert shown["wechat"]["detail"]
            assert shown["discord"]["detail"]
            assert (await server.get("/healthz"))[0] == 503
            assert (await server.get("/chat"))[0] == 200
            assert (await server.health())["roles"]["webchat"]["state"] == "ready"
            assert "43:NOBODY" not in json.dumps(server.log)
            assert await server.stop() == 0


async def test_web_and_worker_share_a_database_and_the_work_is_done_once(folder: Path, daixin: Shell) -> None:
    house = House(f"sqlite:///{folder / 'daixin.db'}")
    house.do(announce)
    async with serving(daixin, folder, "--only", "web") as web, serving(daixin, folder, "--only", "worker") as worker:
        assert worker.said("web.listening") is None
        assert "worker" not in (await web.health())["roles"]
        assert await worker.until(lambda: house.ask(state_of_coming)) == "running"
        assert await stop_both(web, worker) == [0, 0]
    house.close()


def announce(session: Session) -> None:
    """A campaign that should have begun a moment ago."""
    brand = brands.only_brand(session)
    assert brand is not None
    campaign = new_campaign(session, brand, "Coming", advocate=1, friend=0, budget=10, days=30).campaign
    campaign.slug, campaign.state, campaign.starts_at = "coming", "scheduled", clock.now() - timedelta(seconds=1)
    session.add(campaign)


def state_of_coming(session: Session) -> str | None:
    found = session.exec(select(Campaign).where(Campaign.slug == "coming")).one()
    return found.state if found.state != "scheduled" else None


async def stop_both(*servers: Server) -> list[int]:
    return list(await asyncio.gather(*(server.stop() for server in servers)))
