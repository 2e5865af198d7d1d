"""Chinese or English, whatever the platform says."""

from __future__ import annotations

from pathlib import Path

from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Alice> /language
    Which language do you prefer?
    [中文] [English]
    Alice> [English]
    We speak English now.
    Alice> hello
    Hi Alice! This is Spring tea by Acme Tea.
    Invite friends with your own link, see how they get on, and watch what you earn.
    [My invite link]
    [My friends] [Leaderboard]
    Alice> [中文]
    好的，我们用中文交流。
    Alice> hello
    Alice，你好！这里是 Acme Tea 的 春茶会。
    用你的专属链接邀请朋友，随时查看进度和奖励。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Alice> /language klingon
    你想用哪种语言？
    [中文] [English]
    """,
    zh="""
    Alice> 语言
    你想用哪种语言？
    [中文] [English]
    Alice> [English]
    We speak English now.
    Alice> 你好
    Hi Alice! This is Spring tea by 茶里.
    Invite friends with your own link, see how they get on, and watch what you earn.
    [My invite link]
    [My friends] [Leaderboard]
    Alice> [中文]
    好的，我们用中文交流。
    Alice> 你好
    Alice，你好！这里是 茶里 的 春茶会。
    用你的专属链接邀请朋友，随时查看进度和奖励。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Alice> 语言 klingon
    你想用哪种语言？
    [中文] [English]
    """,
)
async def test_the_persons_choice_wins(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)
