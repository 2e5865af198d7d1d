"""One town, asked in every place that tells a figure of it: they all say the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from referral.boards.faces import places_of
from referral.campaigns import Campaign
from referral.conversions import Conversion
from referral.insight.figures import STEPS, Period
from referral.privacy import forget_member
from rewards import bookkeeping
from rewards.insight.overview import Overview, Place, funnel_of, overview
from tests.house import House, later
from tests.referral.insight.teashop import Shop

T = TypeVar("T")


class Town(Shop):
    """Two campaigns; friends who buy, in two currencies, and send things back; one of them is forgotten, one who bought
    alone was never anybody's friend."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.summer = self.launches("summer", "PTS", 50)
        bob, carol, _ = self.brings(self.code_of("Alice"), ["Bob", "Carol", "Dora"])
        eve, fay = self.brings(self.code_of("Dan", self.summer), ["Eve", "Fay"])
        self.clicks(self.code_of("Alice"), "home", "office", "cafe", "bank", "school")
        for friend in (bob, carol, eve, fay):
            self.buys(member_id=friend)
        self.buys(8_000, "USD", member_id=bob)
        for number in range(4):
            self.buys(customer_hash=f"{number:032x}")
        assert fay is not None
        with later(days=2):
            self.sends_back("o1", amount=2_500)
            self.sends_back("o2")  # Carol's, whole
            house.do(lambda session: forget_member(session, self.brand.id, fay))

    def overview(self, campaign_id: UUID | None = None) -> Overview:
        today = clock.now().date()
        period = Period(today - timedelta(days=30), today + timedelta(days=1))
        return self.house.ask(lambda session: overview(session, self.brand.id, period, campaign_id))


@pytest.fixture
def town(house: House) -> Town:
    return Town(house)


def after(town: Town, ask: Callable[[], T]) -> T:
    """The answer three days later, when everything has been counted."""
    with later(days=3):
        town.counts()
        return ask()


def test_campaigns_platforms_and_communities_add_up_to_the_whole(town: Town) -> None:
    whole = after(town, town.overview)
    parts = [after(town, lambda one=one: town.overview(one.id)) for one in (town.campaign, town.summer)]  # type: ignore[misc]
    people = [step.people for step in whole.funnel]
    assert people == [
        7,
        5,
        3,
        3,
        3,
    ]  # Carol sent everything back, Dora bought nothing; Eve and Fay only came with a code
    assert people == [sum(step) for step in zip(*([one.people for one in part.funnel] for part in parts), strict=True)]
    for places in (whole.platforms, whole.communities):
        assert people[1:] == [sum(each) for each in zip(*map(steps_of, places), strict=True)]
    for what in ("orders", "revenue", "granted", "taken_back", "advocates"):
        both = [sum(part.sums.whole[(what, asset)] for part in parts) for asset in ("CNY", "USD", "PTS", "")]
        assert both == [whole.sums.whole[(what, asset)] for asset in ("CNY", "USD", "PTS", "")], what


def steps_of(place: Place) -> list[int]:
    return [getattr(place, step) for step in STEPS[1:]]


def test_a_campaigns_referral_rate_is_of_all_new_customers_so_that_campaigns_add_up(town: Town) -> None:
    whole = after(town, town.overview).referral_rate
    assert (whole.part, whole.whole) == (3, 7)
    spring, summer = (
        after(town, lambda one=one: town.overview(one.id)).referral_rate  # type: ignore[misc]
        for one in (town.campaign, town.summer)
    )
    assert (spring.part, spring.whole) == (1, 7)
    assert (summer.part, summer.whole) == (2, 7)


def test_what_was_spent_is_what_the_books_have_and_what_friends_bought_what_the_orders_say(town: Town) -> None:
    whole = after(town, town.overview)
    books = town.house.ask(lambda session: bookkeeping.budgets(session, town.brand.id))
    spent = {(one.campaign.slug, one.asset): one.funded - one.left for one in books}
    net = {
        asset: whole.sums.whole[("granted", asset)] - whole.sums.whole[("taken_back", asset)]
        for asset in ("CNY", "PTS")
    }
    assert net == {"CNY": spent[("spring", "CNY")], "PTS": spent[("summer", "PTS")]}
    assert net["CNY"] == next(one.spending.rewards for one in whole.acquisitions if one.spending.currency == "CNY")

    def ordered(session: Session) -> dict[str, int]:
        found: dict[str, int] = {}
        mine = select(Conversion).where(
            col(Conversion.brand_id) == town.brand.id, col(Conversion.status) == "attributed"
        )
        for order in session.scalars(mine):
            found[order.currency] = found.get(order.currency, 0) + order.left
        return found

    assert {one.currency: one.revenue for one in whole.returns} == town.house.ask(ordered)


def test_the_board_counts_the_friends_whom_the_funnel_counts(town: Town) -> None:
    for one, friends in ((town.campaign, 1), (town.summer, 2)):
        figures = after(town, lambda one=one: town.overview(one.id))  # type: ignore[misc]

        def board(session: Session, of: Campaign = one) -> int:
            campaign = session.get_one(Campaign, (town.brand.id, of.id))
            return places_of(session, campaign, "all", clock.now(), 50).standings.friends

        assert figures.sums.of("qualified") == town.house.ask(board) == friends
        assert sum(kind.friends for kind in figures.kinds) == friends


def test_who_buys_without_counting_makes_no_share_above_the_whole(town: Town) -> None:
    sums = after(town, town.overview).sums
    assert [step.rate is None for step in funnel_of(sums)] == [True, False, False, False, False]
    sums.whole[("purchased", "telegram/")] += 10  # as where staying counts, and many buy who have not stayed yet
    assert funnel_of(sums)[-1].rate is None
