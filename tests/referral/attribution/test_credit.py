"""Orders under a policy: who has the credit, what they are paid, and that it is paid once, whatever happens after."""

from __future__ import annotations

from threading import Thread
from uuid import UUID

import pytest
from sqlalchemy import text, update
from sqlmodel import Session, col, select

from core import clock, events
from core.db import make_engine
from core.writer import Writer
from daixin.bootstrap import join_parts
from referral import linking, reviewing
from referral.attribution.decisions import Attribution, CreditShare
from referral.campaigns import CampaignVersion
from referral.orders import assign_order, record_orders
from referral.privacy import forget_member
from referral.referrals import Referral, ReferralReversed, reverse
from referral.rejection import reject
from tests.house import House, later
from tests.referral.attribution.lane import Lane, open_lane

LINEAR = 'split = "linear"'


def two_touches(lane: Lane) -> None:
    """Ann brings Fay; the next day Fay follows Ben's link, too."""
    assert lane.comes("Fay", "Ann") == "referred"
    with later(days=1):
        assert lane.comes("Fay", "Ben") == "already_referred"


def test_the_last_who_brought_her_is_paid_and_the_decision_says_why(house: House) -> None:
    lane = open_lane(house, 'model = "last_touch"\nvalidity_days = 7')
    two_touches(lane)
    with later(days=2):
        assert lane.buys("Fay").status == "attributed"
    assert lane.earned() == {"Ben": 1_000}
    decided = lane.decision()
    assert (decided.reason, decided.policy) == ("last_touch", "last_touch validity=7 precedence=code")
    assert len(decided.touches) == 2, "both touches were seen"
    assert lane.shares() == {"Ben": 1_000_000}
    with later(days=8, hours=1):
        late = lane.buys("Fay", "2")
    assert (late.status, late.reason) == ("rejected", "credit_lapsed")
    assert (lane.decision("2").reason, lane.decision("2").shares) == ("credit_lapsed", [])
    assert lane.problems() == []


def test_the_credit_of_an_order_is_shared_to_the_cent_and_refunds_take_it_back_so(house: House) -> None:
    lane = open_lane(house, LINEAR)
    two_touches(lane)
    with later(days=2):
        assert lane.comes("Fay", "Cid") == "already_referred"
    with later(days=3):
        lane.buys("Fay", net=1_000)  # a tenth is 1.00: thirds of 100 fen
    assert lane.shares() == {"Ann": 333_334, "Ben": 333_333, "Cid": 333_333}
    assert lane.earned() == {"Ann": 34, "Ben": 33, "Cid": 33}
    with later(days=4):
        before = lane.earned()
        for number, left in (("r1", 990), ("r2", 510), ("r3", 20), ("r4", 0)):
            lane.gives_back(number, {"r1": 10, "r2": 480, "r3": 490, "r4": 20}[number])
            now = lane.earned()
            assert sum(now.values()) == left // 10
            assert all(now.get(who, 0) <= had for who, had in before.items()), "a refund makes nobody richer"
            before = now
    assert lane.budget() == 1_000_000
    assert lane.problems() == []


def test_a_refund_that_comes_first_is_shared_with_what_is_left(house: House) -> None:
    lane = open_lane(house, LINEAR)
    two_touches(lane)
    with later(days=2):
        order = lane.order("Fay", net=1_000)
        lane.gives_back("r1", 500)
        lane.tells(order)
    assert lane.earned() == {"Ann": 25, "Ben": 25}
    assert lane.problems() == []


def test_one_order_pays_once_told_again_by_two_at_once(house: House) -> None:
    lane = open_lane(house, LINEAR)
    two_touches(lane)
    with later(days=2):
        order = lane.order("Fay")
    other = Writer(make_engine(house.url, writer=True), bus()).start()
    answers = []
    try:
        writers = [house.writer, other] * 3
        tellers = [
            Thread(target=lambda w=one: answers.append(w.run_sync(lambda s: record_orders(s, [order, order]))))
            for one in writers
        ]
        for teller in tellers:
            teller.start()
        for teller in tellers:
            teller.join(60)
    finally:
        other.close()
    assert len({told.conversion_id for one in answers for told in one}) == 1
    assert sum(not told.repeated for one in answers for told in one) == 1
    assert lane.earned() == {"Ann": 500, "Ben": 500}
    assert [one.revision for one in lane.decisions()] == [1]
    assert lane.problems() == []


def bus() -> events.Bus:
    """Another process's parts."""
    made = events.Bus()
    join_parts(made)
    return made


def test_a_friends_own_code_and_loops_have_no_share(house: House) -> None:
    lane = open_lane(house, LINEAR)
    assert lane.comes("Fay", "Ann") == "referred"
    with later(hours=2):
        assert lane.comes("Gus", "Fay") == "referred"
    with later(days=1):
        assert lane.comes("Fay", "Fay") == "self_referral"
        assert lane.comes("Fay", "Gus") == "loop"
    with later(days=2):
        lane.buys("Fay")
    assert lane.shares() == {"Ann": 1_000_000}
    assert lane.earned() == {"Ann": 1_000}
    assert len(lane.decision().touches) == 1


def test_who_was_fair_at_the_touch_and_is_not_at_the_order_has_no_share(house: House) -> None:
    """Ben touched Fay before Fay brought him: by the time she buys, his credit would close a loop."""
    lane = open_lane(house, LINEAR)
    code = lane.code("Zoe")
    two_touches(lane)
    house.do(lambda session: _brought(session, lane, "Fay", "Ben", code))
    with later(days=2):
        lane.buys("Fay")
    assert lane.shares() == {"Ann": 1_000_000}


def _brought(session: Session, lane: Lane, advocate: str, friend: str, code: str) -> None:
    """A referral that came about in some other way."""
    now = clock.now()
    session.add(
        Referral(
            brand_id=lane.brand.id,
            campaign_id=lane.campaign.id,
            campaign_version=1,
            advocate_id=lane.who(advocate),
            friend_id=lane.who(friend),
            code=code,
            touch_id=UUID(int=1),
            platform="telegram",
            certainty="code",
            started_at=now,
            expires_at=now,
        )
    )


def test_an_advocate_who_was_forgotten_has_no_share(house: House) -> None:
    lane = open_lane(house, LINEAR)
    two_touches(lane)
    ben = lane.who("Ben")
    house.do(lambda session: forget_member(session, lane.brand.id, ben))
    with later(days=2):
        lane.buys("Fay")
    assert lane.earned() == {"Ann": 1_000}


def test_robots_and_clicks_of_strangers_are_no_touches_of_hers(house: House) -> None:
    lane = open_lane(house, LINEAR)
    click = lane.clicks("Ben")
    bot = lane.clicks("Cid", robot=True)
    with later(hours=3):
        assert lane.comes("Fay", "Ben", click_id=click) == "referred"
    with later(days=1):
        lane.comes("Fay", "Cid", click_id=bot)
    with later(days=2):
        lane.buys("Fay")
    seen = lane.decision().touches
    assert str(click) in seen, "her own click stands for itself"
    assert str(bot) not in seen
    assert lane.shares() == {"Ben": 666_667, "Cid": 333_333}


@pytest.mark.parametrize(("precedence", "paid"), [("code", {"Ben": 1_000}), ("link", {"Ann": 1_000})])
def test_a_code_at_the_till_against_the_link_before(house: House, precedence: str, paid: dict[str, int]) -> None:
    lane = open_lane(house, f'model = "last_touch"\nprecedence = "{precedence}"')
    assert lane.comes("Fay", "Ann") == "referred"
    with later(days=1):
        told = lane.buys("Fay", code=lane.code("Ben"))
    assert told.status == "attributed"
    assert lane.earned() == paid
    assert lane.problems() == []


def test_an_order_by_a_click_is_by_a_link(house: House) -> None:
    lane = open_lane(house, 'model = "last_touch"\nprecedence = "code"')
    click = lane.clicks("Ben")
    with later(hours=2):
        assert lane.comes("Fay", "Ann") == "referred"
    with later(days=1):
        lane.buys("Fay", code=lane.code("Ben"), click_id=click)
    assert lane.earned() == {"Ann": 1_000}, "Ben's click was before Ann's code"
    assert str(click) in lane.decision().touches


def test_a_binding_that_is_renewed_carries_the_friend_beyond_the_window(house: House) -> None:
    lane = open_lane(house, 'model = "binding"\nvalidity_days = 30\nprotect_days = 7')
    assert lane.comes("Fay", "Ann") == "referred"
    with later(days=25):
        assert lane.comes("Fay", "Ann") == "already_referred"
    with later(days=50):
        assert lane.buys("Fay").status == "attributed", "55 days from the first touch on, not 30"
    assert lane.earned() == {"Ann": 1_000}
    with later(days=60):
        assert lane.comes("Fay", "Ben") == "already_referred"
    with later(days=61):
        lane.buys("Fay", "2")
    assert lane.earned() == {"Ann": 1_000, "Ben": 1_000}
    assert lane.decision("2").reason == "bound_anew"
    assert lane.problems() == []


def test_without_a_policy_the_decision_names_the_touch_that_brought_her(house: House) -> None:
    lane = open_lane(house, LINEAR)

    def usual(session: Session) -> None:
        version = session.get_one(CampaignVersion, (lane.brand.id, lane.campaign.id, 1))
        session.execute(
            update(CampaignVersion)
            .where(col(CampaignVersion.campaign_id) == lane.campaign.id)
            .values(document={key: said for key, said in version.document.items() if key != "attribution"})
        )

    house.do(usual)
    two_touches(lane)
    with later(days=2):
        lane.buys("Fay")
        lane.tells(lane.order(None, "2"))
    decided = lane.decision()
    assert (decided.policy, decided.reason, len(decided.touches)) == ("usual", "bound", 1)
    assert decided.shares == [[decided.touches[0], str(lane.who("Ann")), 1_000_000]]
    assert lane.shares() == {}, "nobody else could have had a part"
    assert lane.decision("2").reason == "guest"
    assert lane.earned() == {"Ann": 1_000}


def test_who_bought_is_decided_later_and_the_next_decision_says_so(house: House) -> None:
    lane = open_lane(house, LINEAR)
    two_touches(lane)
    with later(days=2):
        lane.tells(lane.order(None))
        fay = lane.who("Fay")
        for _ in range(2):
            house.do(lambda session: assign_order(session, lane.brand.id, "till", "1", fay))
    assert [(one.revision, one.reason) for one in lane.decisions()] == [(1, "guest"), (2, "linear")]
    assert lane.earned() == {"Ann": 500, "Ben": 500}
    assert lane.problems() == []


def test_the_code_of_an_order_counts_also_when_who_bought_is_decided_later(house: House) -> None:
    lane = open_lane(house, 'model = "last_touch"')
    two_touches(lane)
    with later(days=2):
        lane.tells(lane.order(None, code=lane.code("Ann")))
        fay = lane.who("Fay")
        house.do(lambda session: assign_order(session, lane.brand.id, "till", "1", fay))
    assert lane.earned() == {"Ann": 1_000}
    assert lane.decision().reason == "till_code"


def test_a_referral_that_falls_takes_every_share_with_it(house: House) -> None:
    lane = open_lane(house, LINEAR)
    two_touches(lane)
    with later(days=2):
        lane.buys("Fay")

    def undo(session: Session) -> None:
        row = session.scalars(select(Referral)).one()
        told: list[ReferralReversed] = reverse(session, [row], "fraud")
        events.emit(session, told)

    house.do(undo)
    assert lane.earned() == {}
    assert lane.budget() == 1_000_000
    assert lane.problems() == []


def test_what_fell_by_mistake_is_granted_anew_in_the_same_shares(house: House) -> None:
    lane = open_lane(house, LINEAR)
    two_touches(lane)
    with later(days=2):
        lane.buys("Fay", net=1_010)
    brand = lane.brand.id
    [referral] = house.ask(lambda session: session.exec(select(Referral)).all())
    house.do(lambda session: reject(session, brand, referral.id, reason="two accounts", actor="telegram:mei"))
    assert lane.earned() == {}
    ann = lane.who("Ann")
    case = house.do(lambda session: reviewing.appeal_referral(session, brand, ann, referral.id, "she is my sister"))
    house.do(lambda session: reviewing.decide(session, brand, case.id, "approve", "they showed it", "telegram:lin"))
    assert lane.earned() == {"Ann": 51, "Ben": 50}
    with later(days=3):
        lane.gives_back("r1", 1_000)
    assert lane.earned() == {"Ann": 1}
    assert lane.problems() == []


def test_a_cap_for_each_advocate_counts_what_they_had_of_shares(house: House) -> None:
    capped = '{ to = "advocate", amount = 100, on = "purchased", hold_days = 7, caps = { advocate = 120 } }'
    lane = open_lane(house, LINEAR, capped)
    two_touches(lane)
    for day in (2, 3, 4):
        with later(days=day):
            lane.buys("Fay", str(day))
    assert lane.earned() == {"Ann": 100, "Ben": 100}, "50 each; the third order would pass 120"
    assert lane.problems() == []


def test_linked_accounts_are_one_advocate_and_no_advocate_of_themselves(house: House) -> None:
    lane = open_lane(house, LINEAR)
    two_touches(lane)
    ben = lane.who("Ben")
    with later(days=2):
        lane.buys("Fay")
        assert lane.earned() == {"Ann": 500, "Ben": 500}
        link = house.do(lambda session: linking.link(session, lane.brand.id, lane.who("Fay"), ben))
        assert lane.earned() == {"Ann": 500}, "Ben turned out to be Fay"
        assert lane.problems() == []
        house.do(lambda session: linking.undo_link(session, lane.brand.id, link.id))
    assert lane.earned() == {"Ann": 500, "Ben": 500}
    assert lane.problems() == []


def test_decisions_are_never_changed_and_no_order_is_shared_twice(house: House) -> None:
    lane = open_lane(house, LINEAR)
    two_touches(lane)
    with later(days=2):
        lane.buys("Fay")
    decided = lane.decision()
    for name in ("attribution", "credit_share"):
        for act in (f"UPDATE {name} SET revision = 2", f"DELETE FROM {name}"):
            with pytest.raises(Exception, match="never"):
                house.do(lambda session, act=act: session.execute(text(act)))  # type: ignore[misc]

    def more(session: Session) -> None:
        session.add(
            CreditShare(
                brand_id=lane.brand.id,
                conversion_id=decided.conversion_id,
                revision=1,
                advocate_id=lane.who("Fay"),
                campaign_id=lane.campaign.id,
                share=1,
            )
        )
        session.flush()

    with pytest.raises(Exception, match="whole"):
        house.do(more)
    assert len(house.ask(lambda session: session.exec(select(Attribution)).all())) == 1
