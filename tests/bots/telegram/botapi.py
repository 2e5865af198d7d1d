"""A pretend Bot API server: speaks Telegram's wire protocol on a local port, and refuses what Telegram refuses.

Every call is checked against `botapi_table`; a call that breaks it is answered 400 and kept in `violations`.
By hand or for a bench: `python -m tests.bots.telegram.botapi --port 8081`, then `POST /control/flood` with
`{"texts": ["/start CODE", ...]}` lets a new person say each text, and `GET /control/stats` tells what was answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import time
from collections import deque
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, Self

from starlette.requests import Request

from tests.bots.telegram.botapi_files import FileShelf
from tests.bots.telegram.botapi_pins import PinBoard
from tests.bots.telegram.botapi_stars import StarShop
from tests.bots.telegram.botapi_table import Refused, check, shown
from tests.bots.telegram.botapi_wire import (
    Fault,
    Receive,
    Refusal,
    Send,
    bring,
    hang_up,
    quiet_server,
    read_fields,
    respond,
)
from tests.bots.telegram.botapi_world import Group, Shown, Someone, private, spoken

NOT_UNLESS_ASKED = {"chat_member", "message_reaction", "message_reaction_count"}


class BotApi(StarShop, PinBoard, FileShelf):
    """A server for one bot. `url` is its address; `calls` holds (method, fields) unless `record` is off."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, token: str = "42:TEST", record: bool = True) -> None:
        super().__init__()
        self.host, self.port, self.token, self.record = host, port, token, record
        self.bot = Someone(42, "Daixin", "daixin_bot", language_code=None, is_bot=True)
        self.people: dict[int, Someone] = {}
        self.groups: dict[int, Group] = {}
        self.files: dict[str, bytes] = {}
        self.messages: dict[int, list[Shown]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.violations: list[str] = []
        self.faults: list[Fault] = []
        self.answered = 0
        self.webhook: dict[str, Any] = {}
        self.webhook_answers: list[int] = []
        self.menus: dict[tuple[str, str], list[dict[str, str]]] = {}
        self._updates: deque[tuple[int, bytes]] = deque()
        self._allowed: set[str] | None = None
        self._last_id = 1000
        self._news = asyncio.Event()
        self._poller: asyncio.Event | None = None
        self._open_presses: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def asked(self) -> bool:
        """Whether the bot has said which kinds of update it wants."""
        return self._allowed is not None

    @property
    def unheard(self) -> int:
        """Updates that were not acknowledged yet."""
        return len(self._updates)

    async def __aenter__(self) -> Self:
        listening = socket.create_server((self.host, self.port), backlog=2048)
        # Inherited by every connection: an answer goes out in two writes, and the second must not wait 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = listening.getsockname()[1]
        self._server = quiet_server(self._app)
        self._tasks.append(asyncio.create_task(self._server.serve([listening])))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        if self._poller:
            self._poller.set()
        for task in self._tasks[1:]:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks)

    # What people do

    def person(self, first_name: str, **more: Any) -> Someone:
        someone = Someone(self._next(), first_name, **more)
        self.people[someone.id] = someone
        return someone

    def group(self, title: str, bot_status: str = "administrator", can_invite: bool = True) -> Group:
        group = Group(-1_000_000_000_000 - self._next(), title, {self.bot.id: bot_status}, can_invite)
        self.groups[group.id] = group
        return group

    def say(self, who: Someone, text: str, group: Group | None = None) -> int:
        if group is None:
            who.started = True
        return self.inject(message=spoken(self._next(), who, group.json() if group else private(who), text))

    def press(self, who: Someone, message: Shown, label: str) -> str:
        """Press a button; returns the id of the press."""
        button = next(button for row in message.keyboard for button in row if button["text"] == label)
        press = str(self._next())
        self._open_presses.add(press)
        chat = self._chat_json(message.chat_id)
        query = {"id": press, "from": who.json(), "chat_instance": "1", "data": button["callback_data"]}
        self.inject(callback_query=query | {"message": message.json(chat, self.bot)})
        return press

    def membership(self, who: Someone, group: Group, status: str, by: Someone | None = None, **more: Any) -> int:
        """Somebody's (or the bot's) place in a group changes. `more`: invite_link, via_join_request."""
        before = group.member(who)
        group.statuses[who.id] = status
        change = {"chat": group.json(), "from": (by or who).json(), "date": int(time.time())} | more
        change |= {"old_chat_member": before, "new_chat_member": group.member(who)}
        return self.inject(**{"my_chat_member" if who is self.bot else "chat_member": change})

    def ask_to_join(self, who: Someone, group: Group, **more: Any) -> int:
        group.asking.add(who.id)
        request = {"chat": group.json(), "from": who.json(), "date": int(time.time()), "user_chat_id": who.id}
        return self.inject(chat_join_request=request | more)

    def block(self, who: Someone, blocked: bool = True) -> int:
        who.blocked = blocked
        words = ("member", "kicked") if blocked else ("kicked", "member")
        old, new = (Group(0, "").member(self.bot, word) for word in words)
        change = {"chat": private(who), "from": who.json(), "date": int(time.time())}
        return self.inject(my_chat_member=change | {"old_chat_member": old, "new_chat_member": new})

    def inject(self, **update: Any) -> int:
        """Put an update, however odd, where the bot finds it; returns its id (0 if it never asked for this kind)."""
        kind = next(iter(update))
        wanted = kind not in NOT_UNLESS_ASKED if self._allowed is None else kind in self._allowed
        if not wanted:
            return 0
        number = self._next()
        self.inject_raw(json.dumps({"update_id": number, **update}).encode(), number)
        return number

    def inject_raw(self, update: bytes, number: int | None = None) -> None:
        """Put any JSON in the place of an update."""
        self._updates.append((self._next() if number is None else number, update))
        self._news.set()

    def fail_next(self, method: str, code: int, description: str = "", **parameters: int) -> None:
        self.faults.append(Fault(method, Refusal(code, description or f"error {code}", **parameters)))

    def drop_next(self, method: str, done: bool = False) -> None:
        self.faults.append(Fault(method, drop=True, done=done))

    def seen(self, chat: Someone | Group) -> list[Shown]:
        return self.messages.get(chat.id, [])

    def called(self, method: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.calls if name == method]

    # The wire

    async def _app(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.startswith("/control/"):
            return await respond(send, 200, json.dumps(await self._control(path, Request(scope, receive))).encode())
        token, _, method = path.removeprefix("/bot").partition("/")
        fault = next((fault for fault in self.faults if method.startswith(fault.method)), None)
        if fault:
            self.faults.remove(fault)
        code, body = 200, b""
        try:
            if path.startswith("/file/"):
                return await respond(send, 200, self.download(path))
            given = await read_fields(scope, receive)
            if token != self.token:
                raise Refusal(401, "Unauthorized")
            if fault and fault.refusal:
                raise fault.refusal
            if not fault or fault.done:
                body = await self._call(method, given)
        except Refusal as refusal:
            code, body = refusal.code, refusal.body()
        except Exception as error:  # a fault of this stand-in must not look like one of the bot's
            self.violations.append(f"{method}: {error!r}")
            code, body = 500, b"{}"
        if fault and fault.drop:
            return await hang_up(receive, send)
        await respond(send, code, body)

    async def _call(self, method: str, given: dict[str, Any]) -> bytes:
        try:
            fields = check(method, given)
            if self.record and method != "getUpdates":
                self.calls.append((method, fields))
            if method == "getUpdates":
                return b'{"ok":true,"result":[' + b",".join(await self._get_updates(**fields)) + b"]}"
            result = getattr(self, f"_do_{method}")(**fields)
        except Refused as refused:
            self.violations.append(f"{method}: {refused}")
            raise Refusal(400, f"Bad Request: {refused}") from refused
        return b'{"ok":true,"result":' + json.dumps(result).encode() + b"}"

    async def _get_updates(
        self, offset: int = 0, limit: int = 100, timeout: int = 0, allowed_updates: list[str] | None = None
    ) -> list[bytes]:
        if self.webhook:
            raise Refusal(409, "Conflict: can't use getUpdates method while webhook is active")
        if self._poller:
            self._poller.set()  # the older of two pollers is told to go
        self._poller = me = asyncio.Event()
        if allowed_updates is not None:
            self._allowed = set(allowed_updates) or None
        while self._updates and self._updates[0][0] < offset:
            self._updates.popleft()
        deadline = time.monotonic() + timeout
        while not self._updates and (left := deadline - time.monotonic()) > 0:
            self._news.clear()
            waiting = [asyncio.create_task(event.wait()) for event in (self._news, me)]
            await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
            if me.is_set():
                raise Refusal(409, "Conflict: terminated by other getUpdates request")
        if self._poller is me:
            self._poller = None
        return [self._updates[at][1] for at in range(min(limit, 100, len(self._updates)))]

    def _do_getMe(self) -> dict[str, Any]:
        return self.bot.json() | {"can_join_groups": True}

    def _do_setWebhook(self, **fields: Any) -> bool:
        self.webhook = fields if fields["url"] else {}
        self._allowed = set(fields.get("allowed_updates") or ()) or None
        if self.webhook:
            bringing = bring(self._updates, lambda: self.webhook, self._news, self.webhook_answers)
            self._tasks.append(asyncio.create_task(bringing))
        return True

    def _do_deleteWebhook(self, drop_pending_updates: bool = False) -> bool:
        self.webhook = {}
        return True

    def _do_setMyCommands(self, commands: list[Any], scope: str = "default", language_code: str = "") -> bool:
        self.menus[scope, language_code] = commands
        return True

    def _do_sendMessage(self, chat_id: int, text: str, **fields: Any) -> dict[str, Any]:
        seen = shown(text, fields.get("parse_mode"), 4096)
        if not seen:
            raise Refused("message text is empty")
        return self._show(chat_id, Shown(self._next(), chat_id, seen, text, fields.get("reply_markup", [])))

    def _do_sendPhoto(self, chat_id: int, photo: bytes, caption: str = "", **fields: Any) -> dict[str, Any]:
        seen = shown(caption, fields.get("parse_mode"), 1024)
        return self._show(chat_id, Shown(self._next(), chat_id, seen, caption, fields.get("reply_markup", []), photo))

    def _do_sendDocument(self, chat_id: int, document: bytes, caption: str = "", **fields: Any) -> dict[str, Any]:
        seen = shown(caption, fields.get("parse_mode"), 1024)
        said = Shown(self._next(), chat_id, seen, caption, fields.get("reply_markup", []), document)
        return self._show(chat_id, said)

    def _do_editMessageText(self, chat_id: int, message_id: int, text: str, **fields: Any) -> dict[str, Any]:
        return self._edit(chat_id, message_id, text, 4096, False, fields)

    def _do_editMessageCaption(self, chat_id: int, message_id: int, caption: str, **fields: Any) -> dict[str, Any]:
        return self._edit(chat_id, message_id, caption, 1024, True, fields)

    def _do_answerCallbackQuery(self, callback_query_id: str) -> bool:
        if callback_query_id not in self._open_presses:
            raise Refused("query is too old and response timeout expired or query ID is invalid")
        self._open_presses.discard(callback_query_id)
        return True

    def _do_createChatInviteLink(self, chat_id: int, name: str = "", **fields: Any) -> dict[str, Any]:
        group = self._ruled(chat_id)
        if len(name) > 32:
            raise Refused("invite link name is too long")
        if fields.get("creates_join_request") and "member_limit" in fields:
            raise Refused("member limit can't be specified for links requiring administrator approval")
        link: dict[str, Any] = {
            "invite_link": f"https://t.me/+{self._next()}",
            "creator": self.bot.json(),
            "name": name,
        }
        link |= {"creates_join_request": fields.get("creates_join_request", False), "is_primary": False}
        link["is_revoked"] = False
        group.links[link["invite_link"]] = link
        return link

    def _do_getChatMember(self, chat_id: int, user_id: int) -> dict[str, Any]:
        user = self.bot if user_id == self.bot.id else self.people.get(user_id)
        if chat_id not in self.groups or user is None:
            raise Refusal(400, "Bad Request: chat not found")
        return self.groups[chat_id].member(user)

    def _do_declineChatJoinRequest(self, chat_id: int, user_id: int) -> bool:
        return self._do_approveChatJoinRequest(chat_id, user_id, "left")

    def _do_approveChatJoinRequest(self, chat_id: int, user_id: int, status: str = "member") -> bool:
        group = self._ruled(chat_id)
        if user_id not in group.asking:
            raise Refusal(400, "Bad Request: HIDE_REQUESTER_MISSING")
        group.asking.discard(user_id)
        group.statuses[user_id] = status
        return True

    def _do_setChatMemberTag(self, chat_id: int, user_id: int, tag: str = "") -> bool:
        group = self._ruled(chat_id)
        if group.statuses.get(user_id) != "member":
            raise Refusal(400, "Bad Request: user is not a regular member of the chat")
        if len(tag) > 16:
            raise Refused("the tag is too long")
        group.tags[user_id] = tag
        return True

    # Inside

    def _ruled(self, chat_id: int) -> Group:
        group = self.groups.get(chat_id)
        if group is None:
            raise Refusal(400, "Bad Request: chat not found")
        if group.statuses.get(self.bot.id) != "administrator" or not group.can_invite:
            raise Refusal(400, "Bad Request: not enough rights to manage chat invite link")
        return group

    def _show(self, chat_id: int, message: Shown) -> dict[str, Any]:
        chat = self._chat_json(chat_id)
        if (someone := self.people.get(chat_id)) and not someone.started:
            raise Refusal(403, "Forbidden: bot can't initiate conversation with a user")
        if someone and someone.blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        if chat_id in self.groups and self.groups[chat_id].statuses[self.bot.id] in ("left", "kicked"):
            raise Refusal(403, "Forbidden: bot was kicked from the supergroup chat")
        self.answered += 1
        if self.record:
            self.messages.setdefault(chat_id, []).append(message)
        return message.json(chat, self.bot)

    def _edit(
        self, chat_id: int, message_id: int, text: str, limit: int, photo: bool, fields: dict[str, Any]
    ) -> dict[str, Any]:
        messages = self.messages.get(chat_id, [])
        message = next((message for message in messages if message.message_id == message_id), None)
        if message is None:
            raise Refusal(400, "Bad Request: message to edit not found")
        if photo != (message.photo is not None):
            raise Refused("there is no caption in the message to edit" if photo else "there is no text to edit")
        seen, keyboard = shown(text, fields.get("parse_mode"), limit), fields.get("reply_markup", [])
        if (message.text, message.keyboard) == (seen, keyboard):
            raise Refusal(400, "Bad Request: message is not modified")
        message.text, message.markup, message.keyboard, message.edited = seen, text, keyboard, True
        return message.json(self._chat_json(chat_id), self.bot)

    def _chat_json(self, chat_id: int) -> dict[str, Any]:
        if chat_id in self.groups:
            return self.groups[chat_id].json()
        if chat_id in self.people:
            return private(self.people[chat_id])
        raise Refusal(400, "Bad Request: chat not found")

    async def _control(self, path: str, request: Request) -> dict[str, int]:
        if path == "/control/flood":
            for text in (await request.json())["texts"]:
                number = self._last_id
                self.say(self.person(f"Friend {number}"), text)
        return {"answered": self.answered, "unheard": self.unheard, "violations": len(self.violations)}

    def _next(self) -> int:
        self._last_id += 1
        return self._last_id


async def _serve(host: str, port: int) -> None:
    async with BotApi(host, port, record=False) as api:
        print(json.dumps({"url": api.url, "token": api.token}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description="a pretend Bot API server")
    asked.add_argument("--host", default="127.0.0.1")
    asked.add_argument("--port", type=int, default=0)
    options = asked.parse_args()
    asyncio.run(_serve(options.host, options.port))
