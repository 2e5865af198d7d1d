"""Tells people what happened to them: events become outbox messages, the outbox becomes words in a chat.

Only people who talked to us are written to, on the account they last used. Which events are heard, and their words,
is in `bots.reward_news`, `bots.payout_news` and `bots.admin_news`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlmodel import Session

from bots import admin_news, case_news, contest_news, group_news, payout_news, reward_news, staff_news, trial_news
from bots.adapter import Adapter, SendError
from bots.message import Address, Reply
from bots.news import TOPIC, Voice, voice_of
from bots.outreach import cheers, done
from core.events import Bus
from core.outbox import Claimed, Undeliverable
from core.reader import Reader
from core.writer import Writer
from referral.members import set_reachable

__all__ = ["TOPIC", "Deliverer", "compose", "listen"]

Words = Callable[[Voice, Mapping[str, Any]], Reply | None]
KINDS: Mapping[str, Words] = {
    **reward_news.KINDS,
    **payout_news.KINDS,
    **admin_news.KINDS,
    **case_news.KINDS,
    **group_news.KINDS,
    **done.KINDS,
    **staff_news.KINDS,
    **trial_news.KINDS,
    **contest_news.KINDS,
}
"""Who puts which kind of news into words; None where there is nothing to tell any more."""


def listen(bus: Bus) -> None:
    """Hear what people want to be told of."""
    reward_news.listen(bus)
    payout_news.listen(bus)
    staff_news.listen(bus)
    trial_news.listen(bus)
    contest_news.listen(bus)
    cheers.listen(bus)
    done.listen(bus)


def compose(session: Session, payload: dict[str, Any]) -> Reply | None:
    """The words of a message, in the member's language as it is now; None for somebody who was forgotten since."""
    voice = voice_of(session, payload)
    return KINDS[payload["kind"]](voice, payload["facts"]) if voice is not None else None


class Deliverer:
    """Hands the outbox's messages of one platform to its adapter."""

    def __init__(self, adapter: Adapter, reader: Reader, writer: Writer) -> None:
        self._adapter = adapter
        self._reader = reader
        self._writer = writer

    async def __call__(self, message: Claimed) -> None:
        payload = message.payload
        reply = await self._reader.run(lambda session: compose(session, payload))
        if reply is None:
            return
        try:
            await self._adapter.send(Address(self._adapter.platform, payload["chat"]), reply)
        except SendError as error:
            if error.permanent:
                platform, account = self._adapter.platform, payload["account"]
                await self._writer.run(lambda session: set_reachable(session, platform, account, reachable=False))
            raise Undeliverable(error.reason, permanent=error.permanent, retry_after=error.retry_after) from error
