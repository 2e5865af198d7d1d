"""A brand's program reads what happened at its own pace, and says where it wants to be told."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import httpx2

from core.outbox import Dispatcher
from referral import audit
from referral.api_keys import create_api_key
from referral.brands import create_brand
from referral.webhooks import addresses, fanning, sending
from referral.webhooks import hearing as webhooks
from referral.webhooks.models import TYPES
from tests.referral.webhooks.receiver import Receiver, serving
from tests.web.api.test_conversions import Shop, open_shop, order
from web.api.events import Type


async def call(shop: Shop, method: str, path: str, body: Any = None, key: str = "") -> httpx2.Response:
    headers = {"authorization": f"Bearer {key or shop.key}", "accept-language": "en"}
    return await shop.site.client.request(method, f"/api/v1{path}", json=body, headers=headers)


async def ring(shop: Shop) -> None:
    dispatcher = Dispatcher(shop.site.house.writer)
    sender = sending.Sender(shop.site.house.writer, addresses.read_allowed("127.0.0.1"))
    dispatcher.on(webhooks.EVENTS_TOPIC, sending.number)
    dispatcher.on(fanning.SEND_TOPIC, sender, apart=4)
    while await dispatcher.deliver_due():
        pass


def test_the_document_names_every_event() -> None:
    assert get_args(Type) == TYPES


async def test_an_address_is_given_heard_replayed_and_let_go(tmp_path: Path) -> None:
    receiver = Receiver()
    async with open_shop(tmp_path, webhook_allow="127.0.0.1") as shop, serving(receiver):
        made = await call(shop, "POST", "/webhooks", {"url": receiver.url, "events": ["conversion.recorded"]})
        assert made.status_code == 201
        webhook, secret = made.json()["id"], made.json()["secret"]
        again = await call(shop, "POST", "/webhooks", {"url": receiver.url})
        assert (again.status_code, again.json()["code"]) == (409, "webhook_exists")
        await shop.post("/conversions", order("1", code=shop.code))
        await ring(shop)
        assert receiver.types(secret) == ["conversion.recorded"]
        assert receiver.heard[0].checked(secret)["data"]["code"] == shop.code
        (delivery,) = (await call(shop, "GET", f"/webhooks/{webhook}/deliveries")).json()["deliveries"]
        assert (delivery["state"], delivery["status"], delivery["said"]) == ("delivered", 200, "seen")
        changed = await call(shop, "PATCH", f"/webhooks/{webhook}", {"events": [], "state": "paused"})
        assert (changed.json()["events"], changed.json()["state"]) == ([], "paused")
        await shop.post("/conversions", order("2"))
        await ring(shop)
        (shown,) = (await call(shop, "GET", "/webhooks")).json()["webhooks"]
        assert shown["waiting"] == 1
        assert "secret" not in shown
        await call(shop, "PATCH", f"/webhooks/{webhook}", {"state": "on"})
        replayed = await call(shop, "POST", f"/webhooks/{webhook}/replay", {"after": 0})
        assert replayed.json()["next"] is None
        await ring(shop)
        new = (await call(shop, "POST", f"/webhooks/{webhook}/secret")).json()["secret"]
        assert new != secret
        assert (await call(shop, "POST", f"/webhooks/{webhook}/test")).status_code == 202
        await ring(shop)
        assert receiver.heard[-1].checked(new)["type"] == "webhook.test"
        assert (await call(shop, "DELETE", f"/webhooks/{webhook}")).status_code == 204
        assert (await call(shop, "DELETE", f"/webhooks/{webhook}")).status_code == 404
        entries = shop.site.house.ask(lambda session: audit.entries_of(session, shop.site.brand_id, subject=webhook))
        assert {one.actor.partition(":")[0] for one in entries} == {"key"}
        assert [one.act for one in reversed(entries)][:2] == ["webhook.add", "webhook.change"]


async def test_events_are_read_by_number_and_none_is_missed(tmp_path: Path) -> None:
    async with open_shop(tmp_path, webhook_allow="127.0.0.1") as shop:
        assert (await call(shop, "GET", "/events")).json() == {"events": [], "next": "0", "more": False}
        await shop.post("/conversions", order("0"))  # nobody listens yet
        await call(shop, "POST", "/webhooks", {"url": "http://127.0.0.1:9999/", "events": ["campaign.moved"]})
        for number in range(1, 6):
            await shop.post("/conversions", order(str(number)))
        await ring(shop)
        read: list[str] = []
        cursor, more = "0", True
        while more:
            page = (await call(shop, "GET", f"/events?cursor={cursor}&limit=2")).json()
            read += [one["data"]["external_id"] for one in page["events"]]
            cursor, more = page["next"], page["more"]
        assert read == ["1", "2", "3", "4", "5"]
        assert (await call(shop, "GET", f"/events?cursor={cursor}")).json()["next"] == cursor
        rare = (await call(shop, "GET", "/events?type=campaign.moved")).json()
        assert rare == {"events": [], "next": cursor, "more": False}  # what was looked through is not looked at again
        for wrong in ("cursor=x", "cursor=-1", "limit=0", "type=nonsense", "cursor=" + "9" * 20):
            assert (await call(shop, "GET", f"/events?{wrong}")).status_code == 422
        assert (await call(shop, "GET", "/events?cursor=9999999999999999")).status_code == 400


async def test_keys_of_others_and_lesser_keys_reach_nothing(tmp_path: Path) -> None:
    async with open_shop(tmp_path, webhook_allow="127.0.0.1") as shop:
        house = shop.site.house
        made = (await call(shop, "POST", "/webhooks", {"url": "http://127.0.0.1:9999/"})).json()
        other = house.do(lambda session: create_brand(session, "Other", slug="other"))
        strange = house.do(lambda session: create_api_key(session, other.id, "till"))
        weak = house.do(lambda session: create_api_key(session, shop.site.brand_id, "weak", ["events:read"]))
        await shop.post("/conversions", order("1"))
        await ring(shop)
        assert (await call(shop, "GET", "/events", key=strange)).json()["events"] == []
        assert (await call(shop, "GET", "/webhooks", key=strange)).json() == {"webhooks": []}
        assert len((await call(shop, "GET", "/events", key=weak)).json()["events"]) == 1
        tries = [
            *(("PATCH", "", {"state": "paused"}), ("DELETE", "", None), ("POST", "/secret", None)),
            *(("POST", "/test", None), ("POST", "/replay", {"after": 0}), ("GET", "/deliveries", None)),
        ]
        for method, path, body in tries:
            at = f"/webhooks/{made['id']}{path}"
            assert (await call(shop, method, at, body, strange)).status_code == 404, at
            refused = await call(shop, method, at, body, weak)
            assert (refused.status_code, refused.json()["code"]) == (403, "key_may_not"), at
        assert UUID(made["id"]).version == 7


async def test_no_address_leads_inside(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        for url, code in {
            "http://127.0.0.1:9999/": "webhook_scheme",
            "https://127.0.0.1/": "webhook_private",
            "https://[::1]:8443/": "webhook_private",
            "https://169.254.169.254/latest/meta-data": "webhook_private",
            "https://2130706433/": "webhook_url",
            "https://me@shop.example.com/": "webhook_userinfo",
            "javascript:alert(1)": "webhook_scheme",
        }.items():
            refused = await call(shop, "POST", "/webhooks", {"url": url})
            assert (refused.status_code, refused.json()["code"]) == (400, code), url
        assert (await call(shop, "POST", "/webhooks", {"url": "x" * 501})).status_code == 422
        assert (await call(shop, "GET", "/webhooks")).json() == {"webhooks": []}
