"""Buttons and modals as discord.py sends them. What they mean is in their custom id, so they survive restarts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol, cast

import discord

from bots.discord.encode import FORM_FIELDS, LABEL_LIMIT, NativeButton, NativeMenu, Part, check_form, short
from bots.message import Form

TITLE_LIMIT = LABEL_TEXT_LIMIT = 45
PLACEHOLDER_LIMIT = 100
ANSWER_LIMIT = 4000
ACTION, FORM = "a", "f"
"""Kinds of custom id: `a<n>:<action>` is a button of ours, `f<n>:<action>` opens the form of that action. The
number keeps two buttons with the same action apart, as Discord demands."""


CUSTOM_ID = re.compile(r"(?P<kind>[af])\d+:(?P<action>.*)", re.DOTALL)


class HearsButtons(Protocol):
    """The client a button reports to."""

    async def button(self, interaction: discord.Interaction[Any], kind: str, action: str) -> None:
        """A button was pressed."""


class ActionButton(
    discord.ui.DynamicItem["discord.ui.Button[discord.ui.View]"],
    template=CUSTOM_ID,
):
    """Any button of ours, of this process or an earlier one."""

    def __init__(self, custom_id: str, label: str) -> None:
        super().__init__(discord.ui.Button(label=label, custom_id=custom_id))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> ActionButton:
        """Made anew for every press."""
        label = item.label if isinstance(item, discord.ui.Button) and item.label else "…"
        return cls(match.string, label[:LABEL_LIMIT])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the press to the client."""
        match = self.template.fullmatch(self.custom_id)
        if match:
            client = cast(HearsButtons, interaction.client)
            await client.button(interaction, match["kind"], match["action"])


class ChoiceMenu(
    discord.ui.DynamicItem["discord.ui.Select[discord.ui.View]"], template=re.compile(r"m(?P<number>\d+)")
):
    """Any menu of ours: the value that is picked is a button's custom id."""

    def __init__(self, menu: NativeMenu) -> None:
        made: discord.ui.Select[discord.ui.View] = discord.ui.Select(custom_id=menu.custom_id, placeholder="…")
        for option in menu.options:
            made.add_option(label=option.label, value=option.custom_id or "")
        super().__init__(made)

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> ChoiceMenu:
        """Made anew for every pick."""
        return cls(NativeMenu(match.string, (NativeButton("…", custom_id=match.string),)))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the pick to the client, as if a button had been pressed."""
        data: Mapping[str, Any] = dict(interaction.data or {})
        picked = [str(value) for value in data.get("values") or ()]
        match = CUSTOM_ID.fullmatch(picked[0]) if picked else None
        if match:
            client = cast(HearsButtons, interaction.client)
            await client.button(interaction, match["kind"], match["action"])


def view(part: Part) -> discord.ui.View | None:
    """The buttons of a part; None when it has none."""
    if not part.rows and not part.menus:
        return None
    made = discord.ui.View(timeout=None)
    for number, menu in enumerate(part.menus):
        item = ChoiceMenu(menu)
        item.row = number
        made.add_item(item)
    for number, row in enumerate(part.rows, len(part.menus)):
        for button in row:
            made.add_item(_item(button, number))
    return made


def modal(form: Form, text: str) -> discord.ui.Modal:
    """A form as a modal, with the words that belong to it above the fields while there is room.

    Raises ValueError when it has too many fields. It is marked as finished, so that the library does not keep it:
    the answers are read from the event itself.
    """
    check_form(form)
    made = discord.ui.Modal(title=short(form.title, TITLE_LIMIT), custom_id=form.action)
    if text and len(form.fields) < FORM_FIELDS:
        made.add_item(discord.ui.TextDisplay(text[:ANSWER_LIMIT]))
    for question in form.fields:
        label = short(question.label, LABEL_TEXT_LIMIT)
        if question.picture:
            upload: discord.ui.FileUpload[discord.ui.Modal] = discord.ui.FileUpload(
                custom_id=question.name, required=question.required, min_values=int(question.required), max_values=1
            )
            made.add_item(discord.ui.Label(text=label, component=upload))
            continue
        answer: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
            custom_id=question.name,
            style=discord.TextStyle.paragraph if question.multiline else discord.TextStyle.short,
            placeholder=question.placeholder[:PLACEHOLDER_LIMIT] or None,
            max_length=min(question.max_length, ANSWER_LIMIT),
            default=question.value[: min(question.max_length, ANSWER_LIMIT)] or None,
            required=question.required,
        )
        made.add_item(discord.ui.Label(text=label, component=answer))
    made.stop()
    return made


def _item(button: NativeButton, row: int) -> discord.ui.Item[Any]:
    if button.url is not None:
        return discord.ui.Button(label=button.label, url=button.url, row=row)
    item = ActionButton(button.custom_id or "", button.label)
    item.row = row
    return item
