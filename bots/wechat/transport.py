"""The wire to a WeChat account, as the adapter needs it: a handful of calls and a stream of raw events.

`connection.py` is the one over a wechaty gateway. Another road to WeChat (WeCom, an Official Account) is another
object with these methods.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol


class CallFailed(Exception):
    """A call was refused, got no answer, or the connection is gone.

    status: the gRPC status name, or TIMEOUT (no answer in time), DISCONNECTED (the wire broke during the call; both
        may have been carried out), NOT_CONNECTED (it was never sent).
    """

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Message:
    """A message by id. `room` is empty in private; `text` is empty unless it is a text message. `file` says what kind
    of file it is: "image", "video", "file", or nothing."""

    id: str
    sender: str
    room: str
    text: str
    mentions: tuple[str, ...] = ()
    file: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody known to the account. `handle` is the WeChat id people choose, if shown; `official` is no person."""

    id: str
    name: str
    friend: bool
    handle: str | None = None
    official: bool = False


@dataclass(frozen=True, slots=True)
class RoomMember:
    """A person in a room: the name they use there and who added them, where WeChat says so."""

    name: str
    inviter: str | None = None


@dataclass(frozen=True, slots=True)
class Friendship:
    """A friend request or its outcome. `kind` is one of request, confirmed, refused."""

    id: str
    contact: str
    hello: str
    kind: str


RawEvent = tuple[int, str]
"""Type number and JSON payload, untouched, so that what cannot be read can be kept as it came."""


class Transport(Protocol):
    """One connection to one account. Every call raises `CallFailed` and is bounded in time."""

    async def open(self) -> None:
        """Connect and start the account, without logging it out or in."""

    def events(self) -> AsyncIterator[RawEvent]:
        """Events until the connection ends."""

    async def close(self) -> None:
        """Disconnect; the account stays logged in."""

    async def say(self, chat: str, text: str, mentions: Sequence[str] = ()) -> None:
        """Send a text to a contact or room."""

    async def show(self, chat: str, data: bytes, filename: str) -> None:
        """Send a picture to a contact or room."""

    async def message(self, id: str) -> Message: ...

    async def download(self, id: str, limit: int) -> bytes | None:
        """The file of a message; None if it has more than `limit` bytes."""

    async def contact(self, id: str) -> Contact: ...

    async def rooms(self) -> list[str]: ...

    async def topic(self, room: str) -> str: ...

    async def members(self, room: str) -> list[str]: ...

    async def owners(self, room: str) -> list[str]:
        """Who owns and who administers a room; empty where the gateway does not tell."""

    async def member(self, room: str, contact: str) -> RoomMember: ...

    async def friendship(self, id: str) -> Friendship: ...

    async def befriend(self, friendship: str) -> None: ...

    async def enter(self, invitation: str) -> None: ...
