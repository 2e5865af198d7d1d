"""Unasked messages: each once, a few a week, never at night, and never to who does not want them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlmodel import select

from core import clock
from core.db import make_engine
from core.errors import BadInput
from core.events import Bus
from core.writer import Writer
from referral import linking, members, privacy
from referral.outreach import messages, people
from referral.outreach.models import Outreach
from tests.house import later
from tests.referral.town import Town
from tests.referral.unasked import (
    NOON,
    ask,
    fate,
    key,
    link,
    plan,
    queued,
    quiet,
    sent,
)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    before = clock.offset()
    clock.move(NOON - datetime.now(UTC))
    yield
    clock.move(before)


def test_the_same_thing_is_planned_once_for_a_person(town: Town) -> None:
    alice, bob = town.talks("Alice"), town.talks("Bob")
    assert plan(town, alice, bob) == 2
    assert plan(town, alice, bob) == 0
    assert plan(town, alice, subject="news/2") == 1
    assert len(queued(town)) == 3


def test_only_who_has_talked_to_us_and_wants_it_is_written_to(town: Town) -> None:
    alice, bob, dora = town.talks("Alice"), town.talks("Bob"), town.talks("Dora")
    quiet(town, bob)
    town.house.do(lambda session: members.set_reachable(session, "telegram", "dora", reachable=False))
    assert plan(town, alice, bob, dora) == 1
    assert [row.payload["member"] for row in queued(town)] == [str(alice)]


def test_at_night_a_message_waits_for_the_morning(town: Town) -> None:
    alice = town.talks("Alice")
    with later(hours=10):  # ten in the evening
        plan(town, alice)
        [waiting] = queued(town)
        assert waiting.due_at == datetime(2026, 3, 3, 1, 0, tzinfo=UTC)
        [verdict] = ask(town, key(town, alice))
        assert (verdict.chat, verdict.until) == (None, waiting.due_at)
        assert fate(town, alice) == ("waiting", None)
    with later(hours=21):
        assert ask(town, key(town, alice))[0].chat == "alice"


def test_three_a_week_and_no_more(town: Town) -> None:
    alice = town.talks("Alice")
    assert [sent(town, alice, f"news/{number}") for number in range(4)] == [True, True, True, False]
    assert fate(town, alice, "news/3") == ("skipped", "cap")
    with later(days=6, hours=23):
        assert not sent(town, alice, "news/4")
    with later(days=7):  # the moment the first is a week old, all three are
        assert [sent(town, alice, f"news/{number}") for number in range(5, 9)] == [True, True, True, False]


def test_what_is_not_counted_neither_fills_the_week_nor_waits_for_it(town: Town) -> None:
    alice = town.talks("Alice")
    for number in range(3):
        sent(town, alice, f"news/{number}")
    plan(town, alice, subject="digest", counted=False)
    assert ask(town, key(town, alice, "digest"))[0].chat == "alice"


def test_what_failed_or_was_moot_leaves_room(town: Town) -> None:
    alice = town.talks("Alice")
    for number, outcome in enumerate([("failed", "blocked"), ("skipped", "moot")] * 2):
        subject = f"lost/{number}"
        plan(town, alice, subject=subject)
        [verdict] = ask(town, key(town, alice, subject))
        assert verdict.chat == "alice"
        town.house.do(lambda session, v=verdict, o=outcome: messages.settle(session, [(v.key, *o)]))  # type: ignore[misc]
    assert [sent(town, alice, f"news/{number}") for number in range(4)] == [True, True, True, False]


def test_of_many_at_once_to_one_person_the_first_three_go(town: Town) -> None:
    alice = town.talks("Alice")
    subjects = [f"news/{number}" for number in range(5)]
    for subject in subjects:
        plan(town, alice, subject=subject)
    verdicts = ask(town, *(key(town, alice, subject) for subject in subjects))
    assert [verdict.chat for verdict in verdicts] == ["alice"] * 3 + [None] * 2


def test_two_processes_share_one_cap(town: Town) -> None:
    alice = town.talks("Alice")
    for number in range(8):
        plan(town, alice, subject=f"news/{number}")
    others = [Writer(make_engine(town.house.url, writer=True), Bus()).start() for _ in range(2)]

    def hurry(number: int) -> bool:
        asked = [key(town, alice, f"news/{number}")]
        return others[number % 2].run_sync(lambda session: messages.let_out(session, asked))[0].chat is not None

    try:
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(hurry, range(8))) == 3
    finally:
        for other in others:
            other.close()


def test_who_asks_for_quiet_after_planning_hears_nothing(town: Town) -> None:
    alice = town.talks("Alice")
    plan(town, alice)
    quiet(town, alice)
    assert ask(town, key(town, alice))[0].chat is None
    assert fate(town, alice) == ("skipped", "quiet")
    quiet(town, alice, on=False)
    assert sent(town, alice, "news/2")


def test_who_was_forgotten_after_planning_hears_nothing_and_nothing_is_left(town: Town) -> None:
    alice = town.talks("Alice")
    quiet(town, alice)
    quiet(town, alice, on=False)
    plan(town, alice)
    shown = town.house.ask(lambda session: privacy.export_member(session, town.brand.id, alice))["outreach"]
    assert (shown["quiet"], [one["state"] for one in shown["messages"]]) == (False, ["waiting"])
    town.house.do(lambda session: privacy.forget_member(session, town.brand.id, alice))
    assert ask(town, key(town, alice))[0].chat is None
    assert town.house.ask(lambda session: session.exec(select(Outreach)).all()) == []


def test_what_is_planned_in_the_moment_somebody_is_forgotten_is_dropped_with_them(town: Town) -> None:
    alice = town.talks("Alice")
    plan(town, alice)
    # The other process had not seen the message when it forgot her.
    town.house.do(lambda session: members.erase(session, town.brand.id, alice, clock.now()))
    assert ask(town, key(town, alice))[0].chat is None
    assert town.house.ask(lambda session: session.exec(select(Outreach)).all()) == []


def test_a_process_that_died_after_letting_out_sends_again_and_counts_once(town: Town) -> None:
    alice = town.talks("Alice")
    plan(town, alice)
    assert ask(town, key(town, alice))[0].chat == "alice"
    assert ask(town, key(town, alice))[0].chat == "alice"
    assert [sent(town, alice, f"more/{number}") for number in range(3)] == [True, True, False]
    town.house.do(lambda session: messages.settle(session, [(key(town, alice), "sent", None)]))
    assert ask(town, key(town, alice))[0].chat is None


def test_linked_accounts_are_one_person_with_one_cap_and_one_copy(town: Town) -> None:
    alice, other = town.talks("Alice"), town.talks("Alicia", "discord")
    plan(town, alice, other)
    plan(town, other, subject="news/2")
    for number in range(2):
        assert sent(town, other, f"before/{number}")
    link(town, "Alice", "Alicia")
    verdicts = ask(town, key(town, alice), key(town, other), key(town, other, "news/2"))
    # Her own copy goes; the other account's copy of the same does not; its other news is one too many this week.
    assert [verdict.chat for verdict in verdicts] == ["alice", None, None]
    assert fate(town, alice, "news/2") == ("skipped", "cap")


def test_quiet_goes_over_with_a_link_and_ends_with_it(town: Town) -> None:
    alice, other = town.talks("Alice"), town.talks("Alicia", "discord")
    quiet(town, other)
    made = link(town, "Alice", "Alicia")
    assert not sent(town, alice, "news/1")
    town.house.do(lambda session: linking.undo_link(session, town.brand.id, made.id))
    assert sent(town, alice, "news/2")
    assert not sent(town, other, "news/2")


def test_messages_go_back_when_a_link_is_undone(town: Town) -> None:
    alice, other = town.talks("Alice"), town.talks("Alicia", "discord")
    plan(town, other)
    made = link(town, "Alice", "Alicia")
    town.house.do(lambda session: linking.undo_link(session, town.brand.id, made.id))
    assert ask(town, key(town, other))[0].chat == "alicia"
    assert plan(town, alice) == 1


def test_the_manners_of_a_brand_are_its_own(town: Town) -> None:
    alice = town.talks("Alice")
    town.house.do(
        lambda session: people.change_settings(
            session, town.brand.id, "operator", weekly_cap=1, quiet_from=12 * 60, quiet_until=13 * 60
        )
    )
    plan(town, alice)
    assert ask(town, key(town, alice))[0].until == datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
    with later(hours=1):
        assert sent(town, alice, "news/2")
        assert not sent(town, alice, "news/3")
    for wrong in ({"weekly_cap": 21}, {"weekly_cap": -1}, {"quiet_from": 1440}):
        with pytest.raises(BadInput):
            town.house.do(lambda session, w=wrong: people.change_settings(session, town.brand.id, "operator", **w))  # type: ignore[misc]
