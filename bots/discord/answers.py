"""Answering an interaction within Discord's deadlines.

Something must be heard within 3 s, the rest may follow for 15 min. The first answer decides whether it is
private, and a modal can only be a first answer, and none to a modal: elsewhere a form is a button that opens it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import discord

from bots.adapter import Store
from bots.discord.encode import markdown
from bots.discord.sending import FAILURES, NOBODY, Content, contents, drawn, keep_form, post_patiently
from bots.discord.settings import DiscordSettings
from bots.discord.views import modal
from bots.message import Form, Reply

log = logging.getLogger(__name__)

ALREADY_ANSWERED = 40060


class Lost(Exception):
    """Discord no longer takes an answer to this interaction (too late, or it never came through)."""


class Answer:
    """The answer to one interaction."""

    def __init__(self, interaction: discord.Interaction[Any], settings: DiscordSettings, store: Store) -> None:
        self.interaction = interaction
        self.settings = settings
        self.store = store
        self.heard_at = asyncio.get_running_loop().time()
        self.answered = False
        self.thinking = False  # Discord shows "thinking…", and the next message takes that place
        self.in_guild = interaction.guild_id is not None
        self.to_a_modal = interaction.type is discord.InteractionType.modal_submit

    async def give(self, work: Awaitable[Sequence[Reply]], *, slow: bool = False) -> None:
        """Wait for the replies and deliver them, deferring first when they take long. Raises what `work` raises."""
        replies = asyncio.ensure_future(work)
        try:
            if not slow:
                await asyncio.wait({replies}, timeout=self.settings.defer_after)
            if slow or not replies.done():
                await self._defer()
        except Lost:
            log.warning("an interaction could not be deferred in time")
        try:
            for reply in await replies:
                await self._deliver_or_write(reply)
        finally:
            await self._finish()

    async def show(self, form: Form, text: str) -> None:
        """Open a form at once."""
        await self._deliver_or_write(Reply(text, form=form, private=True))

    async def _deliver_or_write(self, reply: Reply) -> None:
        """What can no longer be answered in place is written to the person, who spoke to us first."""
        try:
            await self._deliver(reply)
        except Lost as error:
            log.warning("an answer goes to the private chat: %s", error)
            await post_patiently(self.interaction.user, reply, self.store)
        except FAILURES as error:
            log.warning("an answer was not delivered: %s", error)

    async def _deliver(self, reply: Reply) -> None:
        if reply.form and reply.form.at_once and not self.answered and not self.to_a_modal:
            made = modal(reply.form, markdown(reply.text))
            await self._first(lambda: self.interaction.response.send_modal(made))
            return
        if reply.form:
            await keep_form(self.store, reply.form, reply.text)
        if reply.image and not self.answered:
            await self._defer()
        messages = contents(reply, await drawn(reply.image), form_button=reply.form is not None)
        private = reply.private and self.in_guild
        for number, content in enumerate(messages):
            if reply.edit and number == 0 and self.interaction.message is not None and not self.thinking:
                await self._edit(content)
            else:
                await self._say(content, private)

    async def _say(self, content: Content, private: bool) -> None:
        if not self.answered:
            await self._first(lambda: self.interaction.response.send_message(**content, ephemeral=private))
        elif self.thinking:
            await self._fill(content, private)
        else:
            await self._later(lambda: self.interaction.followup.send(**content, ephemeral=private))

    async def _fill(self, content: Content, private: bool) -> None:
        """The place of "thinking…" is private in a guild; what everybody may see goes beside it."""
        self.thinking = False
        if private or not self.in_guild:
            await self._later(lambda: self.interaction.edit_original_response(**_edited(content)))
        else:
            await self._later(self.interaction.delete_original_response)
            await self._later(lambda: self.interaction.followup.send(**content))

    async def _edit(self, content: Content) -> None:
        """Replace the message whose button was pressed, its old picture and buttons included."""
        edited = _edited(content)
        if self.answered:
            await self._later(lambda: self.interaction.edit_original_response(**edited))
        else:
            await self._first(lambda: self.interaction.response.edit_message(**edited))

    async def _defer(self) -> None:
        """Tell Discord that an answer comes. A press needs no "thinking…": its message is already there."""
        thinking = self.interaction.message is None
        await self._first(lambda: self.interaction.response.defer(ephemeral=self.in_guild, thinking=thinking))
        self.thinking = thinking

    async def _finish(self) -> None:
        """Nothing to say is an answer too, else Discord shows a failure."""
        try:
            if not self.answered:
                await self._defer()
            if self.thinking:
                self.thinking = False
                await self._later(self.interaction.delete_original_response)
        except (Lost, *FAILURES) as error:
            log.info("an interaction ended without an answer: %s", error)

    async def _first(self, respond: Callable[[], Awaitable[object]]) -> None:
        """The first answer. The library would try on for 25 s after a server error, long past the deadline."""
        try:
            await asyncio.wait_for(respond(), max(self.settings.answer_within - self._age(), 0.05))
        except discord.HTTPException as error:
            if error.code != ALREADY_ANSWERED:
                raise Lost(str(error)) from error
            self.answered = True
            raise Lost("it was answered before") from error
        except FAILURES as error:
            raise Lost(f"{type(error).__name__} {error}".strip()) from error
        self.answered = True

    async def _later(self, respond: Callable[[], Awaitable[object]]) -> None:
        if self._age() > self.settings.answer_until:
            raise Lost("fifteen minutes have passed")
        try:
            await respond()
        except discord.HTTPException as error:
            raise Lost(str(error)) from error

    def _age(self) -> float:
        """Seconds since we heard of the interaction; by our own clock, which need not agree with Discord's."""
        return asyncio.get_running_loop().time() - self.heard_at


def _edited(content: Content) -> dict[str, Any]:
    return {
        "content": content.get("content"),
        "view": content.get("view"),
        "attachments": [content["file"]] if "file" in content else [],
        "allowed_mentions": NOBODY,
    }
