"""Which action each number stands for, kept per chat and person so that an answer is understood after a restart."""

from __future__ import annotations

from bots.adapter import Store

EVERYBODY = "*"
"""The person of an offer made to a whole room, or in a private chat."""


def _key(chat: str, person: str) -> str:
    return f"wechat/offer/{chat}/{EVERYBODY if person == chat else person}"


async def offered(store: Store, chat: str, person: str) -> dict[str, str]:
    """Number → action of the buttons the person saw last in this chat."""
    found = await store.get(_key(chat, person)) or await store.get(_key(chat, EVERYBODY))
    return found if isinstance(found, dict) else {}


async def offer(store: Store, chat: str, person: str, numbers: dict[str, str]) -> None:
    """Remember what was offered in place of what was there; nothing offered forgets it."""
    key = _key(chat, person)
    if numbers or await store.get(key):
        await store.put(key, numbers or None)
