"""The markdown subset in which answers are written, parsed once and handed to every platform's `encode`.

Bold, italic, code, links, bullet lists and line breaks. Whatever people gave (names, titles) goes through
`escape` first, so it can never become markup.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

_parser = MarkdownIt("zero", {"breaks": True}).enable(["emphasis", "backticks", "link", "escape", "newline", "list"])
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&@:])")
_BIDI = dict.fromkeys([0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069, 0x200E, 0x200F, 0x061C])
MAX_MARKS = 3
"""Combining marks kept per character: enough for every living script, too few for zalgo."""


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
    if measure(line) < limit:
        return [line]
    pieces: list[Line] = []
    for span in line:
        step = max(1, limit // 4)
        pieces.extend((replace(span, text=span.text[at : at + step]),) for at in range(0, len(span.text), step))
    return pieces
