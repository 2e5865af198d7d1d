"""What the gateway tells, in our words: raw events, and the messages of people. Pure functions only."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bots.command import Menu
from bots.message import Address, Person, Place, Pressed, Said
from bots.wechat.encode import MENTION_END
from bots.wechat.transport import Contact, Message

PLATFORM = "wechat"
MEDIA_TYPES = {"image": "image/jpeg", "video": "video/mp4"}
"""What WeChat's kinds of files are; of any other file it says nothing."""


@dataclass(frozen=True, slots=True)
class MessageArrived:
    """A message; its content is fetched by id."""

    id: str


@dataclass(frozen=True, slots=True)
class RoomJoined:
    """People came into a room; who brought them and when is often missing."""

    room: str
    people: tuple[str, ...]
    inviter: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class RoomLeft:
    """People left a room or were removed."""

    room: str
    people: tuple[str, ...]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class TopicChanged:
    """A room has a new name."""

    room: str
    topic: str


@dataclass(frozen=True, slots=True)
class FriendshipChanged:
    """Somebody asks to be a friend, became one, or refuses us."""

    id: str


@dataclass(frozen=True, slots=True)
class Invited:
    """The account is asked into a room."""

    id: str


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The account is usable; `account` is its own contact id."""

    account: str


@dataclass(frozen=True, slots=True)
class NotLoggedIn:
    """The account cannot be used until somebody does what `todo` says."""

    todo: str


@dataclass(frozen=True, slots=True)
class GatewayTrouble:
    """The gateway reports an error of its own."""

    detail: str


Event = (
    MessageArrived
    | RoomJoined
    | RoomLeft
    | TopicChanged
    | FriendshipChanged
    | Invited
    | LoggedIn
    | NotLoggedIn
    | GatewayTrouble
)

CANCELLED, WAITING, TIMED_OUT = 1, 2, 5
"""The states of a login code (`ScanStatus` of wechaty-puppet) in which somebody has to scan one."""

LOG_IN = "log in at the gateway with the phone of the account"


def event(kind: int, payload: str) -> Event | None:
    """Read one raw event; None if it concerns nobody (heartbeat, dong, ready, …).

    Numbers and keys: wechaty's `event.proto` and the payloads of `wechaty-puppet`. Raises ValueError, KeyError or
    TypeError if it cannot be read.
    """
    reader = _READERS.get(kind)
    if reader is None:
        return None
    data = json.loads(payload or "{}")
    if not isinstance(data, dict):
        raise TypeError(f"the payload is not an object: {payload[:80]}")
    return reader(data)


def _trouble(data: dict[str, Any]) -> Event:
    return GatewayTrouble(str(data.get("data") or data.get("gerror") or data.get("message") or data))


def _scan(data: dict[str, Any]) -> Event | None:
    if data["status"] not in (CANCELLED, WAITING, TIMED_OUT):
        return None  # scanned or confirmed: the login follows
    qrcode = data.get("qrcode")
    return NotLoggedIn(f"scan this code with the phone of the account: {qrcode}" if qrcode else LOG_IN)


def _logout(data: dict[str, Any]) -> Event:
    return NotLoggedIn(f"logged out ({data.get('data') or 'no reason given'}): {LOG_IN}")


_READERS: dict[int, Callable[[dict[str, Any]], Event | None]] = {
    2: lambda data: MessageArrived(_id(data, "messageId")),
    16: _trouble,
    17: lambda data: FriendshipChanged(_id(data, "friendshipId")),
    18: lambda data: Invited(_id(data, "roomInvitationId")),
    19: lambda data: RoomJoined(
        _id(data, "roomId"), _ids(data, "inviteeIdList"), _text(data, "inviterId"), moment(data.get("timestamp"))
    ),
    20: lambda data: RoomLeft(_id(data, "roomId"), _ids(data, "removeeIdList"), moment(data.get("timestamp"))),
    21: lambda data: TopicChanged(_id(data, "roomId"), str(data.get("newTopic") or "")),
    22: _scan,
    25: lambda data: LoggedIn(_id(data, "contactId")),
    26: _logout,
}


def _id(data: Mapping[str, Any], key: str) -> str:
    value = data[key]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} is {value!r}")
    return value


def _text(data: Mapping[str, Any], key: str) -> str | None:
    value = data.get(key)
    return value if isinstance(value, str) and value else None


def _ids(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = data.get(key) or []
    if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
        raise ValueError(f"{key} is {values!r}")
    return tuple(values)


def moment(milliseconds: object) -> datetime | None:
    """A time stamp of the gateway (milliseconds since 1970), or None if it is missing or absurd."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float) or milliseconds <= 0:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def person(contact: Contact) -> Person:
    """A contact as a person; one whose name is not known goes by the id."""
    return Person(contact.id, contact.name or contact.id, contact.handle)


def private_place(account: str) -> Place:
    """The private chat with somebody."""
    return Place(Address(PLATFORM, account))


def room_place(room: str, topic: str) -> Place:
    """A room."""
    return Place(Address(PLATFORM, room), group=room, title=topic)


_CODE = re.compile(r"邀请码\s*[:：]?\s*\S+|(?:invite\s+)?code(?:\s*[:：]|\s)\s*(?=\S*\d)\S{4,}", re.I)
_QUOTE = re.compile("\\A「.*」\n(?:- ?){5,}\n", re.S)
"""How WeChat writes the message somebody answers to above the answer."""

_JOINERS = {"\u200d", "\ufe0f", "\u20e3"}
_NUMBER = re.compile(r"\(?([0-9]{1,3})[.,)、。]?")


@dataclass(frozen=True, slots=True)
class Me:
    """The bot itself in one chat: its contact id and what it is called there."""

    account: str
    names: tuple[str, ...] = ()


def heard(
    message: Message, person: Person, place: Place, me: Me, menu: Menu, offer: Mapping[str, str]
) -> Said | Pressed | None:
    """What a person's text means: a pressed button, something said to the bot, or (in a room) nothing to us.

    offer: number → action of the buttons last shown to the person in this chat.
    """
    text, mentioned = addressed(message, me)
    chosen = number(text)
    if chosen is not None and chosen in offer:
        return Pressed(person, place, offer[chosen], key=message.id)
    if message.room and not mentioned and not for_us(text, menu):
        return None
    if not text and not mentioned:
        return None
    # whoever only calls the bot by its name wants to know what it can do
    return Said(person, place, text or "/help", key=message.id)


def addressed(message: Message, me: Me) -> tuple[str, bool]:
    """A message without what it quotes and without the call of the bot (`@name `), and whether it was called."""
    text = _QUOTE.sub("", message.text).strip()
    if not message.room:
        return text, False
    for name in sorted(filter(None, me.names), key=len, reverse=True):
        call = f"@{name}"
        at = text.find(call)
        after = text[at + len(call) : at + len(call) + 1]
        if at >= 0 and (not after or after.isspace() or after == MENTION_END):
            return f"{text[:at]} {text[at + len(call) :]}".strip(), True
    if me.account in message.mentions:
        return re.sub(r"^@[^\s\u2005]*[\s\u2005]*", "", text), True
    return text, False


def for_us(text: str, menu: Menu) -> bool:
    """Whether words in a room are meant for the bot: a command, one of its words, or an invite code."""
    if text.startswith(("/", "／")) or _CODE.fullmatch(text):
        return True
    first, *rest = text.casefold().split() or [""]
    for command in menu.commands:
        if first in (command.name.casefold(), *(alias.casefold() for alias in command.aliases)):
            return not rest or (command.argument is not None and len(rest) == 1)
    return False


def number(text: str) -> str | None:
    """The number a person answered with (`1`, `１`, `1.`, `①`, `⑴`, `1️⃣`), or None if it is anything else."""
    bare = "".join(char for char in text.strip() if char not in _JOINERS)
    found = _NUMBER.fullmatch(unicodedata.normalize("NFKC", bare).strip())
    return str(int(found[1])) if found else None
