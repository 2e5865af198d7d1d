"""Messages out: parts one after another, the picture with the last, and what a refusal means."""

from __future__ import annotations

import asyncio
import io
import logging
from typing import Any, TypedDict

import aiohttp
import discord

from bots.adapter import SendError, Store
from bots.discord.encode import Part, encode
from bots.discord.views import view
from bots.message import Field, Form, Image, Reply

log = logging.getLogger(__name__)

NOBODY = discord.AllowedMentions.none()
FAILURES = (discord.DiscordException, aiohttp.ClientError, OSError, asyncio.TimeoutError, RuntimeError)
"""What a call to Discord may raise; RuntimeError is aiohttp's word for a session closed meanwhile."""

CANNOT_MESSAGE = 50007
TRIES = 3


class Content(TypedDict, total=False):
    """The arguments every way of sending has in common."""

    content: str
    view: discord.ui.View
    file: discord.File
    allowed_mentions: discord.AllowedMentions


def refusal(error: BaseException) -> SendError:
    """What an error of the library means for whoever wanted to send."""
    if isinstance(error, discord.RateLimited):
        return SendError("Discord asks to slow down", retry_after=error.retry_after)
    if isinstance(error, discord.HTTPException):
        if error.status == 429:
            return SendError("Discord asks to slow down", retry_after=_retry_after(error))
        if error.code == CANNOT_MESSAGE:
            return SendError("the person does not accept messages from the bot (50007)", permanent=True)
        reason = f"Discord answered {error.status} ({error.code}) {error.text}".strip()
        return SendError(reason[:300], permanent=400 <= error.status < 500 and error.status not in (401, 408))
    return SendError(f"Discord cannot be reached: {type(error).__name__} {error}".strip()[:300])


async def drawn(image: Image | None) -> bytes | None:
    """The bytes of a picture, drawn in a thread."""
    return await asyncio.to_thread(image.draw) if image else None


def contents(reply: Reply, picture: bytes | None, *, form_button: bool = False) -> list[Content]:
    """The messages of a reply, ready for discord.py; needs a running loop (views ask for one)."""
    parts = encode(reply, form_button=form_button)
    made = [_content(part) for part in parts]
    if reply.image and picture is not None:
        made[-1]["file"] = discord.File(io.BytesIO(picture), reply.image.filename, description=reply.image.alt[:1024])
    return made


async def post(channel: discord.abc.Messageable, reply: Reply, store: Store) -> None:
    """Send a reply to a channel. Raises `SendError`."""
    if reply.form:
        await keep_form(store, reply.form, reply.text)
    picture = await drawn(reply.image)
    try:
        for content in contents(reply, picture, form_button=reply.form is not None):
            await channel.send(**content)
    except FAILURES as error:
        raise refusal(error) from error


async def post_patiently(channel: discord.abc.Messageable, reply: Reply, store: Store) -> None:
    """Answer somebody who waits: a passing refusal is tried again, a lasting one is logged. Never raises SendError."""
    for again in range(TRIES):
        try:
            await post(channel, reply, store)
        except SendError as error:
            if error.permanent or again == TRIES - 1:
                log.warning("an answer was not delivered: %s", error.reason)
                return
            await asyncio.sleep(min(error.retry_after or again + 1, 30.0))
        else:
            return


async def keep_form(store: Store, form: Form, text: str) -> None:
    """Remember a form until its button is pressed, which may be after a restart."""
    fields = [
        [f.name, f.label, f.placeholder, f.multiline, f.max_length, f.value, f.required, f.picture] for f in form.fields
    ]
    kept = {"title": form.title, "text": text, "fields": fields, "button": form.button}
    await store.put(_form_key(form.action), kept)


async def forget_form(store: Store, action: str) -> None:
    """It was filled in."""
    await store.put(_form_key(action), None)


async def kept_form(store: Store, action: str) -> tuple[Form, str] | None:
    """The form behind a button and the words that came with it."""
    kept: dict[str, Any] | None = await store.get(_form_key(action))
    if not kept:
        return None
    fields = tuple(Field(*field) for field in kept["fields"])
    return Form(kept["title"], action, fields, kept.get("button", "")), kept["text"]


def _form_key(action: str) -> str:
    return f"discord:form:{action}"


def _content(part: Part) -> Content:
    content = Content(content=part.content, allowed_mentions=NOBODY)
    buttons = view(part)
    if buttons:
        content["view"] = buttons
    return content


def _retry_after(error: discord.HTTPException) -> float:
    try:
        return float(error.response.headers.get("Retry-After", ""))
    except ValueError:
        return 5.0
