"""Makes a member's own invite into a group, where a platform has such a thing, and keeps it with the code."""

from __future__ import annotations

from uuid import UUID

from bots.adapter import Adapter, MakesInvites, SendError
from core.outbox import Claimed, Undeliverable
from core.writer import Writer
from referral.campaigns import keep_invite


class InviteMaker:
    """Handles the outbox topic `invite:<platform>`."""

    def __init__(self, adapter: Adapter, writer: Writer) -> None:
        self._adapter = adapter
        self._writer = writer

    async def __call__(self, message: Claimed) -> None:
        if not isinstance(self._adapter, MakesInvites):
            return
        payload = message.payload
        name = f"{payload['code']} {payload['name']}"
        try:
            url = await self._adapter.make_invite(payload["group"], name)
        except SendError as error:
            raise Undeliverable(error.reason, permanent=error.permanent, retry_after=error.retry_after) from error
        brand, community = UUID(payload["brand"]), UUID(payload["community"])
        await self._writer.run(lambda session: keep_invite(session, brand, community, payload["code"], url))
