"""A withdrawal to WeChat as it is walked in chat, through the real provider and a pretend WeChat Pay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import Session, select

from core import i18n
from rewards.payouts import approvals
from rewards.payouts.payouts import Payout
from rewards.payouts.runner import PayoutRunner
from rewards.payouts.wechatpay import WeChatPay
from tests.bots.till import Till
from tests.dialogue import Town, open_town
from tests.rewards.payouts.standins.wechatpay import WeChatPayStandIn

SHARE = {"to": "advocate", "on": "purchased", "asset": "CNY", "basis_points": 500, "hold_days": 0}
CONFIRM = "http://friends.example/pay/wechat/"


def sent_by(town: Town, provider: WeChatPay) -> Callable[[], object]:
    """The worker hands over what is due; on a loop of its own, as it lives in another process."""

    def run() -> object:
        runner = PayoutRunner(town.parts.writer, {"wechatpay": provider})
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, runner.run_due()).result()

    return run


def approved(town: Town) -> None:
    def unit(session: Session) -> None:
        for payout in session.scalars(select(Payout)).all():
            approvals.approve(session, town.brand.id, payout.id, "dora")

    town.do(unit)


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", ["/withdraw", "8", "oABC-123_alice", "[Skip]", "[Confirm]"]),
        ("zh", ["/提现", "8", "oABC-123_alice", "[跳过]", "[确认]"]),
    ],
)
async def test_alice_confirms_in_wechat_and_has_it(tmp_path: Path, locale: str, words: list[str]) -> None:
    with WeChatPayStandIn() as service:
        terms = {"provider": "wechatpay", "minimum": 500}
        async with open_town(
            tmp_path, locale, rewards__rules=[SHARE], rewards__budgets={"CNY": 100_000}, payout=terms
        ) as town:
            send = sent_by(town, WeChatPay(service.settings(confirm_url=CONFIRM)))
            await town.play("Alice invites Bob.\nBob joins.")
            Till(town, tmp_path).buys("Bob", 200)()
            await town.settle()
            for word in words:
                await town.ask("Alice", word)
            town.news("Alice")
            approved(town)
            send()
            await town.settle()
            (waiting,) = town.news("Alice")
            ((reference, bill),) = service.bills.items()
            assert (bill["openid"], bill["transfer_amount"]) == ("oABC-123_alice", 800)
            confirm = waiting.buttons[0][0]
            assert confirm.url == CONFIRM + reference
            assert confirm.label == i18n.text("zh_Hans" if locale == "zh" else "en", "confirm.button")
            service.confirm(reference)
            await town.later(minutes=1)
            send()
            await town.settle()
            (arrived,) = town.news("Alice")
            told = town.shown(arrived)
            assert "8.00" in told
            assert bill["transfer_bill_no"] in told
            assert town.problems() == []
        assert service.violations == []
