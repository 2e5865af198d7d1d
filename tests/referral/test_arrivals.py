"""Coming with a code: who is referred, by whom, once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from referral import codes, members, stays
from referral.arrivals import Arrive, arrive
from referral.members import Identity, Member, Sighting
from referral.touches import Touch
from tests.house import House, later, person
from tests.referral.town import Town, build_town, open_campaign


def test_bob_comes_through_alices_code(town: Town) -> None:
    code = town.invites("Alice")
    bob = town.comes("Bob", code)
    assert (bob.outcome, bob.created, bob.state, bob.due_at) == ("referred", True, "started", None)
    referral = town.referral("Bob")
    assert referral.advocate_id == town.who("Alice")
    assert referral.expires_at == referral.started_at + timedelta(days=30)


def test_the_touch_is_kept_with_what_became_of_it(town: Town) -> None:
    code = town.invites("Alice")
    town.comes("Bob", code)
    town.comes("Bob", code)
    touches = town.house.ask(lambda session: list(session.scalars(select(Touch).order_by(col(Touch.id)))))
    assert [touch.outcome for touch in touches] == ["referred", "again"]
    assert {touch.member_id for touch in touches} == {town.who("Bob")}
    assert town.referral("Bob").touch_id == touches[0].id


def test_an_unknown_code_makes_nobody_known(town: Town) -> None:
    assert town.comes("Bob", codes.new()).outcome == "unknown_code"
    assert town.house.ask(lambda session: session.scalar(select(func.count()).select_from(Identity))) == 0


def test_nobody_refers_themselves(town: Town) -> None:
    assert town.comes("Alice", town.invites("Alice")).outcome == "self_referral"


def test_a_friend_stays_with_the_first_advocate(town: Town) -> None:
    first, second = town.invites("Alice"), town.invites("Carol")
    town.comes("Bob", first)
    again, other = town.comes("Bob", first), town.comes("Bob", second)
    assert (again.outcome, again.same_advocate) == ("already_referred", True)
    assert (other.outcome, other.same_advocate) == ("already_referred", False)
    assert town.referral("Bob").advocate_id == town.who("Alice")


def test_who_taps_twice_in_one_batch_is_told_that_it_is_the_same_advocate(town: Town) -> None:
    code = town.invites("Alice")
    commands = [Arrive(code, person("Bob"), clock.now())] * 2
    first, second = town.house.do(lambda session: arrive(session, commands))
    assert (first.outcome, second.outcome, second.same_advocate) == ("referred", "already_referred", True)


def test_a_batch_answers_each_in_order(town: Town) -> None:
    code = town.invites("Alice")
    said = [code, codes.new(), code, code]
    people = ["Bob", "Bob", "Alice", "Carol"]
    commands = [Arrive(c, person(name), clock.now()) for c, name in zip(said, people, strict=True)]
    results = town.house.do(lambda session: arrive(session, commands))
    assert [result.outcome for result in results] == ["referred", "unknown_code", "self_referral", "referred"]


def test_codes_of_two_brands_in_one_batch(town: Town) -> None:
    from_here = town.invites("Alice")
    elsewhere = _other_brand_code(town.house)
    commands = [Arrive(code, person("Bob"), clock.now()) for code in (from_here, elsewhere)]
    results = town.house.do(lambda session: arrive(session, commands))
    assert [result.outcome for result in results] == ["referred", "referred"]
    assert len({result.member_id for result in results}) == 2, "a person is another member to another brand"


def _other_brand_code(house: House) -> str:
    from referral.brands import create_brand
    from referral.campaigns import enroll

    def other(session: Session) -> str:
        brand = create_brand(session, "Other")
        campaign = open_campaign(session, brand, "other")
        dora = members.meet(session, brand.id, [person("Dora")], [clock.now()], "message")[0]
        return enroll(session, campaign, dora.member_id)

    return house.do(other)


# Newness


def test_who_spoke_to_the_brand_before_is_not_new(town: Town) -> None:
    code = town.invites("Alice")
    town.talks("Bob")
    with later(minutes=1):
        assert town.comes("Bob", code).outcome == "not_new"


def test_who_joins_and_then_names_the_inviter_is_new(town: Town) -> None:
    code = town.invites("Alice")
    town.joins("Bob")
    with later(days=3):
        bob = town.comes("Bob", code)
        assert (bob.outcome, bob.state) == ("referred", "joined")
        assert town.referral("Bob").stay_since == town.referral("Bob").started_at


def test_a_join_is_fresh_only_within_the_window(town: Town) -> None:
    code = town.invites("Alice")
    town.joins("Bob")
    with later(days=30, seconds=1):
        assert town.comes("Bob", code).outcome == "not_new"


def test_who_was_a_member_before_the_campaign_is_not_new(town: Town) -> None:
    code = town.invites("Alice")
    with later(days=-2):
        town.joins("Bob")
    assert town.comes("Bob", code).outcome == "not_new"


def test_who_was_found_in_the_group_is_not_new(town: Town) -> None:
    code = town.invites("Alice")
    town.finds(["Bob"])
    with later(minutes=1):
        assert town.comes("Bob", code).outcome == "not_new"


def test_who_left_before_we_ever_knew_them_is_not_new(town: Town) -> None:
    code = town.invites("Alice")
    town.leaves("Bob")
    with later(minutes=1):
        assert town.comes("Bob", code).outcome == "not_new"


def test_who_left_long_ago_is_not_new(town: Town) -> None:
    with later(days=-90):
        town.joins("Bob")
    with later(days=-80):
        town.leaves("Bob")
    code = town.invites("Alice")
    assert town.comes("Bob", code).outcome == "not_new"


def test_sightings_keep_no_name_and_no_number(town: Town) -> None:
    town.comes("Bob", town.invites("Alice"))
    kept = town.house.ask(lambda session: [row.model_dump() for row in session.scalars(select(Sighting))])
    assert len(kept) == 2
    assert "bob" not in str(kept)


# Being in the group already


def test_who_comes_by_their_own_invite_link_is_in_the_group_with_it(town: Town) -> None:
    code = town.invites("Alice")
    bob = town.comes("Bob", code, kind="invite", community_id=town.group.id)
    assert (bob.outcome, bob.state) == ("referred", "joined")
    assert bob.due_at == town.referral("Bob").started_at + timedelta(days=7)


def test_who_comes_back_by_an_invite_link_is_in_the_group_again(town: Town) -> None:
    town.brings("Alice", "Bob")
    with later(days=1):
        town.leaves("Bob")
        assert town.referral("Bob").stay_since is None
    with later(days=2):
        again = town.comes("Bob", town.invites("Carol"), kind="invite", community_id=town.group.id)
        assert again.outcome == "already_referred"
        assert town.referral("Bob").stay_since is not None, "the stay with the first advocate goes on"


def test_the_web_chat_is_a_community_one_is_in_by_talking(town: Town) -> None:
    bob = town.comes("Bob", town.invites("Alice"), "webchat")
    assert (bob.outcome, bob.state) == ("referred", "joined")


def test_where_a_bare_join_counts_the_answer_says_so_at_once(house: House) -> None:
    town = build_town(house, event="joined")
    bob = town.comes("Bob", town.invites("Alice"), "webchat")
    assert bob.state == "qualified"
    assert town.score("Alice") == 1


# At the same moment


@pytest.mark.parametrize("rivals", [2, 8])
def test_one_advocate_however_many_are_at_it_at_once(town: Town, rivals: int) -> None:
    names = [f"Advocate{n}" for n in range(rivals)]
    invitations = [town.invites(name) for name in names]
    second = House(town.house.url)
    start = threading.Barrier(rivals)
    outcomes: list[str] = []

    def come(house: House, code: str) -> None:
        start.wait(20)
        outcomes.append(house.comes("Bob", code).outcome)

    try:
        houses = [town.house, second]
        threads = [threading.Thread(target=come, args=(houses[n % 2], code)) for n, code in enumerate(invitations)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        second.close()
    assert sorted(outcomes) == ["already_referred"] * (rivals - 1) + ["referred"]
    assert len(town.referrals()) == 1
    people = town.house.ask(lambda session: session.scalar(select(func.count()).select_from(Member)))
    assert people == rivals + 1, "two processes that meet Bob make one member of him"


def test_two_who_bring_each_other_at_the_same_moment_make_no_loop(town: Town) -> None:
    for name in ("Alice", "Bob"):
        town.joins(name)
    codes_of = {name: town.invites(name) for name in ("Alice", "Bob")}
    second = House(town.house.url)
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def come(house: House, name: str, code: str) -> None:
        start.wait(20)
        outcomes.append(house.comes(name, code).outcome)

    try:
        pairs = [(town.house, "Alice", codes_of["Bob"]), (second, "Bob", codes_of["Alice"])]
        threads = [threading.Thread(target=come, args=pair) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        second.close()
    assert sorted(outcomes) == ["loop", "referred"]


def test_two_who_bring_each_other_in_one_batch_make_no_loop(town: Town) -> None:
    for name in ("Alice", "Bob"):
        town.joins(name)
    alices, bobs = town.invites("Alice"), town.invites("Bob")
    commands = [Arrive(bobs, person("Alice"), clock.now()), Arrive(alices, person("Bob"), clock.now())]
    results = town.house.do(lambda session: arrive(session, commands))
    assert [result.outcome for result in results] == ["referred", "loop"]


@pytest.mark.parametrize("length", [2, 3, 5])
def test_loops_of_any_length_earn_nothing(town: Town, length: int) -> None:
    names = [f"P{n}" for n in range(length)]
    for name in names:
        town.joins(name)
    invitations = [town.invites(name) for name in names]
    outcomes = [town.comes(names[n], invitations[n - 1]).outcome for n in range(1, length)]
    assert outcomes == ["referred"] * (length - 1)
    assert town.comes(names[0], invitations[-1]).outcome == "loop"


def test_a_loop_over_two_campaigns_is_a_loop(town: Town) -> None:
    for name in ("Alice", "Bob"):
        town.joins(name)
    summer = town.house.do(lambda session: open_campaign(session, town.brand, "summer"))
    assert town.comes("Bob", town.invites("Alice")).outcome == "referred"
    assert town.comes("Alice", town.invites("Bob", campaign=summer)).outcome == "loop"


def test_a_referral_that_expired_closes_no_loop(town: Town) -> None:
    for name in ("Alice", "Bob"):
        town.joins(name)
    summer = town.house.do(lambda session: open_campaign(session, town.brand, "summer"))
    assert town.comes("Bob", town.invites("Alice")).outcome == "referred"
    town.leaves("Bob")
    with clock.moved(timedelta(days=29, hours=23)):
        bobs = town.invites("Bob", campaign=summer)
    town.does("end")
    with later(minutes=1):
        town.house.do(stays.expire)
        assert town.comes("Alice", bobs).outcome == "referred"
