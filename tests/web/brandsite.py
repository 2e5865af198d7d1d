"""A running site with two brands that have lived a little, and people of either who are signed in.

    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        page = await mei.get("/advocates")          # GET /b/wild/advocates
        await mei.post("/settings/costs", amount="12.00")   # with her form token

Everything of the other brand (`site.theirs`) is called Otherworld, so that a page which shows any of it gives it away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import uvicorn
from sqlmodel import Session, select

from core import clock
from core.settings import Settings
from referral import arrivals, audit, brands, campaigns, members, orders, refunds
from referral.arrivals import Arrive
from referral.conversions import Order, RefundOrder
from referral.members import Account
from referral.referrals import Referral
from referral.users import accounts, passwords, roles, sessions
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from tests.house import House, fresh_sqlite
from tests.web.site import PHONE, until, ways_in
from web.app import create_app
from web.auth.cookies import form_token
from web.auth.door import Doorkeeper
from web.parts import Bot, WebParts

OTHER = "Otherworld"
"""In every name and title of the other brand."""


@dataclass
class Filled:
    """A brand that has lived a little. `people`: members by their first names (Alice invited Bob and Dora, Bob bought
    and sent a part back). `ids`: whatever else pages can be asked for, by what it is."""

    brand_id: UUID
    slug: str
    campaign: str
    people: dict[str, UUID] = field(default_factory=dict)
    code: str = ""
    ids: dict[str, str] = field(default_factory=dict)


@dataclass
class Person:
    """A browser somebody is signed in with; it follows no redirects. Paths stand under `/b/{slug}`."""

    client: httpx2.AsyncClient
    slug: str
    user_id: UUID
    csrf: str

    async def get(self, path: str, **more: Any) -> httpx2.Response:
        return await self.client.get(f"/b/{self.slug}{path}", **more)

    async def post(self, path: str, files: Any = None, **fields: Any) -> httpx2.Response:
        """A form of ours, sent as a browser does."""
        data = {"csrf": self.csrf} | fields
        origin = str(self.client.base_url).rstrip("/")
        return await self.client.post(f"/b/{self.slug}{path}", data=data, files=files, headers={"origin": origin})


@dataclass
class Brandsite:
    """The house, its server, and the two brands."""

    house: House
    address: str
    ours: Filled
    theirs: Filled
    stack: AsyncExitStack
    locale: str
    parts: WebParts
    door: Doorkeeper

    async def person(self, role: str | None = "owner", of: Filled | None = None, name: str = "Mei") -> Person:
        """Somebody of this role for our brand (or `of` another), signed in; None is a role for nothing."""
        brand = of or self.ours

        def unit(session: Session) -> tuple[UUID, str]:
            user = accounts.create_user(session, name, locale=self.locale)
            if role is not None:
                roles.give(session, brand.brand_id, user.id, role, "operator")
            return user.id, sessions.open_session(session, user.id, "Firefox · Linux", "password")

        user_id, token = self.house.do(unit)
        client = await self.visitor()
        client.cookies.set("daixin", token)
        return Person(client, brand.slug, user_id, form_token(token))

    def user(self, email: str, password: str, role: str | None = "owner", name: str = "Mei") -> UUID:
        """Somebody who signs in by password; None is a role for nothing."""
        kept = passwords.hash_password(password)

        def unit(session: Session) -> UUID:
            made = accounts.create_user(session, name, email, kept, self.locale)
            if role is not None:
                roles.give(session, self.ours.brand_id, made.id, role, "operator")
            return made.id

        return self.house.do(unit)

    async def send(self, client: httpx2.AsyncClient, path: str, **fields: str) -> httpx2.Response:
        """A form of a page outside the brand, sent by this browser as one of ours."""
        token = client.cookies.get("daixin")
        data = fields | ({"csrf": form_token(token)} if token else {})
        return await client.post(path, data=data, headers={"origin": self.address})

    def acts(self, of: Filled | None = None) -> list[str]:
        """What stands in the brand's log, the newest first."""
        brand_id = (of or self.ours).brand_id
        return self.house.ask(lambda session: [one.act for one in audit.entries_of(session, brand_id, most=100)])

    async def visitor(self) -> httpx2.AsyncClient:
        """A browser nobody is signed in with."""
        spoken = "en" if self.locale == "en" else "zh-CN"
        headers = {"user-agent": PHONE, "accept": "text/html", "accept-language": spoken}
        return await self.stack.enter_async_context(
            # Certificates, which nobody asks for here, take longer to load than a page.
            httpx2.AsyncClient(base_url=self.address, headers=headers, timeout=30, verify=False)
        )


@asynccontextmanager
async def open_brand(
    folder: Path,
    locale: str = "en",
    *,
    url: str | None = None,
    empty: bool = False,
    port: int = 0,
    bots: Sequence[Bot] = (),
    **settings: Any,
) -> AsyncIterator[Brandsite]:
    """The site until the block ends; `url` of a migrated database where it shall not be a new SQLite file. An `empty`
    brand of ours has a name and nothing else. `port`: where a browser must know it beforehand."""
    house = House(url or fresh_sqlite(folder))
    stopping = asyncio.Event()
    try:
        ours = house.do(lambda session: found(session, "wild", "Wild <Hill>", filled=not empty))
        theirs = house.do(lambda session: found(session, "faraway", OTHER))
        parts = WebParts(
            writer=house.writer,
            reader=house.reader,
            settings=Settings(**({"public_url": "http://friends.example"} | settings)),
            health=dict,
            entrances=ways_in,
            bots=lambda session: bots,
            stopping=stopping.is_set,
        )
        config = uvicorn.Config(create_app(parts), port=port, log_level="error", proxy_headers=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        try:
            await until(lambda: server.started)
            host, port = server.servers[0].sockets[0].getsockname()[:2]
            async with AsyncExitStack() as stack:
                yield Brandsite(house, f"http://{host}:{port}", ours, theirs, stack, locale, parts, Doorkeeper(parts))
        finally:
            stopping.set()
            server.should_exit = True
            with suppress(asyncio.CancelledError):
                await asyncio.wait_for(serving, 20)
    finally:
        clock.move(timedelta())
        house.close()


def found(session: Session, slug: str, name: str, *, filled: bool = True) -> Filled:
    """A brand; where it is `filled`, with a campaign by purchases, people, orders, a refund and rewards."""
    brand = brands.create_brand(session, name, slug=slug, timezone="Asia/Shanghai")
    made = Filled(brand.id, slug, f"spring-{slug}")
    if not filled:
        return made
    group = brands.connect(session, brand.id, "telegram", f"-100{slug}", f"{name} Club")
    made.ids["community"] = str(group.id)
    now = clock.now()
    raw = {
        "campaign": {
            "slug": made.campaign,
            "title": {"en": f"{name} spring", "zh_Hans": f"{name} 春茶会"},
            "benefit": {"en": f"A free cup at {name}.", "zh_Hans": f"{name} 送你一杯茶。"},
            "timezone": "Asia/Shanghai",
            "starts_at": now - timedelta(days=20),
            "ends_at": now + timedelta(days=60),
        },
        "qualify": {"event": "purchased", "window_days": 30},
        "rewards": {
            "asset": "CNY",
            "budget": 100_000,
            "rules": [{"to": "advocate", "amount": 1000, "hold_days": 0}, {"to": "friend", "amount": 500}],
        },
    }
    campaign = apply_campaign(session, brand, build_campaign(raw)).campaign
    made.ids["campaign"] = str(campaign.id)
    _people(session, made, campaign, name)
    return made


def _people(session: Session, made: Filled, campaign: campaigns.Campaign, name: str) -> None:
    """Alice invites Bob and Dora; Bob buys twice, and sends a part of the first order back."""
    now = clock.now()
    alice = account("Alice", made.slug, name)
    made.people["Alice"] = members.meet(session, made.brand_id, [alice], [now], "message")[0].member_id
    made.code = campaigns.enroll(session, campaign, made.people["Alice"])
    for friend in ("Bob", "Dora"):
        came = arrivals.arrive(session, [Arrive(made.code, account(friend, made.slug, name), now)])[0]
        assert came.member_id is not None
        made.people[friend] = came.member_id
        link = select(Referral.id).where(Referral.brand_id == made.brand_id, Referral.friend_id == came.member_id)
        made.ids[f"referral:{friend}"] = str(session.exec(link).one())
    for number, gross in (("1001", 12_800), ("1002", 5_000)):
        told = Order(made.brand_id, "till", f"{made.slug}-{number}", "CNY", gross, now, member_id=made.people["Bob"])
        answer = orders.record_orders(session, [told])[0]
        made.ids[f"conversion:{number}"] = str(answer.conversion_id)
    back = RefundOrder(made.brand_id, "till", f"{made.slug}-r1", f"{made.slug}-1001", 2_000, "CNY", now)
    refunds.record_refunds(session, [back])


def account(name: str, slug: str, brand: str) -> Account:
    """A person's account with a brand; those of the other brand are called after it."""
    shown = f"{name} {OTHER}" if brand == OTHER else f"{name} <b>&"
    return Account("telegram", f"{name.lower()}-{slug}", shown, chat=f"{name.lower()}-{slug}")
