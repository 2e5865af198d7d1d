"""Announcements on their way: from the outbox into a group, pinned, taken down, and every step in the log.

Handles the outbox topic `announce:<platform>`. A post is made at least once: whoever dies between the platform's answer
and our note of it lets another ask again. Discord recognises such a repeat by the post's key; Telegram does not, so
there it rings no phone; WeChat shows it twice. The words are in `bots.announcement_words`.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlmodel import Session

from bots.adapter import Adapter, NotThere, Pins, Posts, SendError
from bots.announcement_words import compose
from core.outbox import ATTEMPTS, Claimed, Undeliverable
from core.writer import Writer
from referral import posting
from referral.posting import Step


class Announcer:
    """Hands the announcements of one platform to its adapter."""

    def __init__(self, adapter: Adapter, writer: Writer) -> None:
        self._adapter = adapter
        self._writer = writer

    async def __call__(self, message: Claimed) -> None:
        brand_id, announcement_id = UUID(message.payload["brand"]), UUID(message.payload["announcement"])
        last = message.attempts >= ATTEMPTS
        if message.payload["do"] == "unpin":
            step = await self._writer.run(lambda session: posting.to_unpin(session, brand_id, announcement_id))
            if step is not None:
                await self._unpin(step, last)
            return
        step = await self._writer.run(lambda session: posting.begin(session, brand_id, announcement_id))
        if step is not None and (not step.post or await self._post(step, last)) and step.pin:
            await self._pin(step, last)

    async def _post(self, step: Step, last: bool) -> bool:
        """Whether it stands in the group now."""
        row, adapter = step.announcement, self._adapter
        reply = await self._writer.run(lambda session: compose(session, step))
        if reply is None:
            await self._writer.run(lambda session: posting.skipped(session, row))
            return False
        if not isinstance(adapter, Posts):
            await self._refused(step, f"{adapter.platform} has no groups to post in")
            return False
        try:
            key = f"{row.id}/{row.tries}"
            row.message = await adapter.post(step.community.group_id, reply, key=key, again=step.again)
        except NotThere:
            await self._writer.run(lambda session: posting.not_there(session, row))
            return False
        except SendError as error:
            if error.retry_after is not None and not step.again:
                await self._writer.run(lambda session: posting.not_yet(session, row))
            await self._put_off(error, last, lambda session, said: posting.refused(session, row, said))
            return False
        name = row.message
        await self._writer.run(lambda session: posting.posted(session, row, name))
        return True

    async def _refused(self, step: Step, reason: str) -> None:
        await self._writer.run(lambda session: posting.refused(session, step.announcement, reason))

    async def _pin(self, step: Step, last: bool) -> None:
        row, adapter = step.announcement, self._adapter
        if not isinstance(adapter, Pins) or not row.message:
            await self._writer.run(lambda session: posting.no_pins(session, row))
            return
        try:
            await adapter.pin(step.community.group_id, row.message)
        except NotThere:
            await self._writer.run(lambda session: posting.not_there(session, row))
        except SendError as error:
            await self._put_off(error, last, lambda session, said: posting.not_pinned(session, row, said))
        else:
            await self._writer.run(lambda session: posting.pinned(session, row))

    async def _unpin(self, step: Step, last: bool) -> None:
        row, adapter = step.announcement, self._adapter
        if not isinstance(adapter, Pins) or not row.message:
            return
        try:
            await adapter.unpin(step.community.group_id, row.message)
        except NotThere:
            await self._writer.run(lambda session: posting.not_there(session, row))
        except SendError as error:
            await self._put_off(error, last, lambda session, said: posting.unpinned(session, row, said))
        else:
            await self._writer.run(lambda session: posting.unpinned(session, row))

    async def _put_off(self, error: SendError, last: bool, give_up: Callable[[Session, str], None]) -> None:
        """Try again later while that can help, else log why not. Raises `Undeliverable`."""
        if not error.permanent and not last:
            raise Undeliverable(error.reason, retry_after=error.retry_after) from error
        await self._writer.run(lambda session: give_up(session, error.reason))
