"""The discord.py client: which events we want, handed on to a listener."""

from __future__ import annotations

from typing import Any, Protocol, cast

import discord
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bots.discord.settings import DiscordSettings
from bots.discord.views import ActionButton, ChoiceMenu

MAX_RATELIMIT = 30.0
"""Seconds of a 429 the library waits out itself; longer ones become `SendError(retry_after=…)`."""


class Listener(Protocol):
    """Who hears the events."""

    async def logged_in(self, client: discord.Client) -> None: ...
    async def slash_used(self, interaction: discord.Interaction[Any]) -> None: ...
    async def modal_sent(self, interaction: discord.Interaction[Any]) -> None: ...
    async def button_pressed(self, interaction: discord.Interaction[Any], kind: str, action: str) -> None: ...
    async def private_text(self, message: discord.Message) -> None: ...
    def session_began(self) -> None: ...
    def connection_lost(self) -> None: ...
    def connection_back(self) -> None: ...
    async def guild_joined(self, guild: discord.Guild) -> None: ...
    def guild_away(self, guild: discord.Guild) -> None: ...
    def guild_back(self, guild: discord.Guild) -> None: ...
    async def guild_left(self, guild: discord.Guild) -> None: ...
    def member_joined(self, member: discord.Member) -> None: ...
    def member_left(self, guild: int, user: discord.abc.User) -> None: ...
    def invite_made(self, invite: discord.Invite) -> None: ...
    def invite_deleted(self, invite: discord.Invite) -> None: ...


class Events:
    """The events we hear, for a sharded and an unsharded client alike."""

    listener: Listener
    last_payload = ""
    """What the gateway said last: when it cannot be read, the client dies of it and this is kept as evidence."""

    async def setup_hook(self) -> None:
        await self.listener.logged_in(cast(discord.Client, self))

    async def button(self, interaction: discord.Interaction[Any], kind: str, action: str) -> None:
        """Called by `views.ActionButton`."""
        await self.listener.button_pressed(interaction, kind, action)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        if interaction.type is discord.InteractionType.application_command:
            await self.listener.slash_used(interaction)
        elif interaction.type is discord.InteractionType.modal_submit:
            await self.listener.modal_sent(interaction)

    async def on_message(self, message: discord.Message) -> None:
        if message.guild is None and not message.author.bot:
            await self.listener.private_text(message)

    async def on_connect(self) -> None:
        self.listener.session_began()

    async def on_disconnect(self) -> None:
        self.listener.connection_lost()

    async def on_ready(self) -> None:
        self.listener.connection_back()

    async def on_resumed(self) -> None:
        self.listener.connection_back()

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self.listener.guild_joined(guild)

    async def on_guild_available(self, guild: discord.Guild) -> None:
        self.listener.guild_back(guild)

    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        self.listener.guild_away(guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self.listener.guild_left(guild)

    async def on_member_join(self, member: discord.Member) -> None:
        self.listener.member_joined(member)

    async def on_raw_member_remove(self, event: discord.RawMemberRemoveEvent) -> None:
        self.listener.member_left(event.guild_id, event.user)

    async def on_invite_create(self, invite: discord.Invite) -> None:
        self.listener.invite_made(invite)

    async def on_invite_delete(self, invite: discord.Invite) -> None:
        self.listener.invite_deleted(invite)


class PlainClient(Events, discord.Client):
    """One connection."""

    through: URL | None = None

    async def on_connect(self) -> None:
        if self.through is not None:
            # Discord names another address for resuming, which would lead past a proxy.
            self.ws.gateway = self.through
        await super().on_connect()

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        if not _is_raw(self, event, args):
            super().dispatch(event, *args, **kwargs)


class ShardedClient(Events, discord.AutoShardedClient):
    """A connection per shard."""

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        if not _is_raw(self, event, args):
            super().dispatch(event, *args, **kwargs)


def make_client(settings: DiscordSettings, listener: Listener) -> PlainClient | ShardedClient:
    """A fresh client, which is made for every connection of ours: one that died cannot be trusted again.

    Members are not kept in the library's cache: it silently drops the join of somebody it still holds, so a
    leave missed while disconnected would make the return invisible.
    """
    if settings.api_url:
        Route.BASE = settings.api_url.rstrip("/")
    if settings.gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(settings.gateway_url)
    options: dict[str, Any] = {
        "intents": discord.Intents(guilds=True, members=True, invites=True, dm_messages=True),
        "member_cache_flags": discord.MemberCacheFlags.none(),
        "chunk_guilds_at_startup": False,
        "max_messages": None,
        "guild_ready_timeout": settings.guild_ready_timeout,
        "max_ratelimit_timeout": MAX_RATELIMIT,
        "enable_debug_events": True,
        "allowed_mentions": discord.AllowedMentions.none(),
    }
    client: PlainClient | ShardedClient
    if settings.shard_count is not None:
        if settings.shard_ids is not None:
            options["shard_ids"] = list(settings.shard_ids)
        client = ShardedClient(shard_count=settings.shard_count, **options)
    else:
        client = PlainClient(**options)
        client.through = URL(settings.gateway_url) if settings.gateway_url else None
    client.listener = listener
    client.add_dynamic_items(ActionButton, ChoiceMenu)
    return client


def _is_raw(client: Events, event: str, args: tuple[Any, ...]) -> bool:
    """Raw traffic is kept, not dispatched: incoming as evidence, outgoing never (it holds the token)."""
    if event == "socket_raw_receive":
        client.last_payload = str(args[0])
    return event in ("socket_raw_receive", "socket_raw_send")
