"""Discord as a platform: one supervised discord.py client, and what it hears handed to the core."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

import discord

from bots.adapter import Capability, NotThere, OnIncoming, SendError, Status, Store, introduce
from bots.command import Menu
from bots.discord import posting, rights
from bots.discord.answers import Answer
from bots.discord.client import PlainClient, ShardedClient, make_client
from bots.discord.decode import CHANNEL, PLATFORM, message_said, person, pressed, said, submitted
from bots.discord.faults import for_the_operator, is_unreadable
from bots.discord.guilds import GuildWatches
from bots.discord.invites import url
from bots.discord.menu import slash_commands
from bots.discord.search import Confirmations, search
from bots.discord.sending import FAILURES, forget_form, kept_form, post, post_patiently, refusal
from bots.discord.settings import DiscordSettings
from bots.message import Address, BotPlaced, Incoming, Joined, Reply

log = logging.getLogger(__name__)

CALM = 60.0
"""Seconds a client must have lived for its death to count as the first again."""
FINISH_WITHIN = 10.0
"""Seconds that `close` waits for what was accepted."""
LONGEST_BACKOFF = 120.0
"""Seconds; Discord allows 1,000 new sessions a day."""


class DiscordAdapter:
    """The adapter. `Address.chat` is a person's user id (their private chat), or `c:` and a channel's id.

    `api_url` and `gateway_url` of the settings hold for the whole process.
    """

    platform = PLATFORM
    capabilities = frozenset(
        {
            Capability.INVITE_LINKS,
            Capability.ROLES,
            Capability.ADMIN_CHECK,
            Capability.PRIVATE_IN_GROUP,
            Capability.PICTURE_FORMS,
            Capability.DIAGNOSE,
            Capability.POSTS,
            Capability.PINS,
        }
    )

    def __init__(self, settings: DiscordSettings, menu: Menu, store: Store, now: Callable[[], datetime]) -> None:
        self.status = Status()
        self._settings = settings
        self._menu = menu
        self._slow = {spec.name for spec in menu.commands if spec.slow}
        self._store = store
        self._now = now
        self._on_incoming: OnIncoming | None = None
        self._client: PlainClient | ShardedClient | None = None
        self._deaf = False
        self._closing = asyncio.Event()
        self._lost = asyncio.Event()
        self._back = asyncio.Event()
        self._inviting = asyncio.Lock()
        self._work: set[asyncio.Task[None]] = set()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._watches = GuildWatches(settings, store, now, self._guild, self._tell)
        self._confirmations = Confirmations(self._search, self._tell, settings.search_after)

    # ------------------------------------------------------------------ the port

    async def run(self, on_incoming: OnIncoming) -> None:
        """Connect and stay connected. Raises when only the operator can help (token, intents, shards)."""
        self._on_incoming = on_incoming
        pause = self._settings.backoff
        try:
            while not self._closing.is_set():
                began = asyncio.get_running_loop().time()
                error = await self._live()
                if error is None:
                    break
                if asyncio.get_running_loop().time() - began > CALM:
                    pause = self._settings.backoff
                await self._record(error)
                await self._rest(pause)
                pause = min(pause * 2, LONGEST_BACKOFF)
        finally:
            await self._watches.stop()
            await self._confirmations.stop()
            if self.status.state != "down":
                self.status = Status("down", "stopped")

    async def send(self, address: Address, reply: Reply) -> None:
        """Send one message outside a conversation. Raises `SendError`.

        A form cannot be opened unasked: it becomes a button that opens it.
        """
        client = self._connected()
        kind, number = (CHANNEL, address.chat[2:]) if address.chat.startswith(CHANNEL) else ("", address.chat)
        if not number.isdecimal():
            raise SendError(f"{address.chat!r} is no Discord chat", permanent=True)
        try:
            whose = discord.Object(int(number))
            chat = client.get_partial_messageable(whose.id) if kind else await client.create_dm(whose)
        except FAILURES as error:
            raise refusal(error) from error
        await post(chat, reply, self._store)

    async def close(self) -> None:
        """Hear nothing more, finish what was accepted (for a while), disconnect; `run` returns."""
        self._deaf = True
        if self._work:
            await asyncio.wait(set(self._work), timeout=FINISH_WITHIN)
        await self._watches.settled(FINISH_WITHIN)
        self._closing.set()

    # ------------------------------------------------------------------ abilities

    async def make_invite(self, group: str, name: str) -> str:
        """A lasting invite link of its own for one member. Raises `SendError`."""
        guild = self._guild_or_refuse(group)
        async with self._inviting:
            code = await rights.make_invite(guild, name, self._store)
        self._watches.invite_made(guild.id, code, 0)
        return url(code)

    async def grant_role(self, group: str, account: str, role: str) -> None:
        """Give a role, named by id or by name. Raises `SendError`."""
        await rights.change_role(self._connected(), self._guild_or_refuse(group), account, role, grant=True)

    async def revoke_role(self, group: str, account: str, role: str) -> None:
        """Take a role, named by id or by name. Raises `SendError`."""
        await rights.change_role(self._connected(), self._guild_or_refuse(group), account, role, grant=False)

    async def is_admin(self, group: str, account: str) -> bool:
        """Whether the person may manage the server. What cannot be found out is a no."""
        try:
            return await rights.manages(self._guild_or_refuse(group), account)
        except SendError as error:
            log.warning("the rights of a person in the server %s are not known: %s", group, error.reason)
            return False

    async def diagnose(self, group: str) -> list[str]:
        """The rights the bot lacks in a server. Raises `SendError` when it is not there."""
        return rights.missing(self._guild_or_refuse(group))

    async def post(self, group: str, reply: Reply, *, key: str, again: bool = False) -> str:
        """Post in the server's channel for it; Discord knows a repeat by its key. Raises `NotThere`, `SendError`."""
        return await posting.post(self._guild_or_refuse(group), self._settings.announce_channel, reply, key)

    async def pin(self, group: str, message: str) -> None:
        """Pin a post. Raises `NotThere`, `SendError`."""
        await posting.pin(self._guild_or_refuse(group), message)

    async def unpin(self, group: str, message: str) -> None:
        await posting.unpin(self._guild_or_refuse(group), message)

    # ------------------------------------------------------------------ supervision

    async def _live(self) -> Exception | None:
        """One life of a client: None after an orderly end, else what it died of."""
        client = self._client = make_client(self._settings, self)
        self.connection_lost()
        try:
            async with client:
                return await self._until_the_end(client)
        except Exception as error:
            detail = for_the_operator(error)
            if detail is None:
                return error
            self.status = Status("down", detail)
            raise SendError(detail, permanent=True) from None
        finally:
            self._watches.lost()

    async def _until_the_end(self, client: PlainClient | ShardedClient) -> Exception | None:
        """Run the client until it dies, is closed, or stays away too long: the library's own pauses between
        reconnections grow to a quarter of an hour."""
        life = asyncio.create_task(client.start(self._settings.token))
        away = asyncio.create_task(self._away())
        closing = asyncio.create_task(self._closing.wait())
        tasks: set[asyncio.Task[Any]] = {life, away, closing}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if closing.done():
                return None
            if life.done():
                life.result()
                return ConnectionError("Discord closed the connection")
            return TimeoutError("Discord was away too long")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _away(self) -> None:
        """Return when the connection has been lost for too long."""
        while True:
            await self._lost.wait()
            try:
                await asyncio.wait_for(self._back.wait(), self._settings.give_up_after)
            except TimeoutError:
                return

    async def _record(self, error: Exception) -> None:
        """A payload that cannot be read kills the client: keep it to be looked at. Other deaths are the network's."""
        words = f"{type(error).__name__}: {error}"
        connected = self.status.state == "ready"
        payload = self._client.last_payload if self._client is not None else ""
        if payload and is_unreadable(error, connected=connected):
            await self._store.quarantine(payload, words)
        self.status = Status("degraded", f"reconnecting after {words}"[:300])
        log.warning("the Discord client stopped and is started again: %s", words)

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    def _connected(self) -> PlainClient | ShardedClient:
        client = self._client
        if client is None or client.user is None or client.is_closed():
            raise SendError("not connected to Discord")
        return client

    def _guild(self, guild: int) -> discord.Guild | None:
        return self._client.get_guild(guild) if self._client is not None else None

    def _guild_or_refuse(self, group: str) -> discord.Guild:
        guild = self._connected().get_guild(int(group)) if group.isdecimal() else None
        if guild is None and self.status.state == "ready":  # before that the list of servers is not complete
            raise NotThere(f"the bot is not in the server {group}")
        if guild is None or guild.unavailable:
            raise SendError(f"the server {group} is not there at the moment")
        return guild

    # ------------------------------------------------------------------ what the client hears

    async def logged_in(self, client: discord.Client) -> None:
        """Publish the slash commands; without them the bot still answers, so a refusal is only shown."""
        try:
            application = client.application_id or 0
            await introduce(self._store, *rights.introduction(client))
            await client.http.bulk_upsert_global_commands(application, slash_commands(self._menu))
        except FAILURES as error:
            log.warning("the slash commands were not published: %s", error)

    async def slash_used(self, interaction: discord.Interaction[Any]) -> None:
        """A command of the menu."""
        incoming = said(interaction)
        await self._answer(interaction, incoming, slow=incoming.command in self._slow)

    async def modal_sent(self, interaction: discord.Interaction[Any]) -> None:
        """A form came back."""
        incoming = submitted(interaction, self._settings.api_url)
        await forget_form(self._store, incoming.action)
        await self._answer(interaction, incoming)

    async def button_pressed(self, interaction: discord.Interaction[Any], kind: str, action: str) -> None:
        """A button: one that opens a form does so at once, any other is the core's."""
        kept = await kept_form(self._store, action) if kind == "f" else None
        if kept:
            await Answer(interaction, self._settings, self._store).show(*kept)
        else:
            await self._answer(interaction, pressed(interaction, action))

    async def private_text(self, message: discord.Message) -> None:
        """A text in a private chat, answered there, one after another."""
        if self._deaf:
            return
        incoming = message_said(message, self._settings.api_url)

        async def converse() -> None:
            async with self._turn(incoming.person.account):
                for reply in await self._ask(incoming):
                    await post_patiently(message.channel, reply, self._store)

        await self._accept(converse())

    def session_began(self) -> None:
        """A new session: what happened before it is not replayed."""
        self._watches.session_began()

    def connection_lost(self) -> None:
        """The library reconnects by itself."""
        self._lost.set()
        self._back.clear()
        if self.status.state == "ready":
            self.status = Status("degraded", "the connection was lost; reconnecting")
        self._watches.lost()

    def connection_back(self) -> None:
        """Ready or resumed: look who is there."""
        self._lost.clear()
        self._back.set()
        self.status = Status("ready")
        if self._client is not None:
            self._watches.back([guild.id for guild in self._client.guilds if not guild.unavailable])

    async def guild_joined(self, guild: discord.Guild) -> None:
        """The bot was added to a server."""
        place = self._watches.place(guild.id)
        await self._tell(BotPlaced(place, True, missing=tuple(rights.missing(guild))))
        self._watches.back([guild.id])

    def guild_away(self, guild: discord.Guild) -> None:
        """A server has an outage: what happens in it meanwhile is not told."""
        self._watches.away(guild.id)

    def guild_back(self, guild: discord.Guild) -> None:
        """The outage is over (at the start, `connection_back` looks at all servers)."""
        if self.status.state == "ready":
            self._watches.back([guild.id])

    async def guild_left(self, guild: discord.Guild) -> None:
        """The bot was removed from a server."""
        place = self._watches.place(guild.id, guild)
        await self._watches.forget(guild.id)
        await self._tell(BotPlaced(place, False))

    def member_joined(self, member: discord.Member) -> None:
        """Bots come by authorisation, not by invite: they are nobody's friends."""
        if not member.bot:
            self._watches.joined(member.guild.id, person(member), member.joined_at)

    def member_left(self, guild: int, user: discord.abc.User) -> None:
        """Somebody left or was removed."""
        if not user.bot:
            self._watches.departed(guild, person(user))

    def invite_made(self, invite: discord.Invite) -> None:
        """Needs Manage Channels."""
        if invite.guild is not None:
            self._watches.invite_made(invite.guild.id, invite.code, invite.max_uses or 0)

    def invite_deleted(self, invite: discord.Invite) -> None:
        """Needs Manage Channels."""
        if invite.guild is not None:
            self._watches.invite_deleted(invite.guild.id, invite.code)

    # ------------------------------------------------------------------ to the core and back

    async def _answer(self, interaction: discord.Interaction[Any], incoming: Incoming, *, slow: bool = False) -> None:
        if self._deaf:
            return

        async def in_turn() -> Sequence[Reply]:
            async with self._turn(str(interaction.user.id)):
                return await self._ask(incoming)

        await self._accept(Answer(interaction, self._settings, self._store).give(in_turn(), slow=slow))

    async def _tell(self, incoming: Incoming) -> None:
        """An event nobody waits on; its public replies go to the group. Nobody is written to unasked."""
        for reply in await self._ask(incoming):
            public = Reply(reply.brief) if reply.private else reply
            if not public.text:
                continue
            try:
                await self.send(incoming.place.address, public)
            except SendError as error:
                log.warning("a message to a server was not delivered: %s", error.reason)
        if isinstance(incoming, Joined):
            self._confirmations.consider(incoming)

    async def _search(self, guild: int, accounts: Sequence[str]) -> Mapping[str, str | None]:
        try:
            return await search(self._connected(), guild, accounts)
        except SendError:
            return {}

    async def _ask(self, incoming: Incoming) -> Sequence[Reply]:
        """What the core answers; its errors are logged, since the words for them are the core's."""
        if self._on_incoming is None:
            return ()
        try:
            return await self._on_incoming(incoming)
        except Exception:
            log.exception("%s was not handled", type(incoming).__name__)
            return ()

    async def _accept(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that `close` waits for."""
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        await task

    def _turn(self, account: str) -> asyncio.Lock:
        """One thing at a time for each person, in the order it came."""
        return self._turns.setdefault(account, asyncio.Lock())
