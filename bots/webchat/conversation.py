"""What happens in the chats: hearing a person, answering in place and in order, telling whoever looks."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from bots.adapter import OnIncoming, Store
from bots.message import Form, Joined, Left, Person, Place, Pressed, Reachable, Reply, Said, Submitted
from bots.webchat.chats import Chat, Chats, Entry, Pictures
from bots.webchat.decode import Refused
from bots.webchat.encode import encode, encode_said
from bots.webchat.settings import WebChatSettings
from bots.webchat.visitor import Visitor

Heard = Said | Pressed | Submitted | Joined | Left | Reachable
"""What a web chat can hear; each has a person."""
START_SECONDS = 5.0
"""How long a request waits for the rest of the program at start before it is turned away."""
STOP_SECONDS = 20.0
"""How long a stop waits for answers that are being made."""


class Conversation:
    """The state behind the routes and the adapter. Belongs to one event loop of one process."""

    def __init__(self, settings: WebChatSettings, store: Store, now: Callable[[], datetime]) -> None:
        self.settings = settings
        self.now = now
        self.chats = Chats(settings.visitors, settings.history)
        self.pictures = Pictures(settings.image_bytes)
        self.streams: Counter[str] = Counter()
        self.uploading = 0
        self.closed = asyncio.Event()
        self._store = store
        self._on_incoming: OnIncoming | None = None
        self._listening = asyncio.Event()
        self._hearing = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    def listen(self, on_incoming: OnIncoming) -> None:
        self._on_incoming = on_incoming
        self._listening.set()

    async def hear(self, incoming: Heard, *, message: str | None = None, key: str | None = None) -> list[Reply]:
        """One thing a person did: shown, answered, and the answers delivered, one after another per chat.

        `message`: the one whose button was pressed. `key`: the page's own name for this post; a repeat is taken once.
        Raises what `on_incoming` raises, and `Refused` while nobody listens; the same key may then be tried again.
        """
        on_incoming = await self._listener()
        chat = self.chats.open(incoming.place.address.chat)
        chat.room = incoming.place.group is not None
        once = f"{incoming.person.account} {key}" if key else None
        self._hearing += 1
        self._quiet.clear()
        chat.busy += 1
        try:
            async with chat.order:
                if not chat.first_time(once):
                    return []
                self._echo(chat, incoming, key)
                try:
                    return await self._answer(chat, incoming, on_incoming, message)
                except BaseException:
                    chat.keys.pop(once or "", None)
                    raise
        finally:
            chat.busy -= 1
            self._hearing -= 1
            if not self._hearing:
                self._quiet.set()
            chat.wake()

    async def _answer(self, chat: Chat, incoming: Heard, on_incoming: OnIncoming, message: str | None) -> list[Reply]:
        replies = list(await on_incoming(incoming))
        for reply in replies:
            target = _pressed(chat, incoming, message) if reply.edit else None
            only = incoming.person.account if reply.private and incoming.place.group else None
            await self.deliver(chat, reply, only=only, instead_of=target)
        return replies

    async def deliver(
        self, chat: Chat, reply: Reply, *, only: str | None = None, instead_of: Entry | None = None
    ) -> None:
        """Put one message of ours into a chat, or in the place of an earlier one. Draws its picture in a thread."""
        body = encode(reply)
        if reply.image:
            data = await asyncio.to_thread(reply.image.draw)
            name = self.pictures.add(data, reply.image.media_type)
            body["image"] = {"url": f"/chat/images/{name}", "alt": reply.image.alt, "filename": reply.image.filename}
            body["image"]["file"] = reply.image.is_file
        seq = self.chats.next_seq()
        body |= {"kind": "message", "at": self.now().isoformat()}
        if instead_of:
            only = instead_of.only
            body |= {"edited": True, "at": instead_of.body["at"]}
        if only:
            body["private"] = True
        message = instead_of.message if instead_of else f"m{self.chats.event_id(seq)}"
        chat.add(Entry(seq, message, body, None, only, reply))

    def note(self, place: Place, person: Person, code: str) -> None:
        """A line in the middle of a room: somebody came or went."""
        self._add(self.chats.open(place.address.chat), {"kind": "note", "code": code, "name": person.name}, None)

    async def events(self, visitor: Visitor, after: str) -> AsyncIterator[str]:
        """The chat as server-sent events from after `after` on: first what was missed, then `ready`, then live.

        `gap` says that something was missed which is not kept any more. Ends when the program stops.
        """
        chat = self.chats.open(visitor.chat)
        account = visitor.person.account
        seen = self.chats.seq_of(after)
        wake = asyncio.Event()
        chat.watchers.add(wake)
        self.streams[account] += 1
        try:
            yield "retry: 1500\n\n"
            if seen < chat.dropped and after:
                yield _event("gap", {})
            ready, typing = False, False
            while not self.closed.is_set():
                wake.clear()
                for entry in chat.after(seen):
                    seen = entry.seq
                    if (body := entry.seen_by(account)) is not None:
                        yield _event("message", body, self.chats.event_id(seen))
                if not ready:
                    ready = True
                    yield _event("ready", {})
                if typing != bool(chat.busy):
                    typing = bool(chat.busy)
                    yield _event("typing", {"on": typing})
                if not await _woken(wake, self.settings.keep_alive):
                    yield ": keep-alive\n\n"
        finally:
            chat.watchers.discard(wake)
            self.streams[account] -= 1
            if not self.streams[account]:
                del self.streams[account]

    def form(self, visitor: Visitor, action: object) -> Form | None:
        return self.chats.open(visitor.chat).form(action) if isinstance(action, str) else None

    async def is_silent(self, account: str) -> bool:
        """Whether this visitor asked for no more messages."""
        return bool(await self._store.get(f"webchat:silent:{account}"))

    async def set_silent(self, account: str, silent: bool) -> None:
        await self._store.put(f"webchat:silent:{account}", True if silent else None)

    async def members(self, group: str) -> list[str]:
        """The accounts in a room of the stage."""
        return list(await self._store.get(f"webchat:members:{group}") or ())

    async def move(self, event: Joined | Left) -> list[Reply]:
        """Somebody joins or leaves a room of the stage; doing so twice is heard once."""
        group = event.place.group or ""
        members = await self.members(group)
        joining = isinstance(event, Joined)
        if (event.person.account in members) == joining:
            return []
        others = [account for account in members if account != event.person.account]
        await self._store.put(f"webchat:members:{group}", [*others, event.person.account] if joining else others)
        self.note(event.place, event.person, "joined" if joining else "left")
        return await self.hear(event)

    async def close(self) -> None:
        """End the streams and wait (bounded) until everything that was accepted is answered."""
        self.closed.set()
        for chat in self.chats:
            chat.wake()
        try:
            await asyncio.wait_for(self._quiet.wait(), STOP_SECONDS)
        except TimeoutError:
            return

    async def _listener(self) -> OnIncoming:
        if self.closed.is_set():
            raise Refused("not_ready", 503)
        try:
            await asyncio.wait_for(self._listening.wait(), START_SECONDS)
        except TimeoutError as error:
            raise Refused("not_ready", 503) from error
        if self._on_incoming is None:
            raise Refused("not_ready", 503)
        return self._on_incoming

    def _echo(self, chat: Chat, incoming: Heard, key: str | None) -> None:
        """Show a person's own words to everybody in the chat (once, however often the post is tried)."""
        if not isinstance(incoming, Said):
            return
        account = incoming.person.account
        if key and any(entry.author == account and entry.body.get("key") == key for entry in chat.entries):
            return
        body = {"kind": "message", "author": incoming.person.name, "key": key, **encode_said(incoming.text)}
        if incoming.picture is not None:
            body["sent"] = "picture"  # its sender's page has it and draws it; we keep none of it
        self._add(chat, body, account)

    def _add(self, chat: Chat, body: dict[str, Any], author: str | None) -> None:
        seq = self.chats.next_seq()
        body = {**body, "at": self.now().isoformat()}
        chat.add(Entry(seq, f"m{self.chats.event_id(seq)}", body, author))


def public_part(reply: Reply, is_room: bool) -> Reply | None:
    """What may be said of a message that has no person to be private with: in a room its `brief`, or nothing."""
    if not (reply.private and is_room):
        return reply
    return replace(reply, text=reply.brief, buttons=(), image=None, form=None) if reply.brief else None


def _pressed(chat: Chat, incoming: Heard, message: str | None) -> Entry | None:
    """The message to be replaced: the one the page named, else the newest that offers the action."""
    if not isinstance(incoming, Pressed | Submitted):
        return None
    entry = chat.message(message) if message else chat.offering(incoming.action)
    return entry if entry and entry.seen_by(incoming.person.account) is not None else None


def _event(name: str, data: dict[str, Any], event_id: str | None = None) -> str:
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def _woken(wake: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(wake.wait(), seconds)
    except TimeoutError:
        return False
    return True
