"""What the conformance test asks of every platform: a pretend platform one can speak on and look at.

Each `tests/bots/<platform>/harness.py` offers `async def open_harness(tmp_path) -> AsyncContextManager[Harness]`
around the *real* adapter talking to its stand-in over a socket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from bots.adapter import Adapter, OnIncoming
from bots.message import Incoming, Reply

Failure = Literal["permanent", "rate_limited", "gone_away"]


@dataclass
class Seen:
    """One message as a person sees it on the platform: styling removed, labels of the buttons, picture bytes."""

    text: str
    buttons: list[str] = field(default_factory=list)
    image: bytes | None = None
    private: bool = True
    edited: bool = False


@dataclass
class Script:
    """The conversation's other half: what `on_incoming` answers, and everything it heard. `router`: the real one,
    which answers instead."""

    answer: Callable[[Incoming], Sequence[Reply]] = lambda incoming: ()
    heard: list[Incoming] = field(default_factory=list)
    router: OnIncoming | None = None

    async def __call__(self, incoming: Incoming) -> Sequence[Reply]:
        self.heard.append(incoming)
        if self.router is not None:
            return await self.router(incoming)
        return self.answer(incoming)


class MemoryStore:
    """A `bots.adapter.Store` without a database."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.quarantined: list[tuple[str, str]] = []

    async def get(self, key: str) -> Any:
        return self.values.get(key)

    async def put(self, key: str, value: Any) -> None:
        if value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = value

    async def quarantine(self, raw: str, error: str) -> None:
        self.quarantined.append((raw, error))


class Harness(Protocol):
    """A running adapter and its pretend platform with the people alice and bob and the group "group"."""

    adapter: Adapter
    script: Script
    store: MemoryStore
    text_limit: int

    async def say(self, who: str, text: str, *, group: bool = False) -> None:
        """A person (alice, bob) writes; on Discord this is the slash command of the first word if it is one."""

    async def show(self, who: str, file: bytes, media_type: str = "image/jpeg") -> None:
        """A person sends the bot a file in private, as this platform's app sends one of that kind."""

    async def press(self, who: str, label: str) -> None:
        """A person presses the newest button with this label (on WeChat: answers with its number)."""

    async def seen(self, who: str, count: int, *, group: bool = False) -> list[Seen]:
        """Wait (bounded) until the person (or the group) has seen `count` messages in all, and return them."""

    def address(self, who: str) -> str:
        """The chat id for `Address(platform, chat)` of the person's private chat."""

    async def fail_next(self, failure: Failure) -> None:
        """The platform refuses the next message to anyone in this way."""

    eventually: Callable[[Callable[[], Any]], Awaitable[Any]]
    """Wait (bounded) until the function returns something true."""
