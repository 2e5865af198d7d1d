"""From an event of the gateway to what somebody did: fetches by id what the event only names."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from bots.adapter import Store, introduce
from bots.command import Menu
from bots.message import (
    PICTURE_BYTES,
    Attachment,
    BotPlaced,
    Incoming,
    Joined,
    Left,
    Person,
    Place,
    Present,
    Reachable,
    Said,
)
from bots.wechat import decode
from bots.wechat.failures import as_send_error
from bots.wechat.offers import offered
from bots.wechat.transport import CallFailed, Contact, Message, Transport
from core.errors import BadInput

REMEMBERED = 5000
"""Message ids kept to tell a repeated event; gateways repeat within seconds."""

READERS = 8
"""Contacts read at the same time when a whole room is read."""

KEPT_CONTACTS = 50_000

log = logging.getLogger(__name__)


class Intake:
    """The eyes and ears of one account. `account` is empty until it has logged in."""

    def __init__(self, menu: Menu, store: Store, now: Callable[[], datetime]) -> None:
        self._menu = menu
        self._store = store
        self._now = now
        self._name = ""
        self._topics: dict[str, str] = {}
        self._contacts: dict[str, Contact] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()
        self.account = ""

    async def logged_in(self, wire: Transport, account: str) -> None:
        """Learn who we are; what we knew of the rooms may have changed meanwhile."""
        self.account = account
        self._topics.clear()
        self._name = (await self._contact(wire, account)).name
        if self._name:
            await introduce(self._store, self._name)

    async def read(self, wire: Transport, event: decode.Event) -> list[Incoming]:
        """What happened, none if it does not concern us. Raises `CallFailed`."""
        match event:
            case decode.MessageArrived(id):
                return await self._message(wire, id)
            case decode.RoomJoined(room, people, inviter, at):
                return await self._joined(wire, room, people, inviter, at or self._now())
            case decode.RoomLeft(room, people, at):
                return await self._left(wire, room, people, at or self._now())
            case decode.TopicChanged(room, topic):
                self._topics[room] = topic
            case decode.FriendshipChanged(id):
                return await self._friendship(wire, id)
            case decode.Invited(id):
                if self._first_time(id):
                    await wire.enter(id)
            case _:
                log.debug("event not for us: %s", event)
        return []

    async def _message(self, wire: Transport, id: str) -> list[Incoming]:
        if not self._first_time(id):
            return []
        message = await wire.message(id)
        if message.sender == self.account or not message.sender:
            return []
        if message.file and not message.room:
            return await self._file(wire, message)
        if not message.text:
            return []
        chat = message.room or message.sender
        # the bot's name in the room is asked for only when somebody calls it there
        called = self.account in message.mentions
        me = decode.Me(
            self.account, (self._name, await self._name_in(wire, message.room, self.account) if called else "")
        )
        numbers: dict[str, str] = {}
        if decode.number(decode.addressed(message, me)[0]) is not None:
            numbers = await offered(self._store, chat, message.sender, self._now())
        contact = await self._contact(wire, message.sender, message.room)
        if contact.official:
            return []
        person = decode.person(contact)
        place = await self._room(wire, message.room) if message.room else decode.private_place(message.sender)
        said = decode.heard(message, person, place, me, self._menu, numbers)
        return [] if said is None else [said]

    async def _file(self, wire: Transport, message: Message) -> list[Incoming]:
        """A file sent to us in private, fetched only if somebody wants it."""

        async def fetch() -> bytes:
            try:
                body = await wire.download(message.id, PICTURE_BYTES)
            except CallFailed as failure:
                raise as_send_error(failure) from failure
            if body is None:
                raise BadInput("picture_too_large", megabytes=PICTURE_BYTES // 1024**2)
            return body

        contact = await self._contact(wire, message.sender)
        if contact.official:
            return []
        picture = Attachment(decode.MEDIA_TYPES.get(message.file, ""), None, fetch)
        place = decode.private_place(message.sender)
        return [Said(decode.person(contact), place, "", key=message.id, picture=picture)]

    async def _joined(
        self, wire: Transport, room: str, people: tuple[str, ...], inviter: str | None, at: datetime
    ) -> list[Incoming]:
        place = await self._room(wire, room)
        happened: list[Incoming] = []
        for account in people:
            if account == self.account:
                by = decode.person(await self._contact(wire, inviter)) if inviter else None
                happened.append(BotPlaced(place, present=True, by=by))
                continue
            person = decode.person(await self._contact(wire, account, room))
            hint = inviter or await self._inviter(wire, room, account)
            if hint in (account, self.account):
                hint = None
            certainty = "inviter_hint" if hint else "unknown"
            happened.append(Joined(person, place, at, inviter=hint, certainty=certainty))
        return happened

    async def _inviter(self, wire: Transport, room: str, account: str) -> str | None:
        try:
            return (await wire.member(room, account)).inviter
        except CallFailed:
            return None

    async def _left(self, wire: Transport, room: str, people: tuple[str, ...], at: datetime) -> list[Incoming]:
        place = await self._room(wire, room)
        happened: list[Incoming] = []
        for account in people:
            if account == self.account:
                happened.append(BotPlaced(place, present=False))
            else:
                happened.append(Left(decode.person(await self._contact(wire, account)), place, at))
        return happened

    async def _friendship(self, wire: Transport, id: str) -> list[Incoming]:
        if not self._first_time(id):
            return []
        friendship = await wire.friendship(id)
        if friendship.kind == "request":
            try:
                await wire.befriend(id)
            except CallFailed as failure:
                # the code in the greeting still counts; the answer will say that it could not be delivered
                await self._store.quarantine(f"friendship {id}", str(failure))
        person = decode.person(await self._contact(wire, friendship.contact))
        place = decode.private_place(friendship.contact)
        if friendship.kind == "request":
            return [Said(person, place, friendship.hello.strip() or "/start", key=id)]
        if friendship.kind in ("confirmed", "refused"):
            return [Reachable(person, place, friendship.kind == "confirmed")]
        return []

    async def present(self, wire: Transport) -> AsyncIterator[Present]:
        """Everyone in every room now, one reading a room; a room that cannot be read is passed over."""
        for room in await wire.rooms():
            try:
                yield await self.present_in(wire, room)
            except CallFailed as failure:
                log.warning("room %s could not be read: %s", room, failure)

    async def present_in(self, wire: Transport, room: str) -> Present:
        """Everyone in one room now, but for the bot."""
        at = self._now()
        place = await self._room(wire, room)
        gate = asyncio.Semaphore(READERS)

        async def read(account: str) -> Person:
            async with gate:
                # names seldom change, and rooms have many members: those once read are not asked for again
                return decode.person(self._contacts.get(account) or await self._contact(wire, account, room))

        accounts = [account for account in await wire.members(room) if account != self.account]
        return Present(place, tuple(await asyncio.gather(*map(read, accounts))), at, complete=True)

    async def _contact(self, wire: Transport, account: str, room: str = "") -> Contact:
        """A contact; one that cannot be looked up is still somebody, known by the name in the room or by the id."""
        try:
            contact = await wire.contact(account)
        except CallFailed as failure:
            log.info("contact %s could not be read: %s", account, failure)
            return Contact(account, await self._name_in(wire, room, account) or account, friend=False)
        if len(self._contacts) >= KEPT_CONTACTS:
            self._contacts.clear()
        self._contacts[account] = contact
        return contact

    async def _name_in(self, wire: Transport, room: str, account: str) -> str:
        if not room:
            return ""
        try:
            return (await wire.member(room, account)).name
        except CallFailed:
            return ""

    async def _room(self, wire: Transport, room: str) -> Place:
        if room not in self._topics:
            try:
                self._topics[room] = await wire.topic(room)
            except CallFailed as failure:
                log.info("room %s could not be read: %s", room, failure)
        return decode.room_place(room, self._topics.get(room, ""))

    def _first_time(self, id: str) -> bool:
        if id in self._seen:
            return False
        self._seen[id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True
