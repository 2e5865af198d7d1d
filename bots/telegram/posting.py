"""Posts in groups and what is pinned there. A message is named `chat/message`: a group may have moved to another id."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from telegram.error import BadRequest, Forbidden

from bots.adapter import NotThere, SendError
from bots.message import Reply
from bots.telegram.client import Client
from bots.telegram.delivery import Delivery

NO_GROUP = "CHAT NOT FOUND"
NOT_PINNED = ("MESSAGE TO UNPIN NOT FOUND", "MESSAGE_NOT_FOUND", "MESSAGE NOT FOUND")


async def post(delivery: Delivery, chat: int, reply: Reply, *, again: bool) -> str:
    """Post in a group. Telegram does not recognise a repeat: one that may be a second post rings no phone.

    Raises `NotThere`, `SendError`.
    """
    with absence():
        sent = await delivery.send(chat, reply, quiet=again)
    if not sent:
        raise SendError("there is nothing to post", permanent=True)
    # Of several the last one has the words and the buttons.
    return f"{sent[-1].chat.id}/{sent[-1].message_id}"


async def pin(client: Client, message: str) -> None:
    """Pin a post without ringing anybody's phone. Raises the library's failures."""
    chat, number = _named(message)
    await client.pin_chat_message(chat, number, disable_notification=True)


async def unpin(client: Client, message: str) -> None:
    """Take the pin of this post down. Raises the library's failures."""
    chat, number = _named(message)
    await client.unpin_chat_message(chat, number)


@contextmanager
def absence() -> Iterator[None]:
    """Raise a failure as `NotThere` where it means that the bot is not in the group."""
    try:
        yield
    except SendError as error:
        cause = error.__cause__
        if isinstance(cause, Forbidden) or (isinstance(cause, BadRequest) and NO_GROUP in cause.message.upper()):
            raise NotThere(error.reason) from error
        raise


def _named(message: str) -> tuple[int, int]:
    chat, _, number = message.partition("/")
    try:
        return int(chat), int(number)
    except ValueError as error:
        raise SendError(f"{message!r} is no message of ours", permanent=True) from error
