"""Type for the invite card: which letters we can draw, how they break into lines, and how they are set in a box.

A main face covers Chinese, Japanese, Korean, Latin, Greek and Cyrillic; small ones stand behind it for
Arabic, Hebrew, Thai and Devanagari. What no face can draw (emoji, mostly) is left out, never drawn as an empty box.
Widths and sizes are pixels of the card.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, features

FONTS = Path(__file__).resolve().parent.parent / "fonts"
MAIN, ARABIC, HEBREW, THAI, DEVANAGARI, MONO = range(6)
_FILES = (
    ("wqy-microhei.ttc", 0),
    ("NotoSansArabic-Regular.ttf", 0),
    ("NotoSansHebrew-Regular.ttf", 0),
    ("NotoSansThai-Regular.ttf", 0),
    ("NotoSansDevanagari-Regular.ttf", 0),
    ("wqy-microhei.ttc", 1),
)
_SEARCHED = (MAIN, ARABIC, HEBREW, THAI, DEVANAGARI)
_RIGHT_TO_LEFT = (ARABIC, HEBREW)
_SHAPING = (ARABIC, HEBREW, THAI, DEVANAGARI)
SHAPED = bool(features.check("raqm"))
"""Raqm joins Arabic letters and orders right-to-left runs; it needs the system's libfribidi."""

_JOINERS = "\u200c\u200d"
_NOT_FIRST = frozenset("，。、；：？！）】》」』”’…,.;:?!)]}%·")
_PAUSES = frozenset("，、；：？！。,;:?!.—")
_MAX_MARKS = 3
_READ_AT_MOST = 4096
_STEP = 0.71
"""From one figure of a code to the next, in sizes: 0.60 is the figure's own width."""

Fill = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that fit their box at one size."""

    lines: tuple[str, ...]
    size: int


@lru_cache(maxsize=96)
def font(face: int, size: int) -> ImageFont.FreeTypeFont:
    # The main face needs no shaping, and basic layout sets it ten times faster.
    name, index = _FILES[face]
    layout = ImageFont.Layout.RAQM if SHAPED and face in _SHAPING else ImageFont.Layout.BASIC
    return ImageFont.truetype(FONTS / name, size, index=index, layout_engine=layout)


@lru_cache(maxsize=8)
def _plain_font(face: int) -> ImageFont.FreeTypeFont:
    # Basic layout looks letters up one by one, which is what "does this face have it" asks.
    name, index = _FILES[face]
    return ImageFont.truetype(FONTS / name, 24, index=index, layout_engine=ImageFont.Layout.BASIC)


def _print(face: int, char: str) -> bytes:
    image = Image.new("1", (48, 48))
    ImageDraw.Draw(image).text((8, 36), char, fill=1, font=_plain_font(face), anchor="ls")
    return image.tobytes()


@lru_cache(maxsize=8)
def _missing(face: int) -> bytes:
    return _print(face, "\U0010fffe")


@lru_cache(maxsize=8192)
def _has(face: int, char: str) -> bool:
    return _print(face, char) != _missing(face)


@lru_cache(maxsize=8192)
def _face_of(char: str) -> int | None:
    return next((face for face in _SEARCHED if _has(face, char)), None)


def readable(text: str, limit: int = 120) -> str:
    """What can be drawn of `text` on one line: at most `limit` letters, few marks on each, single spaces.

    Styled look-alikes (𝓐, ①, ℌ) that no face has become their plain letters; emoji and controls are dropped.
    """
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text[:_READ_AT_MOST].encode("utf-8", "ignore").decode()):
        before = kept[-1][0] if kept else " "
        category = unicodedata.category(char)
        if category in ("Mn", "Me") or char in _JOINERS:
            marks += 1
            face = _face_of(before)
            if marks <= _MAX_MARKS and before != " " and face is not None and _joins(face, char):
                kept[-1] += char
            continue
        if char.isspace() or category in ("Cc", "Zl", "Zp"):
            if before != " ":
                kept.append(" ")
        elif category not in ("Cf", "Cs", "Co", "Cn"):
            kept.extend([char] if _face_of(char) is not None else _plain_letters(char))
        marks = 0
        if len(kept) > limit:
            break
    return "".join(kept).strip()


def _joins(face: int, char: str) -> bool:
    if char in _JOINERS:
        return SHAPED and face != MAIN
    return _has(face, char)


def _plain_letters(char: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", char)
    return [letter for letter in plain if plain != char and not letter.isspace() and _face_of(letter) is not None]


def runs(line: str) -> list[tuple[int, str]]:
    """The line as (face, letters) from left to right as seen. A neutral letter stays with the face before it."""
    parts: list[tuple[int, str]] = []
    for char in line:
        if parts and (char in _JOINERS or (not char.isalpha() and _has(parts[-1][0], char))):
            parts[-1] = (parts[-1][0], parts[-1][1] + char)
            continue
        face = _face_of(char) or MAIN
        if parts and parts[-1][0] == face:
            parts[-1] = (face, parts[-1][1] + char)
        else:
            parts.append((face, char))
    if not SHAPED:
        parts = [(face, "".join(reversed(_clusters(text))) if face in _RIGHT_TO_LEFT else text) for face, text in parts]
    return parts[::-1] if reads_right_to_left(line) else parts


def reads_right_to_left(line: str) -> bool:
    """Whether the first letter with a direction runs right to left (rule P2 of Unicode Standard Annex 9)."""
    strong = (unicodedata.bidirectional(char) for char in line)
    return next((kind for kind in strong if kind in ("L", "R", "AL")), "L") != "L"


def width(line: str, size: int) -> float:
    return sum(font(face, size).getlength(text) for face, text in runs(line))


def _clusters(text: str) -> list[str]:
    """Letters with their marks, so that no line begins with a mark."""
    found: list[str] = []
    for char in text:
        if found and (unicodedata.category(char).startswith("M") or char in _JOINERS):
            found[-1] += char
        else:
            found.append(char)
    return found


def _tokens(text: str) -> Iterator[str]:
    """The pieces between which a line may break: words with the space behind them, and each hanzi or kana."""
    word = ""
    for cluster in _clusters(text):
        among_hanzi = word != "" and (_is_wide(word[-1]) or _is_wide(cluster[0]))
        if word.endswith(" ") or (among_hanzi and cluster != " " and cluster[0] not in _NOT_FIRST):
            yield word
            word = ""
        word += cluster
    if word:
        yield word


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in ("W", "F")


def _wrap(tokens: Iterable[str], size: int, room: float, most: int, *, cut_words: bool) -> list[str] | None:
    """Lines no wider than `room`; None if a word would have to be cut and may not. Stops after `most` + 1 lines."""
    lines: list[str] = [""]
    used = 0.0
    for token in tokens:
        needed = width(token.rstrip(), size)
        if used + needed <= room:
            lines[-1] += token
            used += width(token, size)
            continue
        if needed > room and not cut_words:
            return None
        for piece in [token] if needed <= room else _clusters(token):
            advance = width(piece, size)
            if lines[-1] and used + (advance if piece.rstrip() else 0) > room:
                lines.append("")
                used = 0.0
            lines[-1] += piece
            used += advance
        if len(lines) > most:
            break
    return [line.strip() for line in lines]


def fit(text: str, room: float, attempts: Sequence[tuple[int, int]]) -> Block:
    """Set `text` as large as it goes: `attempts` are (size, most lines); the last ends in an ellipsis if it must."""
    tokens = list(_tokens(text))
    for size, most in attempts:
        lines = _wrap(tokens, size, room, most, cut_words=False)
        if lines is not None and len(lines) <= most:
            better = _at_a_pause(tokens, size, room) if len(lines) == 2 else None
            return Block(tuple(better or _balance(tokens, size, room, lines)), size)
    size, most = attempts[-1]
    lines = _wrap(tokens, size, room, most, cut_words=True) or [""]
    if len(lines) <= most:
        return Block(tuple(lines), size)
    last = _clusters(lines[most - 1])
    # Chinese dots stand at half height, as they should among hanzi; beside other letters they must lie on the line.
    dots = "…" if last and _is_wide(last[-1][0]) else "..."
    while last and width("".join(last).rstrip() + dots, size) > room:
        last.pop()
    return Block((*lines[: most - 1], "".join(last).rstrip() + dots), size)


def _at_a_pause(tokens: list[str], size: int, room: float) -> list[str] | None:
    """Two lines broken behind a comma or colon, where a reader pauses anyway; None if that would look lopsided."""
    widths = [width(token, size) for token in tokens]
    whole = sum(widths)
    pauses = [place for place, token in enumerate(tokens[:-1], 1) if token.rstrip()[-1:] in _PAUSES]
    if not pauses:
        return None
    place = min(pauses, key=lambda place: abs(whole / 2 - sum(widths[:place])))
    first = sum(widths[:place])
    if max(first, whole - first) > room or min(first, whole - first) < whole / 4:
        return None
    return ["".join(tokens[:place]).strip(), "".join(tokens[place:]).strip()]


def _balance(tokens: list[str], size: int, room: float, lines: list[str]) -> list[str]:
    """The same number of lines, but of like length: a last line of one letter looks like a mistake."""
    narrow, wide = room / len(lines), room
    while len(lines) > 1 and wide - narrow > size / 4:
        middle = (narrow + wide) / 2
        tried = _wrap(tokens, size, middle, len(lines), cut_words=False)
        if tried is not None and len(tried) <= len(lines):
            lines, wide = tried, middle
        else:
            narrow = middle
    return lines


def write(
    image: Image.Image,
    corner: tuple[int, int],
    block: Block,
    fill: Fill,
    *,
    leading: float = 1.3,
    bold: float = 0.0,
    room: float = 0.0,
    centred: bool = False,
) -> None:
    """Draw a block from its top left `corner`; `bold` thickens the strokes.

    Lines that read from the right end at the right of `room` (of their widest, without one).
    """
    draw = ImageDraw.Draw(image)
    left, top = corner
    widths = [width(line, block.size) for line in block.lines]
    leftward = reads_right_to_left("".join(block.lines))
    for number, line in enumerate(block.lines):
        baseline = top + round(block.size * (0.95 + leading * number))
        start = float(left)
        if centred or leftward:
            spare = max(0.0, (room or max(widths)) - widths[number])
            start += spare / 2 if centred else spare
        for face, text in runs(line):
            letters = font(face, block.size)
            draw.text((start, baseline), text, fill=fill, font=letters, anchor="ls", stroke_width=bold)
            start += letters.getlength(text)


def badge(image: Image.Image, middle: tuple[int, int], letter: str, size: int, fill: Fill) -> None:
    """Draw one letter with its ink, not its line, around `middle`."""
    letters = font(_face_of(letter) or MAIN, size)
    left, top, right, bottom = letters.getbbox(letter, anchor="ls")
    at = (middle[0] - (left + right) / 2, middle[1] - (top + bottom) / 2)
    ImageDraw.Draw(image).text(at, letter, fill=fill, font=letters, anchor="ls", stroke_width=size / 68)


def spaced(image: Image.Image, middle: tuple[int, int], text: str, size: int, room: int, fill: Fill) -> None:
    """Draw figures of equal width, spaced apart and centred on `middle`; long ones shrink to `room`."""
    size = max(12, min(size, round(room / (_STEP * max(1, len(text))))))
    step = _STEP * size
    start = middle[0] - (len(text) - 1) * step / 2
    for place, char in enumerate(text):
        figure = _figure(char, size)
        image.paste(fill, (round(start + place * step - figure.width / 2), middle[1] - figure.height // 2), figure)


@lru_cache(maxsize=128)
def _figure(char: str, size: int) -> Image.Image:
    # Kept, because all codes of an installation are made of the same 33 figures.
    figure = Image.new("L", (size, size * 3 // 2))
    place = (size / 2, figure.height / 2)
    ImageDraw.Draw(figure).text(place, char, fill=255, font=font(MONO, size), anchor="mm", stroke_width=size / 90)
    return figure
