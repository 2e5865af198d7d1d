"""Reads the golden table: touches, orders and whose they are, in words one can check by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from referral.attribution.policy import Seen

TABLE = Path(__file__).with_name("golden.txt")
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Golden:
    """A line of the table."""

    line: int
    policy: str
    touches: tuple[Seen, ...]
    at: datetime
    till: Seen | None
    shares: dict[UUID, int]
    reason: str


def person(letter: str) -> UUID:
    """Who is meant by a letter."""
    return UUID(int=ord(letter))


def moment(said: str) -> datetime:
    """Day `said` of the story; with a minus, just before it."""
    at = BEGIN + timedelta(days=float(said.rstrip("-")))
    return at - TICK if said.endswith("-") else at


def touch(said: str, number: int) -> Seen:
    """A touch such as `A0` or `B3.5`."""
    return Seen(UUID(int=1000 + number), person(said[0]), moment(said[1:]))


def lines() -> Iterator[Golden]:
    """Every line of the table."""
    policy = ""
    for number, text in enumerate(TABLE.read_text().splitlines(), 1):
        said = text.partition("#")[0].strip()
        if said.startswith("["):
            policy = said.strip("[]")
        elif said:
            seen, order, shares, reason = (part.strip() for part in said.split("|"))
            day, _, code = order.partition("+")
            touches = tuple(touch(one, index) for index, one in enumerate(seen.split()) if one != "-")
            till = Seen(UUID(int=2000), person(code), moment(day)) if code else None
            whose = {person(who): int(part) for who, part in re.findall(r"([A-Z]) (\d+)", shares)}
            yield Golden(number, policy, touches, moment(day), till, whose, reason)
