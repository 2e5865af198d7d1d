"""Carries unasked messages from the outbox to people: asks whether each may still go, puts it into words, waits for
its turn, and keeps what became of it."""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

from sqlmodel import Session

from bots.adapter import Adapter, SendError
from bots.message import Address, Reply
from bots.outreach.words import broadcast_words, compose
from bots.pace import Pace
from core import clock
from core.outbox import ATTEMPTS, Claimed, Parting, Undeliverable
from core.reader import Reader
from core.writer import Writer
from referral.brands import Brand
from referral.members import set_reachable
from referral.outreach.messages import BROADCAST, Fate, Key, Verdict, let_out, settle
from referral.outreach.models import Broadcast

KNOWN = 16
"""Broadcasts whose text is kept at hand; it never changes once they are sent."""


class Crier:
    """Delivers the unasked messages of one platform."""

    def __init__(self, adapter: Adapter, reader: Reader, writer: Writer, pace: Pace) -> None:
        self._adapter = adapter
        self._reader = reader
        self._writer = writer
        self._pace = pace
        self._texts: OrderedDict[str, tuple[str, dict[str, str]]] = OrderedDict()

    async def __call__(self, message: Claimed) -> Parting | None:
        asked = (UUID(message.payload["brand"]), UUID(message.payload["member"]), str(message.payload["subject"]))
        verdict = await self._writer.call(let_out, asked)
        if verdict.until is not None:
            wait = max(1.0, (verdict.until - clock.now()).total_seconds())
            raise Undeliverable("quiet hours", retry_after=wait, tried=False)
        if verdict.chat is None:
            return None
        try:
            return settle, await self._send(verdict, verdict.chat)
        except SendError as error:
            return settle, await self._not_sent(message, verdict, error)
        except Exception as error:
            if message.attempts >= ATTEMPTS:
                await self._writer.call(settle, (verdict.key, "failed", repr(error)[:200]))
            raise

    async def _send(self, verdict: Verdict, chat: str) -> Fate:
        """Send it; what became of it. Raises `SendError`."""
        reply = await self._words(verdict)
        if reply is None:
            return verdict.key, "skipped", "moot"
        await self._pace.turn()
        await self._adapter.send(Address(self._adapter.platform, chat), reply)
        return verdict.key, "sent", None

    async def _not_sent(self, message: Claimed, verdict: Verdict, error: SendError) -> Fate:
        """A person who blocked us is no failure of ours: it is noted, and they are not written to again.

        Raises `Undeliverable` for what is worth another try, or was the last one.
        """
        if error.permanent:
            platform, account = self._adapter.platform, verdict.account
            await self._writer.run(lambda session: set_reachable(session, platform, account, reachable=False))
            return verdict.key, "failed", error.reason[:200]
        if error.retry_after is not None:
            self._pace.hold(error.retry_after)
        if message.attempts >= ATTEMPTS:
            await self._writer.call(settle, (verdict.key, "failed", error.reason[:200]))
        raise Undeliverable(error.reason, retry_after=error.retry_after) from error

    async def _words(self, verdict: Verdict) -> Reply | None:
        subject = verdict.key[2]
        if not subject.startswith(BROADCAST):
            return await self._reader.run(lambda session: compose(session, verdict))
        if subject not in self._texts:
            self._texts[subject] = await self._reader.run(lambda session: _text_of(session, verdict.key))
            if len(self._texts) > KNOWN:
                self._texts.popitem(last=False)
        brand, text = self._texts[subject]
        return broadcast_words(verdict.locale, brand, text)


def _text_of(session: Session, key: Key) -> tuple[str, dict[str, str]]:
    """The brand's name and the text in its languages."""
    broadcast = session.get_one(Broadcast, (key[0], UUID(key[2].removeprefix(BROADCAST))))
    return session.get_one(Brand, key[0]).name, broadcast.text


def lane(message: Claimed) -> str:
    """Messages to one person go out one after another."""
    return str(message.payload["member"])
