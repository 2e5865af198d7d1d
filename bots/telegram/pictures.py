"""Files that people send on Telegram: seen in a message, fetched only when somebody wants them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from telegram import File, Message
from telegram.error import TelegramError

from bots.adapter import SendError
from bots.message import PICTURE_BYTES, Attachment
from bots.telegram.client import FloodError, as_send_error
from core.errors import BadInput

MOTION = "video/mp4"
"""What Telegram makes of every GIF."""


def sent_picture(message: Message) -> Attachment | None:
    """What somebody sent that may be a picture; of a photo the largest size we would take."""
    if message.photo:
        fitting = [size for size in message.photo if (size.file_size or 0) <= PICTURE_BYTES] or message.photo[:1]
        size = max(fitting, key=lambda one: one.width * one.height)
        return Attachment("image/jpeg", size.file_size, partial(_fetched, size.get_file))
    if (moving := message.animation or message.video) is not None:
        return Attachment(moving.mime_type or MOTION, moving.file_size, partial(_fetched, moving.get_file))
    if (document := message.document) is not None:
        return Attachment(document.mime_type or "", document.file_size, partial(_fetched, document.get_file))
    return None


async def _fetched(find: Callable[[], Awaitable[File]]) -> bytes:
    try:
        file = await find()
        if (file.file_size or 0) > PICTURE_BYTES:
            raise BadInput("picture_too_large", megabytes=PICTURE_BYTES // 1024**2)
        return bytes(await file.download_as_bytearray())
    except (TelegramError, FloodError) as error:
        raise as_send_error(error) from error
    except (RuntimeError, OSError) as error:  # no address came with the file; a server's own folder cannot be read
        raise SendError(f"the file could not be fetched: {error}") from error
