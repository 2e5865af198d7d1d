"""A campaign's picture at the top of its cards, fading into the brand's field before the words begin. Pixels."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from PIL import Image, ImageOps
from sqlmodel import Session

from core.errors import NotFound
from referral.campaigns import Campaign
from referral.pictures import picture_of

FADE = 190
"""Over so many pixels the picture goes over into the field."""
SHOWN = 0.72
"""At least so much of the picture's height is shown; beside a tall one its edges go on, blurred."""
SOFT = 90


@dataclass(frozen=True, slots=True)
class Banner:
    """A kept picture. It goes by its name, so that a template drawn with it is found without reading it again."""

    name: str
    body: bytes = field(compare=False, repr=False)


def banner_of(session: Session, campaign: Campaign) -> Banner | None:
    """The picture of a campaign's cards, if it has one that is still there."""
    if campaign.picture is None:
        return None
    try:
        return Banner(campaign.picture, picture_of(session, campaign.brand_id, campaign.picture))
    except NotFound:
        return None


def lay(card: Image.Image, banner: Banner, words_at: int) -> None:
    """Draw the picture upon the field, above `words_at` (pixels from the top); the words themselves lie on the field.

    What cannot be read is left out: a card without a picture is better than none.
    """
    size = (card.width, words_at)
    try:
        with Image.open(io.BytesIO(banner.body)) as opened:
            opened.draft("RGB", (size[0], size[0]))
            picture = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError):
        return
    card.paste(_filling(picture, size), (0, 0), _fading(size))


def _filling(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture in a box much wider than most are: cropped a little, and widened by what it shows at its edges."""
    wide, high = size
    tall = min(picture.height * wide / picture.width, high / SHOWN)
    breadth = round(tall * picture.width / picture.height)
    # Products stand in the middle, faces a little above it.
    middle = (0.5, 0.42)
    if breadth >= wide:
        return ImageOps.fit(picture, size, Image.Resampling.LANCZOS, centering=middle)
    sharp = ImageOps.fit(picture, (breadth, high), Image.Resampling.LANCZOS, centering=middle)
    strip, rows = max(1, breadth // 16), 4  # of anything finer than this a busy picture would make stripes
    ground = Image.new("RGB", (2, rows))
    for side, left in enumerate((0, breadth - strip)):
        ground.paste(sharp.resize((1, rows), Image.Resampling.BOX, (left, 0, left + strip, high)), (side, 0))
    ground = ground.resize(size, Image.Resampling.BICUBIC)
    edge = _slope(min(SOFT, breadth // 4))
    row = Image.new("L", (breadth, 1), 255)
    for place, level in enumerate(edge):
        row.putpixel((place, 0), level)
        row.putpixel((breadth - 1 - place, 0), level)
    ground.paste(sharp, ((wide - breadth) // 2, 0), row.resize(sharp.size))
    return ground


def _fading(size: tuple[int, int]) -> Image.Image:
    """Wholly there at the top, gone at the lower edge, and nowhere a line that the eye would stop at."""
    column = Image.new("L", (1, size[1]), 255)
    for place, level in enumerate(_slope(min(FADE, size[1]))):
        column.putpixel((0, size[1] - 1 - place), level)
    return column.resize(size)


def _slope(length: int) -> list[int]:
    """From nothing to everything, beginning and ending gently."""
    shares = [place / length for place in range(length)]
    return [round(255 * share * share * (3 - 2 * share)) for share in shares]
