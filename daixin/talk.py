"""One turn of a conversation through the web chat adapter, for `daixin say`."""

from __future__ import annotations

from typing import Any

from bots.markup import plain
from bots.message import Person, Reply
from bots.webchat.adapter import WebChatAdapter
from core.settings import Settings
from daixin.bootstrap import build


async def talk(settings: Settings, name: str, text: str, group: str | None, locale: str) -> list[dict[str, Any]]:
    """What the bot answers when the person of this name writes `text`; a leading `>` presses a button's action."""
    parts = build(settings, ["webchat"])
    try:
        chat = parts.adapters["webchat"]
        assert isinstance(chat, WebChatAdapter)
        chat.listen(parts.router.hear)
        person = Person(f"say:{name}", name, locale=locale)
        if text.startswith(">"):
            replies = await chat.press(person, text[1:].strip(), group=group)
        else:
            replies = await chat.say(person, text, group=group)
        await parts.dispatcher.deliver_due()
        told = chat.inbox(person.account)
        return [_neutral(reply) for reply in [*replies, *told]]
    finally:
        parts.close()


def _neutral(reply: Reply) -> dict[str, Any]:
    buttons = [
        [{"label": b.label, "action": b.action, "url": b.url, "copy": b.copy} for b in row] for row in reply.buttons
    ]
    labels = "\n".join("  ".join(f"[{button['label']}]" for button in row) for row in buttons)
    shown = plain(reply.text) + (f"\n({reply.image.alt})" if reply.image else "") + (f"\n{labels}" if labels else "")
    return {
        "text": reply.text,
        "buttons": buttons,
        "private": reply.private,
        "image": reply.image.filename if reply.image else None,
        "shown": shown,
    }
