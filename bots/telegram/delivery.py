"""Brings replies to people: in place, in private, over an old message, or as a word in the group."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from telegram import CallbackQuery, InputFile, LinkPreviewOptions, Message, Update
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, NetworkError, TelegramError

from bots.adapter import SendError
from bots.message import Button, Incoming, JoinRequested, Reply
from bots.telegram.client import Client, FloodError, as_send_error
from bots.telegram.encode import Outgoing, encode

TRIES = 3
LONGEST_PATIENCE = 60.0
"""Seconds an answer in place waits for a flood limit to pass before it is given up."""

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_log = logging.getLogger(__name__)


class Delivery:
    """Sends through one client. `sleep` takes seconds."""

    def __init__(self, client: Client, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._client = client
        self._sleep = sleep

    async def send(self, chat: int, reply: Reply, topic: int | None = None, *, quiet: bool = False) -> list[Message]:
        """Send one reply to a chat, to the group's new id if it became a supergroup; its messages. Raises `SendError`.

        topic: the thread in a group that has topics; without it one speaks in its general topic. quiet: no phone rings.
        """
        try:
            try:
                return await self._send(chat, reply, topic, quiet)
            except ChatMigrated as moved:
                return await self._send(moved.new_chat_id, reply, topic, quiet)
        except (TelegramError, FloodError) as error:
            raise as_send_error(error) from error

    async def answer(self, incoming: Incoming, replies: Sequence[Reply], update: Update) -> None:
        """Deliver the replies to what somebody did, in order. What cannot be said is logged; nothing is raised."""
        for reply in replies:
            try:
                await self._answer(incoming, reply, update)
            except SendError as error:
                _log.warning("no answer in chat %s: %s", incoming.place.address.chat, error.reason)
            except Exception:
                _log.exception("no answer in chat %s", incoming.place.address.chat)

    async def acknowledge(self, query: CallbackQuery) -> None:
        """Stop the button's spinner. Telegram takes one answer per press, and none after some minutes."""
        try:
            await self._client.answer_callback_query(query.id)
        except (TelegramError, FloodError) as error:
            _log.info("a button's press was not acknowledged: %s", error)

    async def _answer(self, incoming: Incoming, reply: Reply, update: Update) -> None:
        here, topic, pressed = int(incoming.place.address.chat), _topic(update), update.callback_query
        person = getattr(incoming, "person", None)
        if isinstance(incoming, JoinRequested):
            # Who waits at the door cannot read the group; Telegram lets us write to them for a while.
            await self._patiently(int(incoming.person.account), reply)
        elif incoming.place.group is None or not reply.private or person is None:
            if not (reply.edit and pressed and await self._edit(pressed, reply)):
                await self._patiently(here, reply, topic)
        else:
            try:
                await self._patiently(int(person.account), reply)
            except SendError as error:
                if not (error.permanent and reply.brief):
                    raise
                await self._patiently(here, self._brief(incoming, reply), topic)

    async def _patiently(self, chat: int, reply: Reply, topic: int | None = None) -> None:
        """Send, and try again while that can help: an answer given twice is better than none."""
        for tries_left in reversed(range(TRIES)):
            try:
                await self.send(chat, reply, topic)
                return
            except SendError as error:
                wait = 1.0 if error.retry_after is None else error.retry_after
                if error.permanent or not tries_left or wait > LONGEST_PATIENCE:
                    raise
                await self._sleep(wait)

    async def _send(self, chat: int, reply: Reply, topic: int | None, quiet: bool) -> list[Message]:
        return [await self._send_one(chat, message, topic, quiet) for message in encode(reply)]

    async def _send_one(self, chat: int, message: Outgoing, topic: int | None, quiet: bool) -> Message:
        if message.image is None:
            return await self._client.send_message(
                chat,
                message.html,
                parse_mode=ParseMode.HTML,
                reply_markup=message.keyboard,
                link_preview_options=_NO_PREVIEW,
                message_thread_id=topic,
                disable_notification=quiet or None,
            )
        drawn = await asyncio.to_thread(message.image.draw)
        send = self._client.send_document if message.image.is_file else self._client.send_photo
        return await send(
            chat,
            InputFile(drawn, message.image.filename),
            caption=message.html or None,
            parse_mode=ParseMode.HTML,
            reply_markup=message.keyboard,
            message_thread_id=topic,
            disable_notification=quiet or None,
        )

    async def _edit(self, pressed: CallbackQuery, reply: Reply) -> bool:
        """Write the reply over the message whose button was pressed; False if it must be sent anew."""
        shown = pressed.message
        messages = encode(reply)
        if not isinstance(shown, Message) or len(messages) != 1 or messages[0].image:
            return False
        html, keyboard = messages[0].html, messages[0].keyboard
        try:
            if shown.text is not None:
                await self._client.edit_message_text(
                    html,
                    shown.chat.id,
                    shown.message_id,
                    parse_mode=ParseMode.HTML,
                    reply_markup=keyboard,
                    link_preview_options=_NO_PREVIEW,
                )
            else:
                await self._client.edit_message_caption(
                    shown.chat.id, shown.message_id, caption=html, parse_mode=ParseMode.HTML, reply_markup=keyboard
                )
        except BadRequest as error:
            # Pressed twice: it already says so. Otherwise it is gone, too old, or no caption can be this long.
            return "not modified" in error.message
        except (NetworkError, FloodError, TelegramError):
            return False
        return True

    def _brief(self, incoming: Incoming, reply: Reply) -> Reply:
        """The word in the group, with the way to the private chat; the code somebody gave goes along."""
        argument = getattr(incoming, "argument", "")
        payload = argument if _PAYLOAD.fullmatch(argument) else ""
        bot = self._client.username
        button = Button(f"@{bot}", url=f"https://t.me/{bot}?start={payload}")
        return replace(reply, text=reply.brief, buttons=((button,),), image=None, private=False, brief="")


def _topic(update: Update) -> int | None:
    """The topic of a forum in which it happened; a thread of replies in an ordinary group is none."""
    message = update.effective_message
    return message.message_thread_id if message and message.is_topic_message else None
