"""Settings of shops: which ones are connected, where to paste what, and what they told us last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from core import i18n
from core.errors import DaixinError
from referral import audit, shops
from referral.shop_silence import Silent, silent_shops
from referral.shops import Shop, ShopDelivery
from web.dashboard.desk import Desk, Viewer

ACT = "connect"
PATH = "/settings/shops"
STEPS = {"shopify": 3, "woocommerce": 3, "stripe": 3, "youzan": 3}
"""How many steps each takes: `shop.step.<kind>.<number>`."""
WAYS = {"shopify": 3, "woocommerce": 3, "stripe": 2, "youzan": 2}
"""How many ways an invite code can go into its orders: `shop.way.<kind>.<number>`."""
SESSIONS = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
INVOICES = ("invoice.paid", "invoice_payment.paid")
BACK = ("refund.created", "refund.updated", "refund.failed", "charge.dispute.closed")
TOPICS: dict[str, Sequence[str]] = {
    "shopify": ("orders/paid", "orders/updated", "orders/cancelled", "refunds/create"),
    "woocommerce": ("order.updated",),
    "checkout": (*SESSIONS, *INVOICES, *BACK),
    "billing": (*INVOICES, *SESSIONS, *BACK),
    "intents": ("payment_intent.succeeded", *BACK),
    "youzan": (
        *("trade_TradePaid", "trade_TradeBuyerPay", "trade_TradeSuccess", "trade_TradeClose"),
        *("trade_refund_RefundSellerAgree", "trade_refund_RefundSuccess", "trade_refund_SysRefund"),
        "youzan_trade_RefundSuccess",
    ),
}
"""What to subscribe to, as each shop calls it; Stripe's by the shop's option `orders`."""
TONES = {"recorded": "good", "refunded": "good", "kept": "warn", "waiting": "warn", "refused": "bad"}
OrderKeys = ("attributed", "unattributed", "rejected")


class _Pages:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def show(
        self, request: Request, viewer: Viewer, problem: DaixinError | None = None, typed: dict[str, str] | None = None
    ) -> Response:
        """All shops, and the form for one more."""
        found = await self._desk.read(viewer, lambda session: shops.shops_of(session, viewer.brand_id))
        rows = [{"shop": shop, "state": state_of(shop)} for shop in found]
        context: dict[str, Any] = {"rows": rows, "kinds": shops.KINDS, "typed": typed or {}}
        return self._desk.show(request, viewer, "dashboard/shops.html", here="settings", problem=problem, **context)

    async def one(self, request: Request, viewer: Viewer, problem: DaixinError | None = None) -> Response:
        """One shop: its address, its steps, its key, its latest messages."""
        source = request.path_params["source"]

        def query(session: Session) -> tuple[Shop, Sequence[ShopDelivery], list[str], list[Silent]]:
            shop = shops.find_shop(session, viewer.brand_id, source)
            told = shops.deliveries_of(session, viewer.brand_id, shop.id)
            return shop, told, shops.told_twice(session, shop), silent_shops(session, viewer.brand_id)

        shop, deliveries, twice, silent = await self._desk.read(viewer, query)
        # A refund names its order by number only; what the shop's people call it, the order's own message says.
        names = {one.order_id: one.label for one in deliveries if one.outcome == "recorded" and one.label}
        public = self._desk.pages.public_url
        made_here = shop.kind in shops.MADE_BY_US
        return self._desk.show(
            request,
            viewer,
            "dashboard/shop.html",
            here="settings",
            problem=problem,
            shop=shop,
            state=state_of(shop),
            address=f"{public}/hooks/{shop.source}/{viewer.brand}",
            public=public,
            twice=" · ".join(twice),
            silent=next((one for one in silent if one.source == shop.source), None),
            topics=TOPICS[shop.options.get("orders", shop.kind)],
            steps=[f"shop.step.{shop.kind}.{number}" for number in range(1, STEPS[shop.kind] + 1)],
            ways=[f"shop.way.{shop.kind}.{number}" for number in range(1, WAYS[shop.kind] + 1)],
            wanted=() if made_here else shops.SECRETS[shop.kind],
            # Shown until the shop has it: from then on nobody needs to read it here.
            secret=shops.secrets_of(shop)["secret"] if made_here and shop.heard_at is None else None,
            names=names,
            choices=shops.OPTIONS.get(shop.kind, {}),
            deliveries=[(one, TONES.get(one.outcome, "quiet"), reason(viewer.locale, one)) for one in deliveries],
        )

    async def connect(self, request: Request, viewer: Viewer) -> Response:
        typed = await _typed(request, "kind", "name")

        def unit(session: Session) -> str:
            shop = shops.connect_shop(session, viewer.brand_id, typed["kind"], typed["name"], {})
            audit.record(session, viewer.brand_id, viewer.actor, "shop.connect", shop.source, kind=shop.kind)
            return shop.source

        try:
            source = await self._desk.write(viewer, unit)
        except DaixinError as error:
            return await self.show(request, viewer, error, typed)
        return self._desk.back(viewer, f"{PATH}/{source}", "shop.connected")

    async def keep_secrets(self, request: Request, viewer: Viewer) -> Response:
        typed = await _typed(request, "secret", "client_id", "client_secret", "kdt_id")
        return await self._change(
            request, viewer, "secret", lambda s, source: shops.set_secrets(s, viewer.brand_id, source, typed)
        )

    async def choose(self, request: Request, viewer: Viewer) -> Response:
        typed = await _typed(request, "orders", "tests")
        return await self._change(
            request, viewer, "options", lambda s, source: shops.choose(s, viewer.brand_id, source, typed)
        )

    async def end(self, request: Request, viewer: Viewer) -> Response:
        return await self._change(
            request, viewer, "ended", lambda s, source: shops.end_shop(s, viewer.brand_id, source)
        )

    async def resume(self, request: Request, viewer: Viewer) -> Response:
        return await self._change(
            request, viewer, "resumed", lambda s, source: shops.resume_shop(s, viewer.brand_id, source)
        )

    async def _change(
        self, request: Request, viewer: Viewer, what: str, act: Callable[[Session, str], Shop]
    ) -> Response:
        source = request.path_params["source"]

        def unit(session: Session) -> None:
            shop = act(session, source)
            told: dict[str, Any] = {"options": shop.options} if what == "options" else {}
            audit.record(session, viewer.brand_id, viewer.actor, f"shop.{what}", source, **told)

        try:
            await self._desk.write(viewer, unit)
        except DaixinError as error:
            if error.status == 404:
                raise
            return await self.one(request, viewer, error)
        return self._desk.back(viewer, f"{PATH}/{source}", f"shop.{what}")


async def _typed(request: Request, *names: str) -> dict[str, str]:
    form = await request.form()
    return {name: str(form.get(name, ""))[:500] for name in names}


def state_of(shop: Shop) -> str:
    """ended, waiting (for its key), ready (nothing came yet), wrong (only what others signed), or heard."""
    if shop.ended_at is not None:
        return "ended"
    if not shop.sealed:
        return "waiting"
    if shop.heard_at is not None:
        return "heard"
    return "ready" if shop.wrong_at is None else "wrong"


def reason(locale: str, one: ShopDelivery) -> str:
    """Why a message ended as it did, in words."""
    code = one.reason
    if code is None:
        return ""
    known = i18n.catalogue(locale)
    status, _, why = code.partition(".")
    if why and status in OrderKeys:
        said = i18n.text(locale, f"api.order.{status}")
        return f"{said} {i18n.text(locale, f'api.reason.{why}')}" if f"api.reason.{why}" in known else said
    if f"shop.reason.{code}" in known:
        return i18n.text(locale, f"shop.reason.{code}")
    if f"api.reason.{code}" in known:
        return i18n.text(locale, f"api.reason.{code}")
    if f"error.{code}" in known:
        return i18n.text(locale, f"error.{code}", **(one.params or {}))
    return code


def routes(desk: Desk) -> list[BaseRoute]:
    """The settings of shops."""
    pages = _Pages(desk)
    acts = {"secret": pages.keep_secrets, "options": pages.choose, "end": pages.end, "resume": pages.resume}
    return [
        desk.route(PATH, pages.show, act=ACT),
        desk.route(PATH, pages.connect, act=ACT, methods=("POST",)),
        desk.route(f"{PATH}/{{source}}", pages.one, act=ACT),
        *(desk.route(f"{PATH}/{{source}}/{name}", page, act=ACT, methods=("POST",)) for name, page in acts.items()),
    ]
