"""Files that people send in private on Discord: fetched when somebody wants them, and from Discord's own hosts only."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlsplit

import discord

from bots.adapter import SendError
from bots.discord.sending import FAILURES, refusal
from bots.message import PICTURE_BYTES, Attachment
from core.errors import BadInput

CDN = frozenset({"cdn.discordapp.com", "media.discordapp.net"})


def sent_picture(message: discord.Message, api_url: str | None) -> Attachment | None:
    """The first file of a message. `api_url`: where the library was repointed to; files may come from there too."""
    if not message.attachments:
        return None
    return attached(message.attachments[0], api_url)


def attached(file: discord.Attachment, api_url: str | None) -> Attachment:
    """A file as neutral words."""
    hosts = CDN | ({urlsplit(api_url).hostname or ""} if api_url else set())
    return Attachment(file.content_type or "", file.size, partial(_fetched, file, hosts))


async def _fetched(file: discord.Attachment, hosts: frozenset[str]) -> bytes:
    if file.size > PICTURE_BYTES:
        raise BadInput("picture_too_large", megabytes=PICTURE_BYTES // 1024**2)
    if urlsplit(file.url).hostname not in hosts:
        raise SendError(f"a file at {urlsplit(file.url).hostname} is not fetched", permanent=True)
    try:
        return await file.read()
    except FAILURES as error:
        raise refusal(error) from error
