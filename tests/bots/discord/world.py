"""The pretend Discord itself: people, guilds, invites and messages.

Everything a test does as a person or an administrator is a method here; everything the bot did is in
`messages`, `interactions` and `calls`. `rest` and `gateway` show it to the client.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from tests.bots.discord.gateway import Gateway
from tests.bots.discord.payloads import (
    APP,
    BOT,
    Guild,
    Interaction,
    Invite,
    Membership,
    Message,
    User,
)

TOKEN = "pretend-token"
EVERYTHING = (1 << 5) | (1 << 4) | (1 << 0) | (1 << 28) | (1 << 10) | (1 << 11) | (1 << 15) | (1 << 51)
GUILD = "700"


@dataclass
class Call:
    """One REST request."""

    method: str
    path: str
    body: Any = None
    reason: str = ""


@dataclass
class Refusal:
    """How the next sending of a message is refused."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1


RATE_LIMITED = Refusal(429, {"message": "slow down", "retry_after": 7.5}, {"Retry-After": "7.5"})
CLOSED_TO_US = Refusal(403, {"code": 50007, "message": "Cannot send messages to this user"})
OUT_OF_ORDER = Refusal(503)


class World:
    """All there is."""

    def __init__(self) -> None:
        self.ids = count(1_000_000)
        self.bot = User(BOT, "daixin", bot=True)
        self.users = {BOT: self.bot, "1": User("1", "alice", "Alice"), "2": User("2", "bob", "Bob")}
        self.clock = datetime(2026, 1, 1, tzinfo=UTC)
        self.guilds: dict[str, Guild] = {}
        self.add_guild(GUILD, "Tea house")
        self.calls: list[Call] = []
        self.files: dict[str, bytes] = {}
        self.commands: list[dict[str, Any]] = []
        self.messages: list[Message] = []
        self.interactions: dict[str, Interaction] = {}
        self.refusals: deque[Refusal] = deque()
        self.charset = ""  # what a meddling proxy adds to the content type
        self.index_builds = 0  # how many searches find no index yet
        self.may_not_pin = False
        self.broken: dict[str, Refusal] = {}  # path prefix → refusal of any request
        self.before_answer: Callable[[Call], Awaitable[None]] | None = None
        self.port = 0
        self.gateway = Gateway(TOKEN, self.bot, self.guilds, lambda: self.gateway_url)

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v10"

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/gateway"

    def next_id(self) -> str:
        return str(next(self.ids))

    def tick(self) -> datetime:
        """Discord's clock, a second further on each look."""
        self.clock += timedelta(seconds=1)
        return self.clock

    # ---- the world

    def add_guild(self, id: str, name: str, *, permissions: int = EVERYTHING) -> Guild:
        guild = Guild(id, name, owner="1", channels=[f"{id}1"])
        guild.roles = {id: ("@everyone", 0), "801": ("bot", permissions), "802": ("admin", 1 << 5), "803": ("gold", 0)}
        guild.members[BOT] = Membership(self.bot, self.tick(), ["801"])
        guild.members["1"] = Membership(self.users["1"], self.tick(), [])
        guild.members["2"] = Membership(self.users["2"], self.tick(), ["802"])
        self.guilds[id] = guild
        return guild

    def user(self, name: str) -> User:
        """The user of this name, made when there is none."""
        for user in self.users.values():
            if user.username == name:
                return user
        user = User(self.next_id(), name, name.capitalize())
        self.users[user.id] = user
        return user

    def invite(self, code: str, *, max_uses: int = 0, guild: str = GUILD) -> Invite:
        """An invite that is there, without any event."""
        invite = Invite(code, self.guilds[guild].channels[0], "1", max_uses=max_uses)
        self.guilds[guild].invites[code] = invite
        return invite

    async def join(self, name: str, code: str | None = None, *, guild: str = GUILD, silent: bool = False) -> User:
        """Somebody joins, by an invite or (None) in a way that no counter shows. `silent`: without events."""
        user = self.user(name)
        place = self.guilds[guild]
        place.members[user.id] = Membership(user, self.tick(), source=code)
        gone = False
        if code is not None:
            invite = place.invites[code]
            invite.uses += 1
            gone = bool(invite.max_uses) and invite.uses >= invite.max_uses
            if gone:
                del place.invites[code]
        if not silent:
            await self.announce(name, guild=guild)
            if gone and code is not None:
                await self.tell_deleted(code, guild=guild)
        return user

    async def announce(self, name: str, *, guild: str = GUILD) -> None:
        """GUILD_MEMBER_ADD of somebody who is there."""
        member = self.guilds[guild].members[self.user(name).id]
        await self.gateway.emit("GUILD_MEMBER_ADD", {"guild_id": guild, **member.json()}, guild)

    async def leave(self, name: str, *, guild: str = GUILD, silent: bool = False) -> None:
        user = self.user(name)
        self.guilds[guild].members.pop(user.id, None)
        if not silent:
            await self.gateway.emit("GUILD_MEMBER_REMOVE", {"guild_id": guild, "user": user.json()}, guild)

    async def tell_created(self, code: str, *, guild: str = GUILD) -> None:
        invite = self.guilds[guild].invites[code]
        data = {"code": code, "channel_id": invite.channel, "guild_id": guild, "max_uses": invite.max_uses, "uses": 0}
        await self.gateway.emit("INVITE_CREATE", data, guild)

    async def tell_deleted(self, code: str, *, guild: str = GUILD) -> None:
        data = {"code": code, "channel_id": self.guilds[guild].channels[0], "guild_id": guild}
        await self.gateway.emit("INVITE_DELETE", data, guild)

    # ---- what people do

    async def show(self, name: str, file: bytes, media_type: str, *, host: str = "") -> None:
        """A file in private, kept by the CDN; `host`: pretend that it lies elsewhere."""
        await self.write(name, "", self.attachment(self.next_id(), file, media_type, host))

    def attachment(self, number: str, file: bytes, media_type: str, host: str = "") -> dict[str, Any]:
        """A file somebody uploaded, as messages and interactions name it."""
        self.files[number] = file
        url = f"{host or self.api_url.removesuffix('/api/v10')}/attachments/{number}"
        described = {"id": number, "filename": "file", "size": len(file), "content_type": media_type}
        return described | {"url": url, "proxy_url": url}

    async def write(self, name: str, text: str, *attachments: dict[str, Any]) -> None:
        """A private text to the bot."""
        user = self.user(name)
        data = {
            "id": self.next_id(),
            "channel_id": dm_channel(user.id),
            "author": user.json(),
            "content": text,
            "type": 0,
            "timestamp": self.tick().isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "attachments": list(attachments),
            "embeds": [],
            "pinned": False,
        }
        await self.gateway.emit("MESSAGE_CREATE", data)

    async def slash(self, name: str, command: str, argument: str = "", *, guild: str | None = None) -> Interaction:
        """A slash command, in a guild or in private."""
        data: dict[str, Any] = {"id": "1", "name": command, "type": 1}
        if argument:
            data["options"] = [{"type": 3, "name": "text", "value": argument}]
        return await self._interact(2, name, guild, data)

    async def press(self, name: str, message: Message, label: str, *, guild: str | None = None) -> Interaction:
        """A press on a button of a message."""
        custom_id = next(b["custom_id"] for b in buttons(message) if b.get("label") == label and "custom_id" in b)
        return await self._interact(3, name, guild, {"custom_id": custom_id, "component_type": 2}, message)

    async def upload(self, interaction: Interaction, name: str, file: bytes | None, media_type: str) -> Interaction:
        """A modal with one field for a file is sent, with a file in it or without."""
        assert interaction.modal is not None, "no modal was shown"
        [label] = [part for part in interaction.modal["components"] if part["type"] == 18]
        assert (label["component"]["type"], label["component"]["custom_id"]) == (19, name)
        attachments = {} if file is None else {(number := self.next_id()): self.attachment(number, file, media_type)}
        parts = [{"type": 18, "component": {"type": 19, "custom_id": name, "values": list(attachments)}}]
        data = {"custom_id": interaction.modal["custom_id"], "components": parts}
        data |= {"resolved": {"attachments": attachments}}
        return await self._interact(5, interaction.user.username, interaction.guild, data, interaction.message)

    def newest(self, name: str) -> Interaction:
        """What somebody did last."""
        return [made for made in self.interactions.values() if made.user.username == name][-1]

    async def pick(self, name: str, message: Message, label: str, *, guild: str | None = None) -> Interaction:
        """A choice from a menu of a message."""
        menu = next(part for part in buttons(message) if part["type"] == 3)
        value = next(option["value"] for option in menu["options"] if option["label"] == label)
        data = {"custom_id": menu["custom_id"], "component_type": 3, "values": [value]}
        return await self._interact(3, name, guild, data, message)

    async def submit(self, interaction: Interaction, answers: dict[str, str]) -> Interaction:
        """A modal is filled in and sent."""
        assert interaction.modal is not None, "no modal was shown"
        parts = [
            {"type": 18, "component": {"type": 4, "custom_id": name, "value": text}} for name, text in answers.items()
        ]
        data = {"custom_id": interaction.modal["custom_id"], "components": parts}
        return await self._interact(5, interaction.user.username, interaction.guild, data, interaction.message)

    async def _interact(
        self, kind: int, name: str, guild: str | None, data: dict[str, Any], message: Message | None = None
    ) -> Interaction:
        user = self.user(name)
        made = Interaction(self.next_id(), f"token-{self.next_id()}", user, guild, message)
        self.interactions[made.token] = made
        payload: dict[str, Any] = {
            "id": made.id,
            "application_id": APP,
            "type": kind,
            "token": made.token,
            "version": 1,
            "locale": user.locale,
            "data": data,
            "attachment_size_limit": 10_000_000,
            "entitlements": [],
            "authorizing_integration_owners": {},
            "channel": {"id": self.channel_of(made), "type": 0 if guild else 1},
            "channel_id": self.channel_of(made),
        }
        if message is not None:
            payload["message"] = message.json()
        if guild:
            payload["guild_id"] = guild
            member = self.guilds[guild].members.get(user.id) or Membership(user, self.clock)
            payload["member"] = {**member.json(), "permissions": "0"}
        else:
            payload["user"] = user.json()
        await self.gateway.emit("INTERACTION_CREATE", payload, guild)
        return made

    def channel_of(self, interaction: Interaction) -> str:
        if interaction.guild:
            return self.guilds[interaction.guild].channels[0]
        return dm_channel(interaction.user.id)

    # ---- what people see

    def private_messages(self, name: str) -> list[Message]:
        """What only this person sees: the private chat, and ephemeral answers in guilds."""
        user = self.user(name)
        return [m for m in self._shown() if m.channel == dm_channel(user.id) or m.sees == user.id]

    def public_messages(self, guild: str = GUILD) -> list[Message]:
        """What everybody in the guild sees."""
        channels = self.guilds[guild].channels
        return [m for m in self._shown() if m.channel in channels and m.sees is None]

    def _shown(self) -> list[Message]:
        return [m for m in self.messages if not m.deleted and not m.thinking]

    def called(self, method: str, part: str) -> list[Call]:
        return [call for call in self.calls if call.method == method and part in call.path]


def dm_channel(user: str) -> str:
    """The id of the private channel with a user."""
    return f"88{user}"


def buttons(message: Message) -> list[dict[str, Any]]:
    return [button for row in message.components for button in row.get("components", [])]
