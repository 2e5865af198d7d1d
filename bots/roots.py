"""Posts the root of a day's books into the chats that the brand chose, so that many people hold it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session

from bots.adapter import Adapter, SendError
from bots.context import Safe, say
from bots.message import Address, Reply
from core.events import Bus
from core.outbox import Claimed, Message, Undeliverable, put
from core.reader import Reader
from referral.brands import Brand
from rewards.proofs.blocks import RootPublished, readers_of

ROOT_TOPIC = "root:"
"""Outbox topic of roots to be posted, with the platform behind it."""


def listen(bus: Bus) -> None:
    """Hear of each day's root."""
    bus.on(RootPublished, on_published)


def on_published(session: Session, happened: Sequence[RootPublished]) -> None:
    """Queue a message for each chat of the brand."""
    put(
        session,
        [
            Message(
                ROOT_TOPIC + platform,
                f"root/{event.brand_id}/{event.day}/{platform}/{chat}",
                {
                    "chat": chat,
                    "brand": str(event.brand_id),
                    "day": event.day.isoformat(),
                    "height": event.height,
                    "root": event.root,
                },
                event.brand_id,
            )
            for event in happened
            for platform, chat in readers_of(session, event.brand_id)
        ],
    )


def compose(session: Session, payload: dict[str, Any]) -> Reply | None:
    """The words of a post, in the brand's language."""
    brand = session.get(Brand, UUID(payload["brand"]))
    if brand is None:
        return None
    day, root = Safe(payload["day"]), Safe(payload["root"])
    return Reply(say(brand.locale, "root.posted", brand=brand.name, day=day, height=payload["height"], root=root))


class RootPoster:
    """Handles the outbox topic `root:<platform>`."""

    def __init__(self, adapter: Adapter, reader: Reader) -> None:
        self._adapter = adapter
        self._reader = reader

    async def __call__(self, message: Claimed) -> None:
        reply = await self._reader.run(lambda session: compose(session, message.payload))
        if reply is None:
            return
        try:
            await self._adapter.send(Address(self._adapter.platform, message.payload["chat"]), reply)
        except SendError as error:
            raise Undeliverable(error.reason, permanent=error.permanent, retry_after=error.retry_after) from error
