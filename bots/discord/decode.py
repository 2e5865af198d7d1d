"""Discord's objects and payloads → neutral words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import discord

from bots.discord.pictures import attached, sent_picture
from bots.message import Address, Person, Place, Pressed, Said, Submitted

PLATFORM = "discord"
UPLOAD = 19
"""The number of the component that takes files in a modal."""
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


def submitted(interaction: discord.Interaction[Any], api_url: str | None = None) -> Submitted:
    """A modal that came back; its custom id is the form's action. `api_url`: see `pictures.sent_picture`."""
    data: Mapping[str, Any] = dict(interaction.data or {})
    components = data.get("components", ())
    files: Mapping[str, Any] = (data.get("resolved") or {}).get("attachments") or {}
    pictures = {
        name: attached(discord.Attachment(data=files[number], state=interaction._state), api_url)
        for name, number in form_files(components).items()
        if number in files
    }
    return Submitted(
        _actor(interaction),
        interaction_place(interaction),
        str(data["custom_id"]),
        form_answers(components),
        str(interaction.id),
        pictures,
    )


def slash(data: Mapping[str, Any]) -> tuple[str, str]:
    """The name and the one argument of a slash command's data."""
    options: Sequence[Mapping[str, Any]] = data.get("options") or ()
    return str(data["name"]), str(options[0].get("value", "")) if options else ""


def form_answers(components: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The texts of a modal, whether they came in action rows (the old way) or in labels (the new one)."""
    answers: dict[str, str] = {}
    for component in components:
        if "custom_id" in component and ("value" in component or component.get("type") == UPLOAD):
            answers[str(component["custom_id"])] = str(component.get("value") or "")
        answers.update(form_answers(component.get("components") or ()))
        if component.get("component"):
            answers.update(form_answers([component["component"]]))
    return answers


def form_files(components: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The number of the file in each field of a modal that takes one."""
    parts = [part for component in components for part in (component, component.get("component") or {})]
    return {
        str(part["custom_id"]): str(part["values"][0])
        for part in parts
        if part.get("type") == UPLOAD and part.get("values")
    }


def _actor(interaction: discord.Interaction[Any]) -> Person:
    return person(interaction.user, str(interaction.locale))
