"""The database itself keeps the books: what it refuses, it refuses to raw SQL too."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from core import clock, ids
from core.db import table
from core.errors import BadInput
from core.money import LARGEST
from referral.brands import create_brand
from rewards.ledger import (
    Account,
    LedgerAccount,
    Move,
    Purpose,
    Transfer,
    balance,
    fund,
    funded,
    transfer,
    transfer_new,
    unfund,
)
from tests.house import House

CAMPAIGN = UUID(int=7)
ALICE = UUID(int=8)


@pytest.fixture
def brand_id(house: House) -> UUID:
    """A brand whose campaign has 100 points."""

    def build(session: Session) -> UUID:
        brand = create_brand(session, "Acme")
        fund(session, brand.id, CAMPAIGN, "PTS", 100, "fund/1")
        return brand.id

    return house.do(build)


def account(brand_id: UUID, owner: UUID, purpose: Purpose, asset: str = "PTS") -> Account:
    return Account(brand_id, owner, purpose, asset)


def holds(house: House, whose: Account) -> int:
    return house.ask(lambda session: balance(session, whose))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transfer SET amount = 1",
        "UPDATE transfer SET reference = 'fund/2'",
        "DELETE FROM transfer",
        "DELETE FROM ledger_account",
        "UPDATE ledger_account SET owner_id = brand_id",
        "UPDATE ledger_account SET asset = 'CNY'",
        "UPDATE ledger_account SET purpose = 'external'",
        "UPDATE ledger_account SET balance = -1 WHERE purpose = 'campaign.budget'",
    ],
)
def test_raw_sql_cannot_rewrite_the_books(house: House, brand_id: UUID, statement: str) -> None:
    with pytest.raises(DBAPIError):
        house.do(lambda session: session.execute(text(statement)))
    assert holds(house, account(brand_id, CAMPAIGN, Purpose.BUDGET)) == 100
    assert holds(house, account(brand_id, brand_id, Purpose.EXTERNAL)) == -100


@pytest.mark.parametrize("purpose", [Purpose.BUDGET, Purpose.HELD, Purpose.FUNDING, Purpose.CLEARING])
def test_most_accounts_never_go_below_zero(house: House, brand_id: UUID, purpose: Purpose) -> None:
    poor, rich = account(brand_id, ALICE, purpose), account(brand_id, ALICE, Purpose.PAYABLE)
    with pytest.raises(DBAPIError):
        house.do(lambda session: transfer(session, [Move("void/1", "void", poor, rich, 1)]))
    assert holds(house, rich) == 0


def test_a_member_may_owe(house: House, brand_id: UUID) -> None:
    payable, budget = account(brand_id, ALICE, Purpose.PAYABLE), account(brand_id, CAMPAIGN, Purpose.BUDGET)
    house.do(lambda session: transfer(session, [Move("clawback/1", "clawback", payable, budget, 30)]))
    assert holds(house, payable) == -30
    assert holds(house, budget) == 130


def test_a_second_transfer_of_one_reference_moves_nothing(house: House, brand_id: UUID) -> None:
    budget, held = account(brand_id, CAMPAIGN, Purpose.BUDGET), account(brand_id, ALICE, Purpose.HELD)
    move = Move("grant/1", "grant", budget, held, 10)
    assert house.do(lambda session: transfer_new(session, [move, move])) == {"grant/1"}
    assert house.do(lambda session: transfer_new(session, [move])) == set()
    house.do(lambda session: transfer(session, [move]))
    assert holds(house, held) == 10
    assert holds(house, budget) == 90


def test_a_transfer_stays_within_one_asset_and_one_brand(house: House, brand_id: UUID) -> None:
    points, yuan = account(brand_id, CAMPAIGN, Purpose.BUDGET), account(brand_id, ALICE, Purpose.HELD, "CNY")
    other = account(UUID(int=9), ALICE, Purpose.HELD)
    for target in (yuan, other):
        with pytest.raises(ValueError, match="one brand and one asset"):
            house.do(partial(transfer, moves=[Move("x/1", "x", points, target, 1)]))


def test_the_database_refuses_a_transfer_between_assets(house: House, brand_id: UUID) -> None:
    budget, held = account(brand_id, CAMPAIGN, Purpose.BUDGET), account(brand_id, ALICE, Purpose.HELD)
    outside, purse = account(brand_id, brand_id, Purpose.EXTERNAL, "CNY"), account(brand_id, ALICE, Purpose.HELD, "CNY")
    yuan = Move("fund/cny", "fund", outside, purse, 5)
    house.do(lambda session: transfer(session, [Move("grant/1", "grant", budget, held, 1), yuan]))
    row = {
        "brand_id": brand_id,
        "id": ids.new(),
        "reference": "odd/1",
        "kind": "odd",
        "debit_id": budget.id,
        "credit_id": purse.id,
        "asset": "PTS",
        "amount": 1,
        "created_at": clock.now(),
    }
    with pytest.raises(DBAPIError):
        house.do(lambda session: session.execute(table(Transfer).insert(), row))
    for change in ({"credit_id": budget.id}, {"amount": 0, "credit_id": held.id}, {"amount": -5, "credit_id": held.id}):
        with pytest.raises(DBAPIError):
            house.do(partial(Session.execute, statement=table(Transfer).insert(), params=row | change))
    assert holds(house, budget) == 99


@pytest.mark.parametrize("amount", [0, -1, LARGEST + 1])
def test_amounts_are_positive_and_exact_everywhere(house: House, brand_id: UUID, amount: int) -> None:
    with pytest.raises(BadInput, match="amount_out_of_range"):
        house.do(lambda session: fund(session, brand_id, CAMPAIGN, "PTS", amount, "fund/2"))


def test_a_unit_that_fails_takes_its_transfers_back(house: House, brand_id: UUID) -> None:
    def fails(session: Session) -> None:
        fund(session, brand_id, CAMPAIGN, "PTS", 5, "fund/2")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        house.do(fails)
    assert holds(house, account(brand_id, CAMPAIGN, Purpose.BUDGET)) == 100


def test_the_brand_takes_back_only_what_is_there(house: House, brand_id: UUID) -> None:
    house.do(lambda session: unfund(session, brand_id, CAMPAIGN, "PTS", 40, "unfund/1"))
    assert house.ask(lambda session: funded(session, brand_id, CAMPAIGN, "PTS")) == 60
    with pytest.raises(DBAPIError):
        house.do(lambda session: unfund(session, brand_id, CAMPAIGN, "PTS", 61, "unfund/2"))
    assert holds(house, account(brand_id, CAMPAIGN, Purpose.BUDGET)) == 60


def test_one_account_per_owner_purpose_and_asset(house: House, brand_id: UUID) -> None:
    def twice(session: Session) -> None:
        for number in (1, 2):
            session.add(
                LedgerAccount(
                    brand_id=brand_id,
                    id=UUID(int=number),
                    owner_id=ALICE,
                    purpose="member.held",
                    asset="PTS",
                    created_at=clock.now(),
                )
            )
        session.flush()

    with pytest.raises(DBAPIError):
        house.do(twice)
