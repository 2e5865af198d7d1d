"""The first words, with and without a code."""

from __future__ import annotations

from pathlib import Path

from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Alice> hello
    Hi Alice! This is Spring tea by Acme Tea.
    Invite friends with your own link, see how they get on, and watch what you earn.
    [My invite link]
    [My friends] [Leaderboard]
    Alice> [My friends]
    Nobody has come through your link to Spring tea yet. Share it with a friend who would like it.
    [My invite link]
    [Why?] [My rewards]
    """,
    zh="""
    Alice> 你好
    Alice，你好！这里是 茶里 的 春茶会。
    用你的专属链接邀请朋友，随时查看进度和奖励。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Alice> [我的朋友]
    春茶会 还没有朋友通过你的链接加入。把它发给可能喜欢的朋友吧。
    [我的邀请链接]
    [为什么？] [我的奖励]
    """,
)
async def test_somebody_says_hello(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    en="""
    Alice> /start
    Hi Alice! This is Acme Tea.
    There is no campaign right now. We will be glad to see you when one starts.
    [My invite link]
    [My friends] [Leaderboard]
    Alice> /invite
    There is no campaign right now. We will be glad to see you when one starts.
    Alice> /me
    There is no campaign right now. We will be glad to see you when one starts.
    Alice> /why
    There is no campaign right now. We will be glad to see you when one starts.
    Alice> /leaderboard
    There is no campaign right now. We will be glad to see you when one starts.
    """,
    zh="""
    Alice> 开始
    Alice，你好！这里是 茶里。
    目前没有进行中的活动，敬请期待。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Alice> 邀请
    目前没有进行中的活动，敬请期待。
    Alice> 我的
    目前没有进行中的活动，敬请期待。
    Alice> 为什么
    目前没有进行中的活动，敬请期待。
    Alice> 排行榜
    目前没有进行中的活动，敬请期待。
    """,
)
async def test_without_a_campaign(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, campaign=False) as town:
        await town.play(script)


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
    Bob> hello
    Hi Bob! This is Spring tea by Acme Tea.
    Invite friends with your own link, see how they get on, and watch what you earn.
    [My invite link]
    [My friends] [Leaderboard]
    Bob> /join
    Send me your friend's invite code (for example ABCD-EFGH-J), or paste the whole link.
    Bob> <Alice's code>
    Hi Bob! Alice invited you to Spring tea.
    A free cup for you.
    One more step: join the group below. Once you have stayed 7 days, it counts.
    [Join Tea lovers]
    Alice> /me
    Spring tea: 0 counted, 1 on the way, 0 did not count.
    • Bob: opened your invitation, has not joined the group yet
    [My invite link]
    [Why?] [My rewards]
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
    Bob> 你好
    Bob，你好！这里是 茶里 的 春茶会。
    用你的专属链接邀请朋友，随时查看进度和奖励。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Bob> 邀请码
    请把朋友的邀请码发给我（例如 ABCD-EFGH-J），或者直接粘贴整个链接。
    Bob> <Alice's code>
    Bob，你好！Alice 邀请你参加 春茶会。
    送你一杯新茶。
    还差一步：点下方按钮进群，在群里留满 7 天就算数。
    [加入 爱茶的人]
    Alice> 我的
    春茶会：已算数 0 位，进行中 1 位，未算数 0 位。
    • Bob：打开了邀请，还没进群
    [我的邀请链接]
    [为什么？] [我的奖励]
    """,
)
async def test_a_friend_greets_first_and_names_the_code_after(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


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
    Bob> hello
    Hi Bob! This is Spring tea by Acme Tea.
    Invite friends with your own link, see how they get on, and watch what you earn.
    [My invite link]
    [My friends] [Leaderboard]
    1 days later:
    Bob> <Alice's code>
    Spring tea counts people who are new here, and you were here before this invitation. You can still invite \
    friends yourself.
    [My invite link]
    [My friends] [Leaderboard]
    Alice> /why
    Spring tea: what counted, and why
    • Bob tried your code on Mar 3, 12:00, but was already known here since Mar 2, 12:00; only new friends count.
    Bob> /why
    Spring tea: what counted, and why
    • You tried a code on Mar 3, 12:00. Spring tea counts people who are new here, and you were here before \
    this invitation. You can still invite friends yourself.
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
    Bob> 你好
    Bob，你好！这里是 茶里 的 春茶会。
    用你的专属链接邀请朋友，随时查看进度和奖励。
    [我的邀请链接]
    [我的朋友] [排行榜]
    1 days later:
    Bob> <Alice's code>
    春茶会 只计入新朋友，而你在收到这个邀请之前就已经来过。你仍然可以邀请自己的朋友。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 于 3月3日 12:00 使用了你的邀请码，但早在 3月2日 12:00 就已经来过；只有新朋友才算数。
    Bob> 为什么
    春茶会：算没算，为什么
    • 你于 3月3日 12:00 使用了一个邀请码。春茶会 \
    只计入新朋友，而你在收到这个邀请之前就已经来过。你仍然可以邀请自己的朋友。
    """,
)
async def test_a_friend_who_talked_a_day_ago_is_not_new(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


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
    Bob> /join <Alice's code>
    Hi Bob! Alice invited you to Spring tea.
    A free cup for you.
    One more step: join the group below. Once you have stayed 7 days, it counts.
    [Join Tea lovers]
    Bob joins.
    Bob> /join <Alice's code>
    You already came to Spring tea through Alice. Nothing more to do: /me shows where you stand.
    [My invite link]
    [My friends] [Leaderboard]
    Bob> /start <Alice's code>
    You already came to Spring tea through Alice. Nothing more to do: /me shows where you stand.
    [My invite link]
    [My friends] [Leaderboard]
    Alice> /me
    Spring tea: 0 counted, 1 on the way, 0 did not count.
    • Bob: joined, counts on Mar 9, 12:00 if they stay
    [My invite link]
    [Why?] [My rewards]
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
    Bob> 邀请码 <Alice's code>
    Bob，你好！Alice 邀请你参加 春茶会。
    送你一杯新茶。
    还差一步：点下方按钮进群，在群里留满 7 天就算数。
    [加入 爱茶的人]
    Bob joins.
    Bob> 邀请码 <Alice's code>
    你已经通过 Alice 参加了 春茶会，不用重复操作。发送「我的」查看进度。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Bob> 开始 <Alice's code>
    我没看懂。请点下面的按钮，或发送「帮助」。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Alice> 我的
    春茶会：已算数 0 位，进行中 1 位，未算数 0 位。
    • Bob：已加入，留到 3月9日 12:00 就算数
    [我的邀请链接]
    [为什么？] [我的奖励]
    """,
)
async def test_coming_again_changes_nothing(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)
