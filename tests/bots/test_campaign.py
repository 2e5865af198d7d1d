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
    Spring tea · running · until May 31, 12:00
    0 came, 0 counted; budget left 3,000 points
    [Pause] [End]
    [New campaign]
    Carol> [Pause]
    Spring tea is paused. Friends already on the way go on; nobody new is counted.
    [Resume] [End]
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
    [Pause] [End]
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
    春茶会 · 进行中 · 截止 5月31日 12:00
    来了 0 位，算数 0 位；剩余预算 3,000 积分
    [暂停] [结束]
    [新建活动]
    Carol> [暂停]
    春茶会 已暂停。进行中的朋友继续计算，暂不计入新朋友。
    [恢复] [结束]
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
    [暂停] [结束]
    Bob> 邀请码 <Alice's code>
    春茶会 只计入新朋友，而你在收到这个邀请之前就已经来过。你仍然可以邀请自己的朋友。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Carol> [结束]
    现在结束 春茶会 吗？目前没有进行中的朋友。此操作无法撤销。
    [确定结束]
    Carol> [确定结束]
    春茶会 已结束。
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
    Carol> /campaign new
    (1/4) What is the campaign called?
    Say “cancel” to stop.
    Carol> Summer
    (2/4) How many points does each of the two get when a friend counts?
    Say “cancel” to stop.
    Carol> 10
    (3/4) How many days must a new friend stay?
    Say “cancel” to stop.
    Carol> 7
    (4/4) For how many friends is there a budget?
    Say “cancel” to stop.
    Carol> 20
    Summer is running: 10 points for each of the two when a new friend has stayed 7 days. It can cost 400 \
    points at most and ends on Apr 1, 12:00.
    [My invite link]
    [Pause] [End]
    Carol> /campaign
    Campaigns of Acme Tea
    Summer · running · until Apr 1, 12:00
    0 came, 0 counted; budget left 400 points
    Spring tea · running · until May 31, 12:00
    0 came, 0 counted; budget left 3,000 points
    [Pause · Summer] [End · Summer]
    [Pause · Spring tea] [End · Spring tea]
    [New campaign]
    Carol> /campaign end nosuch
    There is no campaign nosuch.
    Carol> /campaign end spring
    End Spring tea now? Nobody is on the way. This cannot be undone.
    [Yes, end it]
    Carol> /campaign whatever
    Say /campaign for the list or /campaign new for a new one.
    """,
    zh="""
    Carol> 活动 新建
    1/4 活动叫什么名字？
    发送「取消」可随时退出。
    Carol> 夏日茶会
    2/4 朋友算数后，双方各得多少积分？
    发送「取消」可随时退出。
    Carol> 10
    3/4 新朋友要留满几天？
    发送「取消」可随时退出。
    Carol> 7
    4/4 预算最多奖励多少位新朋友？
    发送「取消」可随时退出。
    Carol> 20
    夏日茶会 已开始：新朋友留满 7 天，双方各得 10 积分。最多花费 400 积分，4月1日 12:00 结束。
    [我的邀请链接]
    [暂停] [结束]
    Carol> 活动
    茶里 的活动
    夏日茶会 · 进行中 · 截止 4月1日 12:00
    来了 0 位，算数 0 位；剩余预算 400 积分
    春茶会 · 进行中 · 截止 5月31日 12:00
    来了 0 位，算数 0 位；剩余预算 3,000 积分
    [暂停 · 夏日茶会] [结束 · 夏日茶会]
    [暂停 · 春茶会] [结束 · 春茶会]
    [新建活动]
    Carol> 活动 结束 nosuch
    没有找到活动 nosuch。
    Carol> 活动 结束 spring
    现在结束 春茶会 吗？目前没有进行中的朋友。此操作无法撤销。
    [确定结束]
    Carol> 活动 whatever
    发送 活动 查看列表，发送 活动 新建 创建新活动。
    """,
)
async def test_two_side_by_side(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)
