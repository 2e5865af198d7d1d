"""Two advocates who both reached a friend share an order, and each is told their part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.bots.till import Till
from tests.dialogue import in_both, open_town

TENTH = {"to": "advocate", "basis_points": 1000, "on": "purchased", "hold_days": 7}


@in_both(
    en="""
    Alice invites Bob.
    1 days later:
    Dan invites Bob.
    (Bob buys for 100 yuan.)
    Alice hears:
    ✅ Bob has bought something. You earned CN¥5.00, yours on Mar 10, 12:00.
    [My rewards]
    Dan hears:
    ✅ Bob has bought something. You earned CN¥5.00, yours on Mar 10, 12:00.
    [My rewards]
    Dan> /rewards
    Yours now: CN¥0.00 · on hold: CN¥5.00 (next release Mar 10)
    • Mar 3 · CN¥5.00 for an order of Bob (Spring tea): held until Mar 10, 12:00, then yours. \
    Several people brought this order about; your share is 50%
    [Why?] [Statement] [Proof]
    """,
    zh="""
    Alice invites Bob.
    1 days later:
    Dan invites Bob.
    (Bob buys for 100 yuan.)
    Alice hears:
    ✅ Bob 已下单，你获得 ¥5.00，将于 3月10日 12:00 入账。
    [我的奖励]
    Dan hears:
    ✅ Bob 已下单，你获得 ¥5.00，将于 3月10日 12:00 入账。
    [我的奖励]
    Dan> 奖励
    可提现：¥0.00 · 冻结中：¥5.00（3月10日 起解冻）
    • 3月3日 · ¥5.00，Bob 下单（春茶会）：冻结至 3月10日 12:00，之后可用。这一单由几位推荐人共同促成，你占 50%
    [为什么？] [对账单] [凭证]
    """,
)
async def test_an_order_of_two_advocates_is_told_to_both(tmp_path: Path, locale: str, script: str) -> None:
    changes: dict[str, Any] = {
        "qualify": {"event": "purchased"},
        "attribution": {"split": "linear"},
        "rewards": {"asset": "CNY", "budget": 100_000, "rules": [TENTH]},
    }
    async with open_town(tmp_path, locale, **changes) as town:
        town.stage = {"Bob buys for 100 yuan.": Till(town, tmp_path).buys("Bob", 100)}
        await town.play(script)
