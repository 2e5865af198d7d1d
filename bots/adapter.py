"""The port of a platform: what every adapter does, and how it says that it could not."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from bots.message import Address, Incoming, Reply

log = logging.getLogger(__name__)

OnIncoming = Callable[[Incoming], Awaitable[Sequence[Reply]]]
"""Hears what a person did; the replies it returns are delivered by the adapter, in place and in order."""


class Capability(StrEnum):
    """Optional abilities; an adapter lists those it has in `capabilities` and then has the protocol's methods."""

    INVITE_LINKS = "invite_links"  # MakesInvites
    ROLES = "roles"  # GrantsRoles
    ADMIN_CHECK = "admin_check"  # ChecksAdmins
    PICTURE_FORMS = "picture_forms"  # a field of a form can take a picture
    PRIVATE_IN_GROUP = "private_in_group"  # a private reply can be shown inside the group
    DIAGNOSE = "diagnose"  # Diagnoses
    JOIN_GATE = "join_gate"  # KeepsGate
    GIFTS = "gifts"  # SendsGifts
    TAGS = "tags"  # SetsTags
    PREMIUM = "premium"  # GivesPremium
    POSTS = "posts"  # Posts
    PINS = "pins"  # Pins
    APPS = "apps"  # a button can open a page of ours inside the platform, which says there who the person is


@runtime_checkable
class MakesInvites(Protocol):
    """Has invites of its own for each member."""

    async def make_invite(self, group: str, name: str) -> str:
        """A new invite into the group, shown to its admins under `name`. Raises `SendError`."""


@runtime_checkable
class GrantsRoles(Protocol):
    """Has roles (badges) in a group that a bot can give."""

    async def grant_role(self, group: str, account: str, role: str) -> None:
        """Give a member the role; a repeat changes nothing. Raises `SendError`."""

    async def revoke_role(self, group: str, account: str, role: str) -> None:
        """Take it from them; nothing happens if they have left or do not have it. Raises `SendError`."""


@runtime_checkable
class ChecksAdmins(Protocol):
    """Knows who the group's admins are."""

    async def is_admin(self, group: str, account: str) -> bool:
        """Whether the platform calls this account an admin of the group now."""


@runtime_checkable
class Diagnoses(Protocol):
    """Can say what is missing."""

    async def diagnose(self, group: str) -> list[str]:
        """The rights the bot lacks in the group. Raises `SendError` if it is not there."""


@runtime_checkable
class KeepsGate(Protocol):
    """Hears requests to join, and decides."""

    async def approve(self, group: str, account: str) -> None:
        """Let them in. Raises `SendError`."""

    async def decline(self, group: str, account: str) -> None:
        """Refuse them. Raises `SendError`."""


@dataclass(frozen=True, slots=True)
class Gift:
    """A gift the platform sells: its price is in whole units of the platform's own money (Stars)."""

    id: str
    price: int


@dataclass(frozen=True, slots=True)
class GiftSent:
    """One gift the bot has paid for, as the platform's own account of its money has it; `id` is the platform's."""

    id: str
    account: str
    gift: str
    price: int
    at: datetime


@runtime_checkable
class SendsGifts(Protocol):
    """Can give people gifts out of the bot's own balance. The platform does not recognise a repeat: it pays again."""

    async def gifts(self) -> list[Gift]:
        """The gifts anybody can be sent now, cheapest first. Raises `SendError`."""

    async def send_gift(self, account: str, gift: str, text: str) -> None:
        """Send one gift with a few words. Raises `SendError`: if permanent, nothing was sent and nothing paid;
        otherwise it may have been sent."""

    async def gifts_sent(self, since: datetime) -> list[GiftSent]:
        """The gifts paid for since then, oldest first. Raises `SendError`."""


@runtime_checkable
class SetsTags(Protocol):
    """Shows a few words beside a member's name in a group."""

    async def set_tag(self, group: str, account: str, tag: str) -> None:
        """Show this tag; an empty one takes it away. A repeat changes nothing. Raises `SendError`."""


@dataclass(frozen=True, slots=True)
class PremiumGiven:
    """A subscription the bot has paid for; `id` is the platform's, `price` in its own money."""

    id: str
    account: str
    months: int
    price: int
    at: datetime


@runtime_checkable
class GivesPremium(Protocol):
    """Can pay for somebody's subscription to the platform. The platform does not recognise a repeat: it pays again."""

    async def give_premium(self, account: str, months: int, price: int, text: str) -> None:
        """Give so many months for this price out of the bot's balance. Raises `SendError`: if permanent, nothing was
        given; otherwise it may have been."""

    async def premium_given(self, since: datetime) -> list[PremiumGiven]:
        """The subscriptions paid for since then, oldest first. Raises `SendError`."""


@runtime_checkable
class Posts(Protocol):
    """Can speak to a whole group unasked."""

    async def post(self, group: str, reply: Reply, *, key: str, again: bool = False) -> str:
        """Post in a group, where the platform lets us; the platform's id of the message, empty if it gives none.

        `key` names the post, so that a repeat can be recognised where the platform can. `again`: it was asked for
        before and may be there, so where it cannot be recognised at least nobody is alarmed twice. Raises `NotThere`
        if the bot is not in the group, else `SendError`.
        """


@runtime_checkable
class Pins(Protocol):
    """Can keep a message in sight of a group."""

    async def pin(self, group: str, message: str) -> None:
        """Pin what `post` returned; a repeat changes nothing. Raises as `post`."""

    async def unpin(self, group: str, message: str) -> None:
        """Take the pin down; nothing happens if it is down. Raises as `post`."""


ABILITIES: dict[Capability, type] = {
    Capability.INVITE_LINKS: MakesInvites,
    Capability.ROLES: GrantsRoles,
    Capability.ADMIN_CHECK: ChecksAdmins,
    Capability.DIAGNOSE: Diagnoses,
    Capability.JOIN_GATE: KeepsGate,
    Capability.GIFTS: SendsGifts,
    Capability.TAGS: SetsTags,
    Capability.PREMIUM: GivesPremium,
    Capability.POSTS: Posts,
    Capability.PINS: Pins,
}
"""The methods behind a capability; an adapter has either both or neither (the conformance test holds it)."""


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


class NotThere(SendError):
    """The bot is not in the group any more. Permanent until somebody adds it again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, permanent=True)


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


INTRODUCTION = "introduction"
"""The key under which an adapter's notes say who the bot is on its platform."""


async def introduce(store: Store, name: str, url: str | None = None) -> None:
    """Note what the bot is called and the link that adds it to a group, for whoever is to add it. Nothing else depends
    on it, so a failure is only logged."""
    try:
        await store.put(INTRODUCTION, {"name": name, "url": url})
    except Exception as error:
        log.warning("what the bot is called could not be noted: %r", error)
