"""A campaign that counts purchases, walked in chat: what is said before, after, and when things go back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core import clock
from referral.conversions import Order, RefundOrder
from referral.orders import record_orders
from referral.refunds import record_refunds
from tests.dialogue import Town, in_both, open_town

SALES: dict[str, Any] = {
    "asset": "CNY",
    "budget": 100_000,
    "rules": [{"to": "advocate", "on": "purchased", "basis_points": 1000, "hold_days": 3}],
}


def buys(town: Town, name: str) -> None:
    """The till tells of 128 yuan."""
    order = Order(town.brand.id, "till", "1", "CNY", 12_800, clock.now(), account=("webchat", name))
    town.do(lambda session: record_orders(session, [order]))


def gives_back(town: Town, number: str, amount: int | None) -> None:
    """The till tells of a refund."""
    refund = RefundOrder(town.brand.id, "till", number, "1", amount, "CNY", clock.now())
    town.do(lambda session: record_refunds(session, [refund]))


@in_both(
    en="""
    Alice invites nobody.
    Bob> /join <Alice's code>
    Hi Bob! Alice invited you to Spring tea.
    A free cup for you.
    Your first purchase counts. The group below is open to you.
    [Join Tea lovers]
    Alice> /me
    Spring tea: 0 counted, 1 on the way, 0 did not count.
    • Bob: opened your invitation, counts with the first purchase
    [My invite link]
    [Why?] [My rewards]
    Alice> /why
    Spring tea: what counted, and why
    • Bob opened your invitation on Mar 2, 12:00. Their first purchase before Apr 1, 12:00 counts.
    Bob> /why
    Spring tea: what counted, and why
    • You came through Alice. Your first purchase before Apr 1, 12:00 counts for both of you.
    (Bob buys tea)
    Alice> /why
    Spring tea: what counted, and why
    • Bob came on Mar 2, 12:00 as a new friend and bought something, so it counted on Mar 2, 12:00. CN¥12.80 will \
    be yours on Mar 5, 12:00.
    (Bob gives a part back)
    Alice> /rewards
    Yours now: CN¥0.00 · on hold: CN¥10.00 (next release Mar 5)
    • Mar 2 · CN¥12.80 for an order of Bob (Spring tea): held until Mar 5, 12:00, then yours; CN¥2.80 of it was \
    taken back, because your friend's purchase was refunded
    [Why?] [Statement] [Proof]
    (Bob gives all back)
    Alice> /why
    Spring tea: what counted, and why
    • Bob had counted on Mar 2, 12:00, but everything they bought was refunded, so it no longer counts.
    Bob> /why
    Spring tea: what counted, and why
    • You came through Alice and it counted on Mar 2, 12:00, but everything you bought was refunded, so it no longer \
    counts.
    """,
    zh="""
    Alice invites nobody.
    Bob> /join <Alice's code>
    Bob，你好！Alice 邀请你参加 春茶会。
    送你一杯新茶。
    首次下单就算数。点下方按钮进群看看吧。
    [加入 爱茶的人]
    Alice> 我的
    春茶会：已算数 0 位，进行中 1 位，未算数 0 位。
    • Bob：打开了邀请，首次下单就算数
    [我的邀请链接]
    [为什么？] [我的奖励]
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 于 3月2日 12:00 打开了你的邀请，4月1日 12:00 之前首次下单就算数。
    Bob> 为什么
    春茶会：算没算，为什么
    • 你通过 Alice 来到这里，4月1日 12:00 之前首次下单，你们两位都算数。
    (Bob buys tea)
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 是 3月2日 12:00 来的新朋友，下单后于 3月2日 12:00 算数。¥12.80 将于 3月5日 12:00 入账。
    (Bob gives a part back)
    Alice> 我的奖励
    可提现：¥0.00 · 冻结中：¥10.00（3月5日 起解冻）
    • 3月2日 · ¥12.80，Bob 下单（春茶会）：冻结至 3月5日 12:00，之后可用；其中 ¥2.80 已扣回，朋友的订单已退款
    [为什么？] [对账单] [凭证]
    (Bob gives all back)
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 于 3月2日 12:00 算数，但订单已全部退款，不再计入。
    Bob> 为什么
    春茶会：算没算，为什么
    • 你通过 Alice 来到这里，3月2日 12:00 算数，但订单已全部退款，不再计入。
    """,
)
async def test_a_purchase_counts_until_it_goes_back(tmp_path: Path, locale: str, script: str) -> None:
    terms = {"event": "purchased", "window_days": 30}
    async with open_town(tmp_path, locale, qualify=terms, rewards=SALES) as town:
        town.stage = {
            "Bob buys tea": lambda: buys(town, "bob"),
            "Bob gives a part back": lambda: gives_back(town, "r1", 2_800),
            "Bob gives all back": lambda: gives_back(town, "r2", None),
        }
        await town.play(script)
