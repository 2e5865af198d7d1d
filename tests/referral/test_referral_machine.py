"""Whatever people do in whatever order, the rules of referral hold after each step and each answer is right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from sqlmodel import col

from core import clock
from referral import linking
from referral.campaigns import owners_of
from referral.members import Identity, Member
from referral.privacy import forget_member
from referral.referrals import OPEN, Referral
from rewards import rewards as books
from tests.house import House
from tests.referral.town import Town, build_town

NAMES = ("Ann", "Ben", "Cai")
ACCOUNTS = [(name, platform) for name in NAMES for platform in ("telegram", "discord")]
accounts = st.sampled_from(ACCOUNTS)
Who = tuple[str, str]
_towns = count()


class Machine(RuleBasedStateMachine):
    """Six accounts of who knows how many people, one campaign, two groups."""

    house: House

    def __init__(self) -> None:
        super().__init__()
        self.start = clock.offset()
        self.town: Town = build_town(self.house, f"Town {next(_towns)}", ends_at=clock.now() + timedelta(days=40))
        self.seen: dict[Who, tuple[datetime, str]] = {}
        self.codes: dict[str, UUID] = {}

    def teardown(self) -> None:
        clock.move(self.start)

    # What is so, read from the records

    def people(self) -> dict[Who, UUID]:
        rows = self.house.ask(
            lambda s: s.scalars(select(Identity).where(col(Identity.brand_id) == self.town.brand.id)).all()
        )
        return {(row.account.capitalize(), row.platform): row.member_id for row in rows}

    def referrals(self) -> list[Referral]:
        return [row for row in self.town.referrals() if row.brand_id == self.town.brand.id]

    def erased(self) -> set[UUID]:
        wanted = select(col(Member.id)).where(col(Member.erased_at).is_not(None))
        return set(self.house.ask(lambda session: session.scalars(wanted).all()))

    def owner_of(self, code: str) -> UUID:
        """Whose code it is now, over all links."""
        return self.house.ask(lambda session: owners_of(session, [code]))[code].advocate_id

    def expected(self, who: Who, code: str) -> str:
        """What the rules say of this person coming with this code now; written apart from the code under test."""
        owner, rows, friend = self.owner_of(code), self.referrals(), self.people().get(who)
        ended = self.town.campaign.ends_at
        if clock.now() >= ended:
            return "campaign_over"
        if owner in self.erased():
            return "advocate_gone"
        if friend == owner:
            return "self_referral"
        if friend is not None and friend in _above(rows, owner):
            return "loop"
        if any(row.friend_id == friend for row in rows):
            return "already_referred"
        at, via = self.seen.get(who, (clock.now(), "code"))
        fresh = via == "join" and clock.now() < at + timedelta(days=30)
        return "referred" if who not in self.seen or fresh else "not_new"

    def sees(self, who: Who, via: str) -> None:
        self.seen.setdefault(who, (clock.now(), via))

    # What people do

    @initialize(who=st.sets(accounts))
    def some_are_in_the_groups(self, who: set[Who]) -> None:
        for one in sorted(who):
            self.joins(one)

    @rule(days=st.integers(1, 5))
    def days_pass(self, days: int) -> None:
        clock.move(clock.offset() + timedelta(days=days))
        self.town.night()
        self.house.do(books.release_due)

    @precondition(lambda self: clock.now() < self.town.campaign.ends_at)
    @rule(who=accounts)
    def asks_for_a_code(self, who: Who) -> None:
        self.sees(who, "message")
        code = self.town.invites(*who)
        self.codes[code] = self.people()[who]
        assert self.owner_of(code) == self.people()[who]

    @precondition(lambda self: clock.now() < self.town.campaign.ends_at)
    @rule(who=accounts, friend=accounts)
    def brings(self, who: Who, friend: Who) -> None:
        self.asks_for_a_code(who)
        self.comes(friend, self.town.invites(*who), joins=True)

    @precondition(lambda self: self.codes)
    @rule(who=accounts, which=st.integers(0, 7), joins=st.booleans())
    def comes_with_a_code(self, who: Who, which: int, joins: bool) -> None:
        self.comes(who, list(self.codes)[which % len(self.codes)], joins)

    def comes(self, who: Who, code: str, joins: bool) -> None:
        expected = self.expected(who, code)
        place = self.town.group if who[1] == "telegram" else self.town.guild
        more = {"kind": "invite", "community_id": place.id} if joins else {}
        assert self.town.comes(who[0], code, who[1], **more).outcome == expected
        self.sees(who, "code")

    @rule(who=accounts)
    def joins(self, who: Who) -> None:
        self.town.joins(who[0], self.town.group if who[1] == "telegram" else self.town.guild)
        self.sees(who, "join")

    @precondition(lambda self: clock.now() < self.town.campaign.ends_at)
    @rule(name=st.sampled_from(NAMES), other=st.sampled_from(NAMES))
    def two_bring_each_other_on_two_platforms(self, name: str, other: str) -> None:
        self.brings((name, "telegram"), (other, "telegram"))
        self.brings((other, "telegram"), (name, "discord"))

    @rule(who=accounts)
    def leaves(self, who: Who) -> None:
        self.town.leaves(who[0], self.town.group if who[1] == "telegram" else self.town.guild)
        self.sees(who, "present")

    @rule(one=accounts, other=accounts)
    def links(self, one: Who, other: Who) -> None:
        people = self.people()
        if one in people and other in people and people[one] != people[other]:
            self.town.links(one[0], other[0], on=one[1], and_on=other[1])
            now = self.people()
            assert now[one] == now[other]

    @rule(pair=st.sampled_from(NAMES))
    def links_the_accounts_of_one_person(self, pair: str) -> None:
        self.links((pair, "telegram"), (pair, "discord"))

    @rule(who=accounts)
    def undoes(self, who: Who) -> None:
        member = self.people().get(who)
        if member is not None:
            link = self.house.ask(lambda session: linking.last_link(session, self.town.brand.id, member))
            if link is not None:
                self.town.undoes(link)
                assert set(self.people().values()) >= {link.absorbed_id}

    @rule(who=accounts, rarely=st.integers(0, 5))
    def is_forgotten(self, who: Who, rarely: int) -> None:
        people = self.people()
        if who in people and rarely == 5:
            self.house.do(lambda session: forget_member(session, self.town.brand.id, people[who]))
            for account in [account for account, member in people.items() if member == people[who]]:
                self.seen[account] = (self.seen[account][0], "erased")

    # What always holds

    @invariant()
    def nobody_earns_by_themselves_or_in_a_ring(self) -> None:
        rows = [row for row in self.referrals() if row.state in OPEN]
        for row in rows:
            assert row.friend_id not in _above(rows, row.advocate_id) | {row.advocate_id}

    @invariant()
    def one_advocate_per_friend(self) -> None:
        friends = [(row.campaign_id, row.friend_id) for row in self.referrals()]
        assert len(friends) == len(set(friends))

    @invariant()
    def states_and_moments_agree(self) -> None:
        for row in self.referrals():
            assert (row.qualified_at is not None) >= (row.state == "qualified")
            if row.state == "qualified":
                assert row.qualified_at is not None
                assert row.started_at <= row.qualified_at < row.expires_at
            if row.due_at is not None:
                assert row.stay_since is not None
                assert row.due_at == row.stay_since + timedelta(days=7)
            assert (row.reason is not None) == (row.state in ("expired", "reversed"))

    @invariant()
    def counters_and_books_are_true(self) -> None:
        self.town.has_true_counters(without=self.erased())
        self.town.has_whole_books()


def _above(rows: list[Referral], member: UUID) -> set[UUID]:
    """Everybody who brought this member, directly or through others."""
    above: set[UUID] = set()
    level = {member}
    while level:
        level = {row.advocate_id for row in rows if row.friend_id in level and row.state in OPEN} - above
        above |= level
    return above


@pytest.fixture(autouse=True)
def _the_clock_comes_back() -> Iterator[None]:
    before = clock.offset()
    yield
    clock.move(before)


@pytest.mark.slow
def test_the_rules_hold_whatever_people_do(house: House) -> None:
    machine = type("TownMachine", (Machine,), {"house": house})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=house.runs(6),
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
