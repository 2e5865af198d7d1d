"""How my friends get on, and why each did or did not count: the rule and its facts."""

from __future__ import annotations

from pathlib import Path

from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Alice invites Bob.
    Alice> /me
    Spring tea: 0 counted, 1 on the way, 0 did not count.
    • Bob: opened your invitation, has not joined the group yet
    [My invite link]
    [Why?] [My rewards]
    Alice> /why
    Spring tea: what counted, and why
    • Bob opened your invitation on Mar 2, 12:00 but has not joined the group. It can still count until Apr 1, \
    12:00.
    Bob joins.
    Alice> /me
    Spring tea: 0 counted, 1 on the way, 0 did not count.
    • Bob: joined, counts on Mar 9, 12:00 if they stay
    [My invite link]
    [Why?] [My rewards]
    Alice> /why
    Spring tea: what counted, and why
    • Bob has been in the group since Mar 2, 12:00. The rule asks for 7 days, so it counts on Mar 9, 12:00.
    Bob> /me
    You came through Alice. It counts for both of you on Mar 9, 12:00 if you stay.
    Nobody has come through your link to Spring tea yet. Share it with a friend who would like it.
    [My invite link]
    [Why?] [My rewards]
    7 days later:
    Alice> /me
    Spring tea: 1 counted, 0 on the way, 0 did not count.
    You lead: number 1 of 1.
    • Bob: counted on Mar 9 ✅
    [My invite link]
    [Why?] [My rewards]
    Alice> /why
    Spring tea: what counted, and why
    • Bob came on Mar 2, 12:00 as a new friend and stayed 7 days, so it counted on Mar 9, 12:00. 100 points \
    will be yours on Mar 12, 12:00.
    Bob> /why
    Spring tea: what counted, and why
    • You came through Alice, and it counted on Mar 9, 12:00.
    3 days later:
    Alice> /why
    Spring tea: what counted, and why
    • Bob came on Mar 2, 12:00 as a new friend and stayed 7 days, so it counted on Mar 9, 12:00. You received \
    100 points.
    """,
    zh="""
    Alice invites Bob.
    Alice> 我的
    春茶会：已算数 0 位，进行中 1 位，未算数 0 位。
    • Bob：打开了邀请，还没进群
    [我的邀请链接]
    [为什么？] [我的奖励]
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 于 3月2日 12:00 打开了你的邀请，但还没进群。4月1日 12:00 之前达到要求仍然算数。
    Bob joins.
    Alice> 我的
    春茶会：已算数 0 位，进行中 1 位，未算数 0 位。
    • Bob：已加入，留到 3月9日 12:00 就算数
    [我的邀请链接]
    [为什么？] [我的奖励]
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 从 3月2日 12:00 起在群里。规则要求留满 7 天，到 3月9日 12:00 就算数。
    Bob> 我的
    你通过 Alice 来到这里，留到 3月9日 12:00，你们两位都算数。
    春茶会 还没有朋友通过你的链接加入。把它发给可能喜欢的朋友吧。
    [我的邀请链接]
    [为什么？] [我的奖励]
    7 days later:
    Alice> 我的
    春茶会：已算数 1 位，进行中 0 位，未算数 0 位。
    你目前第 1 名，共 1 人上榜，领先所有人！
    • Bob：3月9日 已算数 ✅
    [我的邀请链接]
    [为什么？] [我的奖励]
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 于 3月2日 12:00 作为新朋友加入并留满 7 天，3月9日 12:00 已算数。100 积分 将于 3月12日 12:00 入账。
    Bob> 为什么
    春茶会：算没算，为什么
    • 你通过 Alice 来到这里，3月9日 12:00 已算数。
    3 days later:
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 于 3月2日 12:00 作为新朋友加入并留满 7 天，3月9日 12:00 已算数。已入账 100 积分。
    """,
)
async def test_a_friend_from_the_link_to_the_reward(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    3 days later:
    Bob leaves.
    Alice> /me
    Spring tea: 0 counted, 1 on the way, 0 did not count.
    • Bob: left the group; the stay starts again if they return
    [My invite link]
    [Why?] [My rewards]
    Alice> /why
    Spring tea: what counted, and why
    • Bob joined but left the group before 7 days were over. If they return before Apr 1, 12:00, the days \
    start again.
    Bob> /why
    Spring tea: what counted, and why
    • You came through Alice, but left the group. If you return before Apr 1, 12:00, your 7 days start again.
    Bob joins.
    Alice> /why
    Spring tea: what counted, and why
    • Bob has been in the group since Mar 5, 12:00. The rule asks for 7 days, so it counts on Mar 12, 12:00.
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    3 days later:
    Bob leaves.
    Alice> 我的
    春茶会：已算数 0 位，进行中 1 位，未算数 0 位。
    • Bob：已退群，回来后重新计算天数
    [我的邀请链接]
    [为什么？] [我的奖励]
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 进群后没有留满 7 天就退群了。4月1日 12:00 之前回来可以重新计算。
    Bob> 为什么
    春茶会：算没算，为什么
    • 你通过 Alice 来到这里，但已经退群。4月1日 12:00 之前回来，7 天重新计算。
    Bob joins.
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 从 3月5日 12:00 起在群里。规则要求留满 7 天，到 3月12日 12:00 就算数。
    """,
)
async def test_leaving_and_coming_back(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    7 days later:
    Bob leaves.
    Alice> /me
    Spring tea: 0 counted, 0 on the way, 1 did not count.
    • Bob: no longer counts (see /why)
    [My invite link]
    [Why?] [My rewards]
    Alice> /why
    Spring tea: what counted, and why
    • Bob had counted on Mar 9, 12:00, but left the group while the reward was still held, so it was taken back.
    [Appeal: Bob]
    Bob> /why
    Spring tea: what counted, and why
    • You came through Alice and it counted on Mar 9, 12:00, but you left the group while the reward was still \
    held, so it was taken back.
    [Appeal]
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    7 days later:
    Bob leaves.
    Alice> 我的
    春茶会：已算数 0 位，进行中 0 位，未算数 1 位。
    • Bob：不再计入（发送「为什么」查看原因）
    [我的邀请链接]
    [为什么？] [我的奖励]
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 于 3月9日 12:00 算数，但在奖励冻结期内退群，奖励已收回。
    [申诉：Bob]
    Bob> 为什么
    春茶会：算没算，为什么
    • 你通过 Alice 来到这里，3月9日 12:00 算数，但在奖励冻结期内退群，奖励已收回。
    [我要申诉]
    """,
)
async def test_leaving_while_the_reward_is_held(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    en="""
    Alice invites Bob.
    31 days later:
    Alice> /me
    Spring tea: 0 counted, 0 on the way, 1 did not count.
    • Bob: time ran out, did not count
    [My invite link]
    [Why?] [My rewards]
    Alice> /why
    Spring tea: what counted, and why
    • Bob came on Mar 2, 12:00, but did not complete 7 days in the group before Apr 1, 12:00, so it did not count.
    Bob> /why
    Spring tea: what counted, and why
    • You came through Alice, but the time ran out on Apr 1, 12:00.
    """,
    zh="""
    Alice invites Bob.
    31 days later:
    Alice> 我的
    春茶会：已算数 0 位，进行中 0 位，未算数 1 位。
    • Bob：超过期限，没有算数
    [我的邀请链接]
    [为什么？] [我的奖励]
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 于 3月2日 12:00 来过，但没有在 4月1日 12:00 之前留满 7 天，所以没有算数。
    Bob> 为什么
    春茶会：算没算，为什么
    • 你通过 Alice 来到这里，但已于 4月1日 12:00 超过期限。
    """,
)
async def test_the_time_ran_out(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    en="""
    Alice invites Bob.
    Alice invites Carol.
    Carol joins.
    Alice> why Bob
    Spring tea: what counted, and why
    • Bob opened your invitation on Mar 2, 12:00 but has not joined the group. It can still count until Apr 1, \
    12:00.
    Alice> /why has CAROL not counted?
    Spring tea: what counted, and why
    • Carol has been in the group since Mar 2, 12:00. The rule asks for 7 days, so it counts on Mar 9, 12:00.
    Alice> why [Dan](http://x)
    I found no friend called “[Dan](http://x)” in Spring tea.
    [My friends] [Why?]
    Alice> [Why?]
    Spring tea: what counted, and why
    • Carol has been in the group since Mar 2, 12:00. The rule asks for 7 days, so it counts on Mar 9, 12:00.
    • Bob opened your invitation on Mar 2, 12:00 but has not joined the group. It can still count until Apr 1, \
    12:00.
    """,
    zh="""
    Alice invites Bob.
    Alice invites Carol.
    Carol joins.
    Alice> 为什么 Bob
    春茶会：算没算，为什么
    • Bob 于 3月2日 12:00 打开了你的邀请，但还没进群。4月1日 12:00 之前达到要求仍然算数。
    Alice> 为什么 carol 没算数？
    春茶会：算没算，为什么
    • Carol 从 3月2日 12:00 起在群里。规则要求留满 7 天，到 3月9日 12:00 就算数。
    Alice> 为什么：小丹
    春茶会 里没有找到叫「小丹」的朋友。
    [我的朋友] [为什么？]
    Alice> [为什么？]
    春茶会：算没算，为什么
    • Carol 从 3月2日 12:00 起在群里。规则要求留满 7 天，到 3月9日 12:00 就算数。
    • Bob 于 3月2日 12:00 打开了你的邀请，但还没进群。4月1日 12:00 之前达到要求仍然算数。
    """,
)
async def test_one_friend_by_name(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)
