"""Any sequence of granting, releasing, voiding, clawing back and funding: the database agrees with a simple model."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from pathlib import Path
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from referral.brands import create_brand
from rewards.ledger import Account, Move, Purpose, balance, transfer
from tests.house import House, fresh_sqlite

BELOW_ZERO = (Purpose.EXTERNAL, Purpose.PAYABLE)
amounts = st.integers(1, 50)
owners = st.integers(1, 3).map(lambda number: UUID(int=number))
purposes = st.sampled_from([Purpose.EXTERNAL, Purpose.BUDGET, Purpose.HELD, Purpose.PAYABLE])


class Books(RuleBasedStateMachine):
    """The model: balances in a dict, references in a set; a unit is refused whole when one move is impossible."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="daixin-books-"))
        self.house = House(fresh_sqlite(self.folder))
        self.brand_id = self.house.do(lambda session: create_brand(session, "Acme").id)
        self.balances: dict[Account, int] = defaultdict(int)
        self.seen: set[str] = set()

    @rule(
        moves=st.lists(
            st.tuples(st.integers(0, 30), owners, purposes, owners, purposes, amounts), min_size=1, max_size=4
        )
    )
    def move(self, moves: list[tuple[int, UUID, Purpose, UUID, Purpose, int]]) -> None:
        asked = [
            Move(
                f"m/{number}",
                "m",
                Account(self.brand_id, debit, debit_purpose, "PTS"),
                Account(self.brand_id, credit, credit_purpose, "PTS"),
                amount,
            )
            for number, debit, debit_purpose, credit, credit_purpose, amount in moves
            if (debit, debit_purpose) != (credit, credit_purpose)
        ]
        after, seen = dict(self.balances), set(self.seen)
        for one in asked:
            if one.reference not in seen:
                seen.add(one.reference)
                after[one.debit] = after.get(one.debit, 0) - one.amount
                after[one.credit] = after.get(one.credit, 0) + one.amount
        fits = all(amount >= 0 or account.purpose in BELOW_ZERO for account, amount in after.items())
        try:
            self.house.do(lambda session: transfer(session, asked))
        except DBAPIError:
            return  # refused whole; an amount that is short only in between is refused on SQLite too
        assert fits
        self.balances, self.seen = defaultdict(int, after), seen

    @invariant()
    def the_database_agrees(self) -> None:
        def read(session: Session) -> dict[Account, int]:
            return {account: balance(session, account) for account in self.balances}

        assert self.house.ask(read) == dict(self.balances)
        assert sum(self.balances.values()) == 0

    def teardown(self) -> None:
        self.house.close()
        shutil.rmtree(self.folder)


TestBooks = Books.TestCase
TestBooks.settings = settings(
    max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
