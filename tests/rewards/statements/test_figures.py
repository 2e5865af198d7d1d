"""Statements reconcile to the books to the unit, whatever happened before: earned, paid, returned, taken back, owed."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from core.errors import Refused
from core.money import Money
from referral.campaigns import Campaign
from rewards import ledger
from rewards.adjustments import adjust
from rewards.corrections import take_back
from rewards.ledger import LedgerAccount, Purpose
from rewards.payouts.port import Answer
from rewards.payouts.settling import conclude
from rewards.plans import PayoutTerms, Plan, save_plan
from rewards.rewards import Reward, release_due
from rewards.statements.brand import FLOWS, brand_statement, months_between
from rewards.statements.campaign import Settlement, campaign_statement, settle
from rewards.statements.member import member_lines, member_statement
from rewards.statements.sheets import Book
from tests.house import House, later
from tests.rewards.payouts.till import Till, open_till
from tests.rewards.shop import open_shop


def rows_of(book: Book, key: str) -> list[dict[str, Any]]:
    """A sheet's rows by column, amounts as minor units."""
    sheet = book.sheet(key)
    names = [column.key for column in sheet.columns]
    return [
        {name: cell.minor if isinstance(cell, Money) else cell for name, cell in zip(names, row, strict=True)}
        for row in sheet.rows
    ]


def of_member(till: Till, sheet: str, member: UUID | None = None, **period: datetime) -> list[dict[str, Any]]:
    def read(session: Session) -> list[dict[str, Any]]:
        book = member_statement(session, till.brand, member or till.alice, locale="en", timezone="UTC", **period)
        return rows_of(book, sheet)

    return till.shop.house.ask(read)


def of_brand(till: Till, **period: datetime) -> list[dict[str, Any]]:
    return till.shop.house.ask(
        lambda session: rows_of(
            brand_statement(session, till.brand, locale="en", timezone="Asia/Shanghai", **period), "months"
        )
    )


def settled(till: Till) -> dict[str, Settlement]:
    key = (till.brand, till.shop.campaign.id)
    return till.shop.house.ask(lambda session: settle(session, session.get_one(Campaign, key)))


def held_in_books(till: Till) -> dict[str, int]:
    """The sum of all the brand's accounts by purpose."""
    summed = select(col(LedgerAccount.purpose), func.sum(col(LedgerAccount.balance))).group_by(
        col(LedgerAccount.purpose)
    )
    found = till.shop.house.ask(lambda session: dict(session.execute(summed).all()))
    return defaultdict(int, {purpose: int(amount) for purpose, amount in found.items()})


def owed(till: Till) -> int:
    below = select(func.sum(-col(LedgerAccount.balance))).where(
        col(LedgerAccount.purpose) == Purpose.PAYABLE, col(LedgerAccount.balance) < 0
    )
    return int(till.shop.house.ask(lambda session: session.scalar(below)) or 0)


def ends(till: Till, payout: UUID, state: Any) -> None:
    """The provider says what became of a payout."""
    answer = Answer(state=state, external_id="x1", reason=None if state == "completed" else "closed")
    till.shop.house.do(lambda session: conclude(session, till.brand, payout, answer, "import"))


def falls(till: Till, reward: UUID, amount: int | None = None, cause: str | None = None) -> None:
    """A reward, or a part of it, is taken back."""

    def unit(session: Session) -> None:
        row = session.get_one(Reward, (till.brand, reward))
        amounts = None if amount is None else {reward: amount}
        take_back(session, [row], "refunded", amounts=amounts, cause=cause)

    till.shop.house.do(unit)


def decides(till: Till, amount: int, key: str) -> None:
    """Somebody gives or takes by hand."""
    till.shop.house.do(
        lambda session: adjust(
            session,
            till.brand,
            till.alice,
            till.shop.campaign.id,
            till.asset,
            amount,
            reason="a good word",
            actor="Ann",
            key=key,
        )
    )


def reconciles(till: Till) -> None:
    """Every statement says what the books hold."""
    books = held_in_books(till)
    for figures in settled(till).values():
        assert (figures.budget_gap, figures.rewards_gap) == (0, 0)
    assert sum(figures.unspent for figures in settled(till).values()) == books[Purpose.BUDGET]
    [purse] = of_member(till, "purse") or [{"closing_held": 0, "closing_payable": 0}]
    assert purse["closing_held"] == till.balance(till.alice, Purpose.HELD)
    assert purse["closing_payable"] == till.payable()
    lines = of_member(till, "lines")
    assert sum(line["held_change"] for line in lines) == purse["closing_held"]
    assert sum(line["payable_change"] for line in lines) == purse["closing_payable"]
    if lines:
        assert (lines[-1]["held_after"], lines[-1]["payable_after"]) == (
            purse["closing_held"],
            purse["closing_payable"],
        )
        sums = ("granted", "taken_back", "withdrawn", "fees", "moved")
        assert sum(purse[name] for name in sums) == purse["closing_held"] + purse["closing_payable"]
    last = of_brand(till)[-1]
    for purpose in (Purpose.BUDGET, Purpose.HELD, Purpose.PAYABLE, Purpose.CLEARING, Purpose.FUNDING):
        assert last[f"closing_{purpose.rpartition('.')[2]}"] == books[purpose], purpose
    assert last["debts"] == owed(till)


def test_one_story_from_the_first_reward_to_a_debt(house: House) -> None:
    till = open_till(house, funded=100_000, fee=50)
    first, second = till.earns(10_000), till.earns(6_000)
    till.payee()
    reconciles(till)
    paid = till.takes(12_000, "1")
    ends(till, paid.id, "completed")
    returned = till.takes(3_000, "2")
    reconciles(till)
    ends(till, returned.id, "failed")
    falls(till, second, 1_000, cause="refund/1")
    falls(till, first)
    decides(till, -500, "k1")
    decides(till, 200, "k2")
    reconciles(till)
    figures = settled(till)["CNY"]
    assert (figures.funded, figures.granted, figures.clawed_back, figures.deducted) == (100_000, 16_200, 11_000, 500)
    assert figures.unspent == 100_000 - 16_200 + 11_000 + 500
    assert (figures.paid, figures.fees, figures.paying) == (12_000, 50, 0)
    # 10,000 of the first and 2,000 of the second were paid; the first is worth nothing now, the second 5,000.
    assert (figures.payable, figures.overpaid) == (3_000 + 200, 10_000)
    assert till.payable() == 16_200 - 12_000 - 11_000 - 500 == -owed(till)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_happens_it_reconciles(house: House, seed: int) -> None:
    chance = random.Random(seed)
    till = open_till(house, funded=1_000_000, fee_basis_points=60)
    till.payee()
    rewards: list[UUID] = []
    payouts: list[UUID] = []
    for step in range(40):
        match chance.randrange(6):
            case 0 | 1:
                rewards.append(till.earns(chance.randrange(1, 5_000)))
            case 2 if rewards:
                falls(till, chance.choice(rewards), chance.randrange(1, 3_000), cause=f"refund/{step}")
            case 3 if till.payable() > 100:
                try:
                    payouts.append(till.takes(chance.randrange(100, till.payable() + 1), str(step)).id)
                except Refused:
                    assert owed(till) == 0
            case 4 if payouts:
                ends(till, payouts.pop(chance.randrange(len(payouts))), chance.choice(["completed", "failed"]))
            case 5:
                decides(till, chance.choice([-1, 1]) * chance.randrange(1, 500), str(step))
            case _:
                continue
        if step % 8 == 7:
            reconciles(till)
    reconciles(till)


def test_months_are_those_of_the_brand_and_close_on_one_another(house: House) -> None:
    till = open_till(house, funded=50_000)
    first = till.earns(10_000)
    till.payee()
    with later(days=40):
        ends(till, till.takes(8_000).id, "completed")
    with later(days=80):
        falls(till, first)
        months = of_brand(till)
        assert [month["month"] for month in months] == sorted({month["month"] for month in months})
        assert months[0]["granted"] == 10_000
        assert [month["paid"] for month in months if month["paid"]] == [8_000]
        assert months[-1]["debts"] == 8_000
        assert sum(month["debts"] > 0 for month in months) == 1
        for before, after in pairwise(months):
            moved = after["funded"] - after["unfunded"] - after["granted"] + after["voided"] + after["clawed_back"]
            assert after["closing_budget"] == before["closing_budget"] + moved
        reconciles(till)
        # A later beginning changes no closing balance.
        assert of_brand(till, since=clock.now())[-1] == months[-1]


def test_a_debt_stands_in_every_month_until_it_is_settled(house: House) -> None:
    till = open_till(house, funded=50_000)
    first = till.earns(1_000)
    till.payee()
    ends(till, till.takes(1_000).id, "completed")
    falls(till, first)
    with later(days=100):
        till.earns(5_000)
        months = of_brand(till)
    assert len(months) >= 4
    assert [month["debts"] for month in months] == [1_000] * (len(months) - 1) + [0]


def test_a_period_opens_with_what_was_there(house: House) -> None:
    till = open_till(house)
    till.earns(1_000)
    with later(days=1):
        middle = clock.now()
    with later(days=2):
        till.earns(500)
        [purse] = of_member(till, "purse", since=middle)
        lines = of_member(till, "lines", since=middle)
        [earlier] = of_member(till, "purse", until=middle)
    assert (purse["opening_payable"], purse["granted"], purse["closing_payable"]) == (1_000, 500, 1_500)
    assert [line["kind"] for line in lines] == ["reward granted", "hold is over"]
    assert lines[-1]["payable_after"] == 1_500
    assert earlier["closing_payable"] == 1_000


def test_lines_say_what_for(house: House) -> None:
    till = open_till(house, fee=10)
    reward = till.earns(2_000)
    till.payee()
    till.takes(1_000)
    falls(till, reward, 300, cause="refund/7")
    decides(till, 100, "k")
    decides(till, -50, "l")
    said = [(line["kind"], line["cause"], line["campaign"]) for line in of_member(till, "lines")]
    assert ("withdrawn", "paid by hand", "") in said
    assert ("fee", "paid by hand", "") in said
    assert ("taken back", "order refunded", "Spring") in said
    assert ("reward granted", "a good word", "Spring") in said
    assert ("deducted by hand", "a good word", "Spring") in said


def test_the_campaigns_report_names_every_reward_and_rule(house: House) -> None:
    shop = open_shop(house, funded=300)
    names = ("Bob", "=Carol()", "Dan")
    for name in names:
        shop.brings(name)
    with later(days=7):
        assert shop.stays() == 3
    with later(days=11):
        house.do(release_due)
    key = (shop.brand.id, shop.campaign.id)

    def read(session: Session) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
        book = campaign_statement(session, session.get_one(Campaign, key), locale="zh_Hans")
        return rows_of(book, "rewards"), rows_of(book, "rules"), rows_of(book, "checks")

    rewards, rules, checks = house.ask(read)
    assert len(rewards) == 6
    assert {row["member"] for row in rewards} == {"Alice", *names}
    assert {row["reason"] for row in rewards if row["state"] == "未发放"} == {"预算已用完"}
    assert [(row["rule"], row["rewards"], row["granted"], row["refused"]) for row in rules] == [
        ("advocate", 2, 200, 1),
        ("friend", 2, 100, 1),
    ]
    assert checks == [{"asset": "PTS", "budget_gap": 0, "rewards_gap": 0}]


def test_the_fee_of_one_payout_is_shared_to_the_unit(house: House) -> None:
    """Two campaigns pay for one withdrawal: their shares of its fee are its fee."""
    till = open_till(house, fee=101)
    till.payee()
    till.earns(1_000)
    other = Campaign(
        brand_id=till.brand,
        slug="autumn",
        title={"en": "Autumn"},
        benefit={},
        starts_at=clock.now() - timedelta(days=1),
        ends_at=clock.now() + timedelta(days=9),
        created_at=clock.now(),
        state="running",
    )

    def fund(session: Session) -> None:
        session.add(other)
        session.flush()
        save_plan(session, till.brand, other.id, 1, Plan(asset="CNY", payout=PayoutTerms(fee=101)))
        ledger.fund(session, till.brand, other.id, "CNY", 5_000, f"fund/{other.id}/1")

    house.do(fund)
    spring, till.shop.campaign = till.shop.campaign, other
    till.earns(2_000)
    ends(till, till.takes(2_500).id, "completed")
    shares = []
    for campaign in (spring, other):
        till.shop.campaign = campaign
        figures = settled(till)["CNY"]
        assert (figures.budget_gap, figures.rewards_gap) == (0, 0)
        shares.append((figures.paid, figures.fees))
    assert [paid for paid, _ in shares] == [1_000, 1_500]
    assert sum(fee for _, fee in shares) == 101


def test_a_chat_hears_balances_and_the_last_movements(house: House) -> None:
    till = open_till(house)

    def said(locale: str) -> Sequence[str]:
        return house.ask(
            lambda session: member_lines(session, till.brand, till.alice, locale=locale, timezone="UTC", limit=2)
        )

    assert said("en") == ["Nothing has moved yet."]
    till.earns(1_234)
    lines = said("zh_Hans")
    assert lines[0] == "CNY：可用 ¥12.34，冻结 ¥0.00"
    assert len(lines) == 3
    assert "奖励解冻" in lines[1]


def test_a_stranger_has_an_empty_statement(house: House) -> None:
    till = open_till(house)
    assert of_member(till, "lines") == of_member(till, "purse") == []


def test_months_begin_at_midnight_of_the_brand() -> None:
    first = datetime.fromisoformat("2026-01-31T17:00:00+00:00")  # the first of February in Shanghai
    months = months_between(first, datetime.fromisoformat("2026-04-01T00:00:00+00:00"), "Asia/Shanghai")
    assert [month.name for month in months] == ["2026-02", "2026-03", "2026-04"]
    assert months[0].begins.isoformat() == "2026-02-01T00:00:00+08:00"
    assert months[-1].ends.isoformat() == "2026-05-01T00:00:00+08:00"
    assert FLOWS.keys() >= {"funded", "granted", "paid"}
