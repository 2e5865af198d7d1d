"""Any story of touches, orders and refunds under any policy: each order is shared whole and paid once, to the cent."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func
from sqlmodel import Session, col, select

from referral.attribution.decisions import Attribution, CreditShare
from referral.attribution.policy import terms_from
from referral.attribution.split import WHOLE, parts_of
from referral.attribution.whatif import replay
from referral.conversions import Conversion
from rewards.corrections import order_in
from rewards.plans import Rounding
from rewards.rewards import Reward
from rewards.schedule import percent_of
from tests.house import House, later
from tests.referral.attribution.lane import Lane, open_lane

POLICIES = (
    'model = "binding"\nvalidity_days = 3\nprotect_days = 1',
    'model = "binding"\nvalidity_days = 2\nprotect_days = 0\nprecedence = "link"',
    'model = "first_touch"\nvalidity_days = 2',
    'model = "last_touch"\nvalidity_days = 2\nprecedence = "link"',
    'split = "linear"\nvalidity_days = 4',
    'split = "position"',
    'split = "time_decay"\nhalf_life_days = 1',
    'split = "shapley"\nhalf_life_days = 1\nprecedence = "link"',
)
RULE = '{{ to = "advocate", basis_points = {share}, rounding = "{rounding}", on = "purchased", hold_days = 7 }}'
ADVOCATES = ("Ann", "Ben", "Cid")
roundings: st.SearchStrategy[Rounding] = st.sampled_from(get_args(Rounding))
who = st.sampled_from(ADVOCATES)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("touch"), who),
        st.tuples(st.just("buys"), st.integers(0, 100_000)),
        st.tuples(st.just("buys with"), who),
        st.tuples(st.just("again"), st.integers(0, 5)),
        st.tuples(st.just("back"), st.integers(0, 5), st.integers(1, 60_000)),
    ),
    max_size=9,
)
_numbers = count()


@pytest.fixture(scope="module")
def one_house(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[House]:
    """One house for all stories, each with a brand of its own."""
    path = tmp_path_factory.mktemp("stories") / "daixin.db"
    shutil.copy(migrated_sqlite, path)
    house = House(f"sqlite:///{path}")
    yield house
    house.close()


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.sampled_from([1_000, 333, 6_667, 9_999]), rounding=roundings, story=steps, hours=st.integers(1, 20))
def test_any_story_pays_each_order_once_to_the_cent(
    one_house: House, policy: str, share: int, rounding: Rounding, story: list[tuple[Any, ...]], hours: int
) -> None:
    lane = open_lane(one_house, policy, RULE.format(share=share, rounding=rounding), name=f"Lane {next(_numbers)}")
    fay = f"Fay{lane.brand.slug}"
    plays(lane, fay, story, hours)
    one_house.ask(lambda session: proves(session, lane, share, rounding))
    told_again = one_house.ask(lambda session: replay(session, lane.campaign, terms_from(tomllib.loads(policy), 30)))
    assert told_again.moved == 0, "what if it were the policy that it is"
    assert lane.problems() == []


def plays(lane: Lane, fay: str, story: list[tuple[Any, ...]], hours: int) -> None:
    """Fay comes by Ann, and then what the story says, some hours apart."""
    told: list[Any] = []
    assert lane.comes(fay, "Ann") == "referred"
    for number, (what, *said) in enumerate(story, 1):
        with later(hours=hours * number):
            match what:
                case "touch":
                    lane.comes(fay, said[0])
                case "buys" | "buys with":
                    more = {"code": lane.code(said[0])} if what == "buys with" else {}
                    told.append(lane.order(fay, str(number), 9_999 if more else said[0], **more))
                    lane.tells(told[-1])
                case "again" if told:
                    assert lane.tells(told[said[0] % len(told)])[0].repeated
                case "back":
                    of = told[said[0] % len(told)].external_id if told else str(number + 1)
                    lane.gives_back(f"r{number}", said[1], of)


def proves(session: Session, lane: Lane, share: int, rounding: Rounding) -> None:
    """Every order of the lane against its decision and what was paid for it."""
    mine = col(Conversion.brand_id) == lane.brand.id
    for order in session.scalars(select(Conversion).where(mine)):
        [decision] = session.scalars(select(Attribution).where(col(Attribution.conversion_id) == order.id)).all()
        shares = [(advocate, share) for _, advocate, share in decision.shares]
        kept = session.scalar(
            select(func.sum(col(CreditShare.share))).where(col(CreditShare.conversion_id) == order.id)
        )
        counts = order.status == "attributed"
        assert (kept or 0) == sum(share for _, share in shares) == (WHOLE if counts else 0)
        due = parts_of(percent_of(order.left, share, rounding), shares)
        paid: dict[str, int] = {}
        for reward in session.scalars(select(Reward).where(col(Reward.brand_id) == lane.brand.id)):
            if order_in(reward.cause) == order.id and reward.state != "capped":
                assert str(reward.member_id) not in paid, "one order pays once"
                paid[str(reward.member_id)] = reward.amount - reward.taken_back
        assert {name: part for name, part in paid.items() if part} == {name: part for name, part in due.items() if part}
