"""A brand connects a shop by the page, and reads there what became of its messages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from core import clock
from referral import audit, shops
from tests.web.brandsite import OTHER, Brandsite, open_brand
from tests.web.shops.payloads import shopify_order, woo_order


async def push(site: Brandsite, path: str, body: object, secret: str, header: str) -> int:
    """A shop sends its message."""
    raw = json.dumps(body).encode()
    mac = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    visitor = await site.visitor()
    return (await visitor.post(path, content=raw, headers={header: mac, "x-shopify-topic": "orders/paid"})).status_code


async def test_a_shop_is_connected_step_by_step(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("manager")
        empty = await mei.get("/settings/shops")
        assert "No shop connected yet" in empty.text
        assert '<h1 dir="auto">Shops</h1>' in empty.text
        assert "points" not in empty.text
        made = await mei.post("/settings/shops", kind="shopify", name="Hill <b>Tea</b>")
        assert (made.status_code, made.headers["location"]) == (
            303,
            "/b/wild/settings/shops/shopify?said=shop.connected",
        )
        page = (await mei.get("/settings/shops/shopify")).text
        assert "http://friends.example/hooks/shopify/wild" in page
        assert "Needs its key" in page
        assert "orders/updated" in page
        assert "choose “Send test”" in page
        assert "Hill &lt;b&gt;Tea&lt;/b&gt;" in page
        assert "<b>Tea</b>" not in page
        kept = await mei.post("/settings/shops/shopify/secret", secret="hush-hush")
        assert kept.status_code == 303
        page = (await mei.get("/settings/shops/shopify")).text
        assert "hush-hush" not in page
        assert "Waiting for a first message" in page

        assert await push(site, "/hooks/shopify/wild", shopify_order(), "guessed", "x-shopify-hmac-sha256") == 401
        assert "Wrong signature" in (await mei.get("/settings/shops/shopify")).text
        assert await push(site, "/hooks/shopify/wild", shopify_order(), "hush-hush", "x-shopify-hmac-sha256") == 200
        page = (await mei.get("/settings/shops/shopify")).text
        assert re.search(r"/b/wild/journeys/order/[0-9a-f-]{36}", page)
        assert "counts for nobody" in page
        assert "Connected" in page

        assert (await mei.post("/settings/shops/shopify/end")).status_code == 303
        assert await push(site, "/hooks/shopify/wild", shopify_order(), "hush-hush", "x-shopify-hmac-sha256") == 404
        assert (await mei.post("/settings/shops/shopify/resume")).status_code == 303
        acts = site.house.ask(lambda session: [one.act for one in audit.entries_of(session, site.ours.brand_id)])
        told = [act for act in acts if act.startswith("shop.")]
        assert told == ["shop.resumed", "shop.ended", "shop.secret", "shop.connect"]


@pytest.mark.parametrize(
    ("locale", "line"),
    [("en", "“Hill &amp; Dale” has sent nothing for 12 days"), ("zh_Hans", "「Hill &amp; Dale」已有 12 天没有消息")],
)
async def test_a_shop_that_went_silent_is_told_of_where_it_is_looked_after(
    tmp_path: Path, locale: str, line: str
) -> None:
    async with open_brand(tmp_path, locale) as site:
        mei, kit = await site.person("owner"), await site.person("reviewer")
        for name in ("Hill & Dale", "Lake"):
            await mei.post("/settings/shops", kind="shopify", name=name)

        def sends(session: Session) -> None:
            shop = shops.find_shop(session, site.ours.brand_id, "shopify")
            for day in range(30, 11, -1):
                with clock.moved(-timedelta(days=day, minutes=1)):
                    shops.remember(session, shop.brand_id, shop.id, shops.Delivery(f"{day}", "x", "#1", "recorded"))

        assert line not in (await mei.get("/")).text
        site.house.do(sends)
        page = (await mei.get("/")).text
        assert f'<a href="/b/wild/settings/shops/shopify">{line}' in page
        assert line in (await mei.get("/settings/shops/shopify")).text
        assert line not in (await mei.get("/settings/shops/shopify-2")).text
        assert line not in (await kit.get("/")).text


async def test_a_key_of_ours_is_shown_until_the_shop_has_it(tmp_path: Path) -> None:
    async with open_brand(tmp_path, locale="zh_Hans") as site:
        mei = await site.person("owner")
        await mei.post("/settings/shops", kind="woocommerce", name="茶铺")
        shop = site.house.ask(lambda session: shops.find_shop(session, site.ours.brand_id, "woocommerce"))
        secret = shops.secrets_of(shop)["secret"]
        assert secret in (await mei.get("/settings/shops/woocommerce")).text
        assert await push(site, "/hooks/woocommerce/wild", woo_order(), secret, "x-wc-webhook-signature") == 200
        page = (await mei.get("/settings/shops/woocommerce")).text
        assert secret not in page
        assert "已接通" in page


async def test_a_key_is_changed_without_losing_an_order(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        await mei.post("/settings/shops", kind="woocommerce", name="Tea")

        def key() -> str:
            shop = site.house.ask(lambda session: shops.find_shop(session, site.ours.brand_id, "woocommerce"))
            return shops.secrets_of(shop)["secret"]

        async def comes(number: int, secret: str) -> int:
            return await push(site, "/hooks/woocommerce/wild", woo_order(number), secret, "x-wc-webhook-signature")

        old = key()
        assert await comes(1, old) == 200
        await mei.post("/settings/shops/woocommerce/secret")
        # The shop does not know the new key yet, and would not bring again what is refused.
        assert await comes(2, old) == 200
        assert key() != old
        assert key() in (await mei.get("/settings/shops/woocommerce")).text  # it is still to be pasted
        assert await comes(3, "guessed") == 401
        assert await comes(4, key()) == 200
        assert key() not in (await mei.get("/settings/shops/woocommerce")).text
        with clock.moved(timedelta(minutes=61)):
            assert await comes(5, old) == 401
            assert await comes(5, key()) == 200


async def test_what_is_typed_wrong_is_said_and_kept(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        nameless = await mei.post("/settings/shops", kind="youzan", name=" ")
        assert (nameless.status_code, "Please give the shop a name" in nameless.text) == (400, True)
        assert '<option value="youzan" selected>' in nameless.text
        assert (await mei.post("/settings/shops", kind="ebay", name="x")).status_code == 400
        await mei.post("/settings/shops", kind="stripe", name="Till")
        assert (await mei.post("/settings/shops/stripe/secret", secret="密钥")).status_code == 400
        api_key = await mei.post("/settings/shops/stripe/secret", secret="sk_live_0123456789")
        assert (api_key.status_code, "whsec_" in api_key.text, "sk_live_0" in api_key.text) == (400, True, False)
        assert (await mei.post("/settings/shops/stripe/options", orders="barter")).status_code == 400
        await mei.post("/settings/shops/stripe/options", orders="intents", tests="on")
        page = (await mei.get("/settings/shops/stripe")).text
        assert "payment_intent.succeeded" in page
        assert "invoice.paid" not in page
        assert (await mei.get("/settings/shops/none")).status_code == 404


async def test_two_shops_that_may_tell_of_the_same_orders_are_named(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        for kind, name in (("stripe", "Till"), ("youzan", "Lake"), ("woocommerce", "Hill & Dale")):
            await mei.post("/settings/shops", kind=kind, name=name)
        assert "Hill &amp; Dale: connected, too" in (await mei.get("/settings/shops/stripe")).text
        assert "Till: connected, too" in (await mei.get("/settings/shops/woocommerce")).text
        assert "connected, too" not in (await mei.get("/settings/shops/youzan")).text
        await mei.post("/settings/shops/woocommerce/end")
        assert "connected, too" not in (await mei.get("/settings/shops/stripe")).text


@pytest.mark.parametrize("role", ["reviewer", None])
async def test_only_who_may_connect_comes_in(tmp_path: Path, role: str | None) -> None:
    async with open_brand(tmp_path) as site:
        somebody = await site.person(role)
        for path in ("/settings/shops", "/settings/shops/shopify"):
            assert (await somebody.get(path)).status_code in (403, 404)
        assert (await somebody.post("/settings/shops", kind="shopify", name="x")).status_code in (403, 404)


async def test_another_brands_shop_does_not_exist_here(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        rival = await site.person("owner", site.theirs, "Rival")
        await rival.post("/settings/shops", kind="shopify", name=f"{OTHER} shop")
        mei = await site.person("owner")
        assert OTHER not in (await mei.get("/settings/shops")).text
        assert (await mei.get("/settings/shops/shopify")).status_code == 404
        for act in ("secret", "options", "end", "resume"):
            assert (await mei.post(f"/settings/shops/shopify/{act}", secret="mine")).status_code == 404
        assert (await mei.client.post("/b/faraway/settings/shops", data={"csrf": mei.csrf})).status_code in (403, 404)
        theirs = site.house.ask(lambda session: shops.find_shop(session, site.theirs.brand_id, "shopify"))
        assert (theirs.sealed, theirs.ended_at) == ("", None)
