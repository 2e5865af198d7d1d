"""A Telegram update as neutral words. Pure: the same update always says the same."""

from __future__ import annotations

import re
from dataclasses import dataclass

from telegram import (
    CallbackQuery,
    Chat,
    ChatInviteLink,
    ChatJoinRequest,
    ChatMember,
    ChatMemberAdministrator,
    ChatMemberRestricted,
    ChatMemberUpdated,
    Message,
    Update,
    User,
)

from bots.message import (
    Address,
    BotPlaced,
    Incoming,
    Joined,
    JoinRequested,
    Left,
    Person,
    Place,
    Pressed,
    Reachable,
    Said,
)
from bots.telegram.pictures import sent_picture

PLATFORM = "telegram"
ALLOWED_UPDATES = ("message", "callback_query", "my_chat_member", "chat_member", "chat_join_request")
"""`chat_member` and `chat_join_request` never come unless asked for."""

RIGHTS = ("can_invite_users", "can_pin_messages")
"""What an administrator bot must be allowed to do: make invite links, and answer join requests."""

_COMMAND = re.compile(r"/(?P<name>\w+)(?:@(?P<bot>\w+))?(?:\s+(?P<argument>.*))?", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Me:
    """The bot itself."""

    id: int
    username: str


def decode(update: Update, me: Me) -> tuple[Incoming, ...]:
    """What happened, as neutral words; nothing if it does not concern us. Raises on an impossible update."""
    if update.message:
        return _message(update.message, me, f"tg:{update.update_id}")
    if update.callback_query:
        return _callback(update.callback_query, f"tg:{update.update_id}")
    if update.chat_member:
        return _membership(update.chat_member, me)
    if update.my_chat_member:
        return _own_membership(update.my_chat_member)
    if update.chat_join_request:
        return (_join_request(update.chat_join_request),)
    return ()


def person(user: User) -> Person:
    """A Telegram user as a neutral person. `locale` is the language of their app, as Telegram writes it."""
    # A deleted account has an empty first name, for which the library says None.
    name = (user.full_name or "").strip() or user.username or str(user.id)
    return Person(str(user.id), name, user.username, user.language_code)


def place(chat: Chat) -> Place:
    """A Telegram chat as a neutral place."""
    address = Address(PLATFORM, str(chat.id))
    return Place(address) if chat.type == Chat.PRIVATE else Place(address, str(chat.id), chat.title or "")


def missing_rights(member: ChatMember) -> tuple[str, ...]:
    """The rights the bot lacks as this member of a group; without `administrator` it sees no joins at all."""
    if isinstance(member, ChatMemberAdministrator):
        return tuple(right for right in RIGHTS if not getattr(member, right))
    return ("administrator", *RIGHTS)


def _message(message: Message, me: Me, key: str) -> tuple[Incoming, ...]:
    sender = message.from_user
    if sender is None:
        return ()
    if message.new_chat_members or message.left_chat_member:
        return _service(message, sender)
    where = place(message.chat)
    text = message.text or message.caption or ""
    picture = sent_picture(message) if where.group is None else None
    if sender.is_bot or not (text or picture):
        return ()
    command = _COMMAND.fullmatch(text)
    if command is None:
        return (Said(person(sender), where, text, key=key, picture=picture),)
    addressed = command["bot"]
    if addressed and addressed.lower() != me.username.lower():
        return ()
    argument = (command["argument"] or "").strip()
    return (Said(person(sender), where, text, command["name"].lower(), argument, key),)


def _service(message: Message, sender: User) -> tuple[Incoming, ...]:
    """Joins and leaves as a bot sees them that is no administrator; others hear them twice, which is harmless."""
    where = place(message.chat)
    heard: list[Incoming] = []
    for user in message.new_chat_members or ():
        if not user.is_bot:
            inviter = str(sender.id) if sender.id != user.id and not sender.is_bot else None
            certainty = "inviter_hint" if inviter else "unknown"
            heard.append(Joined(person(user), where, message.date, inviter=inviter, certainty=certainty))
    if message.left_chat_member and not message.left_chat_member.is_bot:
        heard.append(Left(person(message.left_chat_member), where, message.date))
    return tuple(heard)


def _callback(query: CallbackQuery, key: str) -> tuple[Incoming, ...]:
    if query.data is None:
        return ()
    # A button under a message sent by way of inline mode has no chat: then we answer in private.
    where = place(query.message.chat) if query.message else Place(Address(PLATFORM, str(query.from_user.id)))
    return (Pressed(person(query.from_user), where, query.data, key),)


def _membership(change: ChatMemberUpdated, me: Me) -> tuple[Incoming, ...]:
    user = change.new_chat_member.user
    was, now = _is_in(change.old_chat_member), _is_in(change.new_chat_member)
    if user.id == me.id or user.is_bot or was == now:
        return ()
    where = place(change.chat)
    if not now:
        return (Left(person(user), where, change.date),)
    if invite := _whole(change.invite_link):
        return (Joined(person(user), where, change.date, invite, certainty="invite"),)
    adder = change.from_user
    # An administrator who lets a requester in did not invite them.
    if adder.id == user.id or adder.is_bot or change.via_join_request:
        return (Joined(person(user), where, change.date),)
    return (Joined(person(user), where, change.date, inviter=str(adder.id), certainty="inviter_hint"),)


def _own_membership(change: ChatMemberUpdated) -> tuple[Incoming, ...]:
    present = _is_in(change.new_chat_member)
    by = person(change.from_user)
    if change.chat.type == Chat.PRIVATE:
        return (Reachable(by, place(change.chat), present),)
    return (BotPlaced(place(change.chat), present, by, missing_rights(change.new_chat_member) if present else ()),)


def _join_request(request: ChatJoinRequest) -> JoinRequested:
    return JoinRequested(person(request.from_user), place(request.chat), request.date, _whole(request.invite_link))


def _is_in(member: ChatMember) -> bool:
    if isinstance(member, ChatMemberRestricted):
        return bool(member.is_member)
    return member.status in (ChatMember.OWNER, ChatMember.ADMINISTRATOR, ChatMember.MEMBER)


def _whole(link: ChatInviteLink | None) -> str | None:
    """The link's address; None for another administrator's link, whose second half Telegram hides behind dots."""
    if link is None or link.invite_link.endswith(("...", "…")):
        return None
    return link.invite_link
