"""The people and chats of a pretend Telegram, and how what they do is written in an update."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

ADMIN_RIGHTS = (
    "can_be_edited is_anonymous can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members "
    "can_promote_members can_change_info can_invite_users can_post_stories can_edit_stories can_delete_stories"
).split()


@dataclass
class Someone:
    """A Telegram user. `started`: they spoke to the bot, so it may write to them. `blocked`: it may no longer."""

    id: int
    first_name: str
    username: str | None = None
    last_name: str | None = None
    language_code: str | None = "en"
    is_bot: bool = False
    started: bool = False
    blocked: bool = False

    def json(self) -> dict[str, Any]:
        fields = ("id", "first_name", "username", "last_name", "language_code", "is_bot")
        return {name: value for name in fields if (value := getattr(self, name)) is not None}


@dataclass
class Group:
    """A supergroup. `statuses`: user id → status; who is not in it has none."""

    id: int
    title: str
    statuses: dict[int, str] = field(default_factory=dict)
    can_invite: bool = True
    can_pin: bool = True
    pinned: list[int] = field(default_factory=list)
    links: dict[str, dict[str, Any]] = field(default_factory=dict)
    asking: set[int] = field(default_factory=set)
    tags: dict[int, str] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        return {"id": self.id, "type": "supergroup", "title": self.title}

    def member(self, user: Someone, status: str | None = None) -> dict[str, Any]:
        """The ChatMember of a user, as it is or as if they had this status."""
        status = status or self.statuses.get(user.id, "left")
        member: dict[str, Any] = {"user": user.json(), "status": status}
        if status == "administrator":
            member |= dict.fromkeys(ADMIN_RIGHTS, False)
            member |= {"can_invite_users": self.can_invite, "can_pin_messages": self.can_pin}
        elif status == "creator":
            member["is_anonymous"] = False
        elif status == "kicked":
            member["until_date"] = 0
        elif status.startswith("restricted"):
            member |= dict.fromkeys(RESTRICTED, False) | {"status": "restricted", "until_date": 0}
            member["is_member"] = status == "restricted"
        return member


RESTRICTED = (
    "can_change_info can_invite_users can_pin_messages can_send_messages can_send_polls can_send_other_messages "
    "can_add_web_page_previews can_manage_topics can_send_audios can_send_documents can_send_photos can_send_videos "
    "can_send_video_notes can_send_voice_notes can_edit_tag can_react_to_messages"
).split()


@dataclass
class Shown:
    """A message of the bot's as people see it. `markup` is the text as it was sent."""

    message_id: int
    chat_id: int
    text: str
    markup: str
    keyboard: list[list[dict[str, Any]]] = field(default_factory=list)
    photo: bytes | None = None
    edited: bool = False

    @property
    def labels(self) -> list[str]:
        return [button["text"] for row in self.keyboard for button in row]

    def json(self, chat: dict[str, Any], bot: Someone) -> dict[str, Any]:
        message: dict[str, Any] = {
            "message_id": self.message_id,
            "date": int(time.time()),
            "chat": chat,
            "from": bot.json(),
        }
        if self.photo is None:
            message["text"] = self.text
        else:
            size = {"file_id": "p", "file_unique_id": "p", "width": 1080, "height": 1440}
            message |= {"photo": [size], "caption": self.text}
        return message


def private(user: Someone) -> dict[str, Any]:
    return {"id": user.id, "type": "private", "first_name": user.first_name}


def spoken(message_id: int, user: Someone, chat: dict[str, Any], text: str) -> dict[str, Any]:
    """A message somebody writes."""
    message: dict[str, Any] = {
        "message_id": message_id,
        "date": int(time.time()),
        "chat": chat,
        "from": user.json(),
        "text": text,
    }
    if text.startswith("/"):
        message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split(maxsplit=1)[0])}]
    return message
