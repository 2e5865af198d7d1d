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
from bots.message import PICTURE_BYTES, Attachment, Pressed, Said, Submitted
from core.errors import BadInput
from core.writer import Writer
from referral.pictures import prepare, store

log = structlog.get_logger()

AT_ONCE = 2
"""Pictures fetched and drawn anew at the same time: each may take 200 MB for a moment."""
FETCH_SECONDS = 60.0


Turn = Said | Pressed | Submitted


class Pictures:
    """Turns a sent picture into the answer that a dialog keeps: its name."""

    def __init__(self, writer: Writer, dialogs: Mapping[str, Dialog]) -> None:
        self._writer = writer
        self._dialogs = dialogs
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def taken(self, said: Turn) -> tuple[Turn, BadInput | None]:
        """What was said, with the names of pictures as answers, and what is wrong with a picture that is none.

        A picture is looked at only if one was asked for. In a group, with a command, or beside words when nobody
        asked, it is left out.
        """
        try:
            if isinstance(said, Said) and said.picture is not None:
                return await self._said(said, said.picture), None
            if isinstance(said, Submitted) and said.pictures:
                return await self._form(said), None
        except BadInput as error:
            return (replace(said, text="", picture=None) if isinstance(said, Said) else said), error
        return said, None

    async def _said(self, said: Said, picture: Attachment) -> Said:
        if said.place.group is not None or said.command is not None:
            return replace(said, picture=None)
        person, platform = said.person, said.place.address.platform
        brand_id = await self._writer.run(lambda session: self._asked(session, platform, person.account))
        if brand_id is None:
            return replace(said, picture=None) if said.text else said
        return replace(said, text=await self._kept(brand_id, picture), picture=None)

    async def _form(self, submitted: Submitted) -> Submitted:
        person, platform = submitted.person, submitted.place.address.platform
        brand_id = await self._writer.run(lambda session: self._asked(session, platform, person.account))
        if brand_id is None:
            return replace(submitted, pictures={})
        names = {name: await self._kept(brand_id, picture) for name, picture in submitted.pictures.items()}
        return replace(submitted, answers=submitted.answers | names, pictures={})

    def _asked(self, session: Session, platform: str, account: str) -> UUID | None:
        """The brand that asked this person for a picture, if one did."""
        if not wants_picture(session, self._dialogs, platform, account):
            return None
        waiting = current(session, platform, account)
        return waiting.brand_id if waiting is not None else None

    async def _kept(self, brand_id: UUID, attachment: Attachment) -> str:
        async with self._turns:
            picture = await asyncio.to_thread(prepare, await fetched(attachment))
        return await self._writer.run(lambda session: store(session, brand_id, picture))


async def fetched(attachment: Attachment) -> bytes:
    """The bytes of what could be a picture. Raises `BadInput`, `picture_lost` if the platform keeps them."""
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
