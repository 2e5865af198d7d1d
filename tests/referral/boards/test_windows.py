"""Who brought most today, this week, this month: counted from what happened, in the campaign's own time."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, select
from sqlmodel import Session, col

from core import clock, ids
from referral.boards.faces import names_of, places_of, spots_of
from referral.boards.windows import mark_of, since
from referral.campaigns import Campaign
from referral.privacy import forget_member
from referral.referrals import Referral, reverse
from tests.house import House, fresh_sqlite, later
from tests.referral.town import Town

SHANGHAI = ZoneInfo("Asia/Shanghai")


def board(town: Town, window: str, limit: int = 50) -> list[tuple[int, str, int]]:
    """(rank, name, score) of everybody on the board."""

    def query(session: Session) -> list[tuple[int, str, int]]:
        campaign = session.get_one(Campaign, (town.brand.id, town.campaign.id))
        places = places_of(session, campaign, window, clock.now(), limit)
        owners = [line.owner for line in places.standings.lines]
        spots = spots_of(campaign, places, names_of(session, campaign, places, owners, public=False))
        if len(spots) < limit:
            assert places.standings.of == len(spots)
            assert places.standings.friends == sum(spot.score for spot in spots)
        return [(spot.rank, spot.name or "", spot.score) for spot in spots]

    return town.house.ask(query)


@pytest.mark.parametrize(
    ("now", "day", "week", "month"),
    [
        ("2026-03-02T15:59:59", "2026-03-01T16:00", "2026-03-01T16:00", "2026-02-28T16:00"),
        ("2026-03-02T16:00:00", "2026-03-02T16:00", "2026-03-01T16:00", "2026-02-28T16:00"),
        ("2026-12-31T16:00:00", "2026-12-31T16:00", "2026-12-27T16:00", "2026-12-31T16:00"),
    ],
)
def test_a_window_begins_at_midnight_where_the_campaign_is(now: str, day: str, week: str, month: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    begun = [since(window, SHANGHAI, moment) for window in ("day", "week", "month", "all")]
    assert [one and one.astimezone(UTC).isoformat()[:16] for one in begun] == [day, week, month, None]


def test_a_month_begins_by_the_clocks_of_its_first_day() -> None:
    """After the clocks change, the month still began by the clocks of before."""
    berlin = ZoneInfo("Europe/Berlin")
    begun = since("month", berlin, datetime(2026, 3, 31, 12, tzinfo=UTC))
    assert begun is not None
    assert begun.astimezone(UTC) == datetime(2026, 2, 28, 23, tzinfo=UTC)


def test_yesterday_is_not_today(town: Town) -> None:
    for friend in ("Bob", "Carl"):
        town.brings("Alice", friend)
    with later(days=7, minutes=1):
        town.night()
        assert board(town, "day") == board(town, "all") == [(1, "Alice", 2)]
        town.brings("Zoe", "Yan")
        with later(days=7, minutes=1):
            town.night()
            assert board(town, "day") == [(1, "Zoe", 1)]
            assert board(town, "all") == [(1, "Alice", 2), (2, "Zoe", 1)]
            with later(days=40):
                assert board(town, "month") == []


def test_of_equal_scores_whoever_got_there_first_is_ahead(town: Town) -> None:
    for second, (advocate, friend) in enumerate((("Zoe", "f1"), ("Alice", "f2"), ("Alice", "f3"), ("Zoe", "f4"))):
        with later(seconds=second):
            town.brings(advocate, friend)
    with later(days=7, hours=1):
        town.night()
        for window in ("day", "week", "month", "all"):
            if len(board(town, window)) == 2:
                assert board(town, window) == [(1, "Alice", 2), (2, "Zoe", 2)], window


def test_what_falls_leaves_every_window_and_whoever_is_forgotten_has_no_line(town: Town) -> None:
    for advocate, friend in (("Alice", "f1"), ("Alice", "f2"), ("Zoe", "f3")):
        town.brings(advocate, friend)
    with later(days=7, minutes=1):
        town.night()
        before = town.house.ask(lambda session: mark_of(session, town.brand.id, town.campaign.id))

        def fall(session: Session) -> None:
            found = session.scalars(select(Referral).where(col(Referral.friend_id) == town.who("f1"))).all()
            reverse(session, found, "fraud")

        town.house.do(fall)
        assert board(town, "day") == board(town, "all")
        assert {score for _, _, score in board(town, "day")} == {1}
        after = town.house.ask(lambda session: mark_of(session, town.brand.id, town.campaign.id))
        assert before != after, "whoever keeps the board is told"
        alice = town.who("Alice")
        town.house.do(lambda session: forget_member(session, town.brand.id, alice))
        assert board(town, "day") == board(town, "all") == [(1, "Zoe", 1)]
        assert board(town, "day", limit=1) == [(1, "Zoe", 1)]


def test_every_window_is_what_counting_by_hand_gives(town: Town) -> None:
    chance = random.Random(3)
    names = [f"a{number}" for number in range(12)]
    for number in range(60):
        with later(hours=chance.randrange(0, 24 * 30)):
            town.brings(chance.choice(names), f"f{number}")
    with later(days=38):
        while town.night()[0]:
            pass
        facts = town.house.ask(
            lambda session: [
                (who, at)
                for who, at in session.execute(
                    select(col(Referral.advocate_id), col(Referral.qualified_at)).where(
                        col(Referral.state) == "qualified"
                    )
                ).all()
                if at is not None
            ]
        )
        called = {town.who(name): name for name in names if any(who == town.who(name) for who, _ in facts)}
        for window in ("day", "week", "month", "all"):
            assert board(town, window) == by_hand(facts, called, since(window, SHANGHAI, clock.now())), window


def by_hand(facts: list[tuple[UUID, datetime]], called: dict[UUID, str], begin: datetime | None) -> list[object]:
    counted = Counter(who for who, at in facts if begin is None or at >= begin)
    latest = {who: max(at for one, at in facts if one == who) for who in counted}
    order = sorted(counted, key=lambda who: (-counted[who], latest[who], who))
    return [(rank, called[who], counted[who]) for rank, who in enumerate(order, 1)]


def test_a_window_is_read_from_its_index_alone(tmp_path: Path) -> None:
    house = House(fresh_sqlite(tmp_path))
    asked: list[tuple[str, Any]] = []
    event.listen(
        house.reader._engine, "before_cursor_execute", lambda _, __, said, given, *___: asked.append((said, given))
    )
    now = clock.now()
    campaign = Campaign(
        brand_id=ids.new(), slug="x", timezone="UTC", title={}, benefit={}, starts_at=now, ends_at=now, created_at=now
    )
    assert house.ask(lambda session: places_of(session, campaign, "week", clock.now(), 50)).standings.lines == []
    [window] = [one for one in asked if "max(referral.qualified_at)" in one[0]]
    plan = house.ask(
        lambda session: session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {window[0]}", window[1]).all()
    )
    house.close()
    by = "COVERING INDEX ix_referral_qualified (brand_id=? AND campaign_id=? AND qualified_at>?)"
    assert any(by in row[3] for row in plan), plan
