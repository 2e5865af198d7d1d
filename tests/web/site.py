"""A real web server on a free port before a house with a brand and its communities, and people who click."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx2
import uvicorn
from sqlmodel import Session, col, select
from starlette.routing import BaseRoute

from core import clock
from core.settings import Settings
from referral import brands, campaigns, leaderboard, members
from referral.brands import Community
from referral.campaigns import Campaign
from referral.touches import Touch
from tests.house import House, fresh_sqlite, person
from web.app import Entrance, Stage, WebParts, create_app

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1"
)
WECHAT = PHONE.replace("Version/18.1", "MicroMessenger/8.0.54")
PREVIEW = "TelegramBot (like TwitterBot)"


@dataclass
class Site:
    """The house, its server and a browser that follows no redirects by itself."""

    house: House
    client: httpx2.AsyncClient
    brand_id: UUID
    health: dict[str, dict[str, str]] = field(default_factory=lambda: {"webchat": {"state": "ready", "detail": ""}})
    advanced: list[int] = field(default_factory=list)

    def campaign(
        self, slug: str = "coffee", state: str = "running", *, begins: float = -10, ends: float = 30
    ) -> Campaign:
        """A campaign of this state, its time given in days from now."""

        def unit(session: Session) -> Campaign:
            campaign = Campaign(
                brand_id=self.brand_id,
                slug=slug,
                state=state,
                title={"en": "Coffee for two", "zh_Hans": "咖啡请你喝"},
                benefit={"en": "First cup half price", "zh_Hans": "首杯半价"},
                starts_at=clock.now() + timedelta(days=begins),
                ends_at=clock.now() + timedelta(days=ends),
                created_at=clock.now(),
            )
            session.add(campaign)
            return campaign

        return self.house.do(unit)

    def code_of(self, name: str, campaign: Campaign) -> str:
        """The person's code, made as if the campaign were running."""

        def unit(session: Session) -> str:
            found = session.get(Campaign, (campaign.brand_id, campaign.id))
            assert found is not None
            met = members.meet(session, self.brand_id, [person(name)], [clock.now()], "message")[0]
            state, found.state = found.state, "running"
            code = campaigns.enroll(session, found, met.member_id)
            found.state = state
            return code

        return self.house.do(unit)

    def scores(self, name: str, campaign: Campaign) -> None:
        """One more friend of this person qualified."""

        def unit(session: Session) -> None:
            met = members.meet(session, self.brand_id, [person(name)], [clock.now()], "message")[0]
            leaderboard.add(session, [((self.brand_id, campaign.id, met.member_id), clock.now())])

        self.house.do(unit)

    def touches(self) -> list[Touch]:
        return self.house.ask(lambda session: list(session.exec(select(Touch).order_by(col(Touch.id)))))

    async def click(self, path: str, agent: str = PHONE, **headers: str) -> httpx2.Response:
        """One GET by a browser of this name; `accept_language="zh"` is sent as `accept-language`."""
        sent = {"user-agent": agent, "accept": "text/html", "accept-language": "en"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers=sent)


def ways_in(session: Session, communities: list[Community], code: str, invites: dict[UUID, str]) -> list[Entrance]:
    """How the test's communities are entered."""
    made = {
        "telegram": lambda group: Entrance("telegram", group.title, f"https://t.me/coffee_bot?start={code}"),
        "discord": lambda group: Entrance("discord", group.title, group.invite_url, carries_code=False),
        "wechat": lambda group: Entrance("wechat", group.title, account="coffee-shop"),
        "webchat": lambda group: Entrance("webchat", group.title, f"/chat?code={code}", opens_in_wechat=True),
    }
    return [made[community.platform](community) for community in communities]


@asynccontextmanager
async def open_site(
    folder: Path,
    *,
    staged: bool = False,
    routes: Sequence[BaseRoute] = (),
    telegram_token: str = "",
    **settings: str,
) -> AsyncIterator[Site]:
    """A site that serves until the block ends."""
    house = House(fresh_sqlite(folder))
    try:
        brand_id = house.do(_brand)
        site = Site(house, httpx2.AsyncClient(verify=False), brand_id)
        async with site.client, _served(site, staged, routes, telegram_token, settings) as address:
            site.client.base_url = httpx2.URL(address)
            yield site
    finally:
        clock.move(timedelta())
        house.close()


def _brand(session: Session) -> UUID:
    brand = brands.create_brand(session, "Wild <Hill>", slug="wild", locale="zh_Hans")
    brands.connect(session, brand.id, "telegram", "-1001", "Coffee Club")
    brands.connect(session, brand.id, "discord", "77", "Coffee Guild", "https://discord.gg/coffee")
    brands.connect(session, brand.id, "wechat", "9@chatroom", "咖啡群")
    return brand.id


@asynccontextmanager
async def _served(
    site: Site, staged: bool, routes: Sequence[BaseRoute], telegram_token: str, settings: dict[str, str]
) -> AsyncIterator[str]:
    stopping = asyncio.Event()
    parts = WebParts(
        writer=site.house.writer,
        reader=site.house.reader,
        settings=Settings(public_url="http://friends.example", **settings),  # type: ignore[arg-type]  # all are text
        health=lambda: site.health,
        entrances=ways_in,
        routes=routes,
        stage=_stage(site) if staged else None,
        stopping=stopping.is_set,
        telegram_token=telegram_token,
    )
    config = uvicorn.Config(create_app(parts), port=0, log_level="error", proxy_headers=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started)
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        stopping.set()
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(serving, 20)


def _stage(site: Site) -> Stage:
    async def advance(days: int) -> None:
        site.advanced.append(days)
        clock.move(clock.offset() + timedelta(days=days))

    async def invite(name: str) -> str:
        campaign = site.house.ask(lambda session: campaigns.find_campaign(session, site.brand_id, "coffee"))
        return site.code_of(name, campaign)

    return Stage(advance, invite, clock.now)


async def until(true: Callable[[], bool], seconds: float = 15) -> None:
    """Wait for a condition; fails after `seconds`."""
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(f"not true within {seconds} seconds")
