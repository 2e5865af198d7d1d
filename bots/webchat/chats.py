"""The chats in memory: what was said lately, who is looking, and the pictures; everything is bounded."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bots.message import Form, Reply

KEYS = 200
"""Keys of posted messages remembered per chat, so that a repeated post is harmless."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened in a chat. `message` names what the page shows or replaces; `seq` orders everything.

    `author`: the account that said it, None for the bot. `only`: the one account that may see it, None for all.
    """

    seq: int
    message: str
    body: dict[str, Any]
    author: str | None = None
    only: str | None = None
    reply: Reply | None = None

    def seen_by(self, account: str) -> dict[str, Any] | None:
        """The JSON for one viewer, or None if it is not for them. Accounts themselves are never told."""
        if self.only is not None and self.only != account:
            return None
        return {**self.body, "id": self.message, "mine": self.author == account}


@dataclass
class Chat:
    """A private chat or a group room. Watchers are woken by whatever changes and then read the entries themselves,
    so a slow one costs no memory."""

    entries: deque[Entry]
    inbox: deque[Reply]
    room: bool = False
    dropped: int = 0
    busy: int = 0
    watchers: set[asyncio.Event] = field(default_factory=set)
    order: asyncio.Lock = field(default_factory=asyncio.Lock)
    keys: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def add(self, entry: Entry) -> None:
        if len(self.entries) == self.entries.maxlen:
            self.dropped = self.entries[0].seq
        self.entries.append(entry)
        self.wake()

    def after(self, seq: int) -> list[Entry]:
        return [entry for entry in self.entries if entry.seq > seq]

    def wake(self) -> None:
        for watcher in self.watchers:
            watcher.set()

    def first_time(self, key: str | None) -> bool:
        """Whether a post with this key was not taken before; remembers it."""
        if key is None:
            return True
        if key in self.keys:
            return False
        self.keys[key] = None
        while len(self.keys) > KEYS:
            self.keys.popitem(last=False)
        return True

    def offering(self, action: str) -> Entry | None:
        """The newest message with a button or form of this action."""
        return next((entry for entry in reversed(self.entries) if entry.reply and _offers(entry.reply, action)), None)

    def message(self, message: str) -> Entry | None:
        """A message of the bot as it stands now."""
        return next((entry for entry in reversed(self.entries) if entry.message == message and entry.reply), None)

    def form(self, action: str) -> Form | None:
        entry = self.offering(action)
        form = entry.reply.form if entry and entry.reply else None
        return form if form and form.action == action else None


class Chats:
    """All chats of this process. At `limit` the longest unused one that nobody is looking at is forgotten."""

    def __init__(self, limit: int, history: int) -> None:
        self.boot = secrets.token_hex(4)
        self._limit = limit
        self._history = history
        self._chats: OrderedDict[str, Chat] = OrderedDict()
        self._seq = 0

    def open(self, name: str) -> Chat:
        chat = self._chats.get(name)
        if chat is None:
            chat = self._chats[name] = Chat(deque(maxlen=self._history), deque(maxlen=self._history))
            self._forget(keep=name)
        self._chats.move_to_end(name)
        return chat

    def __iter__(self) -> Iterator[Chat]:
        return iter(self._chats.values())

    def __len__(self) -> int:
        return len(self._chats)

    def next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def event_id(self, seq: int) -> str:
        """Names the process too: after a restart the numbers begin anew and must not be mistaken for old ones."""
        return f"{self.boot}-{seq}"

    def seq_of(self, event_id: str) -> int:
        """The number in an event id of this process, 0 (everything is news) for any other."""
        boot, _, seq = event_id.partition("-")
        return int(seq) if boot == self.boot and seq.isascii() and seq.isdigit() else 0

    def _forget(self, keep: str) -> None:
        excess = len(self._chats) - self._limit
        if excess <= 0:
            return
        idle = [
            name
            for name, chat in self._chats.items()
            if name != keep and not chat.watchers and not chat.busy and not chat.order.locked()
        ]
        for name in idle[:excess]:
            del self._chats[name]


class Pictures:
    """Drawn pictures under addresses nobody can guess; the oldest go when they are more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._pictures: OrderedDict[str, tuple[bytes, str]] = OrderedDict()

    def add(self, data: bytes, media_type: str) -> str:
        name = secrets.token_urlsafe(16)
        self._pictures[name] = (data, media_type)
        self._size += len(data)
        while self._size > self._limit and len(self._pictures) > 1:
            _, (gone, _) = self._pictures.popitem(last=False)
            self._size -= len(gone)
        return name

    def get(self, name: str) -> tuple[bytes, str] | None:
        return self._pictures.get(name)


def _offers(reply: Reply, action: str) -> bool:
    if reply.form and reply.form.action == action:
        return True
    return any(button.action == action for row in reply.buttons for button in row)
