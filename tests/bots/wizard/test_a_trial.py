"""A trial is put together in the chat: in four taps, or with questions, a rule and a schedule of its own."""

from __future__ import annotations

from pathlib import Path

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
    • Applications close: Monday, March 9, 2026, 12:00 (China Standard Time), after 7 days
    💰 It costs at most 2,500 points and 50 × Serum trial. Nothing beyond that is ever paid out.
    All set. Nothing is shown to members before you launch.
    [🚀 Launch now] [Schedule]
    [👀 Card and announcement]
    [✏️ Change] [Keep as a draft]
    [Delete draft]
    Carol> [🚀 Launch now]
    🎉 Serum trial is live: members apply with /trial until Monday, March 9, 2026, 12:00 (China Standard Time). \
    What needs your eye waits in /review.
    [My invite link] [My campaigns]
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
    • 申请截止：2026年3月9日 星期一 12:00（北京时间），共 7 天
    💰 最多花费 2,500 积分、50 份焕亮精华试用，超出部分系统不会发放。
    都准备好了。上线前成员看不到任何内容。
    [🚀 立即上线] [定时上线]
    [👀 预览海报和公告]
    [✏️ 修改] [存为草稿]
    [删除草稿]
    Carol> [🚀 立即上线]
    🎉 焕亮精华试用 已上线，2026年3月9日 星期一 12:00（北京时间） \
    截止申请。成员发送「试用」就能申请，需要你拿主意的在「审核」里。
    [我的邀请链接] [活动列表]
    """,
)
async def test_a_trial_in_four_taps(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, campaign=False) as town:
        await town.play(script)


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
    Carol> Brightening serum
    ✓ To be tried: Brightening serum
    (4/14) How many places are there?
    [20 places] [50 places]
    [100 places]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> 30
    ✓ Places: 30 places
    (5/14) Who decides who gets a place?
    [I look at each application]
    [Friends brought first, then first come]
    [A draw anybody can check]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [Friends brought first, then first come]
    ✓ Who gets a place: Friends brought first, then first come
    (6/15) How many friends must apply too for somebody to get a place at once?
    [First come, first served]
    [1 friend] [3 friends]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [1 friend]
    ✓ Friends for a place at once: 1 friend
    (7/15) What do you ask those who apply? Send your questions, one a line (up to 8). “Your skin? dry / oily / \
    mixed” makes buttons of the answers; end a line with “(optional)” if it may be left out.
    [No questions]
    [The usual two]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> Your skin? dry / oily / mixed
    ✓ Questions: Your skin?
    (8/15) When is a member rewarded for a friend they brought?
    [The friend gives feedback]
    [The friend takes a place]
    [The friend buys]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [The friend gives feedback]
    ✓ Member is rewarded when: The friend gives feedback
    (9/15) How many points does the member get for it?
    [20 points] [50 points]
    [100 points] [Nothing]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [Nothing]
    ✓ For the member: Nothing
    (10/14) How many days does somebody have to take their place, before it goes to the next in line?
    [1 day] [3 days] [7 days]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> back
    (9/15) How many points does the member get for it?
    [20 points] [50 points]
    [100 points] [Nothing]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> 20
    ✓ For the member: 20 points
    (10/15) How many friends can one member be rewarded for at most?
    [5 people] [10 people]
    [20 people]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> 10
    ✓ Limit per member: 10 people
    (11/15) How many days does somebody have to take their place, before it goes to the next in line?
    [1 day] [3 days] [7 days]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> 2 days
    ✓ Days to take a place: 2 days
    (12/15) How many days after it arrives do people have for their feedback?
    [7 days] [14 days] [30 days]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> two weeks
    ✓ Days for feedback: 14 days
    (13/15) When does it start? Choose, or say when: “tomorrow 8pm”, “Friday 18:00”, “Dec 1 20:00”.
    [At once]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> tonight 8pm
    (14/16) It starts on Monday, March 2, 2026, 20:00 (China Standard Time). Is that right?
    [Yes, that is right]
    [Another time]
    [← Back] [Stop here]
    Carol> [Another time]
    (13/15) When does it start? Choose, or say when: “tomorrow 8pm”, “Friday 18:00”, “Dec 1 20:00”.
    [At once]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> next Friday 18:00
    (14/16) It starts on Friday, March 13, 2026, 18:00 (China Standard Time). Is that right?
    [Yes, that is right]
    [Another time]
    [← Back] [Stop here]
    Carol> [Yes, that is right]
    (15/16) How long can people apply? Choose, or say a number of days or a date.
    [3 days] [7 days] [14 days]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> tomorrow 10am
    That is before the start (Friday, March 13, 2026, 18:00 (China Standard Time)). Please name a later end.
    (15/16) How long can people apply? Choose, or say a number of days or a date.
    [3 days] [7 days] [14 days]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> 10 days
    ✓ Applications close: Monday, March 23, 2026, 18:00 (China Standard Time), after 10 days
    (16/16) Send a picture for the card, or skip it and the card is drawn in your brand's colours.
    [Skip]
    [← Back] [Stop here]
    Carol> [Skip]
    Serum trial · product trial. Please look it over:
    • To be tried: Brightening serum
    • Places: 30 places
    • Who gets a place: Friends brought first, then first come
    • Friends for a place at once: 1 friend
    • Questions: Your skin?
    • Member is rewarded when: The friend gives feedback
    • For the member: 20 points
    • Limit per member: 10 people
    • Days to take a place: 2 days
    • Days for feedback: 14 days
    • Start: Friday, March 13, 2026, 18:00 (China Standard Time)
    • Applications close: Monday, March 23, 2026, 18:00 (China Standard Time), after 10 days
    💰 It costs at most 600 points and 30 × Brightening serum. Nothing beyond that is ever paid out.
    All set. Nothing is shown to members before you launch.
    [📅 Schedule it]
    [Launch now instead]
    [👀 Card and announcement]
    [✏️ Change] [Keep as a draft]
    [Delete draft]
    Carol> [✏️ Change]
    What would you like to change?
    [Name of the campaign: Serum trial]
    [Name in the other language]
    [To be tried: Brightening serum]
    [Places: 30 places]
    [Who gets a place: Friends brought first, then first come]
    [Friends for a place at once: 1 friend]
    [Questions: Your skin?]
    [Member is rewarded when: The friend gives feedback]
    [For the member: 20 points]
    [Limit per member: 10 people]
    [Days to take a place: 2 days]
    [Days for feedback: 14 days]
    [Start: Friday, March 13, 2026, 18:00 (China St…]
    [Applications close: Monday, March 23, 2026, 18:00 (China St…]
    [Picture on the card]
    [← Back]
    Carol> [Places: 30 places]
    (4/16) How many places are there?
    [20 places] [50 places]
    [100 places]
    [← Back] [Stop here]
    Carol> 40
    Serum trial · product trial. Please look it over:
    • To be tried: Brightening serum
    • Places: 40 places
    • Who gets a place: Friends brought first, then first come
    • Friends for a place at once: 1 friend
    • Questions: Your skin?
    • Member is rewarded when: The friend gives feedback
    • For the member: 20 points
    • Limit per member: 10 people
    • Days to take a place: 2 days
    • Days for feedback: 14 days
    • Start: Friday, March 13, 2026, 18:00 (China Standard Time)
    • Applications close: Monday, March 23, 2026, 18:00 (China Standard Time), after 10 days
    💰 It costs at most 800 points and 40 × Brightening serum. Nothing beyond that is ever paid out.
    All set. Nothing is shown to members before you launch.
    [📅 Schedule it]
    [Launch now instead]
    [👀 Card and announcement]
    [✏️ Change] [Keep as a draft]
    [Delete draft]
    Carol> [📅 Schedule it]
    📅 Serum trial starts by itself on Friday, March 13, 2026, 18:00 (China Standard Time) and ends on Monday, \
    March 23, 2026, 18:00 (China Standard Time). You can still call it off before then.
    [My campaigns]
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
    Carol> 焕亮精华
    ✓ 试用品：焕亮精华
    4/14 一共多少个试用名额？
    [20 份] [50 份] [100 份]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 30
    ✓ 试用名额：30 份
    5/14 名额怎么定？
    [逐个人工审核]
    [带朋友优先，先到先得]
    [公开可验证抽签]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [带朋友优先，先到先得]
    ✓ 名额分配：带朋友优先，先到先得
    6/15 带来几位朋友一起申请，就直接通过？
    [不设，先到先得] [1 位朋友]
    [3 位朋友]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [1 位朋友]
    ✓ 直通条件：1 位朋友
    7/15 想问申请人什么？每行一个问题，最多 8 \
    个。写成「你的肤质？干性/油性/混合」会变成选择题，行尾加「（选填）」可不答。
    [不提问] [用常用的两个问题]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 你的肤质？干性/油性/混合
    ✓ 申请问题：你的肤质？
    8/15 推荐人带来的朋友做到哪一步，推荐人拿奖励？
    [朋友提交反馈] [朋友领到名额]
    [朋友下单]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [朋友提交反馈]
    ✓ 奖励时机：朋友提交反馈
    9/15 每带来一位这样的朋友，推荐人得多少积分？
    [20 积分] [50 积分] [100 积分]
    [不给]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [不给]
    ✓ 推荐人奖励：不给
    10/14 通过后几天内要确认领取？过期名额顺延给下一位。
    [1 天] [3 天] [7 天]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 上一步
    9/15 每带来一位这样的朋友，推荐人得多少积分？
    [20 积分] [50 积分] [100 积分]
    [不给]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 20
    ✓ 推荐人奖励：20 积分
    10/15 每位推荐人最多奖励几位新朋友？
    [5 人] [10 人] [20 人]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 10
    ✓ 每人上限：10 人
    11/15 通过后几天内要确认领取？过期名额顺延给下一位。
    [1 天] [3 天] [7 天]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 2天
    ✓ 领取期限：2 天
    12/15 收到试用品后，几天内交反馈？
    [7 天] [14 天] [30 天]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 两周
    ✓ 反馈期限：14 天
    13/15 什么时候开始？可以直接选，也可以说「今晚8点」「下周五18:00」「12月1日 20:00」。
    [立即开始]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 今晚8点
    14/16 开始时间：2026年3月2日 星期一 20:00（北京时间），对吗？
    [对，就这个时间] [换个时间]
    [← 上一步] [先到这里]
    Carol> [换个时间]
    13/15 什么时候开始？可以直接选，也可以说「今晚8点」「下周五18:00」「12月1日 20:00」。
    [立即开始]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 下周五18:00
    14/16 开始时间：2026年3月13日 星期五 18:00（北京时间），对吗？
    [对，就这个时间] [换个时间]
    [← 上一步] [先到这里]
    Carol> [对，就这个时间]
    15/16 申请开放多久？可以直接选，也可以说天数或截止时间，比如「10天」「12月31日 22:00」。
    [3 天] [7 天] [14 天]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 明天上午10点
    结束时间早于开始时间（2026年3月13日 星期五 18:00（北京时间）），请换一个更晚的时间。
    15/16 申请开放多久？可以直接选，也可以说天数或截止时间，比如「10天」「12月31日 22:00」。
    [3 天] [7 天] [14 天]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 10天
    ✓ 申请截止：2026年3月23日 星期一 18:00（北京时间），共 10 天
    16/16 发一张图放到海报上。跳过就用品牌配色的默认海报。
    [跳过]
    [← 上一步] [先到这里]
    Carol> [跳过]
    焕亮精华试用 · 新品试用，上线前请核对：
    • 试用品：焕亮精华
    • 试用名额：30 份
    • 名额分配：带朋友优先，先到先得
    • 直通条件：1 位朋友
    • 申请问题：你的肤质？
    • 奖励时机：朋友提交反馈
    • 推荐人奖励：20 积分
    • 每人上限：10 人
    • 领取期限：2 天
    • 反馈期限：14 天
    • 开始时间：2026年3月13日 星期五 18:00（北京时间）
    • 申请截止：2026年3月23日 星期一 18:00（北京时间），共 10 天
    💰 最多花费 600 积分、30 份焕亮精华，超出部分系统不会发放。
    都准备好了。上线前成员看不到任何内容。
    [📅 确认定时上线]
    [改为立即上线]
    [👀 预览海报和公告]
    [✏️ 修改] [存为草稿]
    [删除草稿]
    Carol> [✏️ 修改]
    想修改哪一项？
    [活动名称：焕亮精华试用]
    [英文/中文名称]
    [试用品：焕亮精华]
    [试用名额：30 份]
    [名额分配：带朋友优先，先到先得]
    [直通条件：1 位朋友]
    [申请问题：你的肤质？]
    [奖励时机：朋友提交反馈]
    [推荐人奖励：20 积分]
    [每人上限：10 人]
    [领取期限：2 天]
    [反馈期限：14 天]
    [开始时间：2026年3月13日 星期五 18:00（北京时间）]
    [申请截止：2026年3月23日 星期一 18:00（北京时间），共 10 天]
    [海报图片]
    [← 上一步]
    Carol> [试用名额：30 份]
    4/16 一共多少个试用名额？
    [20 份] [50 份] [100 份]
    [← 上一步] [先到这里]
    Carol> 40
    焕亮精华试用 · 新品试用，上线前请核对：
    • 试用品：焕亮精华
    • 试用名额：40 份
    • 名额分配：带朋友优先，先到先得
    • 直通条件：1 位朋友
    • 申请问题：你的肤质？
    • 奖励时机：朋友提交反馈
    • 推荐人奖励：20 积分
    • 每人上限：10 人
    • 领取期限：2 天
    • 反馈期限：14 天
    • 开始时间：2026年3月13日 星期五 18:00（北京时间）
    • 申请截止：2026年3月23日 星期一 18:00（北京时间），共 10 天
    💰 最多花费 800 积分、40 份焕亮精华，超出部分系统不会发放。
    都准备好了。上线前成员看不到任何内容。
    [📅 确认定时上线]
    [改为立即上线]
    [👀 预览海报和公告]
    [✏️ 修改] [存为草稿]
    [删除草稿]
    Carol> [📅 确认定时上线]
    📅 焕亮精华试用 将于 2026年3月13日 星期五 18:00（北京时间） 自动上线，2026年3月23日 星期一 18:00（北京时间） \
    结束。上线前可以随时取消。
    [活动列表]
    """,
)
async def test_a_trial_with_questions_of_its_own(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, campaign=False) as town:
        await town.play(script)
