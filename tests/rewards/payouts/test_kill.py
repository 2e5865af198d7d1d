"""A payout run killed at random moments pays each person exactly once, even at a counter that pays every request.

A hundred moments for each real provider are in `test_kill_providers`.
"""

from __future__ import annotations

import pytest

from rewards.verify import verify
from tests.house import House
from tests.rewards.payouts.kill import Rig, run_killed
from tests.rewards.payouts.standins.counter import counter

SIZES = {"sqlite": (10, 20), "postgresql": (5, 10)}
"""People who are paid, and kills meanwhile."""


def _payee(n: int) -> dict[str, str]:
    return {"email": f"person{n}@example.com"}


@pytest.mark.timeout(600)
@pytest.mark.slow
def test_killed_at_random_moments_everybody_is_paid_once(house: House) -> None:
    people, kills = SIZES[house.engine.dialect.name]
    with counter() as outside:
        factory = "tests.rewards.payouts.standins.counter:CounterProvider"
        rig = Rig("paypal", "USD", factory, {"url": outside.url}, payee=_payee)
        outcome = run_killed(house, rig, people=people, kills=kills, longest=0.1, calls=lambda: outside.heard)
        assert [payout.state for payout in outcome.payouts] == ["completed"] * people
        assert outside.paid == {payout.reference: [payout.amount] for payout in outcome.payouts}
    assert outcome.cut, "no kill came between the question and the answer"
    assert house.ask(verify) == []
