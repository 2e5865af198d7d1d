"""The evidence of a case in plain words: several links, one link perhaps, and what a plan calls risky."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.bots.backstage import prepare
from tests.dialogue import in_both, open_town

CAREFUL: dict[str, Any] = {
    "rewards__rules": [
        {"to": "advocate", "amount": 100, "hold_days": 3, "risky_hold_days": 30},
        {"to": "friend", "amount": 50, "hold_days": 3},
    ],
    "rewards__risky": "event.days_since_start < 30 && event.qualifies",
}


@in_both(
    en="""
    Alice invites nobody.
    Dan invites nobody.
    (Bob comes by Alice's link or Dan's.)
    (Eve comes by Alice's link, perhaps.)
    Carol> /review
    To decide, the oldest first: who brought a friend (2)
    • Who brought Bob? (Spring tea, since Mar 2, 12:00)
    • Who brought Eve? (Spring tea, since Mar 2, 12:00)
    [Who brought Bob?]
    [Who brought Eve?]
    Carol> [Who brought Bob?]
    Who brought Bob?
    Spring tea · waiting since Mar 2, 12:00
    Bob came into Tea lovers on Mar 2, 12:00. Several invite links were used at about that time, and the platform \
    does not say which one Bob used.
    • Alice: friends counted 0, on the way 0, fallen away 0
    • Dan: friends counted 0, on the way 0, fallen away 0
    If it counts: 100 points for whoever invited, 50 points for the new friend.
    [It was Alice] [It was Dan]
    [Nobody can say]
    [All cases]
    Carol> [It was Dan]
    You chose: It was Dan. Why? The person it is about reads your reason, so write it the way you would say it to \
    them.
    Say “cancel” to stop.
    [The friend confirmed it.]
    [It can be seen in the group who brought them.]
    Carol> [The friend confirmed it.]
    ✅ Decided: It was Dan. Reason: The friend confirmed it.
    Whoever it concerns is told.
    1 more to decide.
    Who brought Eve?
    Spring tea · waiting since Mar 2, 12:00
    Eve came into Tea lovers on Mar 2, 12:00. Alice’s invite link was used at about that time, but the platform \
    does not say for certain that it was Eve who used it.
    • Alice: friends counted 0, on the way 0, fallen away 0
    If it counts: 100 points for whoever invited, 50 points for the new friend.
    [It was Alice]
    [Nobody can say]
    [All cases]
    0 minutes later:
    Alice hears:
    We looked into who brought Bob to Spring tea, and it was somebody else.
    Reason: The friend confirmed it.
    Dan hears:
    🎉 Bob joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    ✅ We looked into who brought Bob to Spring tea: it was you. Bob is on your list, counted from Mar 2, 12:00.
    Reason: The friend confirmed it.
    """,
    zh="""
    Alice invites nobody.
    Dan invites nobody.
    (Bob comes by Alice's link or Dan's.)
    (Eve comes by Alice's link, perhaps.)
    Carol> 审核
    待审核（最早的在前）：邀请归属 2 件
    • Bob 是谁邀请来的？（春茶会，3月2日 12:00 起）
    • Eve 是谁邀请来的？（春茶会，3月2日 12:00 起）
    [Bob 是谁邀请来的？]
    [Eve 是谁邀请来的？]
    Carol> [Bob 是谁邀请来的？]
    Bob 是谁邀请来的？
    春茶会 · 3月2日 12:00 起待审核
    Bob 于 3月2日 12:00 进入 爱茶的人。当时有几条邀请链接被人用过，平台没有说明 Bob 用的是哪一条。
    • Alice：已算数 0 位，进行中 0 位，已失效 0 位
    • Dan：已算数 0 位，进行中 0 位，已失效 0 位
    算数后：推荐人得 100 积分、新朋友得 50 积分。
    [是 Alice 邀请的]
    [是 Dan 邀请的] [无法确定]
    [全部待审核]
    Carol> [是 Dan 邀请的]
    你选择了：是 Dan 邀请的。理由是什么？当事人会看到，怎么跟对方说就怎么写。
    发送「取消」可随时退出。
    [已向新朋友本人确认。]
    [群里能看到是谁邀请来的。]
    Carol> [已向新朋友本人确认。]
    ✅ 已决定：是 Dan 邀请的。理由：已向新朋友本人确认。
    会通知当事人。
    还有 1 件待审核。
    Eve 是谁邀请来的？
    春茶会 · 3月2日 12:00 起待审核
    Eve 于 3月2日 12:00 进入 爱茶的人。当时 Alice 的邀请链接正好有人用过，但平台没有说明用的人就是 Eve。
    • Alice：已算数 0 位，进行中 0 位，已失效 0 位
    算数后：推荐人得 100 积分、新朋友得 50 积分。
    [是 Alice 邀请的] [无法确定]
    [全部待审核]
    0 minutes later:
    Alice hears:
    我们核实了 Bob 是谁邀请来 春茶会 的，这一位是别人邀请的。
    理由：已向新朋友本人确认。
    Dan hears:
    🎉 Bob 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    ✅ 我们核实了 Bob 是谁邀请来 春茶会 的：是你。已经记在你名下，从 3月2日 12:00 算起。
    理由：已向新朋友本人确认。
    """,
)
async def test_several_links_and_one_perhaps(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await prepare(town)
        await town.play(script)


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    7 days later:
    Carol> /review
    To decide, the oldest first: friends to check (1)
    • Does Bob count for Alice? (Spring tea, since Mar 9, 12:00)
    [Does Bob count for Alice?]
    Carol> [Does Bob count for Alice?]
    Does Bob count for Alice?
    Spring tea · waiting since Mar 9, 12:00
    Bob came through Alice on Mar 2, 12:00 and has counted.
    Why you are asked: the campaign’s own rule calls this risky. days since the friend came: 7, whether this event \
    is the one that made the referral count: yes
    At stake: Alice 100 points, Bob 50 points.
    [All fine] [Does not count]
    [All cases]
    Carol> [All fine]
    You chose: All fine. Why? The person it is about reads your reason, so write it the way you would say it to them.
    Say “cancel” to stop.
    [We checked: these are two different people.]
    [We looked into it and found nothing wrong.]
    Carol> [We looked into it and found nothing wrong.]
    ✅ Decided: All fine. Reason: We looked into it and found nothing wrong.
    Whoever it concerns is told.
    Nothing waits for a decision. When something does, I will tell you here.
    0 minutes later:
    Alice hears:
    🎉 Bob joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    ✅ Bob has stayed 7 days. You earned 100 points, yours on Apr 8, 12:00.
    [My rewards]
    ✅ We checked Bob in Spring tea. All is well, and what you earned is yours on Mar 12, 12:00.
    Reason: We looked into it and found nothing wrong.
    Alice> /rewards
    Yours now: 0 points · on hold: 100 points (next release Mar 12)
    • Mar 9 · 100 points for bringing Bob (Spring tea): held until Mar 12, 12:00, then yours
    [Why?] [Statement] [Proof]
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    7 days later:
    Carol> 审核
    待审核（最早的在前）：邀请核实 1 件
    • Alice 邀请的 Bob 算数吗？（春茶会，3月9日 12:00 起）
    [Alice 邀请的 Bob 算数吗？]
    Carol> [Alice 邀请的 Bob 算数吗？]
    Alice 邀请的 Bob 算数吗？
    春茶会 · 3月9日 12:00 起待审核
    Bob 于 3月2日 12:00 通过 Alice 来到这里，已经算数。
    为什么要核实：符合活动设定的风险条件。好友到来后过了几天：7、是否正是这次事件让推荐算数：是
    涉及奖励：Alice 100 积分、Bob 50 积分。
    [没问题] [不算数]
    [全部待审核]
    Carol> [没问题]
    你选择了：没问题。理由是什么？当事人会看到，怎么跟对方说就怎么写。
    发送「取消」可随时退出。
    [已核实，是两位不同的人。]
    [已核实，没有问题。]
    Carol> [已核实，没有问题。]
    ✅ 已决定：没问题。理由：已核实，没有问题。
    会通知当事人。
    没有待审核的事项。有新的我会在这里告诉你。
    0 minutes later:
    Alice hears:
    🎉 Bob 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    ✅ Bob 已留满 7 天，你获得 100 积分，将于 4月8日 12:00 入账。
    [我的奖励]
    ✅ 我们核实了 春茶会 里的 Bob，没有问题，你的奖励将于 3月12日 12:00 入账。
    理由：已核实，没有问题。
    Alice> 奖励
    可用：0 积分 · 冻结中：100 积分（3月12日 起解冻）
    • 3月9日 · 100 积分，邀请 Bob（春茶会）：冻结至 3月12日 12:00，之后可用
    [为什么？] [对账单] [凭证]
    """,
)
async def test_what_a_plan_calls_risky_is_held_shorter_once_it_is_cleared(
    tmp_path: Path, locale: str, script: str
) -> None:
    async with open_town(tmp_path, locale, **CAREFUL) as town:
        await prepare(town)
        await town.play(script)
