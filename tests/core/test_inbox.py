"""Who waits for the writer: taken together where they come together, and never held up for who does not come."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import Unavailable
from core.inbox import BUSY, Inbox

MOST = 64
CALLERS = 3 * BUSY


async def _take(inbox: Inbox[int]) -> list[int]:
    return await asyncio.get_running_loop().run_in_executor(None, inbox.take)


def _put(inbox: Inbox[int], items: range) -> None:
    for item in items:
        inbox.put(item, asyncio.get_running_loop())


async def test_what_one_turn_puts_is_taken_together() -> None:
    inbox: Inbox[int] = Inbox(MOST)
    taking = asyncio.create_task(_take(inbox))
    await asyncio.sleep(0.02)  # the reader waits by now: the first of them must not wake it
    _put(inbox, range(CALLERS))
    assert await taking == list(range(CALLERS))


async def test_those_who_ask_again_one_by_one_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.inbox.GATHER", 0.5)
    inbox: Inbox[int] = Inbox(MOST)
    loop = asyncio.get_running_loop()
    inbox.answered(CALLERS, [loop])
    inbox.turn(loop)
    taking = asyncio.create_task(_take(inbox))
    for item in range(CALLERS):
        inbox.put(item, loop)
        await asyncio.sleep(0)
    assert await taking == list(range(CALLERS))


async def test_who_came_while_others_were_answered_is_waited_with() -> None:
    inbox: Inbox[int] = Inbox(MOST)
    loop = asyncio.get_running_loop()
    inbox.put(-1, None)
    inbox.answered(CALLERS, [loop])
    inbox.turn(loop)
    taking = asyncio.create_task(_take(inbox))
    await asyncio.sleep(0)
    _put(inbox, range(CALLERS))
    assert await taking == [-1, *range(CALLERS)]


async def test_nobody_waits_for_callers_who_do_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.inbox.ROUND", 3600)  # the loop comes round, and says so
    inbox: Inbox[int] = Inbox(MOST)
    inbox.put(1, None)
    inbox.answered(CALLERS, [asyncio.get_running_loop()])
    inbox.turn(asyncio.get_running_loop())
    assert await _take(inbox) == [1]


def test_a_loop_that_is_held_up_holds_up_nobody() -> None:
    held = asyncio.new_event_loop()  # never run: it does not come round
    inbox: Inbox[int] = Inbox(MOST)
    inbox.put(1, None)
    inbox.answered(CALLERS, [held])
    assert inbox.take() == [1]
    held.close()


def test_a_loop_that_ends_once_its_callers_know_ends_nothing_else() -> None:
    ended = asyncio.new_event_loop()
    ended.close()
    inbox: Inbox[int] = Inbox(MOST)
    inbox.put(1, None)
    inbox.answered(CALLERS, [ended])  # a call into it would raise, and end the writer's thread
    assert inbox.take() == [1]


def test_a_few_answered_are_not_waited_for() -> None:
    held = asyncio.new_event_loop()
    inbox: Inbox[int] = Inbox(MOST)
    inbox.put(1, None)
    inbox.answered(BUSY - 1, [held])
    assert not inbox._turning
    assert inbox.take() == [1]
    held.close()


def test_no_more_than_the_most_are_taken_at_once() -> None:
    inbox: Inbox[int] = Inbox(MOST)
    for item in range(MOST + 1):
        inbox.put(item, None)
    assert inbox.take() == list(range(MOST))
    assert inbox.take() == [MOST]


async def test_what_was_accepted_is_still_taken_after_closing() -> None:
    inbox: Inbox[int] = Inbox(MOST)
    _put(inbox, range(2))  # not handed over yet: the turn has not ended
    assert inbox.close()
    assert not inbox.close()
    with pytest.raises(Unavailable):
        inbox.put(3, None)
    assert await _take(inbox) == [0, 1]
    assert await _take(inbox) == []
