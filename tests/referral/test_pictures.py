"""What becomes of a picture somebody sends: told what is wrong with it, or kept without what it carried along."""

from __future__ import annotations

import io
import random
import struct
import zlib
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

from core.errors import BadInput, NotFound
from referral import pictures
from referral.brands import create_brand
from tests.house import House


def picture(size: tuple[int, int] = (640, 480), mode: str = "RGB", format: str = "JPEG", **more: object) -> bytes:
    """A picture whose left half is red and whose right half is blue, as a file."""
    image = Image.new("RGB", size, "red")
    ImageDraw.Draw(image).rectangle((size[0] // 2, 0, *size), fill="blue")
    out = io.BytesIO()
    image.convert(mode).save(out, format, **more)
    return out.getvalue()


def refused(body: bytes) -> str:
    with pytest.raises(BadInput) as error:
        pictures.prepare(body)
    return error.value.code


def opened(body: bytes) -> Image.Image:
    return Image.open(io.BytesIO(pictures.prepare(body).body))


def png_of(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG that says how large it is and has hardly anything in it: a decompression bomb."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_every_usual_kind_becomes_a_jpeg(format: str) -> None:
    image = opened(picture(format=format))

    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (640, 480))
    red, _, blue = image.getpixel((100, 100))  # type: ignore[misc]  # a colour of three
    assert red > 200 > 60 > blue


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16", "CMYK"])
def test_every_kind_of_colours_is_read(mode: str) -> None:
    body = picture(mode=mode, format="JPEG" if mode == "CMYK" else "PNG")

    assert opened(body).mode == "RGB"


def test_what_is_transparent_lies_on_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (100, 100), (255, 0, 0, 0)).save(out, "PNG")

    assert min(opened(out.getvalue()).convert("L").tobytes()) > 250


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"\xff\xd8\xff",
        picture()[:-400],
        picture(format="PNG")[:-30],
        picture(format="TIFF"),
        picture()[:200] + b"\x00" * 5000,
    ],
)
def test_what_is_no_picture_or_only_a_part_of_one(body: bytes) -> None:
    assert refused(body) == "picture_unreadable"


@pytest.mark.parametrize("size", [(10_000, 6_000), (40_000_001, 1), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_sixty_megapixels_are_refused_before_anything_is_decoded(size: tuple[int, int]) -> None:
    assert refused(png_of(*size)) == "picture_too_many_pixels"


def test_eleven_megabytes_are_not_even_opened() -> None:
    assert refused(picture() + b"\x00" * 11 * 1024**2) == "picture_too_large"


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_what_moves_is_refused(format: str) -> None:
    frames = [Image.new("RGB", (100, 100), color) for color in ("red", "blue", "green")]
    out = io.BytesIO()
    frames[0].save(out, format, save_all=True, append_images=frames[1:], duration=100)

    assert refused(out.getvalue()) == "picture_animated"


def test_a_phones_second_picture_is_left_out_and_does_not_count_as_moving() -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", (300, 200), color) for color in ("red", "blue")]
    frames[0].save(out, "MPO", save_all=True, append_images=frames[1:])
    kept = pictures.prepare(out.getvalue())

    assert Image.open(io.BytesIO(kept.body)).format == "JPEG"
    assert len(kept.body) < len(out.getvalue())


@pytest.mark.parametrize("size", [(10, 10), (640, 20), (8000, 200)])
def test_what_nobody_could_see_is_refused(size: tuple[int, int]) -> None:
    assert refused(picture(size)) == "picture_too_small"


def test_where_a_picture_was_taken_is_not_kept_and_it_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by a quarter to the right
    exif[0x010F] = "Some Phone"
    exif.get_ifd(0x8825)[1] = "N"  # the place, from satellites
    body = picture(exif=exif.tobytes(), comment=b"secret remark")
    kept = pictures.prepare(body)
    image = Image.open(io.BytesIO(kept.body))

    assert b"Some Phone" in body
    assert b"Some Phone" not in kept.body
    assert b"secret" not in kept.body
    assert b"Exif" not in kept.body
    assert image.size == (480, 640) == (kept.width, kept.height)
    red, _, blue = image.getpixel((200, 50))  # type: ignore[misc]
    assert red > 200 > 60 > blue, "what was on the left is at the top"


def test_words_hidden_in_a_png_and_behind_a_jpeg_are_not_kept() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "secret")

    assert b"secret" not in pictures.prepare(picture(format="PNG", pnginfo=info)).body
    for hidden in (b"PK\x03\x04 secret", b"secret\xff\xd9"):
        assert b"secret" not in pictures.prepare(picture() + hidden).body
    plain = pictures.prepare(picture()).body
    for mark in (b"\xff\xe0", b"\xff\xe1", b"\xff\xef", b"\xff\xfe"):
        carrying = plain[:20] + mark + b"\x00\x08secret" + plain[20:]
        assert b"secret" not in pictures.prepare(carrying).body


def test_colours_of_a_profile_become_common_ones() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))

    assert not opened(picture(icc_profile=profile.tobytes())).info.get("icc_profile")
    assert opened(picture(icc_profile=b"no profile at all")).size == (640, 480)


def test_a_large_picture_is_made_smaller() -> None:
    kept = pictures.prepare(picture((6000, 4000)))

    assert (kept.width, kept.height) == (2048, 1365)


@pytest.mark.parametrize("size", [(640, 480), (6000, 4000), (2048, 2048)])
def test_what_was_kept_once_stays_as_it_is_wherever_it_is_brought(size: tuple[int, int]) -> None:
    once = pictures.prepare(picture(size, format="PNG"))

    assert pictures.prepare(once.body) == once


def noise() -> bytes:
    image = Image.frombytes("RGB", (256, 256), random.Random(1).randbytes(256 * 256 * 3))
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([noise(), picture(format="PNG"), picture(format="WEBP"), picture(format="GIF"), picture()]),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=8),
    st.integers(0, 3000),
)
def test_a_damaged_picture_is_read_or_refused_and_nothing_else(
    body: bytes, changes: list[tuple[int, int]], cut: int
) -> None:
    damaged = bytearray(body[: len(body) - cut])
    for place, value in changes:
        if place < len(damaged):
            damaged[place] = value
    try:
        kept = pictures.prepare(bytes(damaged))
    except BadInput:
        return
    assert max(kept.width, kept.height) <= pictures.LONGEST_SIDE


def new_brand(house: House, name: str) -> UUID:
    return house.do(lambda session: create_brand(session, name).id)


def test_the_same_picture_is_kept_once_for_each_brand(house: House) -> None:
    mei, other = new_brand(house, "Mei"), new_brand(house, "Other")
    body = picture()
    first = house.do(lambda session: pictures.keep(session, mei, body))
    again = house.do(lambda session: pictures.keep(session, mei, body))

    assert first == again == pictures.read_name(first)
    assert house.ask(lambda session: pictures.is_kept(session, mei, first))
    assert not house.ask(lambda session: pictures.is_kept(session, other, first)), "a brand sees its own only"
    assert house.ask(lambda session: pictures.picture_of(session, mei, first)).startswith(b"\xff\xd8")
    with pytest.raises(NotFound):
        house.ask(lambda session: pictures.picture_of(session, other, first))


def test_a_dropped_picture_is_gone(house: House) -> None:
    mei = new_brand(house, "Mei")
    name = house.do(lambda session: pictures.keep(session, mei, picture()))
    house.do(lambda session: pictures.drop(session, mei, name))

    assert not house.ask(lambda session: pictures.is_kept(session, mei, name))
    house.do(lambda session: pictures.drop(session, mei, name))


@pytest.mark.parametrize("text", ["", "hello", "sha256:", "sha256:" + "G" * 64, "sha256:" + "a" * 63])
def test_words_are_no_picture(text: str) -> None:
    with pytest.raises(BadInput, match="picture_wanted"):
        pictures.read_name(text)
