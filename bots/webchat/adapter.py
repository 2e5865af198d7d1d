"""The web chat as a platform: the port for the rest of the program, and a way to talk to it without a browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from starlette.routing import BaseRoute

from bots.adapter import Capability, OnIncoming, SendError, Status, Store
from bots.command import Menu
from bots.message import Address, Joined, Left, Person, Place, Pressed, Reply, Said, Submitted
from bots.webchat.conversation import Conversation, public_part
from bots.webchat.decode import decode_picture
from bots.webchat.pace import Pace
from bots.webchat.routes import routes
from bots.webchat.settings import WebChatSettings
from bots.webchat.visitor import PLATFORM, private, room


class WebChatAdapter:
    """Has no socket of its own: the web application mounts `routes()`, so both must live in one process and loop.

    What was said is kept in memory only and bounded (see `WebChatSettings`); after a restart a visitor keeps the
    account and the buttons that are on the screen, but the page begins empty. A message of the outbox may arrive twice.
    """

    platform = PLATFORM
    capabilities = frozenset({Capability.PRIVATE_IN_GROUP, Capability.ADMIN_CHECK, Capability.POSTS})

    def __init__(self, settings: WebChatSettings, menu: Menu, store: Store, now: Callable[[], datetime]) -> None:
        self.settings = settings
        self.status = Status()
        self.outgoing = Pace(settings.sends_per_minute, now)
        self._menu = menu
        self._talk = Conversation(settings, store, now)

    def routes(self) -> list[BaseRoute]:
        """Everything under `/chat`, for the web application to mount at its root."""
        return routes(self._talk, self._menu)

    def listen(self, on_incoming: OnIncoming) -> None:
        """Take visitors from now on; `run` does it too. Enough for `say` and tests, where nothing needs to run."""
        self._talk.listen(on_incoming)
        self.status = Status("ready")

    async def run(self, on_incoming: OnIncoming) -> None:
        self.listen(on_incoming)
        try:
            await self._talk.closed.wait()
        finally:
            self.status = Status("down")

    async def close(self) -> None:
        """End the event streams (a web server waits for them when it stops) and finish what was accepted."""
        self.status = Status("down")
        await self._talk.close()

    async def send(self, address: Address, reply: Reply) -> None:
        """Put a message into a person's chat or a room, seen now or when they open it.

        Raises `SendError`: permanent if the person asked for no messages or the address is none of ours; with
        `retry_after` beyond `sends_per_minute`; neither if we are stopping, or could not look it up or draw it.
        """
        if address.platform != self.platform or not address.chat:
            raise SendError(f"{address} is not a web chat", permanent=True)
        if self._talk.closed.is_set():
            raise SendError("the web chat is stopping")
        try:
            silent = await self._talk.is_silent(address.chat)
        except Exception as error:
            raise SendError(f"could not look up whether the visitor takes messages: {error}") from error
        if silent:
            raise SendError("the visitor asked for no more messages", permanent=True)
        chat = self._talk.chats.open(address.chat)
        public = public_part(reply, chat.room)
        if public is None:
            raise SendError("a private message needs a person, not a room", permanent=True)
        if wait := self.outgoing.take(address.chat):
            raise SendError("too many messages to one chat", retry_after=wait)
        try:
            await self._talk.deliver(chat, public)
        except Exception as error:
            raise SendError(f"the message could not be drawn: {error}") from error
        chat.inbox.append(public)

    async def post(self, group: str, reply: Reply, *, key: str, again: bool = False) -> str:
        """Put a message into a room, once for a key in this process. Raises as `send`."""
        chat = self._talk.chats.open(group)
        chat.room = True
        if chat.first_time(key):
            try:
                await self.send(Address(self.platform, group), reply)
            except BaseException:
                chat.keys.pop(key, None)
                raise
        return ""

    async def is_admin(self, group: str, account: str) -> bool:
        """The web chat has no groups of its own making: the operator names the admins."""
        return account in self.settings.admins

    async def say(self, person: Person, text: str, *, group: str | None = None) -> list[Reply]:
        """One turn without a browser: what the person wrote, and the answers, which are also in their history."""
        return await self._talk.hear(Said(person, _place(person, group), text))

    async def show(self, person: Person, file: bytes, media_type: str = "image/jpeg") -> list[Reply]:
        """The person sends a picture in private; returns what it was answered with."""
        return await self._talk.hear(decode_picture(file, media_type, None, person, private(person.account)))

    async def press(self, person: Person, action: str, *, group: str | None = None) -> list[Reply]:
        return await self._talk.hear(Pressed(person, _place(person, group), action))

    async def submit(
        self, person: Person, action: str, answers: dict[str, str], *, group: str | None = None
    ) -> list[Reply]:
        return await self._talk.hear(Submitted(person, _place(person, group), action, answers))

    async def join(
        self, person: Person, group: str, *, invite: str | None = None, inviter: str | None = None
    ) -> list[Reply]:
        """The person enters a room; heard as `Joined` unless they are in it already."""
        certainty = "invite" if invite else "inviter_hint" if inviter else "unknown"
        event = Joined(person, room(group), self._talk.now(), invite=invite, inviter=inviter, certainty=certainty)
        return await self._talk.move(event)

    async def leave(self, person: Person, group: str) -> list[Reply]:
        return await self._talk.move(Left(person, room(group), self._talk.now()))

    def inbox(self, account: str) -> list[Reply]:
        """What `send` brought to a chat since the start, the last `history` messages, oldest first."""
        return list(self._talk.chats.open(account).inbox)


def _place(person: Person, group: str | None) -> Place:
    return room(group) if group else private(person.account)
