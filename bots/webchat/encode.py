"""Neutral replies → the JSON the page draws. Pure; the page builds text nodes from it, never HTML."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from bots.command import Menu
from bots.markup import Line, Span, parse
from bots.message import Button, Form, Reply

SCHEMES = frozenset({"http", "https", "mailto", "tg", "weixin", "discord"})
"""What a link may open. Anything else (`javascript:` above all) is shown as words that can be copied."""

Json = dict[str, Any]


def encode(reply: Reply) -> Json:
    """The body of one message, without its picture (which the chat keeps under an address of its own)."""
    body: Json = {"lines": [encode_line(line) for line in parse(reply.text)]}
    if reply.buttons:
        body["buttons"] = [[_button(button) for button in row] for row in reply.buttons]
    if reply.form and reply.form.at_once:  # else the buttons are answers too, and words can be typed below
        body["form"] = _form(reply.form)
    return body


def encode_said(text: str) -> Json:
    """What a person wrote, as they wrote it: no markup in it."""
    return {"lines": [[{"text": line}] if line else [] for line in text.split("\n")]}


def encode_line(line: Line) -> list[Json]:
    return [_span(span) for span in line]


def encode_menu(menu: Menu, lang: str, *, admin: bool = False) -> list[Json]:
    """Quick commands: what is sent, its label in the visitor's language, and whether an argument must follow.

    An admin's own come first, because the row is cut where the screen ends.
    """
    return [
        {
            "say": (spec.aliases[0] if lang == "zh_Hans" and spec.aliases else f"/{spec.name}"),
            "label": (spec.aliases[0] if lang == "zh_Hans" and spec.aliases else spec.name.capitalize()),
            "help": spec.help.get(lang) or spec.help.get("en", ""),
            "asks": bool(spec.argument and spec.argument.required),
        }
        for spec in sorted(menu.commands, key=lambda spec: not spec.admin)
        if spec.name != "start" and (admin or not spec.admin)
    ]


def safe_url(url: str) -> bool:
    return urlsplit(url).scheme.lower() in SCHEMES


def _span(span: Span) -> Json:
    out: Json = {"text": span.text}
    for style in ("bold", "italic", "code"):
        if getattr(span, style):
            out[style] = True
    if span.url and safe_url(span.url):
        out["url"] = span.url
    return out


def _button(button: Button) -> Json:
    if button.action is not None:
        return {"label": button.label, "action": button.action}
    if button.url is not None and safe_url(button.url):
        return {"label": button.label, "url": button.url}
    return {"label": button.label, "copy": button.copy if button.copy is not None else button.url}


def _form(form: Form) -> Json:
    return {
        "title": form.title,
        "action": form.action,
        "fields": [
            {
                "name": field.name,
                "label": field.label,
                "placeholder": field.placeholder,
                "multiline": field.multiline,
                "max": field.max_length,
                "value": field.value,
                "required": field.required,
            }
            for field in form.fields
        ],
    }
