"""Whatever is decided, appealed for, bought, returned and released in whatever order: the books stay whole."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from core import clock
from core.errors import Refused
from referral import cases, reviewing
from referral.conversions import RefundOrder
from referral.referrals import Referral
from referral.refunds import record_refunds
from referral.rejection import reject
from rewards import rewards
from rewards.plans import Milestone, Plan, Rule
from tests.house import House, later
from tests.rewards.shop import Shop, open_shop

FRIENDS = ("Bob", "Dan", "Eve")
PLAN = Plan(
    asset="CNY",
    rules=(
        Rule(name="stay", to="advocate", amount=100, hold_days=3),
        Rule(name="hello", to="friend", amount=50),
        Rule(name="share", to="advocate", on="purchased", basis_points=1_000, hold_days=3),
        Rule(name="step", to="advocate", milestones=(Milestone(reach=2, amount=300),)),
    ),
    budget=2_000,
)
numbers = count()


def referrals(shop: Shop, session: Session) -> list[Referral]:
    return list(
        session.scalars(
            select(Referral).where(col(Referral.brand_id) == shop.brand.id).order_by(col(Referral.started_at))
        )
    )


def act(shop: Shop, what: str, which: int) -> None:
    """One thing that happens to one of the friends; what is refused changes nothing."""
    brand = shop.brand.id

    def unit(session: Session) -> None:
        friend = referrals(shop, session)[which]
        waiting = cases.open_cases(session, brand)
        match what:
            case "reject":
                reject(session, brand, friend.id, reason="looks wrong", actor="telegram:mei")
            case "appeal":
                reviewing.appeal_referral(session, brand, friend.advocate_id, friend.id, "no")
            case "approve" | "decline" if waiting:
                reviewing.decide(session, brand, waiting[0].id, what, "seen", "operator")
            case "release":
                rewards.release_due(session)
            case "refund":
                back = RefundOrder(brand, "till", f"r{next(numbers)}", f"{which}", 700, "CNY", clock.now())
                record_refunds(session, [back])

    if what == "buy":
        shop.buys(FRIENDS[which], f"{which}", 5_000)
    elif what == "leave":
        shop.leaves(FRIENDS[which])
    else:
        with suppress(Refused):
            shop.house.do(unit)


WHAT = ("reject", "reject", "appeal", "appeal", "approve", "approve", "decline", "release", "buy", "refund", "leave")
STEPS = st.lists(st.tuples(st.sampled_from(WHAT), st.integers(0, len(FRIENDS) - 1)), max_size=14)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_books_stay_whole(house: House, steps: list[tuple[str, int]]) -> None:
    shop = open_shop(house, PLAN, name=f"Tea {next(numbers)}")
    for name in FRIENDS:
        shop.brings(name)
    with ExitStack() as time:
        time.enter_context(later(days=7, minutes=1))
        while shop.stays():
            continue
        for what, which in steps:
            time.enter_context(later(hours=12))
            act(shop, what, which)
        assert shop.problems() == []
        counted = house.do(lambda s: sum(one.state == "qualified" for one in referrals(shop, s)))
        worth = {"stay": 0, "step": 0}
        for reward in shop.rewards(shop.alice):
            if reward.rule in worth and reward.state != "capped":
                worth[reward.rule] += reward.amount - reward.taken_back
        assert worth["stay"] <= 100 * counted
        assert worth["step"] <= (300 if counted >= 2 else 0)
        assert shop.budget("CNY") >= 0


def test_the_same_friend_is_never_paid_for_twice(house: House) -> None:
    shop = open_shop(house, PLAN)
    shop.brings("Bob")
    with later(days=7, minutes=1):
        shop.stays()
        for _ in range(3):
            act(shop, "reject", 0)
            act(shop, "appeal", 0)
            act(shop, "approve", 0)
        assert sum(one.amount - one.taken_back for one in shop.rewards(shop.alice) if one.rule == "stay") == 100
        assert shop.problems() == []
        with pytest.raises(Refused, match="appeal_not_possible"):
            house.do(
                lambda s: reviewing.appeal_referral(s, shop.brand.id, shop.alice, referrals(shop, s)[0].id, "once more")
            )
