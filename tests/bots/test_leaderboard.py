"""Who brought most."""

from __future__ import annotations

from pathlib import Path

import pytest

from bots.adapter import Capability
from bots.context import Links
from bots.webchat.adapter import WebChatAdapter
from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Alice> /leaderboard
    Spring tea: nobody is on the board yet. The first place is free.
    [My invite link]
    Alice invites Bob.
    Bob joins.
    7 days later:
    Alice> /leaderboard
    🏆 Spring tea
    🥇 Alice · 1 friend ← you
    [My invite link]
    Bob> /leaderboard
    🏆 Spring tea
    🥇 Alice · 1 friend
    You are not on the board yet: it takes one friend who counts.
    [My invite link]
    Bob invites Dora.
    Dora joins.
    Eve> /join <Bob's code>
    Hi Eve! Bob invited you to Spring tea.
    A free cup for you.
    One more step: join the group below. Once you have stayed 7 days, it counts.
    [Join Tea lovers]
    Eve joins.
    7 days later:
    Alice> /leaderboard
    🏆 Spring tea
    🥇 Bob · 2 friends
    🥈 Alice · 1 friend ← you
    [My invite link]
    Alice> /me
    Spring tea: 1 counted, 0 on the way, 0 did not count.
    You are number 2 of 2; 1 more to the next score.
    • Bob: counted on Mar 9 ✅
    [My invite link]
    [Why?] [My rewards]
    Bob> /me
    Spring tea: 2 counted, 0 on the way, 0 did not count.
    You lead: number 1 of 2.
    • Eve: counted on Mar 16 ✅
    • Dora: counted on Mar 16 ✅
    You came through Alice, and it counted on Mar 9, 12:00.
    [My invite link]
    [Why?] [My rewards]
    """,
    zh="""
    Alice> 排行榜
    春茶会：榜上还没有人，第一名等你来拿。
    [我的邀请链接]
    Alice invites Bob.
    Bob joins.
    7 days later:
    Alice> 排行榜
    🏆 春茶会 排行榜
    🥇 Alice · 1 位 ← 你
    [我的邀请链接]
    Bob> 排行榜
    🏆 春茶会 排行榜
    🥇 Alice · 1 位
    你还没有上榜，有一位朋友算数就能上榜。
    [我的邀请链接]
    Bob invites Dora.
    Dora joins.
    Eve> 邀请码 <Bob's code>
    Eve，你好！Bob 邀请你参加 春茶会。
    送你一杯新茶。
    还差一步：点下方按钮进群，在群里留满 7 天就算数。
    [加入 爱茶的人]
    Eve joins.
    7 days later:
    Alice> 排行榜
    🏆 春茶会 排行榜
    🥇 Bob · 2 位
    🥈 Alice · 1 位 ← 你
    [我的邀请链接]
    Alice> 我的
    春茶会：已算数 1 位，进行中 0 位，未算数 0 位。
    你目前第 2 名，共 2 人上榜，再邀请 1 位就能追上前一档。
    • Bob：3月9日 已算数 ✅
    [我的邀请链接]
    [为什么？] [我的奖励]
    Bob> 我的
    春茶会：已算数 2 位，进行中 0 位，未算数 0 位。
    你目前第 1 名，共 2 人上榜，领先所有人！
    • Eve：3月16日 已算数 ✅
    • Dora：3月16日 已算数 ✅
    你通过 Alice 来到这里，3月9日 12:00 已算数。
    [我的邀请链接]
    [为什么？] [我的奖励]
    """,
)
async def test_from_nobody_to_first(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


async def test_where_a_platform_opens_our_pages_the_board_is_one_touch_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_town(tmp_path, "zh") as town:
        monkeypatch.setattr(WebChatAdapter, "capabilities", WebChatAdapter.capabilities | {Capability.APPS})
        await town.play("Alice invites Bob.\nBob joins.\n7 days later:")

        async def live(*, group: bool = False) -> list[str | None]:
            said = await town.say("Alice", "排行榜", group=group)
            return [button.url for reply in said for row in reply.buttons for button in row if button.app]

        assert await live() == ["https://tea.example/mini?b=acme&c=spring&lang=zh_Hans"]
        assert await live(group=True) == [], "in a group nobody is told who looks"
        monkeypatch.setattr(town.parts.router, "_links", Links("http://127.0.0.1:8000"))
        assert await live() == [], "no platform opens a page that is not reached by https"
