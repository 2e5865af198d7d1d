"""Alice on Telegram, Bob on Discord, Carol on WeChat: one ledger, and Alice is one person on two of them."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from bots.commands.all import MENU
from bots.wechat.adapter import WeChatAdapter
from core import clock
from tests.bots.discord.harness import eventually as discord_eventually
from tests.bots.discord.reading import read
from tests.bots.telegram.botapi_world import Someone
from tests.bots.telegram.harness import eventually, nap
from tests.bots.wechat.harness import eventually as wechat_eventually
from tests.bots.wechat.harness import settings as wechat_settings
from tests.bots.wechat.process import GatewayProcess, shared
from tests.journeys.program import Program, open_program

pytestmark = pytest.mark.needs("node")


class WeChat:
    """The pretend WeChat as its people see it; Alice is in the group from the beginning, Carol is not."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self.gateway = gateway

    async def texts(self, who: str) -> list[str]:
        sent = await self.gateway.do("sent")
        return [one["text"] for one in sent if one["to"] == f"wxid_{who}" and "text" in one]

    async def sees(self, who: str, words: str) -> str:
        """Wait until the person was told something with these words in it."""

        async def found() -> str:
            return next((text for text in reversed(await self.texts(who)) if words in text), "")

        return str(await wechat_eventually(found))

    async def says(self, who: str, text: str, answer: str) -> str:
        await self.gateway.do("say", **{"from": who}, text=text)
        return await self.sees(who, answer)


@asynccontextmanager
async def wechat_of(program: Program) -> AsyncIterator[WeChat]:
    """Plug the real WeChat adapter into the program."""
    gateway = await asyncio.to_thread(shared)
    await gateway.do("reset")
    adapter = WeChatAdapter(wechat_settings(gateway), MENU, program.store("wechat"), clock.now, sleep=nap)
    task = program.plug(adapter)
    try:
        await wechat_eventually(lambda: adapter.status.state == "ready")
        yield WeChat(gateway)
    finally:
        await adapter.close()
        await asyncio.gather(task, return_exceptions=True)


async def on_telegram(program: Program, who: Someone, text: str, answer: str) -> Any:
    """The message with these words that somebody is answered on Telegram."""
    program.telegram.say(who, text)
    return await on_telegram_sees(program, who, answer)


async def on_telegram_sees(program: Program, who: Someone, words: str) -> Any:
    seen = program.telegram.seen
    return await eventually(lambda: next((one for one in reversed(seen(who)) if words in one.text), None))


async def on_discord(program: Program, name: str, command: str, argument: str, answer: str) -> str:
    """The answer with these words to a slash command."""
    await program.discord.slash(name, command, argument)
    return await on_discord_sees(program, name, answer)


async def on_discord_sees(program: Program, name: str, words: str) -> str:
    def found() -> str:
        shown = [read(message.content) for message in program.discord.private_messages(name)]
        return next((text for text in shown if words in text), "")

    return str(await discord_eventually(found))


async def test_alice_brings_friends_on_three_platforms_and_has_one_balance(migrated_url: str) -> None:
    async with open_program(migrated_url) as program, wechat_of(program) as wechat:
        alice = program.telegram.person("Alice", username="alice")
        await program.connected(2)

        card = await on_telegram(program, alice, "/invite", "Here is your invitation to Spring tea")
        link = re.search(r"https://tea\.example/r/(\w+)", card.text)
        assert link is not None
        assert read_card(card.photo) == link[0]
        code = link[1]

        await on_discord(program, "bob", "join", code, "Alice invited you to Spring tea")
        await program.discord.join("bob")
        await arrives(program, alice, "Bob joined Spring tea through you")

        await wechat.gateway.do("befriend", **{"from": "carol"}, hello=f"邀请码 {code}")
        await wechat.sees("carol", "Alice 邀请你参加 Spring tea")
        await wechat.gateway.do("join", who=["carol"], by="alice")
        await arrives(program, alice, "Carol joined Spring tea through you")

        await program.later(days=7)
        await on_telegram_sees(program, alice, "Bob has stayed 7 days. You earned 10 points")
        await on_telegram(program, alice, "/leaderboard", "🥇 Alice · 2 friends ← you")
        await program.later(days=3)
        await on_telegram_sees(program, alice, "2 rewards added to your balance: 20 points")
        await on_discord_sees(program, "bob", "Welcome to Spring tea!")
        await wechat.sees("carol", "欢迎参加 Spring tea")
        await on_telegram(program, alice, "/rewards", "Yours now: 20 points")

        await one_person(program, wechat, alice)
        await no_circle(program, wechat, code)
        await program.later(days=14)
        await wechat.says("alice", "余额", "可用：20 积分")


def read_card(photo: bytes) -> str:
    """What the QR code on the card says."""
    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(photo)))
    return str(found.text)


async def arrives(program: Program, who: Someone, words: str) -> None:
    """Settle until the outbox has brought these words."""
    for _ in range(100):
        await program.settle()
        if any(words in one.text for one in program.telegram.seen(who)):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"nobody told {who.first_name}: {words}")


async def one_person(program: Program, wechat: WeChat, alice: Someone) -> None:
    """Alice links her WeChat account by a code and sees the one balance there."""
    await wechat.says("alice", "奖励", "你还没有奖励")
    shown = await on_telegram(program, alice, "/link", "To join your accounts")
    link_code = re.search(r"\d{8}", shown.text)
    assert link_code is not None
    await wechat.says("alice", f"绑定 {link_code[0]}", "绑定成功：Alice")
    await wechat.says("alice", "奖励", "可用：20 积分")


async def no_circle(program: Program, wechat: WeChat, code: str) -> None:
    """From the linked account neither her own code nor that of somebody she brought earns anything."""
    shown = await on_discord(program, "bob", "invite", "", "Here is your invitation")
    bobs = re.search(r"/r/(\w+)", shown)
    assert bobs is not None
    await wechat.says("alice", code, "不能自己邀请自己")
    await wechat.says("alice", f"邀请码 {bobs[1]}", "不能反过来邀请你")
