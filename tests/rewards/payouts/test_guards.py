"""The database itself keeps what a payout was made for, how it ended, and everything that was said about it."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from rewards.payouts.port import Answer
from rewards.payouts.settling import conclude
from tests.house import House
from tests.rewards.payouts.till import Till, open_till


def run(house: House, statement: str) -> None:
    def unit(session: Session) -> None:
        session.execute(text(statement))

    house.do(unit)


@pytest.fixture
def till(house: House) -> Till:
    """Alice was paid once; a second payout is on its way."""
    till = open_till(house)
    till.earns(1000)
    till.payee()
    first = till.takes(400)
    till.takes(300, key="2")
    house.do(lambda session: conclude(session, till.brand, first.id, Answer("completed"), "notice"))
    return till


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payout SET state = 'failed' WHERE state = 'completed'",
        "UPDATE payout SET state = 'pending' WHERE state = 'completed'",
        "UPDATE payout SET amount = amount + 1",
        "UPDATE payout SET fee = 1",
        "UPDATE payout SET asset = 'USD'",
        "UPDATE payout SET provider = 'paypal'",
        "UPDATE payout SET key = 'another'",
        "UPDATE payout SET quantity = 2",
        "UPDATE payout SET state = 'perhaps' WHERE state = 'pending'",
        "DELETE FROM payout_event",
        "DELETE FROM payout_line",
        "UPDATE payout_event SET state = 'failed'",
        "UPDATE payout_event SET actor = 'nobody'",
        "UPDATE payout_line SET amount = 1",
        "DELETE FROM payout",
    ],
)
def test_the_database_refuses(house: House, till: Till, statement: str) -> None:
    with pytest.raises(DBAPIError):
        run(house, statement)
    assert till.shop.problems() == []


def test_what_may_change_changes(house: House, till: Till) -> None:
    run(house, "UPDATE payout SET state = 'failed', reason = 'x' WHERE 1 = 0")
    run(house, "UPDATE payout SET reason = 'late' WHERE state = 'completed'")
    assert {payout.reason for payout in till.payouts()} == {None, "late"}
