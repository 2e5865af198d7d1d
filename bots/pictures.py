"""Pictures as answers: fetched only when one was asked for, prepared outside any unit of work, kept for the brand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

import structlog
from sqlmodel import Session

from bots.adapter import SendError
from bots.dialog import Dialog, current, wants_picture
from bots.message import PICTURE_BYTES, Attachment, Said
from core.errors import BadInput
from core.writer import Writer
from referral.pictures import prepare, store

log = structlog.get_logger()

AT_ONCE = 2
"""Pictures fetched and drawn anew at the same time: each may take 200 MB for a moment."""
FETCH_SECONDS = 60.0


class Pictures:
    """Turns a sent picture into the answer that a dialog keeps: its name."""

    def __init__(self, writer: Writer, dialogs: Mapping[str, Dialog]) -> None:
        self._writer = writer
        self._dialogs = dialogs
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def heard(self, said: Said) -> Said:
        """What was said, with the picture's name in place of its words if a picture was asked for.

        In a group, with a command, or beside words when nobody asked for a picture, it is left out. Raises
        `BadInput` with what is wrong with the picture, `picture_lost` if the platform does not hand it over.
        """
        if said.picture is None:
            return said
        if said.place.group is not None or said.command is not None:
            return replace(said, picture=None)
        person, platform = said.person, said.place.address.platform

        def asked(session: Session) -> UUID | None:
            if not wants_picture(session, self._dialogs, platform, person.account):
                return None
            waiting = current(session, platform, person.account)
            return waiting.brand_id if waiting is not None else None

        brand_id = await self._writer.run(asked)
        if brand_id is None:
            return replace(said, picture=None) if said.text else said
        async with self._turns:
            picture = await asyncio.to_thread(prepare, await fetched(said.picture))
        name = await self._writer.run(lambda session: store(session, brand_id, picture))
        return replace(said, text=name, picture=None)


async def fetched(attachment: Attachment) -> bytes:
    """The bytes of what could be a picture. Raises `BadInput`."""
    kind = attachment.media_type
    if kind.startswith("video/"):  # what Telegram makes of a GIF, too
        raise BadInput("picture_animated")
    if kind and not kind.startswith("image/") and kind != "application/octet-stream":
        raise BadInput("picture_unreadable")
    if (attachment.size or 0) > PICTURE_BYTES:
        raise BadInput("picture_too_large", megabytes=PICTURE_BYTES // 1024**2)
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            return await attachment.fetch()
    except (SendError, TimeoutError) as error:
        log.warning("picture.lost", error=str(error))
        raise BadInput("picture_lost") from error
