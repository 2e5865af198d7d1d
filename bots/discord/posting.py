"""Posts in a server: in which channel, and what is pinned there. A message is named `channel/message`."""

from __future__ import annotations

import hashlib

import discord

from bots.adapter import NotThere, SendError
from bots.discord.sending import FAILURES, contents, drawn, refusal
from bots.message import Reply

NONCE_LENGTH = 25
"""Discord's limit for the name of a post."""
UNKNOWN_MESSAGE = 10008
UNKNOWN_GUILD = 10004


def board(guild: discord.Guild, wanted: str, *, picture: bool) -> discord.TextChannel:
    """Where to post: the operator's channel (an id or a name), else the first announcement channel, else where
    newcomers arrive, else the topmost; always one the bot may write in. Raises `SendError`."""
    channels = [one for one in guild.text_channels if _may_write(one, picture)]
    chosen = [one for one in channels if wanted and wanted in (str(one.id), one.name)]
    news = [one for one in channels if one.is_news()]
    arrivals = [one for one in channels if one == guild.system_channel]
    found = next(iter([*chosen, *news, *arrivals, *channels]), None)
    if found is None:
        raise SendError(f"there is no channel in {guild.name} that the bot may write in", permanent=True)
    return found


def _may_write(channel: discord.TextChannel, picture: bool) -> bool:
    may = channel.permissions_for(channel.guild.me)
    return may.view_channel and may.send_messages and (may.attach_files or not picture)


async def post(guild: discord.Guild, wanted: str, reply: Reply, key: str) -> str:
    """Post; Discord itself recognises a repeat of the last minutes by the key. Raises `NotThere`, `SendError`."""
    channel = board(guild, wanted, picture=reply.image is not None)
    picture = await drawn(reply.image)
    message = None
    try:
        for number, content in enumerate(contents(reply, picture)):
            nonce = hashlib.sha256(f"{key}/{number}".encode()).hexdigest()[:NONCE_LENGTH]
            message = await channel.send(**content, nonce=nonce)
    except FAILURES as error:
        raise _meant(error) from error
    if message is None:
        raise SendError("there is nothing to post", permanent=True)
    return f"{channel.id}/{message.id}"


async def pin(guild: discord.Guild, message: str) -> None:
    """Pin a post; a repeat changes nothing. Raises `NotThere`, `SendError`."""
    try:
        await _message(guild, message).pin(reason="a campaign begins")
    except FAILURES as error:
        raise _meant(error) from error


async def unpin(guild: discord.Guild, message: str) -> None:
    """Take a pin down; nothing happens if it, or the post, is gone. Raises `NotThere`, `SendError`."""
    try:
        await _message(guild, message).unpin(reason="the campaign is over")
    except FAILURES as error:
        if not (isinstance(error, discord.HTTPException) and error.code == UNKNOWN_MESSAGE):
            raise _meant(error) from error


def _message(guild: discord.Guild, name: str) -> discord.PartialMessage:
    channel, _, number = name.partition("/")
    found = guild.get_channel(int(channel)) if channel.isdecimal() else None
    if not isinstance(found, discord.TextChannel) or not number.isdecimal():
        raise SendError(f"the post {name!r} is not in a channel of {guild.name} any more", permanent=True)
    return found.get_partial_message(int(number))


def _meant(error: BaseException) -> SendError:
    """What a failure means for a post: whether the whole server is closed to us."""
    failure = refusal(error)
    gone = isinstance(error, discord.HTTPException) and error.code == UNKNOWN_GUILD
    return NotThere(failure.reason) if gone else failure
