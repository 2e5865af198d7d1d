"""Why a friend did not count, said to both of them."""

from __future__ import annotations

from pathlib import Path

from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    Alice> /join <Alice's code>
    This is your own invite code, and you cannot invite yourself. Send it to a friend instead.
    [My invite link]
    [My friends] [Leaderboard]
    Bob invites Alice.
    Dora invites Bob.
    Alice> /why
    Spring tea: what counted, and why
    • Bob has been in the group since Mar 2, 12:00. The rule asks for 7 days, so it counts on Mar 9, 12:00.
    • You tried a code on Mar 2, 12:00. This code belongs to somebody you brought yourself, directly or \
    through friends, so it does not count.
    • You tried a code on Mar 2, 12:00. This is your own invite code, and you cannot invite yourself. Send it \
    to a friend instead.
    Bob> /why
    Spring tea: what counted, and why
    • Alice tried your code on Mar 2, 12:00, but had brought you, directly or through friends; a circle does \
    not count.
    • You came through Alice. It counts for both of you on Mar 9, 12:00 if you stay.
    • You tried a code on Mar 2, 12:00. Somebody else had already invited you to Spring tea. Everyone has one \
    inviter, and the first one stays.
    Dora> /why
    Spring tea: what counted, and why
    • Bob tried your code on Mar 2, 12:00, but somebody else had invited them first; everyone has one inviter.
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    Alice> 邀请码 <Alice's code>
    这是你自己的邀请码，不能自己邀请自己。把它发给朋友吧。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Bob invites Alice.
    Dora invites Bob.
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 从 3月2日 12:00 起在群里。规则要求留满 7 天，到 3月9日 12:00 就算数。
    • 你于 3月2日 12:00 使用了一个邀请码。这个邀请码属于你直接或间接邀请来的人，不能反过来邀请你，所以不算数。
    • 你于 3月2日 12:00 使用了一个邀请码。这是你自己的邀请码，不能自己邀请自己。把它发给朋友吧。
    Bob> 为什么
    春茶会：算没算，为什么
    • Alice 于 3月2日 12:00 使用了你的邀请码，但对方直接或间接邀请过你，循环邀请不算数。
    • 你通过 Alice 来到这里，留到 3月9日 12:00，你们两位都算数。
    • 你于 3月2日 12:00 使用了一个邀请码。在 春茶会 里，已经有别人先邀请了你。每个人只有一位邀请人，以第一位为准。
    Dora> 为什么
    春茶会：算没算，为什么
    • Bob 于 3月2日 12:00 使用了你的邀请码，但已有别人先邀请了对方；每个人只有一位邀请人。
    """,
)
async def test_oneself_a_circle_and_somebody_elses_friend(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    en="""
    Alice invites nobody.
    Bob> /rewards
    You have no rewards yet. They appear here as soon as a friend counts.
    [My invite link]
    1 days later:
    Bob> /join <Alice's code>
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
    Alice invites nobody.
    Bob> 奖励
    你还没有奖励。有朋友算数后会显示在这里。
    [我的邀请链接]
    1 days later:
    Bob> 邀请码 <Alice's code>
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
async def test_a_friend_who_had_been_here(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    en="""
    Alice invites nobody.
    Carol> /campaign pause spring
    Spring tea is paused. Friends already on the way go on; nobody new is counted.
    Spring tea · referral · paused
    Until May 31, 12:00, 89 days left
    Invitations used 0 → came 0 → in the group 0 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Resume] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Bob> /join <Alice's code>
    Spring tea is paused right now, so nobody new can be counted. Please try again later.
    [My invite link]
    [My friends] [Leaderboard]
    Alice> /why
    Spring tea: what counted, and why
    • Bob tried your code on Mar 2, 12:00, while the campaign was paused.
    Carol> /campaign resume spring
    Spring tea runs again.
    Spring tea · referral · running
    Until May 31, 12:00, 89 days left
    Invitations used 1 → came 0 → in the group 0 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Pause] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Carol> /campaign end spring yes
    Spring tea has ended.
    Spring tea · referral · ended
    Ended Mar 2, 12:00
    Invitations used 1 → came 0 → in the group 0 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Run again] [Export]
    [← All campaigns]
    Dora> /join <Alice's code>
    Spring tea is over, so this invitation no longer counts. You are still welcome here.
    [My invite link]
    [My friends] [Leaderboard]
    Alice> /why
    Spring tea: what counted, and why
    • Dora tried your code on Mar 2, 12:00, after the campaign had ended (Mar 2, 12:00).
    • Bob tried your code on Mar 2, 12:00, while the campaign was paused.
    Dora> /why
    Spring tea: what counted, and why
    • You tried a code on Mar 2, 12:00. Spring tea is over, so this invitation no longer counts. You are still \
    welcome here.
    """,
    zh="""
    Alice invites nobody.
    Carol> 活动 暂停 spring
    春茶会 已暂停。进行中的朋友继续计算，暂不计入新朋友。
    春茶会 · 老带新 · 已暂停
    截止 5月31日 12:00，还剩 89 天
    邀请触达 0 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [恢复] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Bob> 邀请码 <Alice's code>
    春茶会 目前暂停，暂时无法计入新朋友，请稍后再试。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 于 3月2日 12:00 使用了你的邀请码，当时活动暂停。
    Carol> 活动 恢复 spring
    春茶会 已恢复。
    春茶会 · 老带新 · 进行中
    截止 5月31日 12:00，还剩 89 天
    邀请触达 1 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [暂停] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Carol> 活动 结束 spring yes
    春茶会 已结束。
    春茶会 · 老带新 · 已结束
    3月2日 12:00 结束
    邀请触达 1 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [再开一期] [导出]
    [← 全部活动]
    Dora> 邀请码 <Alice's code>
    春茶会 已经结束，这个邀请不再计入。仍然欢迎你留下来。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Alice> 为什么
    春茶会：算没算，为什么
    • Dora 于 3月2日 12:00 使用了你的邀请码，但活动已于 3月2日 12:00 结束。
    • Bob 于 3月2日 12:00 使用了你的邀请码，当时活动暂停。
    Dora> 为什么
    春茶会：算没算，为什么
    • 你于 3月2日 12:00 使用了一个邀请码。春茶会 已经结束，这个邀请不再计入。仍然欢迎你留下来。
    """,
)
async def test_when_the_campaign_did_not_run(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    Dora> /join <Alice's code>
    Hi Dora! Alice invited you to Spring tea.
    A free cup for you.
    One more step: join the group below. Once you have stayed 7 days, it counts.
    [Join Tea lovers]
    Dora joins.
    7 days later:
    Alice hears:
    🎉 Bob joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    🎉 Dora joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    ✅ Bob has stayed 7 days. You earned 100 points, yours on Mar 12, 12:00.
    [My rewards]
    Dora counted for Spring tea, but no reward could be given, because the campaign's budget was used up.
    [My rewards]
    Dora hears:
    You counted for Spring tea, but no reward could be given, because the campaign's budget was used up.
    [My rewards]
    Alice> /why
    Spring tea: what counted, and why
    • Dora came on Mar 2, 12:00 as a new friend and stayed 7 days, so it counted on Mar 9, 12:00. The \
    campaign's budget was used up, so there is no reward for this one.
    • Bob came on Mar 2, 12:00 as a new friend and stayed 7 days, so it counted on Mar 9, 12:00. 100 points \
    will be yours on Mar 12, 12:00.
    Dora> /rewards
    • Mar 9 · 50 points for coming through Alice (Spring tea): not given, because the campaign's budget was \
    used up
    [Why?] [Statement] [Proof]
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    Dora> 邀请码 <Alice's code>
    Dora，你好！Alice 邀请你参加 春茶会。
    送你一杯新茶。
    还差一步：点下方按钮进群，在群里留满 7 天就算数。
    [加入 爱茶的人]
    Dora joins.
    7 days later:
    Alice hears:
    🎉 Bob 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    🎉 Dora 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    ✅ Bob 已留满 7 天，你获得 100 积分，将于 3月12日 12:00 入账。
    [我的奖励]
    Dora 在 春茶会 中已算数，但这次没有奖励：活动预算已用完。
    [我的奖励]
    Dora hears:
    你在 春茶会 中已算数，但这次没有奖励：活动预算已用完。
    [我的奖励]
    Alice> 为什么
    春茶会：算没算，为什么
    • Dora 于 3月2日 12:00 作为新朋友加入并留满 7 天，3月9日 12:00 已算数。活动预算已经用完，这一位没有奖励。
    • Bob 于 3月2日 12:00 作为新朋友加入并留满 7 天，3月9日 12:00 已算数。100 积分 将于 3月12日 12:00 入账。
    Dora> 奖励
    • 3月9日 · 50 积分，受 Alice 邀请（春茶会）：未发放，活动预算已用完
    [为什么？] [对账单] [凭证]
    """,
)
async def test_the_budget_is_used_up(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, rewards__budget=150) as town:
        await town.play(script)


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    1 days later:
    Dora> /join <Alice's code>
    Hi Dora! Alice invited you to Spring tea.
    A free cup for you.
    One more step: join the group below. Once you have stayed 7 days, it counts.
    [Join Tea lovers]
    Dora joins.
    7 days later:
    Alice> /why
    Spring tea: what counted, and why
    • Dora came on Mar 3, 12:00 as a new friend and stayed 7 days, so it counted on Mar 10, 12:00. At most 1 friends \
    of one person are rewarded, and you had reached that, so there is no reward for this one.
    • Bob came on Mar 2, 12:00 as a new friend and stayed 7 days, so it counted on Mar 9, 12:00. 100 points \
    will be yours on Mar 12, 12:00.
    Alice> /rewards
    Yours now: 0 points · on hold: 100 points (next release Mar 12)
    • Mar 10 · 100 points for bringing Dora (Spring tea): not given, because you had reached the most friends \
    one person is rewarded for
    • Mar 9 · 100 points for bringing Bob (Spring tea): held until Mar 12, 12:00, then yours
    [Why?] [Statement] [Proof]
    Dora> /rewards
    • Mar 10 · 50 points for coming through Alice (Spring tea): not given, because your friend had reached the \
    most friends one person is rewarded for
    [Why?] [Statement] [Proof]
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    1 days later:
    Dora> 邀请码 <Alice's code>
    Dora，你好！Alice 邀请你参加 春茶会。
    送你一杯新茶。
    还差一步：点下方按钮进群，在群里留满 7 天就算数。
    [加入 爱茶的人]
    Dora joins.
    7 days later:
    Alice> 为什么
    春茶会：算没算，为什么
    • Dora 于 3月3日 12:00 作为新朋友加入并留满 7 天，3月10日 12:00 已算数。每人最多奖励 1 \
    位好友，你已达到上限，这一位没有奖励。
    • Bob 于 3月2日 12:00 作为新朋友加入并留满 7 天，3月9日 12:00 已算数。100 积分 将于 3月12日 12:00 入账。
    Alice> 奖励
    可用：0 积分 · 冻结中：100 积分（3月12日 起解冻）
    • 3月10日 · 100 积分，邀请 Dora（春茶会）：未发放，你可奖励的好友数已达上限
    • 3月9日 · 100 积分，邀请 Bob（春茶会）：冻结至 3月12日 12:00，之后可用
    [为什么？] [对账单] [凭证]
    Dora> 奖励
    • 3月10日 · 50 积分，受 Alice 邀请（春茶会）：未发放，邀请你的朋友可奖励的好友数已达上限
    [为什么？] [对账单] [凭证]
    """,
)
async def test_more_friends_than_one_is_paid_for(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, rewards__cap=1) as town:
        await town.play(script)
