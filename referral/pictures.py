"""Pictures that people send: looked at before they are decoded, drawn anew without what they carried along, kept once.

A picture goes by the digest of what is kept, `sha256:` and 64 hexadecimal digits, so the same one sent twice is one.
What is kept is always a JPEG of our own making: no place where it was taken, no thumbnail of what was cropped away,
nothing appended. Widths and heights are pixels, sizes bytes.
"""

from __future__ import annotations

import hashlib
import io
import re
import threading
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from PIL import Image, ImageCms, ImageOps
from sqlalchemy import ForeignKeyConstraint, LargeBinary, delete, select
from sqlmodel import Field, Session, col

from core import clock
from core.db import Row, UtcDateTime, insert, table
from core.errors import BadInput, NotFound

LARGEST = 10 * 1024 * 1024
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 2048
SHORTEST_SIDE = 64
QUALITY = 88
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "MPO")
"""What phones and browsers send; MPO is a JPEG with a second picture behind it, as some phones take them."""

KEPT = "sha256:"
"""Begins the name of a picture that is kept."""

_NAME = re.compile(r"sha256:[0-9a-f]{64}")
_HEAD, _END = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", b"\xff\xd9"
_CARRIED = re.compile(rb"\xff[\xd9\xe0-\xfe]")
"""Begins what a JPEG has besides its picture (EXIF, a profile, a comment), or ends it. Neither can stand within one:
there 0xFF is always followed by 0x00 or a restart mark."""
_decoding = threading.Semaphore(2)
"""A picture of 40 million pixels takes 160 MB while it is decoded; so only two at once."""


class Picture(Row, table=True):
    """A picture kept for a brand."""

    __tablename__ = "picture"
    __table_args__ = (ForeignKeyConstraint(["brand_id"], ["brand.id"]),)

    brand_id: UUID = Field(primary_key=True)
    sha256: str = Field(primary_key=True)
    media_type: str
    width: int
    height: int
    body: bytes = Field(sa_type=LargeBinary, repr=False)
    kept_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture as it will be kept."""

    name: str
    body: bytes
    width: int
    height: int


def prepare(body: bytes) -> Prepared:
    """Read a picture and draw it anew, upright and at most 2048 pixels long. Takes a while: not in a unit of work.

    Raises:
        BadInput: `picture_unreadable`, `picture_too_large` (megabytes), `picture_too_many_pixels` (megapixels),
            `picture_animated`, `picture_too_small` (pixels).
    """
    if len(body) > LARGEST:
        raise BadInput("picture_too_large", megabytes=LARGEST // 1024**2)
    with _decoding:
        image, untouched = _decoded(body)
    if min(image.size) < SHORTEST_SIDE:
        raise BadInput("picture_too_small", pixels=SHORTEST_SIDE)
    if not untouched:
        out = io.BytesIO()
        image.save(out, "JPEG", quality=QUALITY, optimize=True)
        body = out.getvalue()
    return Prepared(f"{KEPT}{hashlib.sha256(body).hexdigest()}", body, *image.size)


def _decoded(body: bytes) -> tuple[Image.Image, bool]:
    """The picture, and whether what was given is already as we would keep it."""
    try:
        with Image.open(io.BytesIO(body), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise BadInput("picture_too_many_pixels", megapixels=MOST_PIXELS // 1_000_000)
            if opened.format != "MPO" and getattr(opened, "is_animated", False):
                raise BadInput("picture_animated")
            kind, size = opened.format, opened.size
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a large JPEG is decoded at a half or a quarter
            opened.load()
            ours = (
                (kind, opened.mode, opened.size) == ("JPEG", "RGB", size)
                and max(size) <= LONGEST_SIDE
                and body.startswith(_HEAD)
                and body.endswith(_END)
                and _CARRIED.search(body, len(_HEAD), len(body) - len(_END)) is None
            )
            return (opened.copy(), True) if ours else (_drawn_anew(opened), False)
    except BadInput:
        raise
    except Image.DecompressionBombError as error:
        raise BadInput("picture_too_many_pixels", megapixels=MOST_PIXELS // 1_000_000) from error
    except Exception as error:  # whatever a decoder makes of bytes that are no picture, or end too early
        raise BadInput("picture_unreadable") from error


def _drawn_anew(image: Image.Image) -> Image.Image:
    """Upright, in plain colours on white, not too long."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith(("I", "F")):
        image = image.convert("F").point(lambda level: level / 256).convert("L")
    see_through = "A" in image.mode or "transparency" in image.info
    if see_through or image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("RGBA" if see_through else "RGB")
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)  # before anything makes a copy of it
    image = ImageOps.exif_transpose(image)
    if see_through:
        paper = Image.new("RGBA", image.size, "white")
        paper.alpha_composite(image)
        image = paper
    elif profile:
        image = _in_common_colours(image, profile)
    plain = Image.new("RGB", image.size)
    plain.paste(image.convert("RGB"))
    return plain


def _in_common_colours(image: Image.Image, profile: bytes) -> Image.Image:
    """Phones take pictures in wider colours than a JPEG without a profile means; then all would look pale."""
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, given, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return converted if converted is not None else image


def store(session: Session, brand_id: UUID, picture: Prepared) -> str:
    """Keep a prepared picture for the brand, once; its name. Sent again, it counts as new (see `referral.shelf`)."""
    row = {
        "brand_id": brand_id,
        "sha256": picture.name.removeprefix(KEPT),
        "media_type": "image/jpeg",
        "width": picture.width,
        "height": picture.height,
        "body": picture.body,
        "kept_at": clock.now(),
    }
    session.execute(
        insert(session, table(Picture))
        .values(row)
        .on_conflict_do_update(index_elements=["brand_id", "sha256"], set_={"kept_at": row["kept_at"]})
    )
    return picture.name


def keep(session: Session, brand_id: UUID, body: bytes) -> str:
    """Prepare a picture and keep it for the brand, where waiting for it does not matter. Raises as `prepare`."""
    return store(session, brand_id, prepare(body))


def picture_of(session: Session, brand_id: UUID, name: str) -> bytes:
    """The JPEG of this name. Raises `NotFound("picture")`."""
    found = session.scalar(
        select(col(Picture.body)).where(
            col(Picture.brand_id) == brand_id, col(Picture.sha256) == name.removeprefix(KEPT)
        )
    )
    if found is None:
        raise NotFound("picture")
    return found


def is_kept(session: Session, brand_id: UUID, name: str) -> bool:
    """Whether the brand has a picture of this name."""
    digest = name.removeprefix(KEPT)
    where = (col(Picture.brand_id) == brand_id, col(Picture.sha256) == digest)
    return session.scalar(select(col(Picture.width)).where(*where)) is not None


def drop(session: Session, brand_id: UUID, name: str) -> None:
    """Forget a picture that nothing refers to any more; nothing happens if it is not there."""
    digest = name.removeprefix(KEPT)
    session.execute(delete(Picture).where(col(Picture.brand_id) == brand_id, col(Picture.sha256) == digest))


def read_name(text: str) -> str:
    """A picture's name as it is kept as an answer. Raises `BadInput("picture_wanted")` for anything else."""
    if not _NAME.fullmatch(text.strip()):
        raise BadInput("picture_wanted")
    return text.strip()
