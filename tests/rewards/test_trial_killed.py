"""The whole life of a trial with the process dying at every single statement of every step, and each step pressed again
after it was done: everything happens once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlmodel import Session, col

from core import clock
from core.errors import Refused
from core.outbox import Outbox
from referral.qualifying import QualifyingEvent
from rewards.adjustments import Adjustment
from rewards.items.vouchers import Voucher
from rewards.rewards import Reward
from tests.house import House
from tests.rewards.tasting import Tasting, open_tasting


class Crash(Exception):
    """The process died here."""


def survives(house: House, step: Callable[[], object]) -> int:
    """Die at the first statement of a step, at the second, and so on, until it gets through; then do it once more.
    How often it died."""
    for at in count(1):
        statements = count(1)

        def before(*_: Any, at: int = at, statements: Any = statements) -> None:
            if next(statements) == at:
                raise Crash

        event.listen(house.engine, "before_cursor_execute", before)
        try:
            step()
        except Crash:
            continue
        except Refused:
            assert at > 1  # it had been done when the process died
            return at - 1
        finally:
            event.remove(house.engine, "before_cursor_execute", before)
        with suppress(Refused):
            step()
        return at - 1
    raise AssertionError


def times(session: Session, model: type[Any]) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture(autouse=True)
def clock_as_it_was() -> object:
    before = clock.offset()
    yield
    clock.move(before)


def on(**by: float) -> None:
    clock.move(clock.offset() + timedelta(**by))


@pytest.mark.parametrize("kind", ["physical", "voucher"])
def test_every_step_of_a_life_happens_once(house: House, kind: str) -> None:
    town = open_tasting(house, kind, trial__approve="hand", trial__quota=1, trial__take_hours=24)
    town.brings("Lan", "Bob")
    for name in ("Ann", "Bob", "Cem"):
        town.who(name)
    died = sum(survives(house, step) for step in life(town, kind))
    assert died > 100
    assert town.states("Ann", "Bob", "Cem") == "lapsed reviewed declined"
    assert house.ask(lambda session: times(session, Adjustment)) == 1
    earned = house.ask(lambda session: session.scalars(select(col(Reward.event)).order_by(col(Reward.event))).all())
    assert Counter(earned) == {"adjusted": 1, "trial_claimed": 1, "feedback_given": 1}
    assert house.ask(lambda session: times(session, QualifyingEvent)) == 1
    given = select(func.count()).select_from(Voucher).where(col(Voucher.state) == "given")
    assert house.ask(lambda session: session.scalar(given)) == (kind == "voucher")
    keys = house.ask(lambda session: session.scalars(select(col(Outbox.key))).all())
    assert len(keys) == len(set(keys))
    told = Counter(key.rpartition("/")[0].rpartition("/")[2] for key in keys if key.startswith("trial/"))
    assert told["approved"] == 2
    assert told["lapsed"] == told["declined"] == 1
    assert town.boxes() == 0
    assert town.problems() == []


def life(town: Tasting, kind: str) -> list[Callable[[], object]]:
    """Ann is approved and never takes it, Bob gets her place and reviews it, Cem waits to the end."""
    steps: list[Callable[[], object]] = [
        lambda: town.applies("Ann"),
        lambda: town.applies("Bob"),
        lambda: town.applies("Cem"),
        lambda: town.decides("Ann"),
        lambda: town.decides("Bob"),
        lambda: town.decides("Cem"),
        lambda: on(hours=25),
        town.night,
        lambda: town.takes("Bob"),
    ]
    if kind == "physical":
        steps += [lambda: town.says_where("Bob"), lambda: town.is_sent("Bob"), lambda: town.receives("Bob")]
    return [
        *steps,
        lambda: town.reviews("Bob"),
        lambda: on(days=15) if town.trial().closed_at is None else None,
        lambda: town.does("end"),
        town.night,
    ]
