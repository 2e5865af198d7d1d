"""A referral campaign is put together in the chat and launched once."""

from __future__ import annotations

from pathlib import Path

from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Carol> /campaign new
    What would you like to run?
    Referral: members bring friends, and both are rewarded.
    Product trial: people apply for a limited number of places, try it and tell you what they think; whoever brings \
    friends moves up the line.
    Contest: whoever brings the most friends wins, alone or as a team, on a live board.
    [Referral]
    [Product trial]
    [Contest]
    Carol> [Referral]
    (1/12) What is the campaign called? Members and their friends see this name.
    [Stop here]
    Carol> Spring friends
    (2/12) Does Spring friends have a Chinese name too? Members who use Chinese would see it. Skip it to show the \
    same name to everybody.
    [Skip]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> 春日好友季
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
    Carol> [7 days]
    ✓ Days to stay: 7 days
    (5/13) How many points does a member get for each friend who counts?
    [20 points] [50 points]
    [100 points]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> lots
    Please answer with a whole number.
    (5/13) How many points does a member get for each friend who counts?
    [20 points] [50 points]
    [100 points]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> 30 points
    ✓ For the member: 30 points
    (6/13) And the new friend?
    [30 points] [15 points]
    [Nothing]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [← Back]
    (5/13) How many points does a member get for each friend who counts?
    [20 points] [50 points]
    [100 points]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [50 points]
    ✓ For the member: 50 points
    (6/13) And the new friend?
    [50 points] [25 points]
    [Nothing]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> 20
    ✓ For the friend: 20 points
    (7/13) How many friends can one member be rewarded for at most?
    [5 people] [10 people]
    [20 people]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [20 people]
    ✓ Limit per member: 20 people
    (8/13) How many new friends should the budget cover?
    [50 people] [100 people]
    [500 people]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> 100
    ✓ Friends budgeted for: 100 people
    (9/13) For how many days are rewards held? If the friend leaves or returns the order in that time, the reward \
    is not paid.
    [Not held] [3 days] [7 days]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [3 days]
    ✓ Days rewards are held: 3 days
    (10/13) What should the card say to the new friend? Skip it and we write it from the reward.
    [Skip]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> A free cup for you
    ✓ Line on the card: A free cup for you
    (11/13) When does it start? Choose, or say when: “tomorrow 8pm”, “Friday 18:00”, “Dec 1 20:00”.
    [At once]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [At once]
    ✓ Start: At once
    (12/13) How long does it run? Choose, or say a number of days or a date.
    [7 days] [14 days] [30 days]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> yesterday
    We can’t tell when that is. Write a day and an hour, such as “next Friday 18:00” or “Dec 1 20:00”.
    (12/13) How long does it run? Choose, or say a number of days or a date.
    [7 days] [14 days] [30 days]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> Dec 1
    (13/14) It ends on Tuesday, December 1, 2026, 23:59 (China Standard Time). Is that right?
    [Yes, that is right]
    [Another time]
    [← Back] [Stop here]
    Carol> [Yes, that is right]
    (14/14) Send a picture for the card, or skip it and the card is drawn in your brand's colours.
    [Skip]
    [← Back] [Stop here]
    Carol> [Skip]
    Spring friends · referral. Please look it over:
    • What counts: Stays in the group
    • Days to stay: 7 days
    • For the member: 50 points
    • For the friend: 20 points
    • Limit per member: 20 people
    • Friends budgeted for: 100 people
    • Days rewards are held: 3 days
    • Line on the card: A free cup for you
    • Start: At once
    • End: Tuesday, December 1, 2026, 23:59 (China Standard Time)
    💰 It costs at most 7,000 points. Nothing beyond that is ever paid out.
    All set. Nothing is shown to members before you launch.
    [🚀 Launch now] [Schedule]
    [👀 Card and announcement]
    [✏️ Change] [Keep as a draft]
    [Delete draft]
    Carol> [🚀 Launch now]
    🎉 Spring friends is live until Tuesday, December 1, 2026, 23:59 (China Standard Time). Members get their link \
    and card with /invite.
    [My invite link] [My campaigns]
    Carol> [🚀 Launch now]
    Spring friends has already been launched by you. Nothing more was done.
    [My campaigns]
    """,
    zh="""
    Carol> 活动 新建
    想办哪种活动？
    老带新：老成员邀请朋友，双方都有奖励。
    新品试用：限量名额，申请、审核、寄样、收反馈一条龙；带朋友一起申请的人排得更靠前。
    拉新大赛：比谁带来的新朋友多，个人赛、战队赛都行，榜单实时更新。
    [老带新]
    [新品试用]
    [拉新大赛]
    Carol> [老带新]
    1/12 活动叫什么名字？成员和朋友都会看到。
    [先到这里]
    Carol> 春日好友季
    2/12 「春日好友季」要起个英文名吗？使用英文的成员会看到。跳过则统一显示中文名。
    [跳过]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> Spring friends
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
    Carol> [7 天]
    ✓ 留满天数：7 天
    5/13 每带来一位达标的新朋友，推荐人得多少积分？
    [20 积分] [50 积分] [100 积分]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 很多
    请回答一个整数。
    5/13 每带来一位达标的新朋友，推荐人得多少积分？
    [20 积分] [50 积分] [100 积分]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 30积分
    ✓ 推荐人奖励：30 积分
    6/13 新朋友得多少积分？
    [30 积分] [15 积分] [不给]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [← 上一步]
    5/13 每带来一位达标的新朋友，推荐人得多少积分？
    [20 积分] [50 积分] [100 积分]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [50 积分]
    ✓ 推荐人奖励：50 积分
    6/13 新朋友得多少积分？
    [50 积分] [25 积分] [不给]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 20
    ✓ 新朋友奖励：20 积分
    7/13 每位推荐人最多奖励几位新朋友？
    [5 人] [10 人] [20 人]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [20 人]
    ✓ 每人上限：20 人
    8/13 预算要留给多少位新朋友？
    [50 人] [100 人] [500 人]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 100
    ✓ 预算人数：100 人
    9/13 奖励冻结几天再发？冻结期内退群、退货的，奖励不发放。
    [不冻结] [3 天] [7 天]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [3 天]
    ✓ 冻结天数：3 天
    10/13 海报上写给新朋友的一句话是什么？跳过就按奖励自动生成。
    [跳过]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 送你一杯新茶
    ✓ 海报文案：送你一杯新茶
    11/13 什么时候开始？可以直接选，也可以说「今晚8点」「下周五18:00」「12月1日 20:00」。
    [立即开始]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [立即开始]
    ✓ 开始时间：立即开始
    12/13 办多久？可以直接选，也可以说天数或结束时间，比如「10天」「12月31日 22:00」。
    [7 天] [14 天] [30 天]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 昨天
    没看懂是什么时间。请写清日期和钟点，例如“下周五18:00”或“12月1日20:00”。
    12/13 办多久？可以直接选，也可以说天数或结束时间，比如「10天」「12月31日 22:00」。
    [7 天] [14 天] [30 天]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 12月1日
    13/14 结束时间：2026年12月1日 星期二 23:59（北京时间），对吗？
    [对，就这个时间] [换个时间]
    [← 上一步] [先到这里]
    Carol> [对，就这个时间]
    14/14 发一张图放到海报上。跳过就用品牌配色的默认海报。
    [跳过]
    [← 上一步] [先到这里]
    Carol> [跳过]
    春日好友季 · 老带新，上线前请核对：
    • 达标条件：进群并留下
    • 留满天数：7 天
    • 推荐人奖励：50 积分
    • 新朋友奖励：20 积分
    • 每人上限：20 人
    • 预算人数：100 人
    • 冻结天数：3 天
    • 海报文案：送你一杯新茶
    • 开始时间：立即开始
    • 结束时间：2026年12月1日 星期二 23:59（北京时间）
    💰 最多花费 7,000 积分，超出部分系统不会发放。
    都准备好了。上线前成员看不到任何内容。
    [🚀 立即上线] [定时上线]
    [👀 预览海报和公告]
    [✏️ 修改] [存为草稿]
    [删除草稿]
    Carol> [🚀 立即上线]
    🎉 春日好友季 已上线，2026年12月1日 星期二 23:59（北京时间） 结束。成员发送「邀请」就能领取自己的链接和海报。
    [我的邀请链接] [活动列表]
    Carol> [🚀 立即上线]
    春日好友季 已经上线了（你操作的），不会重复创建。
    [活动列表]
    """,
)
async def test_a_referral_campaign_question_by_question(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, campaign=False) as town:
        await town.play(script)
