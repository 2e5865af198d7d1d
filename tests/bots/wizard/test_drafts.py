"""A campaign half put together is kept: for a week, over a restart, for a colleague who goes on with it."""

from __future__ import annotations

from pathlib import Path

from sqlmodel import Session

from bots.drafts import open_drafts
from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Carol> /campaign new trial
    (1/14) What is the trial called? For example “Serum trial”. Members see this name.
    [Stop here]
    Carol> Serum trial
    (2/14) Does Serum trial have a Chinese name too? Members who use Chinese would see it. Skip it to show the same \
    name to everybody.
    [Skip]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [Skip]
    (3/14) What will people try? This name goes on the parcel.
    [As the campaign]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [Stop here]
    Serum trial is kept as a draft. Go on whenever you like; so can your colleagues.
    [Go on] [Delete draft]
    7 days later:
    Carol> /campaign new
    These drafts are waiting to be finished:
    • Serum trial · Product trial · you, Mar 2, 12:00
    Or begin something new:
    Referral: members bring friends, and both are rewarded.
    Product trial: people apply for a limited number of places, try it and tell you what they think; whoever brings \
    friends moves up the line.
    Contest: whoever brings the most friends wins, alone or as a team, on a live board.
    [Go on: Serum trial]
    [Referral]
    [Product trial]
    [Contest]
    Carol> [Go on: Serum trial]
    (3/14) What will people try? This name goes on the parcel.
    [As the campaign]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [As the campaign]
    ✓ To be tried: Serum trial
    (4/14) How many places are there?
    [20 places] [50 places]
    [100 places]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [Usual settings for the rest]
    Serum trial · product trial. Please look it over:
    • To be tried: Serum trial
    • Places: 50 places
    • Who gets a place: I look at each application
    • Questions: The usual two
    • Member is rewarded when: The friend gives feedback
    • For the member: 50 points
    • Limit per member: 20 people
    • Days to take a place: 3 days
    • Days for feedback: 14 days
    • Start: At once
    • Applications close: Monday, March 16, 2026, 12:00 (China Standard Time), after 7 days
    💰 It costs at most 2,500 points and 50 × Serum trial. Nothing beyond that is ever paid out.
    All set. Nothing is shown to members before you launch.
    [🚀 Launch now] [Schedule]
    [👀 Card and announcement]
    [✏️ Change] [Keep as a draft]
    [Delete draft]
    Carol> [Keep as a draft]
    Serum trial is kept as a draft. Go on whenever you like; so can your colleagues.
    [Go on] [Delete draft]
    Carol> [Go on]
    Serum trial · product trial. Please look it over:
    • To be tried: Serum trial
    • Places: 50 places
    • Who gets a place: I look at each application
    • Questions: The usual two
    • Member is rewarded when: The friend gives feedback
    • For the member: 50 points
    • Limit per member: 20 people
    • Days to take a place: 3 days
    • Days for feedback: 14 days
    • Start: At once
    • Applications close: Monday, March 16, 2026, 12:00 (China Standard Time), after 7 days
    💰 It costs at most 2,500 points and 50 × Serum trial. Nothing beyond that is ever paid out.
    All set. Nothing is shown to members before you launch.
    [🚀 Launch now] [Schedule]
    [👀 Card and announcement]
    [✏️ Change] [Keep as a draft]
    [Delete draft]
    Carol> [Delete draft]
    Delete the draft Serum trial? This cannot be undone.
    [Yes, delete it]
    [No, keep it]
    Carol> [No, keep it]
    Serum trial · product trial. Please look it over:
    • To be tried: Serum trial
    • Places: 50 places
    • Who gets a place: I look at each application
    • Questions: The usual two
    • Member is rewarded when: The friend gives feedback
    • For the member: 50 points
    • Limit per member: 20 people
    • Days to take a place: 3 days
    • Days for feedback: 14 days
    • Start: At once
    • Applications close: Monday, March 16, 2026, 12:00 (China Standard Time), after 7 days
    💰 It costs at most 2,500 points and 50 × Serum trial. Nothing beyond that is ever paid out.
    All set. Nothing is shown to members before you launch.
    [🚀 Launch now] [Schedule]
    [👀 Card and announcement]
    [✏️ Change] [Keep as a draft]
    [Delete draft]
    Carol> [Delete draft]
    Delete the draft Serum trial? This cannot be undone.
    [Yes, delete it]
    [No, keep it]
    Carol> [Yes, delete it]
    The draft Serum trial is deleted.
    [New campaign]
    Carol> [Go on]
    Acme Tea has no such draft any more; it may have been deleted. Begin a new one whenever you like.
    [New campaign]
    Carol> /campaign new
    What would you like to run?
    Referral: members bring friends, and both are rewarded.
    Product trial: people apply for a limited number of places, try it and tell you what they think; whoever brings \
    friends moves up the line.
    Contest: whoever brings the most friends wins, alone or as a team, on a live board.
    [Referral]
    [Product trial]
    [Contest]
    """,
    zh="""
    Carol> 活动 新建 试用
    1/14 试用活动叫什么名字？比如「焕亮精华试用」，成员都会看到。
    [先到这里]
    Carol> 焕亮精华试用
    2/14 「焕亮精华试用」要起个英文名吗？使用英文的成员会看到。跳过则统一显示中文名。
    [跳过]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [跳过]
    3/14 试用的是什么？会写在寄送单上。
    [和活动同名]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [先到这里]
    焕亮精华试用 已存为草稿，随时可以继续，同事也能接着填。
    [继续填写] [删除草稿]
    7 days later:
    Carol> 活动 新建
    还有没填完的草稿：
    • 焕亮精华试用 · 新品试用 · 你，3月2日 12:00
    也可以新办一个：
    老带新：老成员邀请朋友，双方都有奖励。
    新品试用：限量名额，申请、审核、寄样、收反馈一条龙；带朋友一起申请的人排得更靠前。
    拉新大赛：比谁带来的新朋友多，个人赛、战队赛都行，榜单实时更新。
    [继续：焕亮精华试用]
    [老带新]
    [新品试用]
    [拉新大赛]
    Carol> [继续：焕亮精华试用]
    3/14 试用的是什么？会写在寄送单上。
    [和活动同名]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [和活动同名]
    ✓ 试用品：焕亮精华试用
    4/14 一共多少个试用名额？
    [20 份] [50 份] [100 份]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [其余用默认设置]
    焕亮精华试用 · 新品试用，上线前请核对：
    • 试用品：焕亮精华试用
    • 试用名额：50 份
    • 名额分配：逐个人工审核
    • 申请问题：用常用的两个问题
    • 奖励时机：朋友提交反馈
    • 推荐人奖励：50 积分
    • 每人上限：20 人
    • 领取期限：3 天
    • 反馈期限：14 天
    • 开始时间：立即开始
    • 申请截止：2026年3月16日 星期一 12:00（北京时间），共 7 天
    💰 最多花费 2,500 积分、50 份焕亮精华试用，超出部分系统不会发放。
    都准备好了。上线前成员看不到任何内容。
    [🚀 立即上线] [定时上线]
    [👀 预览海报和公告]
    [✏️ 修改] [存为草稿]
    [删除草稿]
    Carol> [存为草稿]
    焕亮精华试用 已存为草稿，随时可以继续，同事也能接着填。
    [继续填写] [删除草稿]
    Carol> [继续填写]
    焕亮精华试用 · 新品试用，上线前请核对：
    • 试用品：焕亮精华试用
    • 试用名额：50 份
    • 名额分配：逐个人工审核
    • 申请问题：用常用的两个问题
    • 奖励时机：朋友提交反馈
    • 推荐人奖励：50 积分
    • 每人上限：20 人
    • 领取期限：3 天
    • 反馈期限：14 天
    • 开始时间：立即开始
    • 申请截止：2026年3月16日 星期一 12:00（北京时间），共 7 天
    💰 最多花费 2,500 积分、50 份焕亮精华试用，超出部分系统不会发放。
    都准备好了。上线前成员看不到任何内容。
    [🚀 立即上线] [定时上线]
    [👀 预览海报和公告]
    [✏️ 修改] [存为草稿]
    [删除草稿]
    Carol> [删除草稿]
    删除草稿 焕亮精华试用？删除后无法恢复。
    [确认删除]
    [先留着]
    Carol> [先留着]
    焕亮精华试用 · 新品试用，上线前请核对：
    • 试用品：焕亮精华试用
    • 试用名额：50 份
    • 名额分配：逐个人工审核
    • 申请问题：用常用的两个问题
    • 奖励时机：朋友提交反馈
    • 推荐人奖励：50 积分
    • 每人上限：20 人
    • 领取期限：3 天
    • 反馈期限：14 天
    • 开始时间：立即开始
    • 申请截止：2026年3月16日 星期一 12:00（北京时间），共 7 天
    💰 最多花费 2,500 积分、50 份焕亮精华试用，超出部分系统不会发放。
    都准备好了。上线前成员看不到任何内容。
    [🚀 立即上线] [定时上线]
    [👀 预览海报和公告]
    [✏️ 修改] [存为草稿]
    [删除草稿]
    Carol> [删除草稿]
    删除草稿 焕亮精华试用？删除后无法恢复。
    [确认删除]
    [先留着]
    Carol> [确认删除]
    草稿 焕亮精华试用 已删除。
    [新建活动]
    Carol> [继续填写]
    「茶里」没有这份草稿了，可能已被删除。重新建一份就好。
    [新建活动]
    Carol> 活动 新建
    想办哪种活动？
    老带新：老成员邀请朋友，双方都有奖励。
    新品试用：限量名额，申请、审核、寄样、收反馈一条龙；带朋友一起申请的人排得更靠前。
    拉新大赛：比谁带来的新朋友多，个人赛、战队赛都行，榜单实时更新。
    [老带新]
    [新品试用]
    [拉新大赛]
    """,
)
async def test_a_draft_outlives_a_week(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, campaign=False) as town:
        await town.play(script)


@in_both(
    en="""
    Carol> /campaign new referral
    (1/12) What is the campaign called? Members and their friends see this name.
    [Stop here]
    Carol> cancel
    Stopped; nothing was changed.
    Carol> /campaign new
    What would you like to run?
    Referral: members bring friends, and both are rewarded.
    Product trial: people apply for a limited number of places, try it and tell you what they think; whoever brings \
    friends moves up the line.
    Contest: whoever brings the most friends wins, alone or as a team, on a live board.
    [Referral]
    [Product trial]
    [Contest]
    Carol> blah
    I did not understand that. Choose below, or say /help.
    [My invite link]
    [My friends] [Leaderboard]
    """,
    zh="""
    Carol> 活动 新建 老带新
    1/12 活动叫什么名字？成员和朋友都会看到。
    [先到这里]
    Carol> 取消
    已取消，没有任何改动。
    Carol> 活动 新建
    想办哪种活动？
    老带新：老成员邀请朋友，双方都有奖励。
    新品试用：限量名额，申请、审核、寄样、收反馈一条龙；带朋友一起申请的人排得更靠前。
    拉新大赛：比谁带来的新朋友多，个人赛、战队赛都行，榜单实时更新。
    [老带新]
    [新品试用]
    [拉新大赛]
    Carol> 今天天气真好
    我没看懂。请点下面的按钮，或发送「帮助」。
    [我的邀请链接]
    [我的朋友] [排行榜]
    """,
)
async def test_thinking_better_of_it(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, campaign=False) as town:
        await town.play(script)


@in_both(
    en="""
    Carol> /campaign new referral
    (1/12) What is the campaign called? Members and their friends see this name.
    [Stop here]
    Carol> top
    (2/12) Does top have a Chinese name too? Members who use Chinese would see it. Skip it to show the same name to \
    everybody.
    [Skip]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> /me
    Nobody has come through your link to Spring tea yet. Share it with a friend who would like it.
    [My invite link]
    [Why?] [My rewards]
    Carol> hello
    (3/12) When does a new friend count?
    [Stays in the group]
    [First purchase] [Just joins]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [Skip]
    (3/12) When does a new friend count?
    [Stays in the group]
    [First purchase] [Just joins]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [Stays in the group]
    ✓ What counts: Stays in the group
    (4/13) How many days must a new friend stay?
    [3 days] [7 days] [14 days]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> 5
    ✓ Days to stay: 5 days
    (5/13) How many points does a member get for each friend who counts?
    [20 points] [50 points]
    [100 points]
    [Usual settings for the rest]
    [← Back] [Stop here]
    2 hours later:
    Carol> /rewards
    You have no rewards yet. They appear here as soon as a friend counts.
    [My invite link]
    Carol> 7
    ✓ For the member: 7 points
    (6/13) And the new friend?
    [7 points] [3 points]
    [Nothing]
    [Usual settings for the rest]
    [← Back] [Stop here]
    """,
    zh="""
    Carol> 活动 新建 老带新
    1/12 活动叫什么名字？成员和朋友都会看到。
    [先到这里]
    Carol> top
    2/12 「top」要起个英文名吗？使用英文的成员会看到。跳过则统一显示中文名。
    [跳过]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 我的
    3/12 新朋友做到什么才算数？
    [进群并留下] [完成首单]
    [进群就算]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 你好
    Carol，你好！这里是 茶里 的 春茶会。
    用你的专属链接邀请朋友，随时查看进度和奖励。
    [我的邀请链接]
    [我的朋友] [排行榜]
    Carol> [跳过]
    3/12 新朋友做到什么才算数？
    [进群并留下] [完成首单]
    [进群就算]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [进群并留下]
    ✓ 达标条件：进群并留下
    4/13 新朋友要在群里留满几天？
    [3 天] [7 天] [14 天]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 5
    ✓ 留满天数：5 天
    5/13 每带来一位达标的新朋友，推荐人得多少积分？
    [20 积分] [50 积分] [100 积分]
    [其余用默认设置]
    [← 上一步] [先到这里]
    2 hours later:
    Carol> 奖励
    你还没有奖励。有朋友算数后会显示在这里。
    [我的邀请链接]
    Carol> 7
    ✓ 推荐人奖励：7 积分
    6/13 新朋友得多少积分？
    [7 积分] [3 积分] [不给]
    [其余用默认设置]
    [← 上一步] [先到这里]
    """,
)
async def test_a_title_that_is_also_a_command(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


async def test_an_answer_that_reads_no_longer_is_asked_again(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        for words in ("/campaign new trial", "Serum trial", "[Usual settings for the rest]"):
            await town.say("Carol", words)

        def age(session: Session) -> None:
            [draft] = open_drafts(session, town.brand.id)
            draft.answers = {**draft.answers, "quota": "as ever", "gone": "1"}
            session.add(draft)

        town.do(age)
        await town.say("Carol", "/campaign new")
        assert "How many places are there?" in await town.ask("Carol", "[Go on: Serum trial]")
        assert "• Places: 20 places" in await town.ask("Carol", "[20 places]")
