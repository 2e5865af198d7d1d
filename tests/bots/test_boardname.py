"""Members say how their name stands on boards that strangers see."""

from __future__ import annotations

from pathlib import Path

from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Alice> /boardname
    On public leaderboards and screens you stand as A***e.
    The brand, and the leaderboard here in the chat, still call you by your name.
    [Show my whole name]
    [Do not show my name]
    Alice> [Show my whole name]
    Done. On public leaderboards and screens you now stand as Alice.
    [Show part of my name]
    [Do not show my name]
    Alice> /boardname hidden
    Done. On public leaderboards and screens you now stand as Anonymous.
    [Show my whole name]
    [Show part of my name]
    Alice> /boardname whatever
    On public leaderboards and screens you stand as Anonymous.
    The brand, and the leaderboard here in the chat, still call you by your name.
    [Show my whole name]
    [Show part of my name]
    """,
    zh="""
    Alice> 榜单名称
    公开榜单和大屏上，你现在显示为 A***e。
    品牌方后台和聊天里的排行榜仍显示你的名字。
    [显示全名]
    [匿名显示]
    Alice> [匿名显示]
    改好了。公开榜单和大屏上，你现在显示为 匿名推荐人。
    [显示全名]
    [名字打码]
    Alice> 榜单名称 全名
    改好了。公开榜单和大屏上，你现在显示为 Alice。
    [名字打码]
    [匿名显示]
    """,
)
async def test_members_choose_how_strangers_read_them(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)
