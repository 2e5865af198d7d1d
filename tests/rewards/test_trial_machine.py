"""Whatever people and the clock do in a trial, also when a unit dies at any of its statements: never more places than
the quota, nobody served out of the stated order, no place idle while somebody may have it, each effect once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine
from sqlalchemy import event, func, select
from sqlmodel import Session, col

from core import clock
from core.errors import Refused
from referral.qualifying import QualifyingEvent
from referral.referrals import Referral
from referral.trials import line
from referral.trials.places import WITH_PLACE, ApplicationMoved, TrialApplication
from rewards.adjustments import Adjustment
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from rewards.rewards import Reward
from tests.house import House
from tests.rewards.tasting import Tasting, open_tasting, trial_file

NAMES = ("Ann", "Bob", "Cem", "Dan", "Eve", "Fay")
PEOPLE = st.sampled_from(NAMES)


class Crash(Exception):
    """The process is killed here."""


def place_in_line(row: TrialApplication) -> tuple[Any, ...]:
    return -row.friends, row.applied_at, row.id


class Machine(RuleBasedStateMachine):
    """Six people, a brand that approves in one of its ways, and a clock."""

    house: House
    numbers = count()

    def __init__(self) -> None:
        super().__init__()
        self.before = clock.offset()
        self.crash_at: int | None = None

    @initialize(
        approve=st.sampled_from(["hand", "rule", "friends", "draw"]),
        kind=st.sampled_from(["physical", "promo_code", "voucher"]),
    )
    def open(self, approve: str, kind: str) -> None:
        terms: dict[str, Any] = {"trial__approve": "rule" if approve == "friends" else approve, "trial__quota": 2}
        if approve == "friends":
            terms["trial__friends"] = 1
        slug = f"mei-{next(self.numbers)}"
        self.terms, self.quota = terms | {"trial__take_hours": 24}, 2
        self.town: Tasting = open_tasting(self.house, kind, slug=slug, **self.terms)
        self.began = clock.now()
        self.ended = False

    def tries(self, act: Callable[[], object]) -> None:
        """Somebody does something, which may be refused, or which the process may not live to finish; then again."""
        if self.crash_at is not None:
            at, self.crash_at = self.crash_at, None
            statements = count(1)

            def before(*_: Any) -> None:
                if next(statements) == at:
                    raise Crash

            event.listen(self.house.engine, "before_cursor_execute", before)
            try:
                with suppress(Crash, Refused):
                    act()
            finally:
                event.remove(self.house.engine, "before_cursor_execute", before)
        with suppress(Refused):
            act()

    def applied(self, name: str) -> bool:
        return any(row.member_id == self.town.who(name) for row in self.rows())

    def rows(self) -> Sequence[TrialApplication]:
        mine = select(TrialApplication).where(col(TrialApplication.campaign_id) == self.town.campaign.id)
        return self.house.ask(lambda session: session.scalars(mine).all())

    @rule(at=st.integers(min_value=1, max_value=60))
    def next_dies(self, at: int) -> None:
        self.crash_at = at

    @rule(name=PEOPLE)
    def applies(self, name: str) -> None:
        self.tries(lambda: self.town.applies(name))

    @rule(advocate=PEOPLE, friend=st.sampled_from(["Gus", "Hal", "Ida", "Jon"]))
    def brings_who_applies(self, advocate: str, friend: str) -> None:
        with suppress(AssertionError, Refused):
            self.town.brings(advocate, friend)
        self.tries(lambda: self.town.applies(friend))

    @rule(name=st.sampled_from([*NAMES, "Gus", "Hal"]))
    def withdraws(self, name: str) -> None:
        if self.applied(name):
            self.tries(lambda: self.town.withdraws(name))

    @rule(name=st.sampled_from([*NAMES, "Gus", "Hal", "Ida"]), far=st.integers(min_value=0, max_value=3))
    def takes(self, name: str, far: int) -> None:
        """Takes the place; perhaps says where to, perhaps receives it."""
        if self.applied(name):
            self.tries(lambda: self.town.takes(name))
            for step in (self.town.says_where, self.town.is_sent, self.town.receives)[:far]:
                with suppress(AssertionError):
                    self.tries(lambda step=step: step(name))  # type: ignore[misc]

    @rule(name=st.sampled_from([*NAMES, "Gus"]))
    def reviews(self, name: str) -> None:
        if self.applied(name):
            self.tries(lambda: self.town.reviews(name))

    @rule(name=st.sampled_from([*NAMES, "Gus", "Hal"]), verdict=st.sampled_from(["approve", "decline"]))
    def decides(self, name: str, verdict: str) -> None:
        if self.terms["trial__approve"] == "hand" and self.applied(name):
            self.tries(lambda: self.town.decides(name, verdict))

    @rule(hours=st.sampled_from([1, 23, 25, 24 * 15, 24 * 31]))
    def time_goes_on(self, hours: int) -> None:
        clock.move(clock.offset() + timedelta(hours=hours))
        if clock.now() >= self.began + timedelta(days=14) and not self.ended:
            self.ended = True
            self.tries(lambda: self.town.does("end"))
        self.tries(self.town.night)
        self.town.night()

    @precondition(lambda self: not self.ended)
    @rule(what=st.sampled_from(["pause", "resume"]))
    def pauses(self, what: str) -> None:
        self.tries(lambda: self.town.does(what))

    @precondition(lambda self: not self.ended)
    @rule()
    def more_places(self) -> None:
        if self.quota < 4 and clock.now() < self.began + timedelta(days=13):
            self.quota += 1
            raw = trial_file(**(self.terms | {"trial__quota": self.quota}))
            raw["campaign"] |= {"starts_at": self.began - timedelta(days=1), "ends_at": self.began + timedelta(days=14)}
            self.tries(lambda: self.house.do(lambda s: apply_campaign(s, self.town.brand, build_campaign(raw))))

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "town"):
            return
        trial, rows = self.town.trial(), self.rows()
        assert trial.given == sum(row.state in WITH_PLACE for row in rows) <= trial.quota
        assert self.town.boxes() == trial.quota - sum(row.state in WITH_PLACE[1:] for row in rows)
        self._counts_friends(rows)
        self._pays_once(rows)
        campaign = self.house.ask(lambda session: session.get_one(type(self.town.campaign), trial_key(self.town)))
        if campaign.state == "running" and trial.free and clock.now() < trial.closes_at:
            waiting = [row for row in rows if row.state == "waiting" and row.friends >= trial.friends]
            assert waiting == []

    def _counts_friends(self, rows: Sequence[TrialApplication]) -> None:
        for row in rows:
            counted = self.house.ask(
                lambda session, row=row: line.friends_of(session, row.brand_id, row.campaign_id, row.member_id)  # type: ignore[misc]
            )
            assert row.friends == counted

    def _pays_once(self, rows: Sequence[TrialApplication]) -> None:
        def read(session: Session) -> tuple[int, int, int]:
            mine = col(Adjustment.campaign_id) == self.town.campaign.id
            given = session.scalar(select(func.count()).select_from(Adjustment).where(mine)) or 0
            earned = session.scalar(
                select(func.count())
                .select_from(Reward)
                .where(col(Reward.campaign_id) == self.town.campaign.id, col(Reward.event) == "trial_claimed")
            )
            qualified = session.scalar(
                select(func.count())
                .select_from(QualifyingEvent)
                .join(Referral, col(Referral.id) == col(QualifyingEvent.referral_id))
                .where(col(Referral.campaign_id) == self.town.campaign.id)
            )
            return given, earned or 0, qualified or 0

        given, earned, qualified = self.house.ask(read)
        assert given == sum(row.taken_at is not None for row in rows)
        assert earned == qualified <= sum(row.claimed_at is not None for row in rows)

    def teardown(self) -> None:
        if hasattr(self, "town"):
            assert self.town.problems() == []
        clock.move(self.before)


def trial_key(town: Tasting) -> tuple[Any, Any]:
    return town.brand.id, town.campaign.id


def keeps_to_the_order(session: Session, happened: Sequence[ApplicationMoved]) -> None:
    """Whoever gets a place from the line, nobody who waits stands before them."""
    for moved in happened:
        if moved.after != "approved" or moved.before != "waiting":
            continue
        row = session.get_one(TrialApplication, (moved.brand_id, moved.application_id))
        others = session.scalars(
            select(TrialApplication).where(
                col(TrialApplication.brand_id) == moved.brand_id,
                col(TrialApplication.campaign_id) == moved.campaign_id,
                col(TrialApplication.state) == "waiting",
            )
        )
        assert all(place_in_line(row) < place_in_line(other) for other in others)


def test_whatever_happens(house: House) -> None:
    house.bus.on(ApplicationMoved, keeps_to_the_order)
    machine = type("TrialMachine", (Machine,), {"house": house})
    run_machine(
        machine,
        settings=settings(
            max_examples=house.runs(12), stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
