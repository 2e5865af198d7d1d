"""Which action each number stands for, kept per chat and person so that an answer is understood after a restart."""

from __future__ import annotations

from datetime import datetime, timedelta

from bots.adapter import Store

EVERYBODY = "*"
"""The person of an offer made to a whole room, or in a private chat."""

IN_A_ROOM = timedelta(hours=1)
"""How long a bare number in a room can be an answer; in a private chat it always is."""


def _key(chat: str, person: str) -> str:
    return f"wechat/offer/{chat}/{EVERYBODY if person == chat else person}"


async def offered(store: Store, chat: str, person: str, now: datetime) -> dict[str, str]:
    """Number → action of the buttons the person saw last in this chat."""
    for key in (_key(chat, person), _key(chat, EVERYBODY)):
        found = await store.get(key)
        if found and ("@" not in chat or now.timestamp() - found["at"] < IN_A_ROOM.total_seconds()):
            return dict(found["numbers"])
    return {}


async def offer(store: Store, chat: str, person: str, numbers: dict[str, str], now: datetime) -> None:
    """Remember what was offered in place of what was there; nothing offered forgets it."""
    key = _key(chat, person)
    if numbers:
        await store.put(key, {"at": now.timestamp(), "numbers": numbers})
    elif await store.get(key):
        await store.put(key, None)
