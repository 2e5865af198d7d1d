"""`journey`: the journey of any order among 5,000,000 touches, against the same among 50,000.

Two towns that have lived for a year, one a hundred times the other. Of each the same number of orders and friends from
all over the year are told: everything that is read for the page, and every step of it. Medians, asked in turns.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine
from sqlmodel import Session

from bench.report import Line, line, timed
from bench.years import Filled, fill
from core.db import make_engine
from rewards.journeys import friend_journey, order_journey

BOUND = 2.0
TOUCHES = {"small": 50_000, "large": 5_000_000}
A_MEMBER = 5
"""Touches for each member."""
ROUNDS = 5


def _tell(engine: Engine, town: Filled, orders: Sequence[UUID], friends: Sequence[UUID]) -> list[float]:
    """Seconds of each journey, told in a session of its own as a page does."""
    took = []
    for tell, wanted in ((order_journey, orders), (friend_journey, friends)):
        for one in wanted:
            with Session(engine) as session:
                seconds, journey = timed(partial(tell, session, town.brand_id, one))
            if not journey.steps:
                raise RuntimeError("a journey without a step")
            took.append(seconds)
    return took


def run() -> Line:
    """The median journey of both towns, and how the large one compares."""
    with tempfile.TemporaryDirectory(prefix="daixin-bench-") as folder:
        towns: dict[str, tuple[Engine, Filled]] = {}
        for name, touches in TOUCHES.items():
            url = f"sqlite:///{Path(folder) / name}.db"
            town = fill(url, touches // A_MEMBER, touches)
            towns[name] = make_engine(url, writer=False), town
        medians: dict[str, list[float]] = {name: [] for name in towns}
        for number in range(ROUNDS + 1):
            for name, (engine, town) in towns.items():
                each = slice(number * 30 % 150, number * 30 % 150 + 30)
                took = _tell(engine, town, town.conversions[each], town.referrals[each])
                if number:  # the first round warms both up
                    medians[name].append(statistics.median(took))
        for engine, _ in towns.values():
            engine.dispose()
    small, large = (statistics.median(medians[name]) for name in ("small", "large"))
    return line(
        "journey",
        large / small,
        BOUND,
        "lower",
        touches=TOUCHES["large"],
        journey_ms=round(large * 1e3, 2),
        limit_ms=round(small * 1e3, 2),
        limit=f"the same among {TOUCHES['small']:,} touches",
    )


if __name__ == "__main__":
    print(json.dumps(run()))
