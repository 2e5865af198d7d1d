"""A neutral reply as Telegram messages. Pure: nothing is sent and no picture is drawn here.

What Telegram lacks is degraded here and only here:
- a form is only its text: the router asks its fields one by one in a dialog;
- a text longer than 4,096 UTF-16 units becomes several messages, a caption longer than 1,024 a message of its own
  after the photo; the buttons stand under the last message;
- a copy button holds at most 256 characters and a link button wants an address with a full host name: what does
  not fit is written under the text instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup, WebAppInfo

from bots.markup import Line, Span, parse, render, split
from bots.message import Button, Image, Reply

TEXT_UNITS = 4096
CAPTION_UNITS = 1024
COPY_CHARACTERS = 256


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One Telegram message: `html` is its text, or the caption if there is an image."""

    html: str
    keyboard: InlineKeyboardMarkup | None = None
    image: Image | None = None


def encode(reply: Reply) -> tuple[Outgoing, ...]:
    """The messages that say this reply, in order; none if it has neither text nor image."""
    keyboard, written = _keyboard(reply.buttons)
    lines = _trimmed([*parse(reply.text), *written])
    parts = [_trimmed(part) for part in split(lines, TEXT_UNITS, units)]
    texts = [text for part in parts if (text := html(part))]
    if reply.image is None:
        return tuple(_last_with(keyboard, [Outgoing(text) for text in texts]))
    if len(texts) == 1 and sum(units(line) + 1 for line in parts[0]) <= CAPTION_UNITS + 1:
        return (Outgoing(texts[0], keyboard, reply.image),)
    return tuple(_last_with(keyboard, [Outgoing("", None, reply.image), *map(Outgoing, texts)]))


def html(lines: Iterable[Line]) -> str:
    """Parsed lines in Telegram's HTML; everything that is not our own markup is escaped."""
    return render(lines, _span)


def units(line: Line) -> int:
    """The length of a line as Telegram counts it: UTF-16 code units after the markup is taken away."""
    return sum(utf16(span.text) for span in line)


def utf16(text: str) -> int:
    """How many UTF-16 code units a text has."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "replace")) // 2


def cut(text: str, limit: int) -> str:
    """The longest beginning of a text that has at most `limit` UTF-16 units."""
    while utf16(text) > limit:
        text = text[: min(limit, len(text) - 1)]
    return text


def _span(span: Span) -> str:
    # A lone surrogate (half an emoji in somebody's name) cannot travel as UTF-8 and would lose the whole message.
    text = escape(span.text.encode("utf-8", "replace").decode(), quote=False)
    if span.code:
        return f"<code>{text}</code>"
    if span.bold:
        text = f"<b>{text}</b>"
    if span.italic:
        text = f"<i>{text}</i>"
    if span.url:
        text = f'<a href="{escape(span.url)}">{text}</a>'
    return text


def _trimmed(lines: list[Line]) -> list[Line]:
    """Without blank lines at either end: Telegram cuts them, and refuses a message of nothing else."""
    full = [at for at, line in enumerate(lines) if any(span.text.strip() for span in line)]
    return lines[full[0] : full[-1] + 1] if full else []


def _last_with(keyboard: InlineKeyboardMarkup | None, messages: list[Outgoing]) -> list[Outgoing]:
    if messages and keyboard:
        last = messages[-1]
        messages[-1] = Outgoing(last.html, keyboard, last.image)
    return messages


def _keyboard(rows: tuple[tuple[Button, ...], ...]) -> tuple[InlineKeyboardMarkup | None, list[Line]]:
    """The keyboard, and the lines that say what could not be a button."""
    keys: list[list[InlineKeyboardButton]] = []
    written: list[Line] = []
    for row in rows:
        keys.append([key for button in row if (key := _key(button, written.append))])
    kept = [row for row in keys if row]
    return (InlineKeyboardMarkup(kept) if kept else None), written


def _key(button: Button, write: Callable[[Line], None]) -> InlineKeyboardButton | None:
    if button.action is not None:
        return InlineKeyboardButton(button.label, callback_data=button.action)
    if button.url is not None and button.app:
        return InlineKeyboardButton(button.label, web_app=WebAppInfo(button.url))
    if button.url is not None:
        if can_be_link(button.url):
            return InlineKeyboardButton(button.label, url=button.url)
        write((Span(f"{button.label}: "), Span(button.url)))
        return None
    copied = button.copy or ""
    if 1 <= utf16(copied) <= COPY_CHARACTERS:
        return InlineKeyboardButton(button.label, copy_text=CopyTextButton(copied))
    write((Span(f"{button.label}: "), Span(copied, code=True)))
    return None


def can_be_link(url: str) -> bool:
    """Whether Telegram takes this address on a button; it refuses hosts without a dot, such as localhost."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "tg" or (parts.scheme in ("http", "https") and "." in (parts.hostname or ""))
    except ValueError:
        return False
