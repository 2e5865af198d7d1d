"""Proves the books: `verify` finds every row that does not fit the others. It reads only.

What is proved: each account's balance is what its transfers say; the balances of a brand and asset sum to zero; no
account is below zero that may not be; the transfers of every reward and payout leave exactly what its state says, and
its plan, referral, order or decision is its own; what was granted anew has an upheld appeal behind it and lives once;
every transfer has a cause and joins the accounts its kind joins; what went back of an order is what its refunds say,
and the credit for it was shared once; a payout gave as many codes as it was for; no contest gave more than its final
says, and no trial other places than were taken; every transfer is sealed once, in a block whose hashes hold, or waits
to be. Accounts linked into one person count as one owner.

Each check is a statement that finds rows which do not fit, so millions of rows stay in the database; only the leaves
of blocks are hashed here, a block at a time.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlmodel import Session

from rewards.verify import accounts, entitlements, gifts, orders, payments, places, prizes, reviews, seals, transfers
from rewards.verify.problem import Problem

__all__ = ["Problem", "verify"]

WHOLE = (accounts, entitlements, prizes, transfers, payments, gifts, orders, places, reviews)
"""Checks that go over whole tables at once; those of `seals` go block by block."""
CHECKS = tuple(check for part in (*WHOLE, seals) for check in part.CHECKS)


def verify(session: Session) -> list[Problem]:
    """Every problem of the books; empty when they are proved. Reads one moment: writers may go on meanwhile."""
    postgres = session.get_bind().dialect.name == "postgresql"
    if postgres and not session.in_transaction():
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    problems = []
    for part in (*WHOLE, seals):
        if postgres:
            # It takes a grouped table for a small one and would go through all of it for each row of the other.
            session.execute(text(f"SET LOCAL enable_nestloop = {'off' if part in WHOLE else 'on'}"))
        problems += [problem for check in part.CHECKS for problem in check(session)]
    return problems
