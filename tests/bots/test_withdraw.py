"""Withdrawing: what can go wrong, what must not be seen, and what is told when something happens outside the chat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from bots.amounts import read_amount
from bots.state import Conversation
from core.errors import BadInput
from core.outbox import Outbox
from rewards.payouts.payouts import Payout
from rewards.payouts.port import Answer
from rewards.payouts.settling import conclude
from tests.bots.till import Till
from tests.dialogue import Town, in_both, open_town

SHARE = {"to": "advocate", "on": "purchased", "asset": "CNY", "basis_points": 500}
YUAN: dict[str, Any] = {"rewards__rules": [SHARE], "rewards__budgets": {"CNY": 1_000_000}}
CARD = "6222 0212 3456 7894"


async def earn(town: Town, till: Till, name: str = "Alice", friend: str = "Bob", yuan: int = 200) -> None:
    """A friend buys, and a twentieth of it is payable at once."""
    await town.play(f"{name} invites {friend}.\n{friend} joins.")
    till.buys(friend, yuan)()
    await town.settle()
    town.news(name)


async def ask_for(town: Town, amount: str, name: str = "Alice", account: str = CARD) -> str:
    """A withdrawal up to its confirmation, with a payee given on the way."""
    for words in ("/withdraw", amount, f"{name} Wang", account):
        await town.say(name, words)
    return await town.ask(name, "[Skip]")


def payouts(town: Town) -> list[tuple[int, str]]:
    return town.do(lambda session: [(row.amount, row.state) for row in session.exec(select(Payout)).all()])


@pytest.mark.parametrize(
    ("said", "minor"),
    [("8", 800), ("8.5", 850), ("¥8.50", 850), ("￥8", 800), ("８块", 800), ("8 元", 800), ("CNY 1,234.50", 123450),
     ("人民币 8 元", 800), ("全部", 1000), ("all", 1000)],
)  # fmt: skip
def test_amounts_as_people_write_them(said: str, minor: int) -> None:
    assert read_amount(said, "CNY", 1000) == minor


@pytest.mark.parametrize("said", ["", "-5", "0", "八块", "8.505", "1e3", "8 euro", "1,23", "9" * 40])
def test_what_is_no_amount(said: str) -> None:
    with pytest.raises(BadInput):
        read_amount(said, "CNY", 1000)


def test_money_without_decimals() -> None:
    assert read_amount("JP¥1,000", "JPY", 0) == 1000
    with pytest.raises(BadInput):
        read_amount("10.5", "JPY", 0)


async def test_a_payee_lies_nowhere_in_clear(tmp_path: Path) -> None:
    def kept(session: Session) -> str:
        talks = [str(row.data) for row in session.exec(select(Conversation)).all()]
        return " ".join([*talks, *(str(row.payload) for row in session.exec(select(Outbox)).all())])

    async with open_town(tmp_path, **YUAN) as town:
        await earn(town, Till(town, tmp_path))
        await town.say("Alice", "/withdraw")
        await town.say("Alice", "8")
        await town.say("Alice", "Alice Wang")
        await town.say("Alice", CARD)
        assert "Wang" not in town.do(kept)
        assert "6222" not in town.do(kept)
        town.restart()
        shown = await town.ask("Alice", "skip")
        assert "A** …7894" in shown
        assert "6222" not in shown
        await town.say("Alice", "[Confirm]")
        await town.settle()
        assert "6222" not in town.do(kept)
        assert payouts(town) == [(800, "pending")]


async def test_an_account_that_looks_like_an_invite_code_is_an_account(tmp_path: Path) -> None:
    async with open_town(tmp_path, **YUAN) as town:
        await earn(town, Till(town, tmp_path))
        code = town.codes["Alice's code"]
        for words in ("/withdraw", "8", "Alice Wang"):
            await town.say("Alice", words)
        assert "(3/3)" in await town.ask("Alice", code)


@pytest.mark.parametrize("word", ["rewards", "奖励", "兑换", "/help"])
async def test_another_command_is_no_wrong_answer(tmp_path: Path, word: str) -> None:
    async with open_town(tmp_path, **YUAN) as town:
        await earn(town, Till(town, tmp_path))
        await town.say("Alice", "/withdraw")
        assert "is not an amount" not in await town.ask("Alice", word)
        assert "on the account" in await town.ask("Alice", "8"), "the question is still open"
        assert "on the account" not in await town.ask("Alice", word)


async def test_a_confirmation_ends_and_pays_once(tmp_path: Path) -> None:
    async with open_town(tmp_path, **YUAN) as town:
        await earn(town, Till(town, tmp_path))
        await ask_for(town, "8")
        await town.later(minutes=31)
        assert "Nothing was withdrawn" in await town.ask("Alice", "[Confirm]")
        assert payouts(town) == []
        await town.say("Alice", "/withdraw")
        assert "Arrives: CN¥10.00" in await town.ask("Alice", "[All: CN¥10.00]")
        assert "Nothing was" not in await town.ask("Alice", "yes")
        assert "paid once only" in await town.ask("Alice", "[Confirm]")
        assert payouts(town) == [(1000, "pending")]
        assert "There is nothing to withdraw" in await town.ask("Alice", "/withdraw")


async def test_what_is_taken_back_while_one_thinks_is_not_paid(tmp_path: Path) -> None:
    async with open_town(tmp_path, **YUAN) as town:
        till = Till(town, tmp_path)
        await earn(town, till)
        await ask_for(town, "8")
        till.refunds_last(100)()
        assert "You can use CN¥5.00 at most right now" in await town.ask("Alice", "[Confirm]")
        assert payouts(town) == []


async def test_what_was_not_sent_yet_can_be_called_off(tmp_path: Path) -> None:
    async with open_town(tmp_path, **YUAN) as town:
        till = Till(town, tmp_path)
        await earn(town, till)
        await ask_for(town, "8")
        await town.say("Alice", "[Confirm]")
        assert "[Call off CN¥8.00]" in await town.ask("Alice", "[My withdrawals]")
        assert "not paid, because it was called off; it is back" in await town.ask("Alice", "[Call off CN¥8.00]")
        assert "Yours now: CN¥10.00" in await town.ask("Alice", "/rewards")
        await town.settle()
        assert [town.shown(reply).splitlines()[0] for reply in town.news("Alice")] == []
        await town.say("Alice", "/withdraw")
        await town.say("Alice", "8")
        await town.say("Alice", "yes")
        (label,) = (await town.say("Alice", "/withdraw list"))[0].buttons[0]
        till.bank("paid", "ICBC1")()
        assert label.action is not None
        [late] = await town.chat.press(town.person("Alice"), label.action)
        assert "This payout is settled already" in late.text


async def test_another_payee_asks_once_more(tmp_path: Path) -> None:
    async with open_town(tmp_path, **YUAN) as town:
        await earn(town, Till(town, tmp_path))
        await ask_for(town, "8")
        await town.say("Alice", "[Pay to somewhere else]")
        await town.say("Alice", "Alice Wang")
        await town.say("Alice", "alice@example.com")
        assert "A** a***@example.com" in await town.ask("Alice", "skip")
        assert "CN¥8.00 for A** a***@example.com" in await town.ask("Alice", "[Confirm]")


@in_both(
    en="""
    Alice> yes
    ✅ Noted: CN¥8.00 for A** …7894. Somebody at Acme Tea looks at it first; I tell you when it has been paid.
    Reference: <reference>
    [My withdrawals]
    1 minutes later:
    Carol hears:
    🔎 Alice asked for CN¥8.00, which waits for approval: daixin payout approve <reference>
    (The bank refuses.)
    Alice hears:
    ❌ CN¥8.00 could not be paid, because account closed (bank transfer A** …7894). CN¥8.00 is back in your balance.
    [Withdraw]
    Alice> /withdraw list
    Your withdrawals:
    • Mar 2 · CN¥8.00 by bank transfer A** …7894: not paid, because account closed; it is back in your balance \
    (<reference>)
    [My rewards]
    """,
    zh="""
    Alice> 确认
    ✅ 提现申请已提交：¥8.00 将打到 A** …7894。茶里 审核通过后打款，到账后我会通知你。
    单号：<reference>
    [提现记录]
    1 minutes later:
    Carol hears:
    🔎 Alice 申请提现 ¥8.00，等待审核：daixin payout approve <reference>
    (The bank refuses.)
    Alice hears:
    ❌ ¥8.00 打款失败：账户已销户（人工转账 A** …7894）。¥8.00 已退回余额。
    [提现]
    Alice> /withdraw list
    你的提现记录：
    • 3月2日 · ¥8.00，人工转账 A** …7894：未打款，账户已销户；钱已退回余额（<reference>）
    [我的奖励]
    """,
)
async def test_the_bank_says_no(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, **YUAN) as town:
        till = Till(town, tmp_path)
        await town.say("Carol", "/help")
        await earn(town, till)
        for words in ("/withdraw", "8", "Alice Wang", CARD, "skip"):
            await town.say("Alice", words)
        said = "account closed" if locale == "en" else "账户已销户"
        town.stage["The bank refuses."] = till.bank("failed", "", said)
        await town.play(script)


@in_both(
    en="""
    Alice> yes
    ✅ Noted: CN¥8.00 for …oooo. Somebody at Acme Tea looks at it first; I tell you when it has been paid.
    Reference: <reference>
    [My withdrawals]
    (WeChat Pay waits.)
    Alice hears:
    💳 CN¥8.00 is waiting for you in WeChat. Please confirm there within 24 hours, or it comes back here.
    [My withdrawals]
    Alice> [My withdrawals]
    Your withdrawals:
    • Mar 2 · CN¥8.00 by WeChat Pay …oooo: waiting for you to confirm in WeChat (<reference>)
    [My rewards]
    (Nobody confirms.)
    Alice hears:
    ❌ CN¥8.00 could not be paid, because nobody confirmed or claimed it in time (WeChat Pay …oooo). CN¥8.00 is back \
    in your balance.
    [Withdraw]
    """,
    zh="""
    Alice> 确认
    ✅ 提现申请已提交：¥8.00 将打到 …oooo。茶里 审核通过后打款，到账后我会通知你。
    单号：<reference>
    [提现记录]
    (WeChat Pay waits.)
    Alice hears:
    💳 ¥8.00 等你确认收款：请在 24 小时内到微信里确认，逾期会退回余额。
    [提现记录]
    Alice> [提现记录]
    你的提现记录：
    • 3月2日 · ¥8.00，微信支付 …oooo：等你在微信里确认收款（<reference>）
    [我的奖励]
    (Nobody confirms.)
    Alice hears:
    ❌ ¥8.00 打款失败：没有在规定时间内确认收款（微信支付 …oooo）。¥8.00 已退回余额。
    [提现]
    """,
)
async def test_wechat_pay_waits_for_a_confirmation(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, **YUAN, payout={"provider": "wechatpay"}) as town:
        till = Till(town, tmp_path)
        await earn(town, till)
        for words in ("/withdraw", "8", "o" * 28, "skip"):
            await town.say("Alice", words)
        town.stage["WeChat Pay waits."] = till.provider("processing", "confirm_in_wechat", package_info="x")
        town.stage["Nobody confirms."] = till.provider("failed", "unclaimed")
        await town.play(script)


async def test_admins_hear_of_a_shared_payee_and_of_a_contradiction(tmp_path: Path) -> None:
    async with open_town(tmp_path, **YUAN) as town:
        till = Till(town, tmp_path)
        await town.say("Carol", "/help")
        await earn(town, till)
        await earn(town, till, "Dan", "Eve")
        await ask_for(town, "8")
        await town.say("Alice", "[Confirm]")
        await ask_for(town, "8", "Dan")
        await town.say("Dan", "[Confirm]")
        await town.settle()
        told = "\n".join(town.shown(reply) for reply in town.news("Carol"))
        assert "2 members are paid to the same place (bank transfer): Dan, Alice." in told
        assert "Dan asked for CN¥8.00, which waits for approval" in told
        till.bank("paid", "ICBC1")()
        await town.settle()
        town.news("Carol")

        def takes_back(session: Session) -> None:
            row = session.exec(select(Payout)).first()
            assert row is not None
            conclude(session, row.brand_id, row.id, Answer("failed", reason="bank_refused"), "notice")

        town.do(takes_back)
        await town.settle()
        [told_again] = town.news("Carol")
        assert "was paid, and now the provider says failed. Nothing was moved" in town.shown(told_again)
