"""A plain order goes past the framework: the answer is the same, and what is not plain the framework answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.web.api.test_conversions import open_shop as open_till
from tests.web.api.test_conversions import order
from web.api import straight


@pytest.fixture(autouse=True)
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which answers were given past the framework."""
    ways: list[str] = []
    send = straight._send

    async def noted(*given: Any) -> None:
        ways.append("straight")
        await send(*given)

    monkeypatch.setattr(straight, "_send", noted)
    return ways


NOT_PLAIN = {"content_type": "application/orders+json"}
"""JSON as well, but left to the framework."""


def shape(answer: dict[str, Any]) -> dict[str, Any]:
    """What does not differ from order to order."""
    passing = ("id", "external_id", "received_at", "ordered_at")
    return {name: value for name, value in answer.items() if name not in passing}


async def test_both_ways_answer_alike(tmp_path: Path, taken: list[str]) -> None:
    async with open_till(tmp_path) as shop:
        slow, fast = (
            await shop.post("/conversions", order("1"), **NOT_PLAIN),
            await shop.post("/conversions", order("2")),
        )
        assert taken == ["straight"]
        assert (slow.status_code, fast.status_code) == (201, 201)
        assert shape(slow.json()) == shape(fast.json())
        assert list(slow.json()) == list(fast.json())
        left = [int(one.headers["ratelimit"].split("r=")[1].split(";")[0]) for one in (slow, fast)]
        assert left == [999, 998], "each is counted once"
        assert {name for name in slow.headers if name != "date"} == {name for name in fast.headers if name != "date"}


async def test_what_is_not_plain_is_answered_by_the_framework_and_counted_once(
    tmp_path: Path, taken: list[str]
) -> None:
    async with open_till(tmp_path) as shop:
        await shop.post("/conversions", order("1"), **NOT_PLAIN)
        unfit = await shop.post("/conversions", order("2", gross="12"))
        assert (unfit.status_code, unfit.json()["errors"][0]["field"]) == (422, "body.gross")
        below = await shop.post("/conversions", order("3", gross=1))
        assert (below.status_code, below.json()["code"]) == (400, "order_below_zero")
        differs = await shop.post("/conversions", order("1", gross=99_999))
        assert (differs.status_code, differs.json()["code"]) == (409, "order_differs")
        assert taken == []
        last = await shop.post("/conversions", order("4"))
        assert last.headers["ratelimit"].startswith('"key";r=995;')
        assert [row.external_id for row in shop.orders()] == ["1", "4"]


async def test_orders_by_the_thousand_go_straight_unless_one_is_refused(tmp_path: Path, taken: list[str]) -> None:
    async with open_till(tmp_path) as shop:
        rows = [order(str(number)) for number in range(1000)]
        first = await shop.post("/conversions/batch", {"conversions": rows[:1]}, **NOT_PLAIN)
        many = await shop.post("/conversions/batch", {"conversions": rows})
        assert taken == ["straight"]
        assert [one["status"] for one in many.json()["results"]] == [200] + [201] * 999
        assert shape(many.json()["results"][0]["conversion"]) == shape(first.json()["results"][0]["conversion"])
        mixed = await shop.post("/conversions/batch", {"conversions": [order("0", gross=99_999), order("new")]})
        assert [one["status"] for one in mixed.json()["results"]] == [409, 201]
        assert taken == ["straight"]
        too_many = await shop.post("/conversions/batch", {"conversions": [*rows, order("more")]})
        assert too_many.status_code == 422
        assert len(shop.orders()) == 1001


async def test_a_body_that_is_too_large_is_refused_with_its_reason(tmp_path: Path) -> None:
    async with open_till(tmp_path) as shop:
        await shop.post("/conversions", order("1"))

        async def parts() -> Any:
            for _ in range(40):
                yield b" " * 65_536

        headers = {"authorization": f"Bearer {shop.key}", "content-type": "application/json"}
        large = await shop.site.client.post("/api/v1/conversions", content=parts(), headers=headers)
        assert (large.status_code, large.headers["content-type"]) == (413, "application/problem+json")
