"""The markdown subset in which answers are written, parsed once and handed to every platform's `encode`.

Bold, italic, code, links, bullet lists and line breaks. Whatever people gave (names, titles) goes through
`escape` first, so it can never become markup.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

_parser = MarkdownIt("zero", {"breaks": True}).enable(["emphasis", "backticks", "link", "escape", "newline", "list"])
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&@:])")
_BIDI = dict.fromkeys([0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069, 0x200E, 0x200F, 0x061C])
_JOINED = re.compile("[\u0300-\u036f\u200d\ufe00-\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
MAX_MARKS = 3
"""Combining marks kept per character: enough for every living script, too few for zalgo."""
MAX_LETTER = 16
"""Characters that one visible letter may take (joined emoji); a cut looks back no further for its beginning."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style."""

    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False
    url: str | None = None


Line = tuple[Span, ...]


def clean(text: str, limit: int = 64) -> str:
    """A name as people gave it, made harmless: one line, no controls or direction overrides, few marks, cut."""
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text).translate(_BIDI):
        category = unicodedata.category(char)
        if category in ("Mn", "Me"):
            marks += 1
            if marks > MAX_MARKS:
                continue
        else:
            marks = 0
        kept.append(" " if category in ("Cc", "Cs", "Zl", "Zp") else char)
    line = " ".join("".join(kept).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def escape(text: str) -> str:
    """Text that reads the same after parsing, whatever it holds."""
    return _SPECIAL.sub(r"\\\1", text)


def parse(text: str) -> list[Line]:
    """The lines of a message; a blank line between paragraphs is an empty tuple, a bullet begins with `• `."""
    lines: list[Line] = []
    bullet = 0
    for token in _parser.parse(text):
        if token.type == "list_item_open":
            bullet = 1
        elif token.type == "inline":
            if lines and not bullet:
                lines.append(())
            inline = _inline(token.children or [])
            if bullet:
                inline[0] = (Span("• "), *inline[0])
                bullet = 0
            lines.extend(inline)
    return lines


def _inline(tokens: list[Token]) -> list[Line]:
    lines: list[list[Span]] = [[]]
    style = Span("")
    for token in tokens:
        match token.type:
            case "strong_open":
                style = replace(style, bold=True)
            case "strong_close":
                style = replace(style, bold=False)
            case "em_open":
                style = replace(style, italic=True)
            case "em_close":
                style = replace(style, italic=False)
            case "link_open":
                style = replace(style, url=str(token.attrGet("href") or ""))
            case "link_close":
                style = replace(style, url=None)
            case "softbreak" | "hardbreak":
                lines.append([])
            case "code_inline":
                lines[-1].append(replace(style, text=token.content, code=True))
            case _:
                if token.content:
                    lines[-1].append(replace(style, text=token.content))
    return [tuple(line) for line in lines]


def render(lines: Iterable[Line], span: Callable[[Span], str]) -> str:
    """The message as one string, each span through the platform's own writer."""
    return "\n".join("".join(span(part) for part in line) for line in lines)


def plain(text: str) -> str:
    """The message without any styling; a link shows its address after its words."""

    def words(span: Span) -> str:
        return f"{span.text} {span.url}" if span.url and span.url != span.text else span.text

    return render(parse(text), words)


def split(lines: Iterable[Line], limit: int, measure: Callable[[Line], int]) -> list[list[Line]]:
    """Cut a long message into parts of at most `limit` (as `measure` counts a line plus one for its break)."""
    parts: list[list[Line]] = [[]]
    used = 0
    for line in lines:
        for piece in _fit(line, limit, measure):
            size = measure(piece) + 1
            if used + size > limit and parts[-1]:
                parts.append([])
                used = 0
            parts[-1].append(piece)
            used += size
    return parts


def _fit(line: Line, limit: int, measure: Callable[[Line], int]) -> list[Line]:
    """A line that is too long as several, each as long as it may be, broken after a space where there is one."""
    pieces: list[Line] = []
    while line and measure(line) >= limit:
        at = _break(line, limit, measure)
        pieces.append(_slice(line, 0, at))
        line = _slice(line, at, None)
    return [*pieces, line] if line or not pieces else pieces


def _break(line: Line, limit: int, measure: Callable[[Line], int]) -> int:
    text = "".join(span.text for span in line)
    fits = max(1, bisect_left(range(len(text)), True, key=lambda at: measure(_slice(line, 0, at)) >= limit) - 1)
    space = text.rfind(" ", fits // 2, fits) + 1
    at = space or fits
    # Not within one letter: an accent, a joined emoji or its colour stays with what it belongs to.
    while at > 1 and (_JOINED.match(text, at) or text[at - 1] == "\u200d") and fits - at < MAX_LETTER:
        at -= 1
    return at if fits - at < MAX_LETTER or space else fits


def _slice(line: Line, start: int, end: int | None) -> Line:
    """The spans from character `start` to `end` of the line's text."""
    kept: list[Span] = []
    for span in line:
        text = span.text[start:end]
        if text:
            kept.append(replace(span, text=text))
        start = max(0, start - len(span.text))
        if end is not None:
            end = max(0, end - len(span.text))
    return tuple(kept)
