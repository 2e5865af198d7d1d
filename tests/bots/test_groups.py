"""In a group: answered to the one who asked, and only when asked."""

from __future__ import annotations

from pathlib import Path

from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Alice in the group> /me
    (only to Alice)
    Nobody has come through your link to Spring tea yet. Share it with a friend who would like it.
    [My invite link]
    [Why?] [My rewards]
    Alice in the group> good morning
    Alice in the group> hello
    Alice in the group> /invite
    (picture: Your invite card with a QR code)
    (only to Alice)
    Here is your invitation to Spring tea.
    https://tea.example/r/<Alice's code>
    Code: <Alice's code>
    A new friend counts once they have stayed 7 days. Open until May 31.
    [Copy link]
    [My friends] [Leaderboard]
    Bob in the group> <Alice's code>
    (only to Bob)
    Hi Bob! Alice invited you to Spring tea.
    A free cup for you.
    One more step: join the group below. Once you have stayed 7 days, it counts.
    [Join Tea lovers]
    Bob in the group> ABCD-EFGH-2
    Bob in the group> breakfast
    Bob joins.
    7 days later:
    Bob in the group> /leaderboard
    🏆 Spring tea
    🥇 Alice · 1 friend
    You are not on the board yet: it takes one friend who counts.
    [My invite link]
    """,
    zh="""
    Alice in the group> 我的
    (only to Alice)
    春茶会 还没有朋友通过你的链接加入。把它发给可能喜欢的朋友吧。
    [我的邀请链接]
    [为什么？] [我的奖励]
    Alice in the group> 大家早
    Alice in the group> 你好
    Alice in the group> 邀请
    (picture: 你的邀请海报和二维码)
    (only to Alice)
    这是你的 春茶会 专属邀请。
    https://tea.example/r/<Alice's code>
    邀请码：<Alice's code>
    新朋友留满 7 天就算数。活动截止 5月31日。
    [复制链接]
    [我的朋友] [排行榜]
    Bob in the group> <Alice's code>
    (only to Bob)
    Bob，你好！Alice 邀请你参加 春茶会。
    送你一杯新茶。
    还差一步：点下方按钮进群，在群里留满 7 天就算数。
    [加入 爱茶的人]
    Bob in the group> ABCD-EFGH-2
    Bob in the group> breakfast
    Bob joins.
    7 days later:
    Bob in the group> 排行榜
    🏆 春茶会 排行榜
    🥇 Alice · 1 位
    你还没有上榜，有一位朋友算数就能上榜。
    [我的邀请链接]
    """,
)
async def test_privately_or_for_all(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)
