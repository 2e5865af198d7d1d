"""Discord's objects and payloads → neutral words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import discord

from bots.discord.pictures import sent_picture
from bots.message import Address, Person, Place, Pressed, Said, Submitted

PLATFORM = "discord"
CHANNEL = "c:"
"""Begins the `Address.chat` of a guild's channel; a bare number is a person's private chat."""


def person(user: discord.abc.User, locale: str | None = None) -> Person:
    """Who it is; the name is as the guild (or, in private, everybody) sees it."""
    return Person(str(user.id), user.display_name, user.name, locale)


def private_place(user: discord.abc.User) -> Place:
    """The private chat with a person."""
    return Place(Address(PLATFORM, str(user.id)))


def interaction_place(interaction: discord.Interaction[Any]) -> Place:
    """Where a command or button was used; answers outside of it go to the person's private chat."""
    guild = interaction.guild
    return Place(
        Address(PLATFORM, str(interaction.user.id)),
        group=str(interaction.guild_id) if interaction.guild_id else None,
        title=guild.name if guild else "",
    )


def said(interaction: discord.Interaction[Any]) -> Said:
    """A slash command."""
    data: Mapping[str, Any] = dict(interaction.data or {})
    command, argument = slash(data)
    text = f"/{command} {argument}".rstrip()
    return Said(_actor(interaction), interaction_place(interaction), text, command, argument, str(interaction.id))


def message_said(message: discord.Message, api_url: str | None = None) -> Said:
    """A text written to the bot in private, or a file. `api_url`: see `pictures.sent_picture`."""
    picture = sent_picture(message, api_url)
    place = private_place(message.author)
    return Said(person(message.author), place, message.content, key=str(message.id), picture=picture)


def pressed(interaction: discord.Interaction[Any], action: str) -> Pressed:
    """A button of ours."""
    return Pressed(_actor(interaction), interaction_place(interaction), action, str(interaction.id))


def submitted(interaction: discord.Interaction[Any]) -> Submitted:
    """A modal that came back; its custom id is the form's action."""
    data: Mapping[str, Any] = dict(interaction.data or {})
    answers = form_answers(data.get("components", ()))
    return Submitted(
        _actor(interaction), interaction_place(interaction), str(data["custom_id"]), answers, str(interaction.id)
    )


def slash(data: Mapping[str, Any]) -> tuple[str, str]:
    """The name and the one argument of a slash command's data."""
    options: Sequence[Mapping[str, Any]] = data.get("options") or ()
    return str(data["name"]), str(options[0].get("value", "")) if options else ""


def form_answers(components: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The texts of a modal, whether they came in action rows (the old way) or in labels (the new one)."""
    answers: dict[str, str] = {}
    for component in components:
        if "custom_id" in component and "value" in component:
            answers[str(component["custom_id"])] = str(component["value"] or "")
        answers.update(form_answers(component.get("components") or ()))
        if component.get("component"):
            answers.update(form_answers([component["component"]]))
    return answers


def _actor(interaction: discord.Interaction[Any]) -> Person:
    return person(interaction.user, str(interaction.locale))
