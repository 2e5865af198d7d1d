"""A site with a campaign that counts purchases and a shop that is connected, and what the shop sends."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import stripe
from sqlmodel import Session, col, select

from core import clock
from referral import shops
from referral.campaigns import Campaign
from referral.conversions import Conversion, Refund
from referral.shops import ShopDelivery
from tests.web.site import Site, open_site

GIVEN = {
    "shopify": {"secret": "hush"},
    "stripe": {"secret": "whsec_hush"},
    "youzan": {"client_id": "app", "client_secret": "hush", "kdt_id": "19144834"},
}


@dataclass
class Shopfront:
    """One shop of the brand `wild`; Alice has a code."""

    site: Site
    kind: str
    source: str
    shop_id: UUID
    secrets: dict[str, str]
    campaign: Campaign
    code: str

    @property
    def path(self) -> str:
        return f"/hooks/{self.source}/wild"

    def signed(self, body: bytes, at: float = 0) -> dict[str, str]:
        """The headers the shop would send with this body. `at`: seconds from now."""
        secret = self.secrets.get("secret", "").encode()
        mac = base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()
        if self.kind == "shopify":
            return {"x-shopify-hmac-sha256": mac, "x-shopify-topic": "orders/paid"}
        if self.kind == "woocommerce":
            return {"x-wc-webhook-signature": mac, "x-wc-webhook-topic": "order.updated"}
        if self.kind == "stripe":
            moment = int(clock.now().timestamp() + at)
            made = stripe.WebhookSignature._compute_signature(f"{moment}.{body.decode()}", self.secrets["secret"])
            return {"stripe-signature": f"t={moment},v1={made}"}
        return {}

    async def send(self, body: Any, *, headers: Mapping[str, str] | None = None, at: float = 0) -> httpx2.Response:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"content-type": "application/json", **(self.signed(raw, at) if headers is None else headers)}
        sent = {name.encode(): value.encode("latin-1") for name, value in given.items()}
        return await self.site.client.post(self.path, content=raw, headers=sent)

    async def tell(self, body: Any) -> str:
        """Send it; what became of it."""
        answer = await self.send(body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["outcome"])

    def orders(self) -> list[Conversion]:
        return self.site.house.ask(lambda session: list(session.exec(select(Conversion).order_by(col(Conversion.id)))))

    def refunds(self) -> list[Refund]:
        return self.site.house.ask(lambda session: list(session.exec(select(Refund).order_by(col(Refund.id)))))

    def deliveries(self) -> list[ShopDelivery]:
        """The last first."""
        return self.site.house.ask(lambda session: list(shops.deliveries_of(session, self.site.brand_id, self.shop_id)))

    def figures(self) -> tuple[int, int, int, int, int]:
        """Gross, discount, shipping, tax and net of the only order."""
        (row,) = self.orders()
        return row.gross, row.discount, row.shipping, row.tax, row.net


@asynccontextmanager
async def open_shopfront(folder: Path, kind: str, **options: Any) -> AsyncIterator[Shopfront]:
    """The shop, until the block ends."""
    async with open_site(folder) as site:
        campaign = site.campaign()
        site.house.do(
            lambda session: setattr(session.get(Campaign, (campaign.brand_id, campaign.id)), "event", "purchased")
        )

        def connected(session: Session) -> shops.Shop:
            shop = shops.connect_shop(session, site.brand_id, kind, "Hill", options)
            return shop if shop.sealed else shops.set_secrets(session, site.brand_id, shop.source, GIVEN[kind])

        shop = site.house.do(connected)
        secrets = shops.secrets_of(shop)
        yield Shopfront(site, kind, shop.source, shop.id, secrets, campaign, site.code_of("Alice", campaign))
