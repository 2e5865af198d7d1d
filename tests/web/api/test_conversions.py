"""A shop's program tells of orders and refunds, and reads what came of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlmodel import Session, col, select

from core import clock
from referral.api_keys import ApiKey, create_api_key, revoke_api_key, rotate_api_key
from referral.brands import create_brand
from referral.campaigns import Campaign
from referral.codes import display
from referral.conversions import Conversion
from referral.members import Member
from referral.referrals import Referral
from referral.touches import Touch
from tests.web.site import Site, open_site


@dataclass
class Shop:
    """The shop's program, with a key of its own."""

    site: Site
    campaign: Campaign
    code: str
    key: str
    headers: dict[str, str] = field(default_factory=dict)

    async def post(self, path: str, body: object, **headers: str) -> httpx2.Response:
        sent = {"authorization": f"Bearer {self.key}", "accept-language": "en"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.site.client.post(f"/api/v1{path}", json=body, headers=sent)

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.site.client.get(f"/api/v1{path}", headers={"authorization": f"Bearer {self.key}", **headers})

    def orders(self) -> list[Conversion]:
        return self.site.house.ask(lambda session: list(session.exec(select(Conversion).order_by(col(Conversion.id)))))


@asynccontextmanager
async def open_shop(folder: Path, **settings: Any) -> AsyncIterator[Shop]:
    async with open_site(folder, **settings) as site:
        campaign = site.campaign()
        site.house.do(
            lambda session: setattr(session.get(Campaign, (campaign.brand_id, campaign.id)), "event", "purchased")
        )
        key = site.house.do(lambda session: create_api_key(session, site.brand_id, "till"))
        yield Shop(site, campaign, site.code_of("Alice", campaign), key)


def order(number: str = "1001", **more: Any) -> dict[str, Any]:
    return {
        "source": "till",
        "external_id": number,
        "currency": "CNY",
        "gross": 12_800,
        "discount": 800,
        "ordered_at": clock.now().isoformat(),
        **more,
    }


async def test_an_order_with_a_code_counts_and_is_answered_again(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        told = order(code=shop.code, customer={"email": "Bob@Example.com"})
        first = await shop.post("/conversions", told)
        assert first.status_code == 201
        answer = first.json()
        assert (answer["status"], answer["net"], answer["campaign"]) == ("attributed", 12_000, "coffee")
        assert answer["explanation"] == "The order counts."
        assert first.headers["ratelimit-policy"] == '"key";q=1000;w=10'
        again = await shop.post("/conversions", told, accept_language="zh")
        assert (again.status_code, again.json()["id"]) == (200, answer["id"])
        assert again.json()["explanation"] == "订单已计入。"
        differs = await shop.post("/conversions", told | {"gross": 1})
        assert (differs.status_code, differs.json()["code"]) == (400, "order_below_zero")
        differs = await shop.post("/conversions", told | {"gross": 99_999})
        assert (differs.status_code, differs.json()["code"]) == (409, "order_differs")
        assert len(shop.orders()) == 1
        # The next order is known by the contact's hash alone.
        digest = sha256(b"bob@example.com").hexdigest()
        later = await shop.post("/conversions", order("1002", customer={"email_sha256": digest.upper()}))
        assert later.json()["member_id"] == answer["member_id"]
        assert "example.com" not in str([row.model_dump() for row in shop.orders()])


async def test_a_click_names_the_friend_who_invited(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        landed = await shop.site.click(f"/r/{shop.code}")
        click = landed.headers["location"].partition("t=")[2]
        answer = await shop.post("/conversions", order(click_id=str(UUID(click)), customer={"phone": "138 0013 8000"}))
        assert (answer.json()["status"], answer.json()["campaign"]) == ("attributed", "coffee")
        nobody = await shop.post("/conversions", order("1002", click_id=str(uuid4())))
        assert (nobody.json()["status"], nobody.json()["reason"]) == ("unattributed", "guest")
        touches = shop.site.house.ask(lambda session: session.exec(select(Touch.kind)).all())
        assert "click" in touches


async def test_a_code_that_was_typed_brings_the_buyer_before_the_click_does(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        landed = await shop.site.click(f"/r/{shop.code}")
        click = str(UUID(landed.headers["location"].partition("t=")[2]))
        dora = shop.site.code_of("Dora", shop.campaign)
        typed = {"the same": display(shop.code).lower(), "Dora's": display(dora), "nobody's": "SPRING-10"}
        for number, (name, code) in enumerate(typed.items()):
            customer = {"email": f"buyer{number}@example.com"}
            answer = await shop.post("/conversions", order(name, click_id=click, code=code, customer=customer))
            assert (answer.status_code, answer.json()["status"]) == (201, "attributed"), name

        def advocates(session: Session) -> list[str]:
            found = select(Member.name).join(Referral, col(Referral.advocate_id) == Member.id)
            return list(session.exec(found.order_by(col(Referral.id))).all())

        assert shop.site.house.ask(advocates) == ["Alice", "Dora", "Alice"]
        assert [row.code for row in shop.orders()][1:] == [display(dora), shop.code]


async def test_the_same_key_gets_the_same_answer_and_no_other(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        told = order()
        first = await shop.post("/conversions", told, idempotency_key="a-1")
        again = await shop.post("/conversions", told, idempotency_key="a-1")
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.json() == first.json()
        assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
        other = await shop.post("/conversions", order("1002"), idempotency_key="a-1")
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key")
        refund = {"source": "till", "external_id": "r1", "order_id": "1001", "currency": "CNY"}
        elsewhere = await shop.post(
            "/refunds", refund | {"refunded_at": clock.now().isoformat()}, idempotency_key="a-1"
        )
        assert elsewhere.json()["code"] == "idempotency_key"
        unreadable = await shop.post("/conversions", told, idempotency_key="a" * 256)
        assert unreadable.status_code == 422
        assert len(shop.orders()) == 1


async def test_a_refund_before_its_order_still_nets_out(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        refund = {
            "source": "till",
            "external_id": "r1",
            "order_id": "1001",
            "currency": "CNY",
            "amount": 2000,
            "refunded_at": clock.now().isoformat(),
        }
        early = await shop.post("/refunds", refund)
        assert (early.status_code, early.json()["status"]) == (201, "waiting")
        await shop.post("/conversions", order(code=shop.code, customer={"email": "bob@example.com"}))
        late = (await shop.post("/refunds", refund)).json()
        assert (late["status"], late["applied"], late["rest"]) == ("applied", 2000, 0)
        page = (await shop.get("/conversions?external_id=1001")).json()
        assert [(row["net"], row["refunded"]) for row in page["conversions"]] == [(12_000, 2000)]


async def test_a_batch_takes_each_by_itself(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        told = [order(f"{number}") for number in range(5)]
        told[2] = order("1", gross=99_999)
        told[3] |= {"lines": [{"sku": "tea", "amount": 1}]}
        told.append(order("0", source="Till"))
        answer = await shop.post("/conversions/batch", {"conversions": told})
        assert answer.status_code == 200
        results = answer.json()["results"]
        assert [one["status"] for one in results] == [201, 201, 409, 400, 201, 400]
        assert results[2]["problem"]["code"] == "order_differs"
        assert results[3]["problem"]["code"] == "order_lines_sum"
        assert "“till”" in results[5]["problem"]["detail"]
        assert [one["conversion"]["external_id"] for one in results if one["conversion"]] == ["0", "1", "4"]
        again = (await shop.post("/conversions/batch", {"conversions": told})).json()["results"]
        assert [one["status"] for one in again] == [200, 200, 409, 400, 200, 400]
        too_many = await shop.post("/conversions/batch", {"conversions": told * 201})
        assert too_many.status_code == 422


@pytest.mark.parametrize("what", ["conversions", "refunds"])
async def test_a_whole_batch_is_answered_once_under_its_key(tmp_path: Path, what: str) -> None:
    def told(number: str) -> dict[str, Any]:
        refund = {"source": "till", "external_id": number, "order_id": "1", "currency": "CNY"}
        at = "2026-03-01T12:00:00+08:00"
        return refund | {"refunded_at": at} if what == "refunds" else order(number, ordered_at=at)

    async with open_shop(tmp_path) as shop:
        await shop.post("/conversions", order("the key is at hand"))

        async def tell(*numbers: str) -> httpx2.Response:
            return await shop.post(f"/{what}/batch", {what: [told(one) for one in numbers]}, idempotency_key="b-1")

        first, again, other = await tell("1", "2"), await tell("1", "2"), await tell("1", "3")
        assert [one["status"] for one in first.json()["results"]] == [201, 201]
        assert (again.status_code, again.json()) == (200, first.json())
        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers["ratelimit"].startswith('"key";r=997;')
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key")
        kept = (await shop.get(f"/{what}")).json()[what]
        assert [row["external_id"] for row in kept if row["external_id"] in "123"] == ["1", "2"]


async def test_pages_follow_one_another_to_the_end(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        await shop.post("/conversions/batch", {"conversions": [order(f"{number}") for number in range(7)]})
        seen, path = [], "/conversions?limit=3"
        while path:
            page = (await shop.get(path)).json()
            seen += [row["external_id"] for row in page["conversions"]]
            path = f"/conversions?limit=3&cursor={page['next']}" if page["next"] else ""
        assert sorted(seen) == [f"{number}" for number in range(7)]
        bad = await shop.get("/conversions?cursor=nonsense")
        assert (bad.status_code, bad.json()["code"]) == (400, "cursor")


async def test_another_brands_key_sees_and_moves_nothing_of_ours(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        mine = (await shop.post("/conversions", order(code=shop.code, customer={"email": "bob@example.com"}))).json()

        def rival(session: Session) -> str:
            return create_api_key(session, create_brand(session, "Rival", slug="rival").id)

        shop.key = shop.site.house.do(rival)
        assert (await shop.get("/conversions")).json()["conversions"] == []
        assert (await shop.get("/campaigns")).json()["campaigns"] == []
        assert (await shop.get("/campaigns/coffee/leaderboard")).status_code == 404
        theirs = (await shop.post("/conversions", order(code=shop.code, customer={"email": "bob@example.com"}))).json()
        assert (theirs["status"], theirs["member_id"]) == ("unattributed", None)
        named = await shop.post("/conversions", order("2", customer={"member_id": mine["member_id"]}))
        assert (named.json()["status"], named.json()["reason"]) == ("unattributed", "unknown_buyer")
        waiting = {"source": "till", "external_id": "r", "order_id": "1001", "currency": "CNY"}
        await shop.post("/refunds", waiting | {"refunded_at": clock.now().isoformat()})
        assert [row.refunded for row in shop.orders() if str(row.id) == mine["id"]] == [0]


async def test_keys_open_what_they_may_and_as_long_as_they_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.api.callers.FRESH_SECONDS", 0.0)
    async with open_shop(tmp_path) as shop:
        house, brand = shop.site.house, shop.site.brand_id
        reads = house.do(lambda session: create_api_key(session, brand, "board", ["results:read"]))
        old = shop.key
        shop.key = reads
        assert (await shop.get("/campaigns")).json()["campaigns"][0]["slug"] == "coffee"
        refused = await shop.post("/conversions", order())
        assert (refused.status_code, refused.json()["code"]) == (403, "key_may_not")
        for wrong in ("dx_wrong", "x", old + "x"):
            shop.key = wrong
            answer = await shop.get("/conversions")
            assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
            assert answer.headers["www-authenticate"].startswith("Bearer")
        which = house.ask(lambda session: session.exec(select(ApiKey).where(ApiKey.name == "till")).one().id)
        shop.key = new = house.do(lambda session: rotate_api_key(session, brand, which))
        for either in (old, new):
            shop.key = either
            assert (await shop.get("/conversions")).status_code == 200
        with clock.moved(timedelta(hours=25)):
            shop.key = old
            assert (await shop.get("/conversions")).status_code == 401
            shop.key = new
            assert (await shop.get("/conversions")).status_code == 200
        house.do(lambda session: revoke_api_key(session, brand, which))
        shop.key = old
        assert (await shop.get("/conversions")).status_code == 401


async def test_who_asks_too_often_is_told_how_long_to_wait(tmp_path: Path) -> None:
    async with open_shop(tmp_path, api_rate="3 per minute") as shop:
        left = [(await shop.get("/campaigns")).headers["ratelimit"].partition(";t=")[0] for _ in range(3)]
        assert left == ['"key";r=2', '"key";r=1', '"key";r=0']
        refused = await shop.get("/campaigns")
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 61
        assert refused.json()["status"] == 429


BAD: list[tuple[object, int]] = [
    ([], 422),
    ({}, 422),
    (order() | {"gross": 1.5}, 422),
    (order() | {"gross": "12800"}, 422),
    (order() | {"gross": True}, 422),
    (order() | {"gross": -1}, 422),
    (order() | {"gross": 10**30}, 422),
    (order() | {"currency": "cny"}, 422),
    (order() | {"currency": "PTS"}, 422),
    (order() | {"ordered_at": "2026-03-01"}, 422),
    (order() | {"ordered_at": "2026-03-01T12:00:00"}, 422),
    (order() | {"ordered_at": 1_700_000_000}, 422),
    (order() | {"external_id": " 1"}, 400),
    (order() | {"external_id": "a\x00b"}, 400),
    (order() | {"coed": "typo"}, 422),
    (order() | {"customer": {"email": "nobody"}}, 422),
    (order() | {"customer": {"email": "a@b.c", "phone": "13800138000"}}, 422),
    (order() | {"customer": {"phone": "call me"}}, 400),
    (order() | {"lines": [{"sku": "tea", "amount": 1}]}, 400),
]


async def test_what_does_not_fit_is_named_and_nothing_is_kept(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        for body, status in BAD:
            answer = await shop.post("/conversions", body)
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), body
            assert answer.json()["code"]
        named = (await shop.post("/conversions", order() | {"coed": "typo"}, accept_language="zh-CN")).json()
        assert named["detail"] == "有字段不符合要求，详见 `errors`。"
        assert named["errors"][0]["field"] == "body.coed"
        sent = {"authorization": f"Bearer {shop.key}", "content-type": "application/json"}
        for raw in (b"{", b"\xff\xfe", b'{"gross": NaN}', b"[" * 100_000):
            answer = await shop.site.client.post("/api/v1/conversions", content=raw, headers=sent)
            assert answer.status_code in (400, 422), raw[:10]
        large = await shop.site.client.post("/api/v1/conversions", content=b" " * (1024 * 1024 + 1), headers=sent)
        assert (large.status_code, large.headers["content-type"]) == (413, "application/problem+json")
        assert shop.orders() == []
