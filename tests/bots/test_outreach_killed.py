"""A broadcast whose process is killed at every step reaches everybody, and is repeated only to whom it was in hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import Session, select

from core import clock
from core.outbox import Outbox
from referral import members
from referral.brands import create_brand
from referral.outreach import broadcasts, messages
from referral.outreach.models import Broadcast, Outreach
from tests.bots.mortal_crier import AT_ONCE, Street, die_and_go_on
from tests.house import House, person

NOON = datetime(2026, 3, 2, 4, 0, 5, tzinfo=UTC)
PEOPLE = 8
LONGEST_FUSE = 40


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    before = clock.offset()
    clock.move(NOON - datetime.now(UTC))
    yield
    clock.move(before)


@pytest.mark.timeout(300)
def test_killed_at_every_step_it_reaches_everybody(house: House, tmp_path: Path) -> None:
    brand = house.do(lambda session: create_brand(session, "Tea", slug="tea"))
    crowd = [person(f"Fan{number}") for number in range(PEOPLE)]
    known = house.do(lambda session: members.meet(session, brand.id, crowd, [clock.now()] * PEOPLE, "message"))

    def begin() -> None:
        def start(session: Session) -> None:
            made = broadcasts.draft(session, brand.id, {"en": "New tea"}, "all", known[0].member_id)
            broadcasts.start(session, made, "telegram:mei")

        house.do(start)

    begin()
    street = Street(tmp_path / "street")
    kills = die_and_go_on(house.url, street.path, LONGEST_FUSE)
    assert kills > 5

    heard = Counter(street.heard())
    assert set(heard) == {one.account for one in crowd}
    assert sum(heard.values()) - PEOPLE <= kills * AT_ONCE
    [done] = house.ask(lambda session: session.exec(select(Broadcast)).all())
    assert (done.state, done.planned) == ("done", PEOPLE)
    rows = house.ask(lambda session: session.exec(select(Outreach)).all())
    assert [row.state for row in rows] == ["sent"] * PEOPLE
    told = house.ask(lambda session: session.exec(select(Outbox).where(Outbox.state != "delivered")).all())
    assert [row for row in told if row.topic.startswith(messages.TOPIC)] == []
