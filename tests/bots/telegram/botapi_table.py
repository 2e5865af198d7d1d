"""What the Bot API asks of each call we make: fields, types, limits. A test compares it with the published text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Field:
    """The published types this stand-in takes for a field (it may take fewer), and whether the field must be there."""

    types: tuple[str, ...]
    required: bool = False


def need(field: Field) -> Field:
    return replace(field, required=True)


TEXT, INT, BOOL = Field(("String",)), Field(("Integer",)), Field(("Boolean",))
CHAT = Field(("Integer", "String"))
KEYBOARD, PREVIEW = Field(("InlineKeyboardMarkup",)), Field(("LinkPreviewOptions",))

METHODS: dict[str, dict[str, Field]] = {
    "getMe": {},
    "getFile": {"file_id": need(TEXT)},
    "getUpdates": {"offset": INT, "limit": INT, "timeout": INT, "allowed_updates": Field(("Array of String",))},
    "setWebhook": {
        "url": need(TEXT),
        "max_connections": INT,
        "allowed_updates": Field(("Array of String",)),
        "drop_pending_updates": BOOL,
        "secret_token": TEXT,
    },
    "deleteWebhook": {"drop_pending_updates": BOOL},
    "setMyCommands": {
        "commands": need(Field(("Array of BotCommand",))),
        "scope": Field(("BotCommandScope",)),
        "language_code": TEXT,
    },
    "sendMessage": {
        "chat_id": need(CHAT),
        "message_thread_id": INT,
        "text": need(TEXT),
        "parse_mode": TEXT,
        "link_preview_options": PREVIEW,
        "disable_notification": BOOL,
        "reply_markup": KEYBOARD,
    },
    "sendPhoto": {
        "chat_id": need(CHAT),
        "message_thread_id": INT,
        "photo": need(Field(("InputFile",))),
        "caption": TEXT,
        "parse_mode": TEXT,
        "disable_notification": BOOL,
        "reply_markup": KEYBOARD,
    },
    "sendDocument": {
        "chat_id": need(CHAT),
        "message_thread_id": INT,
        "document": need(Field(("InputFile",))),
        "caption": TEXT,
        "parse_mode": TEXT,
        "disable_notification": BOOL,
        "reply_markup": KEYBOARD,
    },
    "editMessageText": {
        "chat_id": CHAT,
        "message_id": INT,
        "text": TEXT,
        "parse_mode": TEXT,
        "link_preview_options": PREVIEW,
        "reply_markup": KEYBOARD,
    },
    "editMessageCaption": {
        "chat_id": CHAT,
        "message_id": INT,
        "caption": TEXT,
        "parse_mode": TEXT,
        "reply_markup": KEYBOARD,
    },
    "answerCallbackQuery": {"callback_query_id": need(TEXT)},
    "createChatInviteLink": {
        "chat_id": need(CHAT),
        "name": TEXT,
        "expire_date": INT,
        "member_limit": INT,
        "creates_join_request": BOOL,
    },
    "getChatMember": {"chat_id": need(CHAT), "user_id": need(INT)},
    "approveChatJoinRequest": {"chat_id": need(CHAT), "user_id": need(INT)},
    "declineChatJoinRequest": {"chat_id": need(CHAT), "user_id": need(INT)},
    "getAvailableGifts": {},
    "sendGift": {"user_id": INT, "gift_id": need(TEXT), "text": TEXT},
    "giftPremiumSubscription": {"user_id": need(INT), "month_count": need(INT), "star_count": need(INT), "text": TEXT},
    "pinChatMessage": {"chat_id": need(CHAT), "message_id": need(INT), "disable_notification": BOOL},
    "unpinChatMessage": {"chat_id": need(CHAT), "message_id": INT},
    "setChatMemberTag": {"chat_id": need(CHAT), "user_id": need(INT), "tag": TEXT},
    "getStarTransactions": {"offset": INT, "limit": INT},
}


class Refused(Exception):
    """The call breaks the Bot API's own rules."""


def check(method: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a call as values. Raises `Refused`."""
    fields = METHODS.get(method)
    if fields is None:
        raise Refused(f"method {method} not found")
    for name, field in fields.items():
        if field.required and name not in given:
            raise Refused(f"{name} is missing")
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in fields:
            raise Refused(f"{name} is not a field of {method}")
        values[name] = _read(name, value, fields[name].types)
    return values


def _read(name: str, value: Any, types: tuple[str, ...]) -> Any:
    for kind in types:
        try:
            return _READERS[kind](value)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    raise Refused(f"{name} is not {' or '.join(types)}: {value!r}")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _list(check_item: Callable[[Any], Any]) -> Callable[[str], list[Any]]:
    def read(value: str) -> list[Any]:
        items = json.loads(value)
        if not isinstance(items, list):
            raise TypeError
        return [check_item(item) for item in items]

    return read


def _file(value: Any) -> bytes:
    if not isinstance(value, bytes) or not value:
        raise TypeError
    return value


def _command(item: dict[str, Any]) -> dict[str, Any]:
    name, about = item["command"], item["description"]
    if not (1 <= len(name) <= 32 and name == name.lower() and name.replace("_", "a").isalnum() and name.isascii()):
        raise ValueError
    if not 1 <= len(about) <= 256:
        raise ValueError
    return item


def _keyboard(value: str) -> list[list[dict[str, Any]]]:
    rows: list[list[dict[str, Any]]] = json.loads(value)["inline_keyboard"]
    for button in (button for row in rows for button in row):
        kinds = button.keys() & {"callback_data", "url", "copy_text", "web_app"}
        if not button["text"] or len(kinds) != 1:
            raise Refused(f"a button has a text and exactly one purpose: {button}")
        if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= 64:
            raise Refused("BUTTON_DATA_INVALID")
        if "copy_text" in button and not 1 <= len(button["copy_text"]["text"]) <= 256:
            raise Refused("BUTTON_COPY_TEXT_INVALID")
        if "web_app" in button and not button["web_app"]["url"].startswith("https://"):
            raise Refused("inline keyboard button Web App URL is invalid: Only HTTPS links are allowed")
        if "url" in button and "." not in (urlsplit(button["url"]).hostname or ""):
            raise Refused(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
    return rows


_READERS: dict[str, Callable[[Any], Any]] = {
    "Integer": int,
    "String": _text,
    "Boolean": lambda value: {"true": True, "false": False}[value.lower()],
    "Array of String": _list(_text),
    "Array of BotCommand": _list(_command),
    "BotCommandScope": lambda value: json.loads(value)["type"],
    "InlineKeyboardMarkup": _keyboard,
    "LinkPreviewOptions": json.loads,
    "InputFile": _file,
}


class _Stripper(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("b", "i", "code", "a") or (tag == "a") != bool(attrs):
            raise Refused(f"can't parse entities: unsupported start tag {tag!r}")
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise Refused(f"can't parse entities: unexpected end tag {tag!r}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def shown(text: str, parse_mode: str | None, limit: int) -> str:
    """What people see of a text. Raises `Refused` if its markup is broken or it is too long."""
    seen = text
    if parse_mode == "HTML":
        stripper = _Stripper()
        stripper.feed(text)
        stripper.close()
        if stripper.open:
            raise Refused(f"can't parse entities: can't find end tag of {stripper.open[-1]!r}")
        seen = "".join(stripper.text)
    if len(seen.encode("utf-16-le")) // 2 > limit:
        raise Refused("message is too long" if limit == 4096 else "message caption is too long")
    return seen.strip()
