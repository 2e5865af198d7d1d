"""A referral that fell is appealed for and counts again: what it had earned is granted anew, once, within the plan."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Update, update
from sqlmodel import Session, col, select

from core import clock
from core.errors import NotFound, Refused
from referral import audit, cases, linking, members, reviewing, staff
from referral.cases import Case
from referral.conversions import RefundOrder
from referral.privacy import forget_member
from referral.referrals import Referral, referral_of
from referral.refunds import record_refunds
from referral.rejection import reject
from rewards import rewards
from rewards.payouts.payees import set_payee
from rewards.plans import Milestone, Plan, Rule
from rewards.rewards import Reward
from tests.house import House, later, person
from tests.rewards.shop import Shop, open_shop

MEI, LIN = "telegram:mei", "telegram:lin"


def came(shop: Shop, name: str) -> Referral:
    def read(session: Session) -> Referral:
        identity = members.find_identity(session, shop.brand.id, "telegram", name.lower())
        assert identity is not None
        found = referral_of(session, shop.brand.id, identity.member_id, shop.campaign.id)
        assert found is not None
        return found

    return shop.house.do(read)


def rejects(shop: Shop, name: str, actor: str = MEI) -> None:
    which = came(shop, name).id
    shop.house.do(lambda s: reject(s, shop.brand.id, which, reason="two accounts", actor=actor))


def appeals(shop: Shop, name: str, by: UUID | None = None) -> Case:
    which = came(shop, name).id
    return shop.house.do(
        lambda s: reviewing.appeal_referral(s, shop.brand.id, by or shop.alice, which, "he is my brother")
    )


def decides(shop: Shop, case: Case, verdict: str = "approve", actor: str = LIN) -> Case:
    return shop.house.do(lambda s: reviewing.decide(s, shop.brand.id, case.id, verdict, "they showed it", actor))


def open_cases(shop: Shop) -> list[Case]:
    return shop.house.do(lambda s: cases.open_cases(s, shop.brand.id))


def qualified(shop: Shop, *names: str) -> dict[str, UUID]:
    found = {name: shop.brings(name) for name in names}
    with later(days=7, minutes=1):
        shop.stays()
    return found


def released(shop: Shop) -> None:
    while shop.house.do(rewards.release_due):
        continue


def test_what_fell_is_granted_anew_once(house: House) -> None:
    shop = open_shop(house)
    bob = qualified(shop, "Bob")["Bob"]
    with later(days=20):
        released(shop)
        assert (shop.purse(shop.alice), shop.purse(bob)) == ({"payable": 100}, {"payable": 50})
        rejects(shop, "Bob")
        assert (shop.purse(shop.alice), shop.purse(bob), shop.budget()) == ({}, {}, 1000)
        case = appeals(shop, "Bob")
        decides(shop, case)
        assert (shop.purse(shop.alice), shop.purse(bob), shop.budget()) == ({"payable": 100}, {"payable": 50}, 850)
        with pytest.raises(Refused, match="case_decided"):
            decides(shop, case, actor=MEI)
        referral = came(shop, "Bob")
        assert (referral.state, referral.reason) == ("qualified", None)
        causes = {(one.state, one.cause) for one in shop.rewards(shop.alice)}
        assert causes == {("clawed_back", "retained"), ("payable", f"retained/again/{case.id}")}
        assert shop.problems() == []
        entry = house.do(lambda s: audit.entries_of(s, shop.brand.id, subject=str(case.id)))[0]
        assert (entry.act, entry.actor, entry.details["verdict"]) == ("case.decide", LIN, "approve")


def test_what_was_held_is_held_on_and_who_never_left_has_stayed(house: House) -> None:
    shop = open_shop(house)
    qualified(shop, "Bob")
    with later(days=8):
        rejects(shop, "Bob")
        decides(shop, appeals(shop, "Bob"))
        assert shop.purse(shop.alice) == {"held": 100}
        shop.leaves("Bob")
        assert shop.purse(shop.alice) == {}, "the stay goes on, and so does what ends it"
        assert came(shop, "Bob").reason == "left_during_hold"
        assert shop.problems() == []


def test_who_was_on_the_way_goes_on_from_where_they_were(house: House) -> None:
    shop = open_shop(house)
    shop.brings("Bob")
    with later(days=2):
        rejects(shop, "Bob")
        assert came(shop, "Bob").state == "rejected"
    with later(days=5):
        decides(shop, appeals(shop, "Bob"))
        assert came(shop, "Bob").state == "joined"
    with later(days=7, minutes=1):
        assert shop.stays() == 1
        assert shop.purse(shop.alice) == {"held": 100}
        assert shop.problems() == []


def test_an_appeal_that_is_turned_down_changes_nothing_and_was_the_last(house: House) -> None:
    shop = open_shop(house)
    bob = qualified(shop, "Bob")["Bob"]
    with later(days=8):
        rejects(shop, "Bob")
        decides(shop, appeals(shop, "Bob"), "decline")
        assert came(shop, "Bob").state == "reversed"
        for who in (shop.alice, bob):
            with pytest.raises(Refused, match="appeal_again"):
                appeals(shop, "Bob", who)


def test_a_second_fall_may_be_appealed_for_again(house: House) -> None:
    shop = open_shop(house)
    qualified(shop, "Bob")
    with later(days=8):
        for _ in range(3):
            rejects(shop, "Bob")
            assert shop.purse(shop.alice) == {}
            decides(shop, appeals(shop, "Bob"))
            assert shop.purse(shop.alice) == {"held": 100}
        assert len(shop.rewards(shop.alice)) == 4
        assert shop.problems() == []


def test_nobody_but_the_two_may_appeal_and_only_against_a_judgement(house: House) -> None:
    shop = open_shop(house)
    friends = qualified(shop, "Bob", "Dan")
    with later(days=8):
        with pytest.raises(Refused, match="appeal_not_possible"):
            appeals(shop, "Bob")
        rejects(shop, "Bob")
        with pytest.raises(NotFound):
            appeals(shop, "Bob", friends["Dan"])
        shop.reverses("Dan", "self_referral")
        with pytest.raises(Refused, match="appeal_not_possible"):
            appeals(shop, "Dan")


def test_another_person_decides_an_appeal_where_there_is_one(house: House) -> None:
    shop = open_shop(house)
    qualified(shop, "Bob")

    def join_staff(session: Session, name: str) -> None:
        who = members.meet(session, shop.brand.id, [person(name)], [clock.now()], "message")[0].member_id
        staff.give(session, shop.brand.id, who, "reviewer" if name == "Lin" else "owner", "operator")

    house.do(lambda s: join_staff(s, "Mei"))
    with later(days=8):
        rejects(shop, "Bob")
        case = appeals(shop, "Bob")
        house.do(lambda s: join_staff(s, "Lin"))
        with pytest.raises(Refused, match="case_own_appeal"):
            decides(shop, case, actor=MEI)
        assert decides(shop, case, actor=LIN).verdict == "approve"


def test_nobody_decides_about_themselves_where_there_is_somebody_else(house: House) -> None:
    shop = open_shop(house)
    bob = qualified(shop, "Bob")["Bob"]
    house.do(lambda s: staff.give(s, shop.brand.id, bob, "owner", "operator"))
    with later(days=8):
        rejects(shop, "Bob")
        case = appeals(shop, "Bob")
        house.do(lambda s: staff.give(s, shop.brand.id, shop.alice, "reviewer", "operator"))
        for who in ("telegram:bob", "telegram:alice"):
            with pytest.raises(Refused, match="case_own"):
                decides(shop, case, actor=who)
        assert decides(shop, case, actor=LIN).verdict == "approve"


def test_who_is_alone_decides_the_appeal_as_well(house: House) -> None:
    shop = open_shop(house)
    qualified(shop, "Bob")
    with later(days=8):
        rejects(shop, "Bob")
        assert decides(shop, appeals(shop, "Bob"), actor=MEI).verdict == "approve"


def test_the_budget_of_now_decides(house: House) -> None:
    shop = open_shop(house, Plan(rules=(Rule(to="advocate", amount=100),), budget=100))
    qualified(shop, "Bob")
    with later(days=8):
        rejects(shop, "Bob")
    dan = shop.brings("Dan")
    assert dan is not None
    with later(days=8):
        shop.stays()
        decides(shop, appeals(shop, "Bob"))
        assert (100, "payable", None) in shop.lines(shop.alice)
        assert sorted(line[1:] for line in shop.lines(shop.alice)) == sorted(
            [("clawed_back", "fraud"), ("payable", None), ("capped", "budget_empty")]
        )
        assert shop.problems() == []


def test_a_cap_of_friends_holds(house: House) -> None:
    shop = open_shop(house, Plan(rules=(Rule(to="advocate", amount=100),), budget=1000, cap=1))
    qualified(shop, "Bob")
    with later(days=8):
        rejects(shop, "Bob")
    shop.brings("Dan")
    with later(days=8):
        shop.stays()
        decides(shop, appeals(shop, "Bob"))
        assert shop.purse(shop.alice) == {"payable": 100}
        assert shop.lines(shop.alice)[-1][1:] == ("capped", "cap_reached")


def test_a_step_that_was_lost_with_a_friend_comes_back_with_them(house: House) -> None:
    ladder = Rule(name="step", to="advocate", milestones=(Milestone(reach=3, amount=300),))
    shop = open_shop(house, Plan(rules=(ladder,), budget=1000))
    qualified(shop, "Bob", "Dan", "Eve")
    assert shop.purse(shop.alice) == {"payable": 300}
    with later(days=8):
        rejects(shop, "Bob")
        assert shop.purse(shop.alice) == {}
        decides(shop, appeals(shop, "Bob"))
        assert shop.purse(shop.alice) == {"payable": 300}
        assert shop.problems() == []


def test_a_step_that_was_passed_on_is_not_paid_twice(house: House) -> None:
    ladder = Rule(name="step", to="advocate", milestones=(Milestone(reach=2, amount=300),))
    shop = open_shop(house, Plan(rules=(ladder,), budget=1000))
    qualified(shop, "Bob", "Dan", "Eve")
    with later(days=8):
        rejects(shop, "Dan")
        assert shop.purse(shop.alice) == {"payable": 300}
        decides(shop, appeals(shop, "Dan"))
        assert shop.purse(shop.alice) == {"payable": 300}
        assert shop.problems() == []


def test_an_order_granted_anew_is_still_refunded_exactly(house: House) -> None:
    share = Rule(name="share", to="advocate", on="purchased", basis_points=1_000, hold_days=3)
    shop = open_shop(house, Plan(asset="CNY", rules=(share,), budget=100_000), event="purchased")
    shop.brings("Bob")
    shop.buys("Bob", "1")
    rejects(shop, "Bob")
    decides(shop, appeals(shop, "Bob"))
    assert shop.purse(shop.alice) == {"held": 1_000}
    back = RefundOrder(shop.brand.id, "till", "r1", "1", 4_000, "CNY", clock.now())
    shop.house.do(lambda s: record_refunds(s, [back]))
    assert shop.purse(shop.alice) == {"held": 600}
    assert shop.problems() == []


def test_what_went_back_meanwhile_is_not_granted_anew(house: House) -> None:
    share = Rule(name="share", to="advocate", on="purchased", basis_points=1_000, hold_days=3)
    shop = open_shop(house, Plan(asset="CNY", rules=(share,), budget=100_000), event="purchased")
    shop.brings("Bob")
    shop.buys("Bob", "1")
    rejects(shop, "Bob")
    back = RefundOrder(shop.brand.id, "till", "r1", "1", 4_000, "CNY", clock.now())
    shop.house.do(lambda s: record_refunds(s, [back]))
    decides(shop, appeals(shop, "Bob"))
    assert shop.purse(shop.alice) == {"held": 600}
    assert shop.problems() == []


def test_what_somebody_on_the_way_had_earned_by_buying_comes_back_with_them(house: House) -> None:
    share = Rule(name="share", to="advocate", on="purchased", basis_points=1_000, hold_days=3)
    shop = open_shop(house, Plan(asset="CNY", rules=(share,), budget=100_000))
    shop.brings("Bob")
    shop.buys("Bob", "1")
    assert shop.purse(shop.alice) == {"held": 1_000}
    rejects(shop, "Bob")
    assert (came(shop, "Bob").state, shop.purse(shop.alice)) == ("rejected", {})
    decides(shop, appeals(shop, "Bob"))
    assert (came(shop, "Bob").state, shop.purse(shop.alice)) == ("joined", {"held": 1_000})
    rejects(shop, "Bob")
    decides(shop, appeals(shop, "Bob"))
    assert shop.purse(shop.alice) == {"held": 1_000}
    assert shop.problems() == []


def test_who_bought_and_gave_all_back_meanwhile_counts_for_nothing(house: House) -> None:
    shop = open_shop(house, Plan(rules=(Rule(to="advocate", amount=100),), budget=1000), event="purchased")
    shop.brings("Bob")
    shop.buys("Bob", "1")
    assert shop.purse(shop.alice) == {"payable": 100}
    rejects(shop, "Bob")
    back = RefundOrder(shop.brand.id, "till", "r1", "1", None, "CNY", clock.now())
    shop.house.do(lambda s: record_refunds(s, [back]))
    decides(shop, appeals(shop, "Bob"))
    assert (came(shop, "Bob").state, came(shop, "Bob").reason) == ("reversed", "refunded")
    assert shop.purse(shop.alice) == {}
    assert shop.problems() == []


def test_who_was_forgotten_is_not_brought_back(house: House) -> None:
    shop = open_shop(house)
    bob = qualified(shop, "Bob")["Bob"]
    with later(days=8):
        rejects(shop, "Bob")
        case = appeals(shop, "Bob")
        house.do(lambda s: forget_member(s, shop.brand.id, bob))
        with pytest.raises(Refused, match="case_cannot"):
            decides(shop, case)
        house.do(lambda s: forget_member(s, shop.brand.id, shop.alice))
        with pytest.raises(Refused, match="case_decided"):
            decides(shop, case)


def test_linked_accounts_between_fall_and_appeal(house: House) -> None:
    shop = open_shop(house)
    qualified(shop, "Bob")
    with later(days=8):
        rejects(shop, "Bob")

        def join(session: Session) -> None:
            other = members.meet(session, shop.brand.id, [person("Alice", "discord")], [clock.now()], "message")
            linking.link(session, shop.brand.id, shop.alice, other[0].member_id)

        house.do(join)
        decides(shop, appeals(shop, "Bob"))
        assert shop.purse(shop.alice) == {"held": 100}
        assert shop.problems() == []


@pytest.mark.parametrize(
    "change",
    [
        update(Case).values(verdict="decline"),
        update(Case).values(kind="referral"),
        update(Case).values(referral_id=None),
        update(Reward).where(col(Reward.cause).contains("/again/")).values(cause=f"retained/again/{UUID(int=7)}"),
        update(Reward).where(col(Reward.cause) == "retained").values(state="held"),
    ],
)
def test_what_was_granted_anew_without_a_decision_or_twice_is_found(house: House, change: Update) -> None:
    shop = open_shop(house)
    qualified(shop, "Bob")
    with later(days=8):
        rejects(shop, "Bob")
        decides(shop, appeals(shop, "Bob"))
    assert shop.problems() == []
    house.do(lambda s: s.execute(change.execution_options(synchronize_session=False)))
    assert "review" in {problem.kind for problem in shop.problems()}


# A referral that looks wrong.

CARD = {"name": "A", "account": "6222 0212 3456 7894"}


def shares_a_card(shop: Shop, *people: UUID) -> None:
    def set_all(session: Session) -> None:
        for who in people:
            set_payee(session, shop.brand.id, who, "manual", CARD)

    shop.house.do(set_all)


def test_who_is_paid_to_the_same_place_waits_in_review(house: House) -> None:
    shop = open_shop(house)
    friends = qualified(shop, "Bob", "Dan")
    with later(days=8):
        shares_a_card(shop, shop.alice, friends["Bob"])
        (case,) = open_cases(shop)
        assert (case.kind, case.referral_id, case.facts["signal"]) == ("referral", came(shop, "Bob").id, "payee")
    with later(days=20):
        released(shop)
        assert shop.purse(shop.alice) == {"held": 100, "payable": 100}, "Dan's is released, Bob's waits"
        assert shop.problems() == []
        decides(shop, case)
        released(shop)
        assert shop.purse(shop.alice) == {"payable": 200}
        shares_a_card(shop, friends["Dan"])
        assert [one.referral_id for one in open_cases(shop)] == [came(shop, "Dan").id], "Bob was looked at already"


def test_what_is_found_wrong_is_rejected_and_can_be_appealed_for(house: House) -> None:
    shop = open_shop(house)
    bob = qualified(shop, "Bob")["Bob"]
    with later(days=8):
        shares_a_card(shop, shop.alice, bob)
        case = decides(shop, open_cases(shop)[0], "decline", actor=MEI)
        assert shop.purse(shop.alice) == {}
        appeal = shop.house.do(
            lambda s: reviewing.appeal_case(s, shop.brand.id, shop.alice, case.id, "we share a household")
        )
        assert appeal.appeal_of == case.id
        decides(shop, appeal)
        assert shop.purse(shop.alice) == {"held": 100}
        assert shop.problems() == []


def test_what_a_plan_calls_risky_is_asked_about_and_cleared(house: House) -> None:
    careful = Plan(rules=(Rule(to="advocate", amount=100, hold_days=3, risky_hold_days=30),), budget=1000, risky="true")
    shop = open_shop(house, careful)
    qualified(shop, "Bob")
    (case,) = open_cases(shop)
    assert (case.kind, case.facts["signal"]) == ("referral", "risky")
    with later(days=11):
        released(shop)
        assert shop.purse(shop.alice) == {"held": 100}
        decides(shop, case)
        released(shop)
        assert shop.purse(shop.alice) == {"payable": 100}
        kept = house.do(lambda s: s.scalars(select(Case).where(col(Case.id) == case.id)).one())
        assert kept.decided_at is not None
        assert kept.decided_at - kept.opened_at > timedelta(days=3)
        assert shop.problems() == []


def test_what_waits_for_one_answer_is_not_let_go_by_another(house: House) -> None:
    careful = Plan(rules=(Rule(to="advocate", amount=100, hold_days=3, risky_hold_days=30),), budget=1000, risky="true")
    shop = open_shop(house, careful)
    bob = qualified(shop, "Bob")["Bob"]
    with later(days=8):
        shares_a_card(shop, shop.alice, bob)
        by_signal = {case.facts["signal"]: case for case in open_cases(shop)}
        assert set(by_signal) == {"risky", "payee"}
        decides(shop, by_signal["risky"])
    with later(days=11):
        released(shop)
        assert shop.purse(shop.alice) == {"held": 100}
        decides(shop, by_signal["payee"])
        released(shop)
        assert shop.purse(shop.alice) == {"payable": 100}
        assert shop.problems() == []


def test_who_leaves_while_it_is_looked_at_was_no_friend_for_long_either(house: House) -> None:
    shop = open_shop(house)
    friends = qualified(shop, "Bob", "Dan")
    with later(days=8):
        shares_a_card(shop, shop.alice, friends["Bob"], friends["Dan"])
        shop.leaves("Bob")
        assert (came(shop, "Bob").state, came(shop, "Bob").reason) == ("reversed", "left_during_hold")
    with later(days=20):  # the hold would be over, and only the answer is waited for
        shop.leaves("Dan")
        assert came(shop, "Dan").state == "qualified"
        assert shop.purse(shop.alice) == {"held": 100}
        assert shop.problems() == []
