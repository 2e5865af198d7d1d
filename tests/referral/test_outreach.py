"""Unasked messages: each once, a few a week, never at night, and never to who does not want them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from core import clock
from core.db import make_engine
from core.errors import BadInput, Refused
from core.events import Bus
from core.outbox import Outbox
from core.writer import Writer
from referral import linking, members, privacy
from referral.brands import Brand
from referral.outreach import audiences, broadcasts, digest, messages, nudges, people
from referral.outreach.messages import Key, Notice, Verdict
from referral.outreach.models import Broadcast, Outreach
from referral.trials.places import Trial, TrialApplication
from tests.house import later
from tests.referral.town import Town

NOON = datetime(2026, 3, 2, 4, 0, 5, tzinfo=UTC)
"""Noon of a Monday in Shanghai."""


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    before = clock.offset()
    clock.move(NOON - datetime.now(UTC))
    yield
    clock.move(before)


def plan(town: Town, *who: UUID, subject: str = "news/1", **more: Any) -> int:
    """Plan a message about something to these people; how many were queued."""
    notices = [Notice(one, "nudge", subject, **more) for one in who]
    return town.house.do(lambda session: messages.plan(session, session.get_one(Brand, town.brand.id), notices))


def key(town: Town, who: UUID, subject: str = "news/1") -> Key:
    return (town.brand.id, who, subject)


def ask(town: Town, *keys: Key) -> list[Verdict]:
    """The turn of these messages has come."""
    return town.house.do(lambda session: messages.let_out(session, keys))


def sent(town: Town, who: UUID, subject: str) -> bool:
    """Plan it, let it out, and send it if it may go."""
    plan(town, who, subject=subject)
    [verdict] = ask(town, key(town, who, subject))
    if verdict.chat is None:
        return False
    town.house.do(lambda session: messages.settle(session, [(verdict.key, "sent", None)]))
    return True


def fate(town: Town, who: UUID, subject: str = "news/1") -> tuple[str, str | None]:
    row = town.house.ask(lambda session: session.get_one(Outreach, key(town, who, subject)))
    return row.state, row.reason


def quiet(town: Town, who: UUID, *, on: bool = True) -> None:
    town.house.do(lambda session: people.choose(session, town.brand.id, who, quiet=on))


def draft(town: Town, by: UUID, audience: str = "all", text: str = "新茶到了") -> UUID:
    return town.house.do(lambda session: broadcasts.draft(session, town.brand.id, {"zh_Hans": text}, audience, by).id)


def found(session: Session, town: Town, which: UUID) -> Broadcast:
    return broadcasts.find_broadcast(session, town.brand.id, which)


def start(town: Town, which: UUID) -> None:
    town.house.do(lambda session: broadcasts.start(session, found(session, town, which), "webchat:carol"))


def state(town: Town, which: UUID) -> tuple[str, int]:
    row = town.house.ask(lambda session: found(session, town, which))
    return row.state, row.planned


def queued(town: Town) -> list[Outbox]:
    def read(session: Session) -> list[Outbox]:
        return list(session.exec(select(Outbox).where(col(Outbox.topic).startswith(messages.TOPIC))).all())

    return town.house.ask(read)


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


def link(town: Town, one: str, other: str) -> linking.MemberLink:
    """The account of one person on Telegram and that of another name on Discord are one person's."""
    first, second = town.talks(one), town.talks(other, "discord")
    code = town.house.do(lambda session: linking.start_link(session, town.brand.id, first))
    made = town.house.do(lambda session: linking.finish_link(session, town.brand.id, second, code))
    assert isinstance(made, linking.MemberLink)
    return made


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


def test_a_broadcast_is_planned_piece_by_piece_for_who_was_there_when_it_began(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcasts, "PIECE", 3)
    everyone = [town.talks(f"Fan{number}") for number in range(7)]
    which = draft(town, everyone[0])
    start(town, which)
    with later(minutes=1):
        town.talks("Late")
        assert town.house.do(broadcasts.plan_due) == 3
        assert state(town, which) == ("planning", 3)
        assert [town.house.do(broadcasts.plan_due) for _ in range(3)] == [3, 1, 0]
    assert state(town, which) == ("sending", 7)
    assert {UUID(row.payload["member"]) for row in queued(town)} == set(everyone)
    assert town.house.do(broadcasts.finish_due) == 0
    subject = f"broadcast/{which}"
    ask(town, *(key(town, one, subject) for one in everyone))
    town.house.do(
        lambda session: messages.settle(session, [(key(town, one, subject), "sent", None) for one in everyone])
    )
    assert town.house.do(broadcasts.finish_due) == 1
    assert state(town, which) == ("done", 7)
    assert town.house.ask(lambda session: messages.tally(session, town.brand.id, subject)) == {"sent": 7}


def test_a_stopped_broadcast_goes_to_nobody_else(town: Town) -> None:
    alice, bob = town.talks("Alice"), town.talks("Bob")
    which = draft(town, alice)
    start(town, which)
    town.house.do(broadcasts.plan_due)
    subject = f"broadcast/{which}"
    assert ask(town, key(town, alice, subject))[0].chat == "alice"
    town.house.do(lambda session: broadcasts.stop(session, found(session, town, which), "webchat:carol"))
    assert ask(town, key(town, bob, subject))[0].chat is None
    assert fate(town, bob, subject) == ("skipped", "stopped")
    with pytest.raises(Refused, match="broadcast_over"):
        town.house.do(lambda session: broadcasts.stop(session, found(session, town, which), "webchat:carol"))


def test_one_broadcast_of_a_brand_at_a_time_each_sent_once(town: Town) -> None:
    alice = town.talks("Alice")
    first, second = draft(town, alice), draft(town, alice)
    start(town, first)
    with pytest.raises(Refused, match="broadcast_started"):
        start(town, first)
    with pytest.raises(Refused, match="broadcast_running"):
        start(town, second)
    town.house.do(lambda session: broadcasts.stop(session, found(session, town, first), "webchat:carol"))
    start(town, second)


def test_a_draft_that_is_a_day_old_is_not_sent(town: Town) -> None:
    which = draft(town, town.talks("Alice"))
    with later(days=1), pytest.raises(Refused, match="broadcast_old"):
        start(town, which)


def test_a_draft_wants_words_and_an_audience(town: Town) -> None:
    alice = town.talks("Alice")
    for text, audience, code in ((" \n", "all", "empty"), ("x" * 1001, "all", "long"), ("x", "nobody", "audience")):
        with pytest.raises(BadInput, match=code):
            draft(town, alice, audience, text)


def who(town: Town, audience: str) -> set[UUID]:
    now = clock.now()
    return set(town.house.ask(lambda session: audiences.page(session, town.brand.id, audience, now, None, 100)))


def test_audiences_are_who_they_say(town: Town) -> None:
    code = town.invites("Alice")
    town.comes("Bob", code)
    alice, bob, carl = town.who("Alice"), town.who("Bob"), town.talks("Carl")
    assert who(town, "all") == {alice, bob, carl}
    assert who(town, "advocates") == {alice}
    assert who(town, "friends") == {bob}
    assert who(town, "dormant") == set()
    with later(days=13, hours=23):
        assert who(town, "dormant") == set()
    with later(days=14, minutes=1):
        assert who(town, "dormant") == {alice}


def test_applicants_are_who_waits_for_a_place(town: Town) -> None:
    waits, served = town.talks("Alice"), town.talks("Bob")
    brand_id, campaign_id = town.brand.id, town.campaign.id

    def apply(session: Session) -> None:
        now = clock.now()
        session.add(Trial(brand_id=brand_id, campaign_id=campaign_id, quota=1, approve="rule", closes_at=now))
        session.flush()
        for member_id, state in ((waits, "waiting"), (served, "delivered")):
            row: dict[str, Any] = {
                "brand_id": brand_id,
                "campaign_id": campaign_id,
                "member_id": member_id,
                "campaign_version": 1,
            }
            session.add(TrialApplication(**row, state=state, applied_at=now))

    assert "applicants" not in town.house.ask(lambda session: audiences.offered(session, brand_id))
    town.house.do(apply)
    assert who(town, "applicants") == {waits}


def test_how_many_it_reaches_is_told_before(town: Town) -> None:
    town.talks("Alice")
    town.talks("Bob", "discord")
    quiet(town, town.talks("Carl"))
    town.talks("Dora")
    town.house.do(lambda session: members.set_reachable(session, "telegram", "dora", reachable=False))
    link(town, "Emil", "Emilio")
    reach = town.house.ask(lambda session: audiences.reach_of(session, town.brand.id, "all", clock.now()))
    assert (sum(reach.by_platform.values()), reach.quiet, reach.unreachable) == (3, 1, 1)
    assert reach.by_platform["discord"] >= 1


def test_who_fell_silent_is_nudged_once_a_campaign(town: Town) -> None:
    town.comes("Bob", town.invites("Alice"))
    town.invites("Anna")
    quiet(town, town.who("Anna"))
    alice = town.who("Alice")
    assert town.house.do(nudges.nudge_due) == 0
    with later(days=15):
        assert town.house.do(nudges.nudge_due) == 1
        assert town.house.do(nudges.nudge_due) == 0
        [row] = queued(town)
        assert row.payload["member"] == str(alice)
    with later(days=40):
        assert town.house.do(nudges.nudge_due) == 0


def test_nobody_is_nudged_for_a_campaign_that_is_all_but_over_or_where_the_brand_does_not_want_it(town: Town) -> None:
    town.invites("Alice")
    ends = town.campaign.ends_at
    with clock.moved(ends - clock.now() - timedelta(days=2)):
        assert town.house.do(nudges.nudge_due) == 0
    with later(days=15):
        closes = clock.now()
        trial = Trial(brand_id=town.brand.id, campaign_id=town.campaign.id, quota=1, approve="rule", closes_at=closes)
        town.house.do(lambda session: session.add(trial))
        assert town.house.do(nudges.nudge_due) == 0  # it takes no applications any more
    town.house.do(lambda session: session.delete(session.get_one(Trial, (town.brand.id, town.campaign.id))))
    town.house.do(lambda session: people.change_settings(session, town.brand.id, "operator", nudges=False))
    with later(days=15):
        assert town.house.do(nudges.nudge_due) == 0


def test_a_week_is_told_of_on_monday_at_ten_and_once(town: Town) -> None:
    told: list[digest.WeekOver] = []
    town.house.bus.on(digest.WeekOver, lambda session, happened: told.extend(happened))
    assert town.house.do(digest.digest_due) == 0  # it is Monday noon, but nobody was here last week
    with later(days=6, hours=21):  # Monday at nine
        assert town.house.do(digest.digest_due) == 0
    with later(days=6, hours=22):
        assert [town.house.do(digest.digest_due) for _ in range(2)] == [1, 0]
    assert [(week.since, week.until) for week in told] == [
        (datetime(2026, 3, 1, 16, 0, tzinfo=UTC), datetime(2026, 3, 8, 16, 0, tzinfo=UTC))
    ]
    with later(days=13, hours=23, minutes=1):
        town.house.do(lambda session: people.change_settings(session, town.brand.id, "operator", digest=False))
        assert town.house.do(digest.digest_due) == 0
    with later(days=15):  # nothing ran on that Monday: it is left out
        town.house.do(lambda session: people.change_settings(session, town.brand.id, "operator", digest=True))
        assert town.house.do(digest.digest_due) == 0
