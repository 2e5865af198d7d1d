"""In-process events: what happened, told inside the unit of work, to whom `daixin.bootstrap` joined.

A handler hears all events of one kind of a batch at once, so it can answer them with set-based statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from sqlmodel import Session

Handler = Callable[[Session, Sequence[Any]], None]


class Bus:
    """Who hears which kind of event. Filled once at start."""

    def __init__(self) -> None:
        self._handlers: dict[type, list[Handler]] = defaultdict(list)

    def on(self, kind: type, handler: Handler) -> None:
        """Let `handler` hear every event of exactly this class."""
        self._handlers[kind].append(handler)

    def deliver(self, session: Session, events: Sequence[object]) -> None:
        """Tell the handlers, in the order the kinds first appear; a handler's error fails the unit."""
        kinds: dict[type, list[object]] = defaultdict(list)
        for item in events:
            kinds[type(item)].append(item)
        for kind, items in kinds.items():
            for handler in self._handlers[kind]:
                handler(session, items)


def attach(session: Session, bus: Bus) -> None:
    """Make `emit` on this session reach `bus`."""
    session.info["bus"] = bus


def emit(session: Session, events: Sequence[object]) -> None:
    """Tell what happened, inside this unit of work."""
    bus: Bus | None = session.info.get("bus")
    if bus is None:
        raise RuntimeError("this session has no event bus: run the unit through core.writer")
    bus.deliver(session, events)
