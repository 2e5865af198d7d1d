"""Alice has two accounts: by a code shown on one and typed on the other they become one person; and two again."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import Session

from core.errors import BadInput, NotFound, Refused
from referral import leaderboard, linking, stays
from referral.campaigns import Enrollment, InviteCode
from referral.leaderboard import Score
from referral.linking import LinkCode, MemberLink, MembersLinked
from referral.members import Identity, Membership
from referral.referrals import Referral, ReferralReversed
from referral.touches import Touch
from rewards import rewards as books
from rewards.ledger import Account, LedgerAccount, Move, Purpose, transfer
from rewards.rewards import Reward
from tests.house import later
from tests.referral.town import BUDGET, Town, build_town, open_campaign


def types(town: Town, name: str, code: str, platform: str = "discord") -> MemberLink | Refused:
    who = town.talks(name, platform)
    return town.house.do(lambda session: linking.finish_link(session, town.brand.id, who, code))


def asks(town: Town, name: str, platform: str = "telegram") -> str:
    who = town.talks(name, platform)
    return town.house.do(lambda session: linking.start_link(session, town.brand.id, who))


def refusal(said: MemberLink | Refused) -> str:
    assert isinstance(said, Refused), "it was linked"
    return said.code


def other_than(code: str, n: int = 1) -> str:
    return f"{(int(code) + n) % 10**8:08}"


# The two steps


def test_two_accounts_become_one_person(town: Town) -> None:
    alice = town.talks("Alice")
    link = town.links("Alice", "Alice_dc")
    assert (link.kept_id, town.who("Alice_dc", "discord")) == (alice, alice)


def test_the_older_member_is_kept_whoever_shows_the_code(town: Town) -> None:
    with later(days=-1):
        older = town.talks("Alice_dc", "discord")
    assert town.links("Alice", "Alice_dc").kept_id == older
    assert town.who("Alice") == older


@pytest.mark.parametrize("write", ["{}", " {} ", "{0[0]}{0[1]}{0[2]}{0[3]} {0[4]}{0[5]}{0[6]}{0[7]}"])
def test_the_code_is_read_with_spaces_around_and_within(town: Town, write: str) -> None:
    code = asks(town, "Alice")
    assert isinstance(types(town, "Alice_dc", write.format(code)), MemberLink)


def test_the_code_is_read_in_full_width(town: Town) -> None:
    code = asks(town, "Alice")
    assert isinstance(types(town, "Alice_dc", "".join(chr(ord(digit) + 0xFEE0) for digit in code)), MemberLink)


@pytest.mark.parametrize("said", ["", "hello", "1234567", "123456789", "12a45678"])
def test_what_is_no_code_costs_no_try(town: Town, said: str) -> None:
    for _ in range(linking.WRONG_TRIES + 1):
        with pytest.raises(BadInput, match="link_code_unreadable"):
            types(town, "Alice_dc", said)


def test_a_code_is_kept_as_a_hash_only(town: Town) -> None:
    code = asks(town, "Alice")
    kept = town.house.ask(lambda session: session.scalars(select(LinkCode)).one().model_dump())
    assert code not in str(kept)


def test_a_code_works_for_ten_minutes(town: Town) -> None:
    code = asks(town, "Alice")
    with later(minutes=10):
        assert refusal(types(town, "Alice_dc", code)) == "link_code_expired"
    with later(minutes=9):
        assert isinstance(types(town, "Alice_dc", code), MemberLink)


def test_a_code_works_once(town: Town) -> None:
    code = asks(town, "Alice")
    types(town, "Alice_dc", code)
    assert refusal(types(town, "Mallory", code)) == "link_code_wrong"


def test_only_the_last_code_works(town: Town) -> None:
    first, second = asks(town, "Alice"), asks(town, "Alice")
    assert refusal(types(town, "Alice_dc", first)) == "link_code_wrong"
    assert isinstance(types(town, "Alice_dc", second), MemberLink)


def test_one_does_not_link_with_oneself(town: Town) -> None:
    assert refusal(types(town, "Alice", asks(town, "Alice"), "telegram")) == "link_self"
    town.links("Alice", "Alice_dc")
    assert refusal(types(town, "Alice_dc", asks(town, "Alice"))) == "link_self"


def test_codes_of_another_brand_are_wrong_here(town: Town) -> None:
    other = build_town(town.house, "Other brand")
    assert refusal(types(town, "Alice_dc", asks(other, "Alice"))) == "link_code_wrong"


def test_guessing_is_stopped_after_five_wrong_codes(town: Town) -> None:
    code = asks(town, "Alice")
    for n in range(linking.WRONG_TRIES):
        assert refusal(types(town, "Mallory", other_than(code, n + 1))) == "link_code_wrong"
    stopped = types(town, "Mallory", code)
    assert refusal(stopped) == "link_too_many"
    assert isinstance(stopped, Refused)
    assert stopped.params == {"minutes": 10}
    assert isinstance(types(town, "Alice_dc", code), MemberLink), "only who guessed has to wait"
    with later(minutes=10):
        assert isinstance(types(town, "Mallory", asks(town, "Mal2")), MemberLink)


def test_a_count_of_wrong_codes_begins_anew_after_ten_minutes(town: Town) -> None:
    code = asks(town, "Alice")
    for n in range(linking.WRONG_TRIES - 1):
        types(town, "Mallory", other_than(code, n + 1))
    with later(minutes=11):
        for n in range(linking.WRONG_TRIES - 1):
            assert refusal(types(town, "Mallory", other_than(code, n + 1))) == "link_code_wrong"


# What goes over


def test_codes_of_both_accounts_work_for_the_one_person(town: Town) -> None:
    first, second = town.invites("Alice"), town.invites("Alice_dc", "discord")
    town.links("Alice", "Alice_dc")
    town.comes("Bob", first)
    town.comes("Carol", second)
    assert {row.advocate_id for row in town.referrals()} == {town.who("Alice")}
    assert town.invites("Alice_dc", "discord") == first


def test_a_code_that_only_the_younger_account_had_goes_over(town: Town) -> None:
    town.talks("Alice")
    code = town.invites("Alice_dc", "discord")
    town.links("Alice", "Alice_dc")
    assert town.invites("Alice") == code


def test_friends_and_points_of_both_accounts_add_up(town: Town) -> None:
    town.brings("Alice", "Bob")
    code = town.invites("Alice_dc", "discord")
    town.comes("Carol", code)
    town.joins("Carol")
    with later(days=8):
        town.night()
        assert town.purse(town.who("Alice_dc", "discord")) == (100, 0)
        town.links("Alice", "Alice_dc")
        alice = town.who("Alice")
        assert town.score("Alice") == 2
        assert town.purse(alice) == (200, 0)
        town.has_true_counters()
        town.has_whole_books()
    with later(days=11):
        town.house.do(books.release_due)
        assert town.purse(alice) == (0, 200)
        town.has_whole_books()


def test_a_friend_who_came_on_one_platform_and_joined_on_another(town: Town) -> None:
    town.comes("Bob", town.invites("Alice"))
    town.joins("Bob_dc", town.guild)
    assert town.referral("Bob").state == "started"
    town.links("Bob", "Bob_dc")
    assert town.referral("Bob").state == "joined", "the stay begins with the link"
    with later(days=8):
        assert town.night() == (1, 0)


def test_a_friend_keeps_how_they_came_under_the_older_member(town: Town) -> None:
    bob = town.talks("Bob_dc", "discord")
    town.brings("Alice", "Bob")
    town.links("Bob", "Bob_dc")
    assert town.who("Bob") == bob
    assert town.referral("Bob").friend_id == bob
    with later(days=8):
        town.night()
        assert town.purse(bob) == (0, 50)


# What falls by it


def test_who_brought_their_own_other_account_earns_nothing(town: Town) -> None:
    town.brings("Alice", "Alice2", "discord")
    with later(days=8):
        town.night()
        alice = town.who("Alice")
        assert town.purse(alice) == (100, 0)
        town.links("Alice", "Alice2")
        assert {(row.state, row.reason) for row in town.referrals()} == {("reversed", "self_referral")}
        assert town.purse(alice) == (0, 0)
        assert town.budget() == BUDGET
        assert town.standing("Alice") is None
        town.has_whole_books()
        town.has_true_counters()


@pytest.mark.parametrize("older_first", [True, False])
def test_who_came_by_two_advocates_came_by_the_earlier(town: Town, older_first: bool) -> None:
    town.talks("Anchor")
    alices, carols = town.invites("Alice"), town.invites("Carol")
    first, second = ("telegram", "discord") if older_first else ("discord", "telegram")
    if not older_first:  # the member who is kept came later by the code
        town.joins("Bob")
        town.talks("Bob")
    with later(minutes=1):
        assert town.comes("Bob", alices, first).outcome == "referred"
    with later(minutes=2):
        assert town.comes("Bob", carols, second).outcome == "referred"
        town.joins("Bob")
        town.joins("Bob", town.guild)
    with later(days=8):
        assert town.night() == (2, 0)
        assert (town.score("Alice"), town.score("Carol")) == (1, 1)
        town.links("Bob", "Bob")
        bob = town.who("Bob")
        assert town.referral_of(bob).advocate_id == town.who("Alice")
        assert (town.score("Alice"), town.score("Carol")) == (1, 0)
        assert [row.reason for row in town.referrals()] == [None, "linked_duplicate"]
        assert town.purse(bob) == (0, 50)
        assert town.purse(town.who("Carol")) == (0, 0)
        town.has_whole_books()
        town.has_true_counters()


def test_an_honest_advocate_does_not_lose_to_an_earlier_self_referral(town: Town) -> None:
    town.joins("Bob")
    town.comes("Bob_dc", town.invites("Bob"), "discord")
    with later(minutes=1):
        assert town.comes("Bob", town.invites("Carol")).outcome == "referred"
    town.links("Bob", "Bob_dc")
    assert [row.reason for row in town.referrals()] == ["self_referral", None]
    assert town.referral("Bob").advocate_id == town.who("Carol")


@pytest.mark.parametrize("length", [2, 3, 5])
def test_a_loop_over_linked_platforms_earns_nothing(town: Town, length: int) -> None:
    """P0 brings P1 … who brings P0's other account: the last one closes the loop."""
    names = [f"P{n}" for n in range(length)]
    for n in range(1, length):
        with later(minutes=n):
            town.brings(names[n - 1], names[n])
    with later(minutes=length):
        town.brings(names[-1], "P0_dc", "discord")
    with later(days=8):
        assert town.night() == (length, 0)
        town.links("P0", "P0_dc")
        rows = town.referrals()
        assert [row.reason for row in rows] == [None] * (length - 1) + ["loop"]
        assert town.score(names[-1]) == 0
        assert town.purse(town.who(names[-1])) == (0, 50 if length > 1 else 0)
        town.has_whole_books()
        town.has_true_counters()


def test_two_loops_at_once_are_both_broken(town: Town) -> None:
    summer = town.house.do(lambda session: open_campaign(session, town.brand, "summer"))
    town.brings("Alice", "Bob")
    town.brings("Alice", "Carol")
    with later(minutes=1):
        town.comes("Alice2", town.invites("Bob"), "discord")
        town.joins("Alice2", town.guild)
    with later(minutes=2):
        town.joins("Alice3", town.guild)
        town.comes("Alice3", town.invites("Carol", campaign=summer), "discord")
    town.links("Alice", "Alice2")
    town.links("Alice", "Alice3")
    assert sorted((row.reason or "") for row in town.referrals()) == ["", "", "loop", "loop"]


def test_after_linking_one_is_oneself_everywhere(town: Town) -> None:
    code = town.invites("Alice")
    town.links("Alice", "Alice_dc")
    assert town.comes("Alice_dc", code, "discord").outcome == "self_referral"


def test_paid_points_that_fall_by_a_link_become_a_debt(town: Town) -> None:
    """Alice was paid for her own other account and has spent it: the debt is hers, not the brand's loss."""
    town.brings("Alice", "Alice2", "discord")
    with later(days=12):
        town.night()
        town.house.do(books.release_due)
        alice = town.who("Alice")
        _spend(town, alice, 100)
        town.links("Alice", "Alice2")
        assert town.purse(alice) == (0, -100)
        town.has_whole_books()


def _spend(town: Town, who: UUID, amount: int) -> None:
    payable = Account(town.brand.id, who, Purpose.PAYABLE, "PTS")
    outside = Account(town.brand.id, town.brand.id, Purpose.EXTERNAL, "PTS")
    town.house.do(lambda session: transfer(session, [Move(f"spend/{who}", "payout", payable, outside, amount)]))


# And two again


def everything(session: Session) -> dict[str, object]:
    """All that a link may move, as it stands."""
    models = (Identity, Membership, Enrollment, InviteCode, Referral, Score, Touch)
    rows: dict[str, object] = {
        model.__name__: sorted(str(row.model_dump()) for row in session.scalars(select(model))) for model in models
    }
    rows["rewards"] = sorted((str(row.id), str(row.member_id), row.state) for row in session.scalars(select(Reward)))
    rows["balances"] = sorted(
        (str(row.owner_id), row.purpose, row.balance) for row in session.scalars(select(LedgerAccount)) if row.balance
    )
    return rows


def test_undoing_a_link_puts_everything_back(town: Town) -> None:
    town.brings("Alice", "Bob")
    town.comes("Carol", town.invites("Alice_dc", "discord"))
    town.joins("Carol")
    with later(hours=1):
        town.brings("Bob", "Alice_dc2", "discord")  # closes a loop once linked
    with later(hours=2):
        town.brings("Alice", "Alice_web", "discord")  # a self-referral once linked
    with later(days=9):
        assert town.night() == (4, 0)
        before = town.house.ask(everything)
        first = town.links("Alice", "Alice_dc")
        second = town.links("Alice", "Alice_dc2")
        third = town.links("Alice", "Alice_web")
        assert town.house.ask(everything) != before
        for link in (third, second, first):
            town.undoes(link)
        assert town.house.ask(everything) == before
        town.has_whole_books()
        town.has_true_counters()


@pytest.mark.parametrize("kept_came_first", [True, False])
def test_undoing_gives_each_account_its_own_advocate_back(town: Town, kept_came_first: bool) -> None:
    alices, carols = town.invites("Alice"), town.invites("Carol")
    town.joins("Bob")
    town.talks("Bob")
    order = ("telegram", "discord") if kept_came_first else ("discord", "telegram")
    for n, (platform, code) in enumerate(zip(order, (alices, carols), strict=True), 1):
        with later(minutes=n):
            assert town.comes("Bob", code, platform).outcome == "referred"
            town.joins("Bob", town.guild)
    with later(days=8):
        town.night()
        before = town.house.ask(everything)
        town.undoes(town.links("Bob", "Bob"))
        assert town.house.ask(everything) == before


def test_what_was_released_meanwhile_goes_back_as_payable(town: Town) -> None:
    town.talks("Alice")
    town.comes("Bob", town.invites("Alice_dc", "discord"))
    town.joins("Bob")
    younger = town.who("Alice_dc", "discord")
    with later(days=8):
        town.night()
        link = town.links("Alice", "Alice_dc")
    with later(days=12):
        town.house.do(books.release_due)
        town.undoes(link)
        assert town.purse(younger) == (0, 100)
        assert town.purse(town.who("Alice")) == (0, 0)
        town.has_whole_books()


def test_what_was_spent_meanwhile_is_a_debt_of_who_spent_it(town: Town) -> None:
    town.talks("Alice")
    town.comes("Bob", town.invites("Alice_dc", "discord"))
    town.joins("Bob")
    younger = town.who("Alice_dc", "discord")
    with later(days=12):
        town.night()
        town.house.do(books.release_due)
        link = town.links("Alice", "Alice_dc")
        _spend(town, town.who("Alice"), 100)
        town.undoes(link)
        assert (town.purse(younger), town.purse(town.who("Alice"))) == ((0, 100), (0, -100))
        town.has_whole_books()


def test_what_came_since_the_link_stays_with_the_person_kept(town: Town) -> None:
    town.talks("Alice")
    code = town.invites("Alice_dc", "discord")
    link = town.links("Alice", "Alice_dc")
    town.comes("Bob", code)
    town.undoes(link)
    assert town.referral("Bob").advocate_id == town.who("Alice")
    assert town.invites("Alice_dc", "discord") == code


def test_a_reward_that_fell_rose_and_falls_again_is_taken_back_again(town: Town) -> None:
    town.brings("Alice", "Alice2", "discord")
    with later(days=8):
        town.night()
        for _ in range(3):
            link = town.links("Alice", "Alice2")
            assert town.budget() == BUDGET
            town.undoes(link)
            assert town.purse(town.who("Alice")) == (100, 0)
        town.leaves("Alice2", town.guild)
        assert town.referral("Alice2", "discord").reason == "left_during_hold"
        town.has_whole_books()
        assert town.budget() == BUDGET


def test_a_reward_rises_again_only_as_far_as_the_budget_reaches(town: Town) -> None:
    town.brings("Alice", "Alice2", "discord")
    with later(days=8):
        town.night()
        link = town.links("Alice", "Alice2")
        budget = Account(town.brand.id, town.campaign.id, Purpose.BUDGET, "PTS")
        outside = Account(town.brand.id, town.brand.id, Purpose.EXTERNAL, "PTS")
        town.house.do(lambda session: transfer(session, [Move("unfund/1", "unfund", budget, outside, BUDGET - 60)]))
        town.undoes(link)
        assert town.budget() == 10, "the friend's 50 could be had again, the advocate's 100 could not"
        town.has_whole_books()


def test_links_are_undone_from_the_last(town: Town) -> None:
    first = town.links("Alice", "Alice_dc")
    second = town.links("Alice", "Alice_web", and_on="webchat")
    with pytest.raises(Refused, match="link_not_last"):
        town.undoes(first)
    town.house.do(lambda session: linking.undo_link(session, town.brand.id, town.who("Alice")))
    with pytest.raises(Refused, match="link_undone"):
        town.undoes(second)
    town.undoes(first)
    with pytest.raises(NotFound):
        town.house.do(lambda session: linking.undo_link(session, town.brand.id, town.who("Alice")))


def test_a_link_into_somebody_who_was_then_linked_goes_back_after_that_one(town: Town) -> None:
    with later(days=-1):
        town.talks("Oldest", "webchat")
    inner = town.links("Alice", "Alice_dc")
    outer = town.links("Oldest", "Alice", on="webchat", and_on="telegram")
    assert len({town.who("Oldest", "webchat"), town.who("Alice"), town.who("Alice_dc", "discord")}) == 1
    with pytest.raises(Refused, match="link_not_last"):
        town.undoes(inner)
    town.undoes(outer)
    town.undoes(inner)
    assert len({town.who("Oldest", "webchat"), town.who("Alice"), town.who("Alice_dc", "discord")}) == 3


def test_linking_is_told_before_what_falls_by_it(town: Town) -> None:
    """So that the books know whose the reward is when it is taken back."""
    heard: list[str] = []
    town.house.bus.on(MembersLinked, lambda session, items: heard.append("linked"))
    town.house.bus.on(ReferralReversed, lambda session, items: heard.append("reversed"))
    town.brings("Alice", "Alice2", "discord")
    town.links("Alice", "Alice2")
    assert heard == ["linked", "reversed"]


def test_boards_show_one_person_once(town: Town) -> None:
    town.brings("Alice", "Bob")
    town.comes("Carol", town.invites("Alice_dc", "discord"))
    town.joins("Carol")
    with later(days=8):
        town.house.do(stays.qualify_due)
        town.links("Alice", "Alice_dc")
        board = town.house.ask(lambda session: leaderboard.top(session, town.brand.id, town.campaign.id))
        assert [(place.rank, place.score) for place in board] == [(1, 2)]
