"""Every command in one message, in the words that work here."""

from __future__ import annotations

from pathlib import Path

from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Alice> /help
    What you can say to Acme Tea:
    • /start: Start here
    • /invite: My invite link and card
    • /me: How my friends get on
    • /leaderboard: Who brought the most friends
    • /team: My team in the contest
    • /rewards: What I earned, and when it is mine
    • /withdraw: Have what I earned paid out
    • /shop: Spend my points
    • /trial: Try something new
    • /why: Why a friend did or did not count
    • /appeal: Ask that a decision be looked at again
    • /join: Enter a friend's invite code
    • /link: Join my accounts on other platforms
    • /language: 中文 / English
    • /quiet: No news from us, or news again
    • /boardname: How my name stands on public boards
    • /purchases: Count what I buy online as mine
    • /privacy: Read my data, or have it deleted
    • /help: All commands
    You can also send an invite code or paste an invite link.
    Carol> /help
    What you can say to Acme Tea:
    • /start: Start here
    • /invite: My invite link and card
    • /me: How my friends get on
    • /leaderboard: Who brought the most friends
    • /team: My team in the contest
    • /rewards: What I earned, and when it is mine
    • /withdraw: Have what I earned paid out
    • /shop: Spend my points
    • /trial: Try something new
    • /why: Why a friend did or did not count
    • /appeal: Ask that a decision be looked at again
    • /join: Enter a friend's invite code
    • /link: Join my accounts on other platforms
    • /language: 中文 / English
    • /quiet: No news from us, or news again
    • /boardname: How my name stands on public boards
    • /purchases: Count what I buy online as mine
    • /privacy: Read my data, or have it deleted
    • /help: All commands
    • /campaign: Run campaigns (admins)
    • /judge: Take somebody out of a contest (admins)
    • /announce: What was posted in the groups (admins)
    • /broadcast: Write to members (admins)
    • /connect: Connect a group (admins)
    • /staff: Who runs the brand (admins)
    • /review: Decide what waits for review (admins)
    • /dashboard: Figures and settings on the web (admins)
    You can also send an invite code or paste an invite link.
    Alice> blah
    I did not understand that. Choose below, or say /help.
    [My invite link]
    [My friends] [Leaderboard]
    """,
    zh="""
    Alice> 帮助
    你可以对 茶里 说：
    • 开始：从这里开始
    • 邀请：我的邀请链接和海报
    • 我的：我邀请的朋友和进度
    • 排行榜：谁邀请的朋友最多
    • 战队：我的战队
    • 奖励：我得到的奖励和到账时间
    • 提现：把可提现的奖励打到我的账户
    • 兑换：用积分兑换好物
    • 试用：新品试用
    • 为什么：朋友为什么算数或没算数
    • 申诉：对决定提出申诉
    • 邀请码：输入朋友给你的邀请码
    • 绑定：绑定我在其他平台的账号
    • 语言：中文 / English
    • 免打扰：开启或关闭免打扰
    • 榜单名称：公开榜单上怎么显示我的名字
    • 订单关联：网上下的单，算到我名下
    • 隐私：查看或删除我的数据
    • 帮助：全部命令
    也可以直接发送邀请码或粘贴邀请链接。
    Carol> 帮助
    你可以对 茶里 说：
    • 开始：从这里开始
    • 邀请：我的邀请链接和海报
    • 我的：我邀请的朋友和进度
    • 排行榜：谁邀请的朋友最多
    • 战队：我的战队
    • 奖励：我得到的奖励和到账时间
    • 提现：把可提现的奖励打到我的账户
    • 兑换：用积分兑换好物
    • 试用：新品试用
    • 为什么：朋友为什么算数或没算数
    • 申诉：对决定提出申诉
    • 邀请码：输入朋友给你的邀请码
    • 绑定：绑定我在其他平台的账号
    • 语言：中文 / English
    • 免打扰：开启或关闭免打扰
    • 榜单名称：公开榜单上怎么显示我的名字
    • 订单关联：网上下的单，算到我名下
    • 隐私：查看或删除我的数据
    • 帮助：全部命令
    • 活动：管理活动（管理员）
    • 裁定：取消或恢复参赛资格（管理员）
    • 公告记录：公告发送记录（管理员）
    • 群发：群发消息（管理员）
    • 连接：把群接到品牌（管理员）
    • 团队：谁在管理品牌（管理员）
    • 审核：审核待处理的事项（管理员）
    • 管理后台：网页管理后台：数据与设置（管理员）
    也可以直接发送邀请码或粘贴邀请链接。
    Alice> 今天天气真好
    我没看懂。请点下面的按钮，或发送「帮助」。
    [我的邀请链接]
    [我的朋友] [排行榜]
    """,
)
async def test_for_everybody_and_for_admins(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)
