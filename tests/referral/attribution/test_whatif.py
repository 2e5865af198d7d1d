"""What if: history told again under another policy; the books stay as they are."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func
from sqlmodel import Session, col, select

from core.errors import BadInput
from referral import campaigns, linking
from referral.attribution.policy import terms_from
from referral.attribution.whatif import Replay, replay
from referral.campaigns import Campaign
from rewards.ledger import Transfer
from tests.house import House, later
from tests.referral.attribution.lane import Lane, open_lane


def told(lane: Lane, limit: int = 1000, **said: Any) -> Replay:
    """The lane's orders under another policy."""

    def read(session: Session) -> Replay:
        campaign = session.get_one(Campaign, (lane.brand.id, lane.campaign.id))
        return replay(session, campaign, terms_from(said, campaign.window_days), limit)

    return lane.house.ask(read)


def standings(lane: Lane, found: Replay) -> dict[str, tuple[int, int, int, int]]:
    """(orders now, orders then, fen now, fen then) of each advocate."""
    return {
        name: (
            found.now[lane.who(name)].orders,
            found.then[lane.who(name)].orders,
            found.now[lane.who(name)].net["CNY"],
            found.then[lane.who(name)].net["CNY"],
        )
        for name in ("Ann", "Ben")
    }


def history(lane: Lane) -> None:
    """Ann brings Fay, Ben touches her the next day; she buys for 100, gives 10 back, and buys again much later."""
    assert lane.comes("Fay", "Ann") == "referred"
    with later(days=1):
        lane.comes("Fay", "Ben")
    with later(days=2):
        lane.buys("Fay")
        lane.gives_back("r1", 1_000)
    with later(days=30, hours=12):
        lane.buys("Fay", "2")
    with later(days=40):
        lane.buys("Fay", "3")


def test_another_policy_says_who_would_have_gained(house: House) -> None:
    lane = open_lane(house, 'model = "first_touch"')
    history(lane)
    # Now: the first order is Ann's, the second, when only Ben's touch was valid, is Ben's, the third nobody's.
    linear = told(lane, split="linear")
    assert (linear.orders, linear.counted_now, linear.counted_then, linear.moved) == (3, 2, 2, 1)
    assert standings(lane, linear) == {
        "Ann": (1_000_000, 500_000, 9_000, 4_500),
        "Ben": (1_000_000, 1_500_000, 10_000, 14_500),
    }
    longer = told(lane, model="last_touch", validity_days=60)
    assert (longer.counted_then, longer.moved) == (3, 2)
    assert [lane.who("Ben"), lane.who("Ann")] == longer.ranked()


@pytest.mark.parametrize(
    "said",
    [
        {"model": "first_touch"},
        {"split": "position"},
        {"model": "binding", "validity_days": 20, "protect_days": 0},
        {"split": "time_decay", "half_life_days": 3},
        {"model": "last_touch", "precedence": "link"},
    ],
)
def test_the_policy_in_force_told_again_moves_nothing(house: House, said: dict[str, Any]) -> None:
    lines = [f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in said.items()]
    lane = open_lane(house, "\n".join(lines))
    history(lane)
    with later(days=41):
        lane.buys("Fay", "4", code=lane.code("Cid"))
    same = told(lane, **said)
    assert (same.orders, same.moved) == (4, 0)


def test_a_code_that_was_refused_at_the_till_is_refused_when_told_again(house: House) -> None:
    lane = open_lane(house, 'model = "first_touch"')
    lane.comes("Fay", "Ann")
    cid = lane.code("Cid")

    def moves(what: str) -> None:
        house.do(
            lambda session: campaigns.move(session, session.get_one(Campaign, (lane.brand.id, lane.campaign.id)), what)
        )

    with later(days=1):
        moves("pause")
        assert lane.buys("Fay", code=cid).status == "attributed"
        assert lane.shares() == {"Ann": 1_000_000}, "nobody comes to a campaign that pauses"
        moves("resume")
        lane.buys("Fay", "2", code=cid)
        assert lane.shares("2") == {"Cid": 1_000_000}
    same = told(lane, model="first_touch")
    assert (same.orders, same.moved) == (2, 0)
    other = told(lane, model="last_touch")
    assert {name: other.then[lane.who(name)].orders for name in ("Ann", "Cid")} == {"Ann": 1_000_000, "Cid": 1_000_000}


def test_the_books_are_not_touched_and_linked_accounts_are_one(house: House) -> None:
    lane = open_lane(house, 'split = "linear"')
    history(lane)

    def moved(session: Session) -> int:
        return session.exec(select(func.count(col(Transfer.id)))).one()

    before = house.ask(moved)
    told(lane, model="last_touch")
    assert house.ask(moved) == before
    ann, ben = lane.who("Ann"), lane.who("Ben")
    with later(days=41):
        house.do(lambda session: linking.link(session, lane.brand.id, ann, ben))
    found = told(lane, split="linear")
    assert found.moved == 0, "they were one person all along"
    assert list(found.now) == [lane.who("Ann")]


def test_no_more_orders_than_asked_for_are_looked_at(house: House) -> None:
    lane = open_lane(house, 'split = "linear"')
    history(lane)
    found = told(lane, limit=2, split="linear")
    assert (found.orders, found.more) == (2, True)
    assert told(lane, limit=3, split="linear").more is False


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"model": "mine"}, "model"),
        ({"validity_days": 0}, "validity_days"),
        ({"validity_days": 10, "protect_days": 11}, "protect_days"),
        ({"model": "last_touch", "protect_days": 1}, "protect_days"),
        ({"split": "linear", "model": "first_touch"}, "model"),
        ({"split": "linear", "half_life_days": 3}, "half_life_days"),
    ],
)
def test_a_policy_that_is_none_is_refused(said: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput, match="attribution") as refused:
        terms_from(said, 30)
    assert refused.value.params["field"] == field
