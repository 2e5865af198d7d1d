"""Shapes of Discord's objects, with the fields discord.py demands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

APP = "900"
BOT = "900"


@dataclass
class User:
    """A person (or bot) of the pretend Discord."""

    id: str
    username: str
    name: str = ""
    bot: bool = False
    accepts_messages: bool = True
    locale: str = "en-US"

    def json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "username": self.username,
            "global_name": self.name or None,
            "discriminator": "0",
            "avatar": None,
            "bot": self.bot,
        }


@dataclass
class Membership:
    """A user in a guild."""

    user: User
    joined_at: datetime
    roles: list[str] = field(default_factory=list)
    source: str | None = None

    def json(self) -> dict[str, Any]:
        return {
            "user": self.user.json(),
            "roles": list(self.roles),
            "flags": 0,
            "joined_at": self.joined_at.isoformat(),
            "deaf": False,
            "mute": False,
        }


@dataclass
class Invite:
    """An invite of a guild."""

    code: str
    channel: str
    inviter: str
    uses: int = 0
    max_uses: int = 0
    max_age: int = 0
    reason: str = ""


@dataclass
class Guild:
    """A server: its channels are text channels, its first role is everybody's."""

    id: str
    name: str
    owner: str
    channels: list[str] = field(default_factory=lambda: ["501"])
    roles: dict[str, tuple[str, int]] = field(default_factory=dict)
    members: dict[str, Membership] = field(default_factory=dict)
    invites: dict[str, Invite] = field(default_factory=dict)
    invite_limit: int = 1000
    news: set[str] = field(default_factory=set)
    """Channels that are announcement channels."""
    closed: set[str] = field(default_factory=set)
    """Channels in which the bot may not write."""

    def json(self) -> dict[str, Any]:
        bot = self.members.get(BOT)
        return {
            "id": self.id,
            "name": self.name,
            "owner_id": self.owner,
            "member_count": len(self.members),
            "system_channel_id": self.channels[0] if self.channels else None,
            "roles": [role_json(role, name, permissions) for role, (name, permissions) in self.roles.items()],
            "channels": [
                channel_json(channel, number, news=channel in self.news, closed=channel in self.closed)
                for number, channel in enumerate(self.channels)
            ],
            "members": [bot.json()] if bot else [],
        }


@dataclass
class Message:
    """A message as it stands now. `sees`: the one person who sees it, None for everybody in the channel."""

    id: str
    channel: str
    content: str
    components: list[dict[str, Any]]
    sees: str | None = None
    image: bytes | None = None
    edited: bool = False
    mentions: Any = None
    deleted: bool = False
    thinking: bool = False
    pinned: bool = False
    nonce: str | None = None

    def json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "channel_id": self.channel,
            "author": {"id": BOT, "username": "daixin", "discriminator": "0", "avatar": None, "bot": True},
            "content": self.content,
            "type": 0,
            "timestamp": datetime.now(UTC).isoformat(),
            "edited_timestamp": None,
            "components": self.components,
            "attachments": [],
            "embeds": [],
            "mentions": [],
            "mention_roles": [],
            "mention_everyone": False,
            "pinned": self.pinned,
            "tts": False,
            "flags": 0,
        }


@dataclass
class Interaction:
    """A command used, a button pressed or a form sent, and what became of it."""

    id: str
    token: str
    user: User
    guild: str | None
    message: Message | None = None
    answer: int | None = None
    original: Message | None = None
    modal: dict[str, Any] | None = None
    refuse: int | None = None


def role_json(id: str, name: str, permissions: int) -> dict[str, Any]:
    return {"id": id, "name": name, "permissions": str(permissions), "position": 0, "color": 0, "hoist": False}


def channel_json(id: str, position: int, *, news: bool = False, closed: bool = False) -> dict[str, Any]:
    overwrites = [{"id": BOT, "type": 1, "allow": "0", "deny": str(1 << 11)}] if closed else []
    return {
        "id": id,
        "type": 5 if news else 0,
        "name": f"channel-{id}",
        "position": position,
        "permission_overwrites": overwrites,
    }


def invite_json(guild: Guild, invite: Invite) -> dict[str, Any]:
    return {
        "code": invite.code,
        "channel": {"id": invite.channel, "name": "general", "type": 0},
        "guild": {"id": guild.id, "name": guild.name},
        "inviter": {"id": invite.inviter, "username": "x", "discriminator": "0", "avatar": None},
        "uses": invite.uses,
        "max_uses": invite.max_uses,
        "max_age": invite.max_age,
        "temporary": False,
        "type": 0,
    }


def application_json(bot: User) -> dict[str, Any]:
    return {
        "id": APP,
        "name": "daixin",
        "description": "",
        "icon": None,
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "00",
        "owner": bot.json(),
        "flags": 0,
    }
