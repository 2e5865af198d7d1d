"""The conformance harness of WeChat: the real adapter and the real npm gateway, with a pretend WeChat behind it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bots.command import Argument, CommandSpec, Menu
from bots.wechat.adapter import WeChatAdapter
from bots.wechat.settings import WeChatSettings
from tests.bots.harness import Failure, MemoryStore, Script, Seen
from tests.bots.wechat.process import GROUP, TOKEN, GatewayProcess, shared

PATIENCE = 20.0
"""Seconds after which something that should have happened has not."""

MENU = Menu(
    (
        CommandSpec("start", ("开始",), {"en": "start"}),
        CommandSpec("invite", ("邀请",), {"en": "my link"}, slow=True),
        CommandSpec("leaderboard", ("排行榜",), {"en": "who leads"}),
        CommandSpec("join", ("加入",), {"en": "enter a code"}, Argument("code", {"en": "the code"}, required=True)),
        CommandSpec("help", ("帮助",), {"en": "help"}),
    )
)

FAILURES: dict[Failure, dict[str, Any]] = {
    "permanent": {"error": "wxid is not a friend"},
    "rate_limited": {"error": "操作过于频繁，请稍后再试"},
    "gone_away": {"error": "the phone is offline", "code": 14},
}

BUTTON = re.compile(r"(\d+)\. (.+)")
LINK = re.compile(r"→ (.+?): \S.*")
MENTION = re.compile("^@[^\u2005]*\u2005")


async def eventually(found: Callable[[], Any]) -> Any:
    """Wait until `found` (or what it awaits) returns something true."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = found()
            if isinstance(answer, Awaitable):
                answer = await answer
            if answer:
                return answer
            await asyncio.sleep(0.01)


def settings(gateway: GatewayProcess, **changes: Any) -> WeChatSettings:
    """An account in a hurry: no rate limit and short waits, unless the test is about them."""
    hurried: dict[str, Any] = {
        "endpoint": gateway.endpoint,
        "token": TOKEN,
        "messages_per_second_per_chat": 1e6,
        "messages_per_minute": 10**6,
        "call_timeout": 5,
        "keepalive": 1,
        "backoff": (0.05, 0.2),
    }
    return WeChatSettings(**(hurried | changes))


class WeChatHarness:
    """Alice, Bob and a group on a pretend WeChat; see `tests.bots.harness.Harness`."""

    text_limit = 2000

    def __init__(self, gateway: GatewayProcess, **changes: Any) -> None:
        self.gateway = gateway
        self.script = Script()
        self.store = MemoryStore()
        self.eventually = eventually
        self.adapter = WeChatAdapter(
            settings(gateway, **changes), MENU, self.store, lambda: datetime.now(UTC), sleep=_short
        )

    async def say(self, who: str, text: str, *, group: bool = False, mentions: tuple[str, ...] = ()) -> None:
        """Alice or Bob writes to the bot, or in the group."""
        if group:
            await self.gateway.do("roomsay", **{"from": who}, text=text, mentions=mentions)
        else:
            await self.gateway.do("say", **{"from": who}, text=text)

    async def show(self, who: str, file: bytes, media_type: str = "image/jpeg") -> None:
        """Alice or Bob sends the bot a file."""
        name = {"image/jpeg": "a.jpg", "image/png": "a.png", "video/mp4": "a.mp4"}.get(media_type, "a.bin")
        await self.gateway.do("show", **{"from": who}, base64=base64.b64encode(file).decode(), name=name)

    async def press(self, who: str, label: str) -> None:
        """Answer with the number of the newest button with this label."""
        for sent in reversed(await self.sent(self.address(who))):
            for line in reversed(sent.get("text", "").splitlines()):
                if (found := BUTTON.fullmatch(line)) and found[2] == label:
                    await self.say(who, found[1])
                    return
        raise AssertionError(f"{who} was shown no button {label!r}")

    async def seen(self, who: str, count: int, *, group: bool = False) -> list[Seen]:
        """What a person (or the group) has seen, once it is `count` messages; a picture and its text are one."""
        chat = GROUP if group else self.address(who)

        async def enough() -> list[Seen]:
            seen = _joined(await self.sent(chat), private=not group)
            return seen if len(seen) >= count else []

        return list(await self.eventually(enough)) if count else await enough()

    async def sent(self, chat: str) -> list[dict[str, Any]]:
        """The raw messages the bot sent to a chat."""
        return [sent for sent in await self.gateway.do("sent") if sent["to"] == chat]

    def address(self, who: str) -> str:
        """The contact id of a person."""
        return f"wxid_{who}"

    async def fail_next(self, failure: Failure) -> None:
        """The next text or picture is refused."""
        await self.gateway.do("fail", call="messageSendText", **FAILURES[failure])

    async def ready(self) -> None:
        """Wait until the account is logged in and the group was read."""
        await self.eventually(lambda: self.adapter.status.state == "ready")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the adapter meanwhile."""
        task = asyncio.create_task(self.adapter.run(self.script))
        try:
            yield
        finally:
            await self.adapter.close()
            await task


async def _short(seconds: float) -> None:
    """Waits asked for by the platform are not waited out."""
    await asyncio.sleep(min(seconds, 0.05))


def _joined(messages: list[dict[str, Any]], *, private: bool) -> list[Seen]:
    seen: list[Seen] = []
    for message in messages:
        if "file" in message:
            seen.append(Seen("", image=base64.b64decode(message["base64"]), private=private))
            continue
        text, buttons = _buttons(MENTION.sub("", message["text"]))
        if seen and seen[-1].image and not seen[-1].text:
            seen[-1].text, seen[-1].buttons = text, buttons
        else:
            seen.append(Seen(text, buttons, private=private))
    return seen


def _buttons(text: str) -> tuple[str, list[str]]:
    """The words of a message, and the labels of the list at its end: a block of its own, or all there is."""
    words, gap, block = text.rpartition("\n\n")
    found = [BUTTON.fullmatch(line) or LINK.fullmatch(line) for line in block.split("\n")]
    labels = [match[match.lastindex or 0] for match in found if match]
    if len(labels) < len(found) or not (gap or block.startswith(("1. ", "→ "))):
        return text, []
    return words, labels


@contextlib.asynccontextmanager
async def open_harness(tmp_path: Path) -> AsyncIterator[WeChatHarness]:
    """A running adapter on the shared gateway, made as new."""
    gateway = shared()
    await gateway.do("reset")
    harness = WeChatHarness(gateway)
    async with harness.running():
        await harness.ready()
        yield harness
