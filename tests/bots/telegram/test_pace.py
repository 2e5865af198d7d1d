"""One message a second in a chat, other chats untouched."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from typing import Any

from bots.telegram.client import REMEMBERED_CHATS, Pace
from bots.telegram.settings import TelegramSettings

FREE = TelegramSettings("1:a", messages_per_second=0, group_messages_per_minute=0)


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


class Line:
    """Requests through a pace, and when each was made."""

    def __init__(self, settings: TelegramSettings = FREE) -> None:
        self.clock = Clock()
        self.pace = Pace(settings, self.clock, self.clock.sleep)
        self.made: defaultdict[Any, list[float]] = defaultdict(list)

    async def ask(self, endpoint: str, chat: int) -> None:
        async def request() -> bool:
            self.made[chat].append(self.clock.time - 100)
            return True

        await self.pace.process_request(request, (), {}, endpoint, {"chat_id": chat}, None)


async def test_one_message_a_second_in_a_chat() -> None:
    line = Line()
    for _ in range(3):
        await line.ask("sendMessage", 1)
    await line.ask("sendPhoto", 1)
    assert line.made[1] == [0, 1, 2, 3]


async def test_another_chat_does_not_wait() -> None:
    line = Line()
    await line.ask("sendMessage", 1)
    await line.ask("sendMessage", 2)
    assert line.made == {1: [0], 2: [0]}


async def test_a_gift_takes_its_turn_with_whom_it_goes_to() -> None:
    line = Line()
    await line.ask("sendMessage", 1)

    async def gift() -> bool:
        line.made["gift"].append(line.clock.time - 100)
        return True

    await line.pace.process_request(gift, (), {}, "sendGift", {"user_id": 1, "chat_id": None}, None)
    assert line.made["gift"] == [1]


async def test_a_full_group_waits_and_no_other_chat_does() -> None:
    line = Line(replace(FREE, group_messages_per_minute=1, chat_interval=0))
    await line.ask("sendMessage", -1)
    waiting = asyncio.create_task(line.ask("sendMessage", -1))
    await line.ask("sendMessage", -2)
    await line.ask("sendMessage", 1)
    assert not waiting.done()
    waiting.cancel()
    assert (len(line.made[-1]), len(line.made[-2]), len(line.made[1])) == (1, 1, 1)


async def test_looking_something_up_is_no_message() -> None:
    line = Line()
    await line.ask("sendMessage", 1)
    await line.ask("getChatMember", 1)
    await line.ask("editMessageText", 1)
    assert line.made[1] == [0, 0, 0]


async def test_after_a_pause_one_may_speak_at_once() -> None:
    line = Line()
    await line.ask("sendMessage", 1)
    line.clock.time += 5
    await line.ask("sendMessage", 1)
    assert line.made[1] == [0, 5]


async def test_chats_that_fell_silent_are_forgotten() -> None:
    line = Line()
    for chat in range(REMEMBERED_CHATS):
        await line.ask("sendMessage", chat)
    line.clock.time += 5
    await line.ask("sendMessage", -1)
    assert len(line.pace._free_at) == 1


def test_telegrams_limits_are_the_default() -> None:
    settings = TelegramSettings("1:a")
    assert (settings.messages_per_second, settings.group_messages_per_minute, settings.chat_interval) == (30, 20, 1)
