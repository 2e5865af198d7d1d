"""The words every platform shares: what a person did (`Incoming`) and what we answer (`Reply`).

Text is written once in a small markdown subset (bold, italic, code, links, bullet lists, line breaks) and
rendered per platform by its `encode`; see `bots.markup`. Nothing here knows a platform.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

ACTION_BYTES = 64
"""A button's action must fit Telegram's callback data, the tightest of the platforms."""


@dataclass(frozen=True, slots=True)
class Button:
    """One button. Exactly one of `action` (≤ 64 bytes, survives restarts), `url` and `copy` is set.

    `choice`: one of several answers to a question; many of them may be drawn as a menu. `app`: the `url` is a page of
    ours that opens inside the platform; only where it has `Capability.APPS`, in private, and by https.
    """

    label: str
    action: str | None = None
    url: str | None = None
    copy: str | None = None
    choice: bool = False
    app: bool = False

    def __post_init__(self) -> None:
        if sum(part is not None for part in (self.action, self.url, self.copy)) != 1:
            raise ValueError("a button has exactly one of action, url and copy")
        if self.action is not None and len(self.action.encode()) > ACTION_BYTES:
            raise ValueError(f"action {self.action!r} is longer than {ACTION_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class Image:
    """A picture drawn only when it is sent; `draw` runs in a thread, outside any transaction.

    With another media type than a picture's it is a file to be kept (a statement, a proof).
    """

    draw: Callable[[], bytes]
    filename: str
    alt: str
    media_type: str = "image/jpeg"

    @property
    def is_file(self) -> bool:
        """Whether it is sent as a file, and not shown."""
        return not self.media_type.startswith("image/")


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form. `name` comes back as the key of the person's answer; `value` stands in it already.

    `picture`: answered by a picture, on platforms whose forms take one (`Capability.PICTURE_FORMS`).
    """

    name: str
    label: str
    placeholder: str = ""
    multiline: bool = False
    max_length: int = 200
    value: str = ""
    required: bool = True
    picture: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """Questions asked at once where the platform has forms (Discord modals), else one by one by a dialog.

    The answers come back as `Submitted(action, answers)`. `button`: the label of a button that opens it, where it
    cannot be shown at once, or should not because the reply's buttons are answers too (not `at_once`).
    """

    title: str
    action: str
    fields: tuple[Field, ...]
    button: str = ""
    at_once: bool = True


@dataclass(frozen=True, slots=True)
class Reply:
    """One message of ours.

    `private`: in a group, only the person may see it. Where the platform cannot do that, `brief` is said in
    the group instead. `edit`: replaces the message whose button was pressed where the platform can.
    """

    text: str
    buttons: tuple[tuple[Button, ...], ...] = ()
    image: Image | None = None
    private: bool = False
    brief: str = ""
    edit: bool = False
    form: Form | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes: a chat of a platform. `chat` of a person is their private chat."""

    platform: str
    chat: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who did it, as the platform names them. `account` is the platform's stable user id."""

    account: str
    name: str
    handle: str | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where it happened. `group` is the community's platform id (chat, guild, room), None in private."""

    address: Address
    group: str | None = None
    title: str = ""


PICTURE_BYTES = 10 * 1024 * 1024
"""No more of a picture than this is taken from a platform."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that somebody sent. `media_type` and `size` (bytes) are as the platform says them, "" and None if it does
    not; `fetch` brings at most `PICTURE_BYTES`, raising `BadInput("picture_too_large")` or `SendError`."""

    media_type: str
    size: int | None
    fetch: Callable[[], Awaitable[bytes]] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """Text or a command. `command`/`argument` are filled when the platform itself parsed it (slash commands).

    `picture`: what was sent with it that may be a picture; then `text` may be empty.
    """

    person: Person
    place: Place
    text: str
    command: str | None = None
    argument: str = ""
    key: str | None = None
    picture: Attachment | None = None


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button with an action was pressed."""

    person: Person
    place: Place
    action: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """A form came back. `pictures`: what was sent in its fields for pictures; their `answers` are empty."""

    person: Person
    place: Place
    action: str
    answers: dict[str, str]
    key: str | None = None
    pictures: dict[str, Attachment] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody became a member of a group.

    `invite`: the platform's own invite (link or code) the person used, if the platform said so for certain.
    `inviter`: the platform account that added them, as a hint. `candidates`: invites that may have been used
    when it is ambiguous. `certainty`: one of `CERTAINTIES`, stored with the referral.
    """

    person: Person
    place: Place
    at: datetime
    invite: str | None = None
    inviter: str | None = None
    candidates: tuple[str, ...] = ()
    certainty: str = "unknown"


@dataclass(frozen=True, slots=True)
class JoinRequested:
    """Somebody asks to be let into a group (an optional gate before `Joined`)."""

    person: Person
    place: Place
    at: datetime
    invite: str | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """Somebody left a group or was removed."""

    person: Person
    place: Place
    at: datetime


@dataclass(frozen=True, slots=True)
class Present:
    """A reading of who is in a group now (`complete`: everyone), for reconciling after a gap."""

    place: Place
    people: tuple[Person, ...]
    at: datetime
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Reachable:
    """A person blocked the bot (`reachable=False`) or let it speak again."""

    person: Person
    place: Place
    reachable: bool


@dataclass(frozen=True, slots=True)
class BotPlaced:
    """The bot itself was added to (`present`) or removed from a group; `missing` names rights it lacks."""

    place: Place
    present: bool
    by: Person | None = None
    missing: tuple[str, ...] = field(default=())


Incoming = Said | Pressed | Submitted | Joined | JoinRequested | Left | Present | Reachable | BotPlaced

CERTAINTIES = ("code", "invite", "single_use", "counter", "search", "inviter_hint", "ambiguous", "unknown")
"""How a join was matched to an inviter, most certain first (`inviter_hint` and below never pay by themselves)."""
