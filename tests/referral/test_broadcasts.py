"""Broadcasts, audiences, nudges and weeks: planned in pieces, once, for whom they are meant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from core import clock
from core.errors import BadInput, Refused
from referral import members
from referral.outreach import audiences, broadcasts, digest, messages, nudges, people
from referral.trials.places import Trial, TrialApplication
from tests.house import later
from tests.referral.town import Town
from tests.referral.unasked import (
    NOON,
    ask,
    draft,
    fate,
    found,
    key,
    link,
    queued,
    quiet,
    start,
    state,
    who,
)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    before = clock.offset()
    clock.move(NOON - datetime.now(UTC))
    yield
    clock.move(before)


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
        for member_id, where in ((waits, "waiting"), (served, "delivered")):
            row: dict[str, Any] = {
                "brand_id": brand_id,
                "campaign_id": campaign_id,
                "member_id": member_id,
                "campaign_version": 1,
            }
            session.add(TrialApplication(**row, state=where, applied_at=now))

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
