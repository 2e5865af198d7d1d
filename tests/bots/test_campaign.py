"""Group admins run campaigns."""

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
    Carol> /campaign
    Campaigns of Acme Tea
    Spring tea · referral · running · until May 31, 12:00
    0 came, 0 counted
    [Spring tea · running]
    [New campaign]
    Carol> [Spring tea · running]
    Spring tea · referral · running
    Until May 31, 12:00, 89 days left
    Invitations used 0 → came 0 → in the group 0 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Pause] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Carol> [Pause]
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
    Alice> /invite
    Spring tea is paused right now. What you earned stays yours.
    Alice> hello
    Hi Alice! This is Acme Tea.
    Spring tea is paused right now. What you earned stays yours.
    [My invite link]
    [My friends] [Leaderboard]
    Carol> [Pause]
    This is no longer possible: somebody was faster, or the campaign is already in another state.
    Carol> [Resume]
    Spring tea runs again.
    Spring tea · referral · running
    Until May 31, 12:00, 89 days left
    Invitations used 1 → came 0 → in the group 0 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Pause] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Bob> /join <Alice's code>
    Spring tea counts people who are new here, and you were here before this invitation. You can still invite \
    friends yourself.
    [My invite link]
    [My friends] [Leaderboard]
    Carol> [End]
    End Spring tea now? Nobody is on the way. This cannot be undone.
    [Yes, end it]
    Carol> [Yes, end it]
    Spring tea has ended.
    Spring tea · referral · ended
    Ended Mar 2, 12:00
    Invitations used 2 → came 0 → in the group 0 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Run again] [Export]
    [← All campaigns]
    Carol> [End]
    End Spring tea now? Nobody is on the way. This cannot be undone.
    [Yes, end it]
    Dora> /join <Alice's code>
    Spring tea is over, so this invitation no longer counts. You are still welcome here.
    [My invite link]
    [My friends] [Leaderboard]
    Alice> /invite
    Spring tea is over. What you earned stays yours: /rewards
    1 minutes later:
    Alice> /me
    Nobody has come through your link to Spring tea yet. Share it with a friend who would like it.
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
    Carol> 活动
    茶里 的活动
    春茶会 · 老带新 · 进行中 · 截止 5月31日 12:00
    来了 0 位，算数 0 位
    [春茶会 · 进行中]
    [新建活动]
    Carol> [春茶会 · 进行中]
    春茶会 · 老带新 · 进行中
    截止 5月31日 12:00，还剩 89 天
    邀请触达 0 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [暂停] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Carol> [暂停]
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
    Alice> 邀请
    春茶会 目前暂停。你已获得的奖励不受影响。
    Alice> 你好
    Alice，你好！这里是 茶里。
    春茶会 目前暂停。你已获得的奖励不受影响。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Carol> [暂停]
    现在不能这样操作：可能别人已经操作过，或活动状态已改变。
    Carol> [恢复]
    春茶会 已恢复。
    春茶会 · 老带新 · 进行中
    截止 5月31日 12:00，还剩 89 天
    邀请触达 1 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [暂停] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Bob> 邀请码 <Alice's code>
    春茶会 只计入新朋友，而你在收到这个邀请之前就已经来过。你仍然可以邀请自己的朋友。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Carol> [结束]
    现在结束 春茶会 吗？目前没有进行中的朋友。此操作无法撤销。
    [确定结束]
    Carol> [确定结束]
    春茶会 已结束。
    春茶会 · 老带新 · 已结束
    3月2日 12:00 结束
    邀请触达 2 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [再开一期] [导出]
    [← 全部活动]
    Carol> [结束]
    现在结束 春茶会 吗？目前没有进行中的朋友。此操作无法撤销。
    [确定结束]
    Dora> 邀请码 <Alice's code>
    春茶会 已经结束，这个邀请不再计入。仍然欢迎你留下来。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Alice> 邀请
    春茶会 已经结束。你已获得的奖励不受影响，发送「奖励」查看。
    1 minutes later:
    Alice> 我的
    春茶会 还没有朋友通过你的链接加入。把它发给可能喜欢的朋友吧。
    [我的邀请链接]
    [为什么？] [我的奖励]
    """,
)
async def test_pause_resume_end(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    en="""
    Carol> /campaign duplicate spring
    (1/2) When should a new campaign like Spring tea start? Choose, or write a day and time, such as “tomorrow 8pm”.
    [Now]
    [Stop here]
    Carol> [Now]
    (2/2) Another campaign like Spring tea:
    • starts Monday, March 2, 2026, 12:00 (China Standard Time)
    • ends Monday, June 1, 2026, 12:00 (China Standard Time)
    • sets aside 3,000 points
    Launch it?
    [Yes]
    [← Back] [Stop here]
    Carol> [Yes]
    ✅ Spring tea once more, as spring-2.
    Spring tea · referral · running
    Until Jun 1, 12:00, 90 days left
    Invitations used 0 → came 0 → in the group 0 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Pause] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Carol> /campaign
    Campaigns of Acme Tea
    Spring tea · referral · running · until Jun 1, 12:00
    0 came, 0 counted
    Spring tea · referral · running · until May 31, 12:00
    0 came, 0 counted
    [Spring tea · running]
    [Spring tea · running]
    [New campaign]
    Carol> /campaign end nosuch
    There is no campaign nosuch.
    Carol> /campaign end spring
    End Spring tea now? Nobody is on the way. This cannot be undone.
    [Yes, end it]
    Carol> /campaign whatever
    Say /campaign for the list, /campaign new for a new one, or /campaign apply to bring a file.
    """,
    zh="""
    Carol> 活动 复制 spring
    1/2 照着 春茶会 再开一期，什么时候开始？点选，或直接写时间，例如「明天晚上8点」。
    [现在]
    [先到这里]
    Carol> [现在]
    2/2 照 春茶会 再开一期：
    • 开始：2026年3月2日 星期一 12:00（北京时间）
    • 结束：2026年6月1日 星期一 12:00（北京时间）
    • 预算：3,000 积分
    确认开始吗？
    [确认]
    [← 上一步] [先到这里]
    Carol> [确认]
    ✅ 已再开一期 春茶会（spring-2）。
    春茶会 · 老带新 · 进行中
    截止 6月1日 12:00，还剩 90 天
    邀请触达 0 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [暂停] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Carol> 活动
    茶里 的活动
    春茶会 · 老带新 · 进行中 · 截止 6月1日 12:00
    来了 0 位，算数 0 位
    春茶会 · 老带新 · 进行中 · 截止 5月31日 12:00
    来了 0 位，算数 0 位
    [春茶会 · 进行中]
    [春茶会 · 进行中]
    [新建活动]
    Carol> 活动 结束 nosuch
    没有找到活动 nosuch。
    Carol> 活动 结束 spring
    现在结束 春茶会 吗？目前没有进行中的朋友。此操作无法撤销。
    [确定结束]
    Carol> 活动 whatever
    发送「活动」查看列表，「活动 新建」新建活动，「活动 导入」用文件创建。
    """,
)
async def test_two_side_by_side(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)
