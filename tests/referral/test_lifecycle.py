"""The clock of many campaigns: in bounded pieces, shared between processes, each moved and told of once."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.db import table
from referral import lifecycle
from referral.brands import Brand
from referral.campaigns import Campaign, CampaignMoved, move
from referral.lifecycle import CampaignEnding, CampaignTimer, follow_clock, forget, ring_at, take_due
from tests.house import House, later
from tests.referral.town import Town, build_town, open_campaign

MANY = 25


@pytest.fixture
def town(house: House) -> Town:
    return build_town(house)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten campaigns are many here."""
    monkeypatch.setattr(lifecycle, "AT_ONCE", 10)


def open_many(town: Town, **terms: object) -> None:
    def build(session: Session) -> None:
        brand = session.get_one(Brand, town.brand.id)
        for number in range(MANY):
            open_campaign(session, brand, f"c-{number}", **terms)

    town.house.do(build)


def states(town: Town) -> Counter[str]:
    return Counter(town.house.ask(lambda session: list(session.scalars(select(col(Campaign.state))))))


def test_many_that_are_due_at_once_are_moved_piece_by_piece(town: Town) -> None:
    heard: list[CampaignMoved] = []
    town.house.bus.on(CampaignMoved, lambda session, events: heard.extend(events))
    open_many(town, state="scheduled", starts_at=clock.now() + timedelta(days=1))
    with later(days=1):
        assert [town.house.do(follow_clock) for _ in range(4)] == [10, 10, 5, 0]
    assert states(town) == {"running": MANY + 1}
    with later(days=60):
        counts = [town.house.do(follow_clock) for _ in range(4)]
    assert counts == [10, 10, 6, 0]
    assert Counter((moved.before, moved.after) for moved in heard) == {
        ("scheduled", "running"): MANY,
        ("running", "ended"): MANY + 1,
    }


def test_two_processes_share_what_is_due_and_do_nothing_twice(town: Town) -> None:
    """On SQLite one waits for the other; on PostgreSQL each takes what the other has not locked."""
    open_many(town)
    second = House(town.house.url)
    heard: list[CampaignMoved] = []
    for house in (town.house, second):
        house.bus.on(CampaignMoved, lambda session, events: heard.extend(events))
    start = threading.Barrier(2)

    def work(house: House) -> None:
        start.wait(20)
        while house.do(follow_clock):
            continue

    try:
        with later(days=60):
            threads = [threading.Thread(target=work, args=(house,)) for house in (town.house, second)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
    finally:
        second.close()
    assert len(heard) == len({moved.campaign_id for moved in heard}) == MANY + 1
    assert states(town) == {"ended": MANY + 1}
    timers = town.house.ask(lambda session: session.execute(select(table(CampaignTimer).c.what)).scalars().all())
    assert Counter(timers) == {"settle": MANY + 1}


def test_one_whose_whole_time_has_passed_starts_and_ends(town: Town) -> None:
    heard: list[CampaignMoved] = []
    town.house.bus.on(CampaignMoved, lambda session, events: heard.extend(events))
    open_many(
        town, state="scheduled", starts_at=clock.now() + timedelta(days=1), ends_at=clock.now() + timedelta(days=2)
    )
    with later(days=3):
        while town.house.do(follow_clock):
            continue
    assert Counter(moved.after for moved in heard) == {"running": MANY, "ended": MANY}


def test_a_moment_is_taken_once_and_a_new_one_takes_the_place_of_the_old(town: Town) -> None:
    key = (town.brand.id, town.campaign.id)
    soon, late = clock.now() + timedelta(hours=1), clock.now() + timedelta(hours=3)
    town.house.do(lambda session: ring_at(session, "reminder", {key: soon}))
    town.house.do(lambda session: ring_at(session, "reminder", {key: late}))
    with later(hours=2):
        assert town.house.do(lambda session: take_due(session, "reminder")) == []
    with later(hours=3):
        assert town.house.do(lambda session: take_due(session, "settle")) == []
        assert town.house.do(lambda session: take_due(session, "reminder")) == [key]
        assert town.house.do(lambda session: take_due(session, "reminder")) == []
    town.house.do(lambda session: ring_at(session, "reminder", {key: soon}))
    town.house.do(lambda session: forget(session, "reminder", [key]))
    with later(hours=3):
        assert town.house.do(lambda session: take_due(session, "reminder")) == []


def test_a_unit_that_fails_leaves_the_moment_due(town: Town) -> None:
    key = (town.brand.id, town.campaign.id)
    town.house.do(lambda session: ring_at(session, "reminder", {key: clock.now()}))

    def fails(session: Session) -> None:
        assert take_due(session, "reminder") == [key]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        town.house.do(fails)
    assert town.house.do(lambda session: take_due(session, "reminder")) == [key]


def test_only_what_runs_is_reminded_of_and_an_end_forgets_it(town: Town) -> None:
    heard: list[CampaignEnding] = []
    town.house.bus.on(CampaignEnding, lambda session, events: heard.extend(events))
    key = (town.brand.id, town.campaign.id)
    town.house.do(lambda session: ring_at(session, "reminder", {key: clock.now()}))
    town.does("pause")
    town.house.do(follow_clock)
    assert heard == []
    town.house.do(lambda session: ring_at(session, "reminder", {key: clock.now()}))
    town.house.do(lambda session: move(session, session.get_one(Campaign, key), "end"))
    town.house.do(follow_clock)
    assert heard == []
