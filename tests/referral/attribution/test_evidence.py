"""Which touches may speak at an order, and by which policy: who is gone, who is the friend, what was clicked."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from referral import linking
from referral.attribution import evidence
from referral.attribution.evidence import policies_of
from referral.attribution.policy import terms_from
from referral.attribution.whatif import replay
from referral.campaigns import Campaign
from referral.privacy import forget_member
from referral.stays import expire
from tests.house import House, later
from tests.referral.attribution.lane import open_lane


def test_no_policy_is_forgotten_while_another_is_looked_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    lanes = [open_lane(house, 'split = "linear"', name=name) for name in ("One", "Two")]
    versions = [(lane.brand.id, lane.campaign.id, 1) for lane in lanes]
    monkeypatch.setattr(evidence, "_known", {})
    monkeypatch.setattr(evidence, "KNOWN_POLICIES", 1)
    house.ask(lambda session: policies_of(session, versions[:1]))
    found = house.ask(lambda session: policies_of(session, versions))
    assert [policy and policy.model for policy in found.values()] == ["linear", "linear"]


def test_her_own_advocate_who_was_forgotten_leaves_the_order_to_the_others(house: House) -> None:
    lane = open_lane(house, 'split = "linear"')
    assert lane.comes("Fay", "Ann") == "referred"
    with later(days=1):
        lane.comes("Fay", "Ben")
    with later(days=2):
        lane.buys("Fay")
    assert lane.earned() == {"Ann": 500, "Ben": 500}
    ann, ben = lane.who("Ann"), lane.who("Ben")
    house.do(lambda session: forget_member(session, lane.brand.id, ann))
    with later(days=3):
        assert lane.buys("Fay", "2").status == "attributed"
    assert lane.shares("2") == {"Ben": 1_000_000}
    house.do(lambda session: forget_member(session, lane.brand.id, ben))
    with later(days=4):
        assert lane.buys("Fay", "3").reason == "credit_lapsed"
    assert lane.problems() == []


def test_who_turns_out_to_be_her_own_advocate_has_nothing_of_what_she_buys(house: House) -> None:
    """The window had run out when the two accounts were linked, and the binding had not."""
    lane = open_lane(house, 'model = "binding"\nvalidity_days = 30\nprotect_days = 7')
    assert lane.comes("Fay", "Ann") == "referred"
    with later(days=25):
        lane.comes("Fay", "Ann")
    with later(days=31):
        assert house.do(expire) == 1
        ann, fay = lane.who("Ann"), lane.who("Fay")
        house.do(lambda session: linking.link(session, lane.brand.id, ann, fay))
    with later(days=40):
        told = lane.buys("Fay")
    assert (told.status, told.reason) == ("rejected", "referral_own")
    assert lane.earned() == {}


@pytest.mark.parametrize(
    ("precedence", "whose", "reason"), [("code", "Cid", "till_code"), ("link", "Ben", "last_touch")]
)
def test_a_code_that_was_typed_against_the_click_of_the_same_order(
    house: House, precedence: str, whose: str, reason: str
) -> None:
    lane = open_lane(house, f'model = "last_touch"\nprecedence = "{precedence}"')
    assert lane.comes("Fay", "Ann") == "referred"
    with later(days=1):
        click = lane.clicks("Ben")
    with later(days=1, hours=2):
        lane.buys("Fay", code=lane.code("Cid"), click_id=click)
    assert lane.earned() == {whose: 1_000}
    decided = lane.decision()
    assert decided.reason == reason
    assert str(click) in decided.touches, "the click was seen, whichever of the two counts"

    def again(session: Session) -> int:
        campaign = session.get_one(Campaign, (lane.brand.id, lane.campaign.id))
        return replay(session, campaign, terms_from({"model": "last_touch", "precedence": precedence}, 30)).moved

    assert house.ask(again) == 0, "told again it is the same"


def test_at_ones_cap_one_has_no_part_and_the_others_have_theirs(house: House) -> None:
    rule = '{ to = "advocate", amount = 100, on = "purchased", hold_days = 7, caps = { advocate = 120 } }'
    lane = open_lane(house, 'split = "linear"', rule)
    assert lane.comes("Fay", "Ann") == "referred"
    lane.buys("Fay", "1")
    assert lane.earned() == {"Ann": 100}
    with later(days=1):
        lane.comes("Fay", "Ben")
    for day in (2, 3):
        with later(days=day):
            lane.buys("Fay", str(day))
    assert lane.earned() == {"Ann": 100, "Ben": 100}, "halves of 50: Ann would pass 120, Ben does not"
    with later(days=4):
        lane.buys("Fay", "4")
    assert lane.earned() == {"Ann": 100, "Ben": 100}
    assert lane.problems() == []
