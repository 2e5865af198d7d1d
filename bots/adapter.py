"""The port of a platform: what every adapter does, and how it says that it could not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from bots.message import Address, Incoming, Reply

OnIncoming = Callable[[Incoming], Awaitable[Sequence[Reply]]]
"""Hears what a person did; the replies it returns are delivered by the adapter, in place and in order."""


class Capability(StrEnum):
    """Optional abilities; an adapter lists those it has in `capabilities` and then has the method."""

    INVITE_LINKS = "invite_links"  # async make_invite(group: str, name: str) -> str
    ROLES = "roles"  # async grant_role(group: str, account: str, role: str) -> None, revoke_role(...)
    ADMIN_CHECK = "admin_check"  # async is_admin(group: str, account: str) -> bool
    PRIVATE_IN_GROUP = "private_in_group"  # a private reply can be shown inside the group
    DIAGNOSE = "diagnose"  # async diagnose(group: str) -> list[str]: rights the bot lacks there
    JOIN_GATE = "join_gate"  # async approve(group: str, account: str) -> None, decline(...)


class SendError(Exception):
    """A message could not be sent.

    permanent: trying again is useless (blocked, gone, refused). retry_after: seconds to wait, if the platform
    said so. Neither means: try again with backoff; it may have been sent already.
    """

    def __init__(self, reason: str, *, permanent: bool = False, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after


@dataclass(slots=True)
class Status:
    """What an adapter shows in `/healthz`: `state` is one of starting, ready, degraded, down."""

    state: str = "starting"
    detail: str = ""


class Adapter(Protocol):
    """One platform. `run` returns or raises when the connection is lost for good; it is supervised outside."""

    platform: str
    capabilities: frozenset[Capability]
    status: Status

    async def run(self, on_incoming: OnIncoming) -> None:
        """Connect, hear people and deliver the replies until cancelled or closed."""

    async def send(self, address: Address, reply: Reply) -> None:
        """Send one message outside a conversation. Raises `SendError`."""

    async def close(self) -> None:
        """Stop hearing, finish what was accepted, disconnect."""


class Store(Protocol):
    """What an adapter must remember over restarts (last readings, offered numbers), kept in the database."""

    async def get(self, key: str) -> Any:
        """The JSON value last put under `key`, or None."""

    async def put(self, key: str, value: Any) -> None:
        """Keep a JSON value; None forgets it."""

    async def quarantine(self, raw: str, error: str) -> None:
        """Record an incoming event that could not be read, so that it can be looked at; never raises."""
