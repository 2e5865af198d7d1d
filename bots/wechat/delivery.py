"""From a reply to messages on the wire: private or brief, numbered buttons, at the pace WeChat bears."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

from bots.adapter import SendError, Store
from bots.markup import plain
from bots.message import Image, Person, Place, Reply
from bots.wechat import encode
from bots.wechat.failures import PAUSE, as_send_error, too_busy
from bots.wechat.offers import EVERYBODY, offer
from bots.wechat.pace import Pace
from bots.wechat.transport import CallFailed, Transport

LONGEST_WAIT = 30.0
"""Seconds a message outside a conversation may wait for its turn; above it, the outbox is told to come back."""

ATTEMPTS = 5
KNOWN = 5000
"""People remembered for having written to us, which shows that they can be reached."""

Line = Callable[[bool], Awaitable[Transport]]
"""The connection once it is usable: waits for it if told to, else raises `SendError` when there is none."""


class Delivery:
    """The mouth of one account."""

    def __init__(
        self,
        store: Store,
        pace: Pace,
        line: Line,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self._store = store
        self._now = now
        self._pace = pace
        self._line = line
        self._sleep = sleep
        self._wrote: OrderedDict[str, None] = OrderedDict()

    def wrote(self, account: str) -> None:
        """Somebody wrote to us in private."""
        self._wrote[account] = None
        self._wrote.move_to_end(account)
        if len(self._wrote) > KNOWN:
            self._wrote.popitem(last=False)

    def lost(self, account: str) -> None:
        """Somebody does not want to hear from us any more."""
        self._wrote.pop(account, None)

    async def answer(self, place: Place, person: Person | None, replies: Sequence[Reply]) -> None:
        """Deliver the replies to something somebody did, in order. Raises `SendError`."""
        numbers: dict[str, dict[str, str]] = {}
        for reply in replies:
            chat = await self._chat(place, person, reply)
            if chat is None:
                await self._brief(place, person, reply)
                continue
            out = encode.outgoing(reply, first=len(numbers.get(chat, {})) + 1)
            numbers[chat] = numbers.get(chat, {}) | out.offer
            who = person.account if person else EVERYBODY
            try:
                await self._send(chat, who, reply.image, out.texts, numbers[chat], patient=True)
            except SendError as error:
                if chat == place.address.chat or not error.permanent:
                    raise
                await self._brief(place, person, reply)

    async def send(self, chat: str, reply: Reply) -> None:
        """Deliver a message nobody is waiting for. Raises `SendError`."""
        wait = self._pace.wait(chat)
        if wait > LONGEST_WAIT:
            raise SendError(f"{wait:.0f} s of messages are waiting before this one", retry_after=wait)
        if "@" not in chat:
            if not await self._reachable(chat, patient=False):
                raise SendError(f"{chat} is not a friend of the account", permanent=True)
        elif reply.private:
            if not reply.brief:
                raise SendError("a private message has no place in a group", permanent=True)
            reply = Reply(reply.brief)
        out = encode.outgoing(reply)
        # news does not take the buttons away that somebody is about to answer
        await self._send(chat, EVERYBODY, reply.image, out.texts, out.offer or None, patient=False)

    async def _chat(self, place: Place, person: Person | None, reply: Reply) -> str | None:
        """Where the reply is said in full; None if that is nowhere."""
        if place.group is None or not reply.private:
            return place.address.chat
        if person is not None and await self._reachable(person.account, patient=True):
            return person.account
        return None

    async def _brief(self, place: Place, person: Person | None, reply: Reply) -> None:
        if not reply.brief:
            raise SendError("the person cannot be written to in private, and there is nothing to say in the group")
        if person is None:
            text, mentions = plain(reply.brief), []
        else:
            text, mentions = encode.brief(reply, person.name), [person.account]
        await self._push(place.address.chat, lambda wire: wire.say(place.address.chat, text, mentions), patient=True)

    async def _reachable(self, account: str, *, patient: bool) -> bool:
        if account in self._wrote:
            return True
        wire = await self._line(patient)
        try:
            return (await wire.contact(account)).friend
        except CallFailed as failure:
            error = as_send_error(failure)
            if error.permanent:
                return False
            raise error from failure

    async def _send(
        self,
        chat: str,
        who: str,
        image: Image | None,
        texts: Sequence[str],
        numbers: dict[str, str] | None,
        *,
        patient: bool,
    ) -> None:
        data = await _drawn(image) if image else b""
        if numbers is not None:
            # before sending: the answer may be faster than the gateway's receipt
            await offer(self._store, chat, who, numbers, self._now())
        if image:
            filename = image.filename
            await self._push(chat, lambda wire: wire.show(chat, data, filename), patient=patient)
        for text in texts:
            await self._push(chat, partial(_say, chat, text), patient=patient)

    async def _push(self, chat: str, call: Callable[[Transport], Awaitable[None]], *, patient: bool) -> None:
        attempts = ATTEMPTS if patient else 1
        while True:
            attempts -= 1
            try:
                wire = await self._line(patient)
                await self._pace.turn(chat)
                await call(wire)
                return
            except CallFailed as failure:
                error = as_send_error(failure)
                if too_busy(failure):
                    self._pace.hold(PAUSE)
                if error.retry_after is None or attempts <= 0:
                    raise error from failure
                await self._sleep(error.retry_after)


async def _say(chat: str, text: str, wire: Transport) -> None:
    await wire.say(chat, text)


async def _drawn(image: Image) -> bytes:
    data = await asyncio.to_thread(image.draw)
    if len(data) > encode.IMAGE_LIMIT:
        raise SendError(f"the picture has {len(data)} bytes, WeChat takes {encode.IMAGE_LIMIT}", permanent=True)
    return data
