"""A reply as WeChat messages: plain text, with buttons as a list that is answered by number."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from bots.markup import plain
from bots.message import Button, Reply

TEXT_LIMIT = 2000
"""Characters of one message."""

IMAGE_LIMIT = 3_100_000
"""Bytes of a picture: it travels as base64 in one gRPC message of at most 4 MiB."""

MENTION_END = "\u2005"
"""WeChat ends `@name` with this space."""

_JOINERS = {"\u200d", "\ufe0f", "\u20e3"}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The texts in order, and what each number stands for (`offer`: number → action)."""

    texts: tuple[str, ...]
    offer: dict[str, str] = field(default_factory=dict)


def outgoing(reply: Reply, first: int = 1) -> Outgoing:
    """Write the reply down; its numbers begin at `first` (a second list of one answer goes on counting)."""
    offer: dict[str, str] = {}
    lines = [_line(button, offer, first) for row in reply.buttons for button in row]
    blocks = [block for block in (plain(reply.text), "\n".join(lines)) if block]
    return Outgoing(tuple(pieces("\n\n".join(blocks), TEXT_LIMIT)), offer)


def _line(button: Button, offer: dict[str, str], first: int) -> str:
    label = " ".join(button.label.split())
    if button.action is None:
        return f"→ {label}: {button.url or button.copy}"
    number = str(first + len(offer))
    offer[number] = button.action
    return f"{number}. {label}"


def brief(reply: Reply, name: str) -> str:
    """What is said in the group in place of a private reply, to the person by name."""
    called = f"@{' '.join(name.split())}{MENTION_END}"
    return next(pieces(called + plain(reply.brief), TEXT_LIMIT))


def pieces(text: str, limit: int) -> Iterator[str]:
    """Cut a text into parts of at most `limit` characters, at the end of a line or word where one is near."""
    while len(text) > limit:
        at = _cut(text, limit)
        if piece := text[:at].rstrip("\n "):
            yield piece
        text = text[at:].lstrip("\n ")
    if text:
        yield text


def _cut(text: str, limit: int) -> int:
    for gap in ("\n", " "):
        at = text.rfind(gap, 0, limit + 1)
        if at > limit // 2:
            return at
    at = limit
    while at > limit // 2 and _joined(text, at):
        at -= 1
    return at


def _joined(text: str, at: int) -> bool:
    """Whether a cut here would tear one visible character apart."""
    return text[at] in _JOINERS or text[at - 1] == "\u200d" or unicodedata.category(text[at]).startswith("M")
