"""Neutral replies → Discord's markdown, rows of buttons and parts of at most 2,000 characters. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, groupby
from urllib.parse import quote

from bots.markup import Line, Span, parse, split
from bots.message import Button, Form, Reply

TEXT_LIMIT = 2000
ROWS, PER_ROW = 5, 5
LABEL_LIMIT = 80
URL_LIMIT = 512
FORM_FIELDS = 5
MENU_OPTIONS = 25
MORE = "…"
"""The label of the button that opens a form when the form itself can no longer be shown."""

_URL = re.compile(r"https?://[A-Za-z0-9/?&=.%_~#:+@,;-]*[A-Za-z0-9/=_~#+-]")
_SPECIAL = re.compile(r"[\\`*_~|<>\[\]()#@]|:(?=/)|(?<!\w)[-+]|(?<=\d)\.(?=\s|$)")


@dataclass(frozen=True, slots=True)
class NativeButton:
    """A button as Discord draws it: exactly one of `custom_id` and `url`."""

    label: str
    custom_id: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class NativeMenu:
    """Many choices as a menu to pick one from; `custom_id` of an option is its value."""

    custom_id: str
    options: tuple[NativeButton, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One Discord message. The picture of a reply goes with its last part."""

    content: str
    rows: tuple[tuple[NativeButton, ...], ...] = ()
    menus: tuple[NativeMenu, ...] = ()
    """Drawn above the rows, each taking the place of one."""


def encode(reply: Reply, *, form_button: bool = False) -> list[Part]:
    """The messages of a reply. `form_button`: its form cannot be shown now, so a button that opens it is added."""
    lines = parse(reply.text)
    numbers = count()
    rows: list[tuple[NativeButton, ...]] = []
    choices = [button for row in reply.buttons for button in row if button.choice]
    many = [_button(button, next(numbers)) for button in choices] if len(choices) > PER_ROW else []
    menus = _menus(many)
    for row in reply.buttons:
        shown = [button for button in row if not (many and button.choice)]
        native = [_native(button, next(numbers)) for button in shown]
        rows.extend(_in_rows([button for button in native if button]))
        lines.extend(line for button in row if (line := _as_text(button)))
    if form_button and reply.form:
        label = short(reply.form.button or MORE, LABEL_LIMIT)
        rows.append((NativeButton(label, custom_id=f"f0:{reply.form.action}"),))
    contents = [content for part in split(lines, TEXT_LIMIT, _length) if (content := _join(part))]
    if not contents:
        contents = ["" if reply.image and not rows else MORE]
    room = ROWS - len(menus)
    pages = [tuple(rows[:room]), *(tuple(rows[at : at + ROWS]) for at in range(room, len(rows), ROWS))]
    contents.extend([MORE] * (len(pages) - 1))
    parts = [Part(content) for content in contents[: len(contents) - len(pages)]]
    drawn = zip(contents[len(parts) :], pages, strict=True)
    parts.extend(Part(content, page, () if number else menus) for number, (content, page) in enumerate(drawn))
    return parts


def markdown(text: str) -> str:
    """A whole text in Discord's markdown, however long."""
    return "\n".join(_line(line) for line in parse(text))


def escape(text: str) -> str:
    """Text that reads the same in Discord; whole web addresses stay links, and nobody is mentioned."""
    pieces: list[str] = []
    at = 0
    for match in _URL.finditer(text):
        pieces += [_SPECIAL.sub(_backslash, text[at : match.start()]), f"<{match.group()}>"]
        at = match.end()
    return "".join(pieces) + _SPECIAL.sub(_backslash, text[at:])


def short(text: str, limit: int) -> str:
    """Cut for a label; never empty, which Discord refuses."""
    text = text.strip() or MORE
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def check_form(form: Form) -> None:
    """Discord's modals hold five fields at most. Raises ValueError."""
    if not 1 <= len(form.fields) <= FORM_FIELDS:
        raise ValueError(f"form {form.action!r} has {len(form.fields)} fields; Discord shows 1 to {FORM_FIELDS}")


def _backslash(match: re.Match[str]) -> str:
    return "\\" + match.group()


def _menus(options: Sequence[NativeButton]) -> tuple[NativeMenu, ...]:
    """As many menus as the options need."""
    starts = range(0, min(len(options), MENU_OPTIONS * (ROWS - 1)), MENU_OPTIONS)
    return tuple(NativeMenu(f"m{at}", tuple(options[at : at + MENU_OPTIONS])) for at in starts)


def _button(button: Button, number: int) -> NativeButton:
    return NativeButton(short(button.label, LABEL_LIMIT), custom_id=f"a{number}:{button.action}")


def _native(button: Button, number: int) -> NativeButton | None:
    if button.action is not None:
        return _button(button, number)
    if button.url is not None and _linkable(button.url):
        return NativeButton(short(button.label, LABEL_LIMIT), url=button.url)
    return None


def _as_text(button: Button) -> Line | None:
    """Discord has no copy button and opens only web addresses: what it lacks is shown to be copied by hand."""
    if button.copy is not None:
        return (Span(f"{button.label}: "), Span(button.copy, code=True))
    if button.url is not None and not _linkable(button.url):
        return (Span(f"{button.label}: "), Span(button.url, code=True))
    return None


def _linkable(url: str) -> bool:
    return url.startswith(("https://", "http://")) and len(url) <= URL_LIMIT


def _in_rows(buttons: Sequence[NativeButton]) -> list[tuple[NativeButton, ...]]:
    return [tuple(buttons[at : at + PER_ROW]) for at in range(0, len(buttons), PER_ROW)]


def _join(lines: Sequence[Line]) -> str:
    return "\n".join(_line(line) for line in lines).strip("\n")


def _length(line: Line) -> int:
    return len(_line(line))


def _line(line: Line) -> str:
    """Spans of one weight are wrapped together: `**a****b**` would not be read as two bold words."""
    pieces: list[str] = []
    for bold, thick in groupby(line, key=lambda span: span.bold):
        inner = "".join(
            _wrap("".join(map(_span, slanted)), "*" if italic else "")
            for italic, slanted in groupby(thick, key=lambda span: span.italic)
        )
        pieces.append(_wrap(inner, "**" if bold else ""))
    return "".join(pieces)


def _wrap(text: str, mark: str) -> str:
    inner = text.strip()
    if not mark or not inner:
        return text
    start = text.index(inner)
    return f"{text[:start]}{mark}{inner}{mark}{text[start + len(inner) :]}"


def _span(span: Span) -> str:
    text = _code(span.text) if span.code else escape(span.text)
    if not span.url or not span.text.strip():
        return text
    if not _linkable(span.url):
        return f"{text} {escape(span.url)}"
    url = quote(span.url, safe="/?&=.%_~#:+@,;!$'()*[]-")
    return f"<{url}>" if span.text == span.url else f"[{_label(span)}](<{url}>)"


def _label(span: Span) -> str:
    """A masked link whose words hold another address is not drawn by Discord: every sign in it is escaped."""
    return _code(span.text) if span.code else _SPECIAL.sub(_backslash, span.text)


def _code(text: str) -> str:
    if not text.strip():
        return text
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"
