"""My link, my code and my card."""

from __future__ import annotations

from pathlib import Path

from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Alice> /invite
    (picture: Your invite card with a QR code)
    Here is your invitation to Spring tea.
    https://tea.example/r/<Alice's code>
    Code: <Alice's code>
    A new friend counts once they have stayed 7 days. Open until May 31.
    [Copy link]
    [My friends] [Leaderboard]
    Alice> /invite
    (picture: Your invite card with a QR code)
    Here is your invitation to Spring tea.
    https://tea.example/r/<Alice's code>
    Code: <Alice's code>
    A new friend counts once they have stayed 7 days. Open until May 31.
    [Copy link]
    [My friends] [Leaderboard]
    """,
    zh="""
    Alice> 邀请
    (picture: 你的邀请海报和二维码)
    这是你的 春茶会 专属邀请。
    https://tea.example/r/<Alice's code>
    邀请码：<Alice's code>
    新朋友留满 7 天就算数。活动截止 5月31日。
    [复制链接]
    [我的朋友] [排行榜]
    Alice> 邀请
    (picture: 你的邀请海报和二维码)
    这是你的 春茶会 专属邀请。
    https://tea.example/r/<Alice's code>
    邀请码：<Alice's code>
    新朋友留满 7 天就算数。活动截止 5月31日。
    [复制链接]
    [我的朋友] [排行榜]
    """,
)
async def test_the_link_is_the_same_each_time(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    en="""
    Alice> /invite
    (picture: Your invite card with a QR code)
    Here is your invitation to Spring tea.
    https://tea.example/r/<Alice's code>
    Code: <Alice's code>
    A new friend counts as soon as they join. Open until May 31.
    [Copy link]
    [My friends] [Leaderboard]
    Bob> https://tea.example/r/<Alice's code>
    Hi Bob! Alice invited you to Spring tea.
    A free cup for you.
    One more step: join the group below, and it counts.
    [Join Tea lovers]
    Bob joins.
    Alice hears:
    ✅ Bob has joined Spring tea. You earned 100 points, yours on Mar 5, 12:00.
    [My rewards]
    Bob hears:
    ✅ You have joined Spring tea. You earned 50 points, yours on Mar 5, 12:00.
    [My rewards]
    Alice> /why
    Spring tea: what counted, and why
    • Bob came on Mar 2, 12:00 as a new friend and joined the group, so it counted on Mar 2, 12:00. 100 points \
    will be yours on Mar 5, 12:00.
    """,
    zh="""
    Alice> 邀请
    (picture: 你的邀请海报和二维码)
    这是你的 春茶会 专属邀请。
    https://tea.example/r/<Alice's code>
    邀请码：<Alice's code>
    新朋友加入就算数。活动截止 5月31日。
    [复制链接]
    [我的朋友] [排行榜]
    Bob> https://tea.example/r/<Alice's code>
    Bob，你好！Alice 邀请你参加 春茶会。
    送你一杯新茶。
    还差一步：点下方按钮进群就算数。
    [加入 爱茶的人]
    Bob joins.
    Alice hears:
    ✅ Bob 已加入 春茶会，你获得 100 积分，将于 3月5日 12:00 入账。
    [我的奖励]
    Bob hears:
    ✅ 你已加入 春茶会，获得 50 积分，将于 3月5日 12:00 入账。
    [我的奖励]
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 于 3月2日 12:00 作为新朋友进群，3月2日 12:00 已算数。100 积分 将于 3月5日 12:00 入账。
    """,
)
async def test_a_campaign_that_counts_joins(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, qualify__event="joined") as town:
        await town.play(script)
