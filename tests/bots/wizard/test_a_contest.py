"""A contest is put together in the chat, with prizes as people write them."""

from __future__ import annotations

from pathlib import Path

from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Carol> /campaign new contest
    (1/9) What is the contest called? Members see this name on the board.
    [Stop here]
    Carol> Top host
    (2/9) Does Top host have a Chinese name too? Members who use Chinese would see it. Skip it to show the same \
    name to everybody.
    [Skip]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [Skip]
    (3/9) Does everybody play alone, or in teams with a captain?
    [Everybody alone] [Teams]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [Teams]
    ✓ Played: Teams
    (4/10) How many members may a team have?
    [5 people] [10 people]
    [20 people]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> 8
    ✓ Team size: 8 people
    (5/10) When does a new friend count?
    [Stays in the group]
    [First purchase] [Just joins]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [Stays in the group]
    ✓ What counts: Stays in the group
    (6/11) How many days must a new friend stay?
    [1 day] [3 days] [7 days]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> 3 days
    ✓ Days to stay: 3 days
    (7/11) What can be won, in points? Choose one of these, or write your own, such as “1: 1000, 2-3: 500”; “10+: \
    200” gives 200 to those who bring 10.
    • no. 1: 1,000 points; no. 2 to 3: 500 points each; no. 4 to 10: 100 points each
    • no. 1: 500 points; no. 2: 300 points; no. 3: 200 points
    • the first 100 who bring 10: 200 points each
    [Set 1] [Set 2] [Set 3]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> a car
    I could not read the prizes. Please write them like “1: 1000, 2-3: 500”, or “10+: 200” for those who bring 10.
    (7/11) What can be won, in points? Choose one of these, or write your own, such as “1: 1000, 2-3: 500”; “10+: \
    200” gives 200 to those who bring 10.
    • no. 1: 1,000 points; no. 2 to 3: 500 points each; no. 4 to 10: 100 points each
    • no. 1: 500 points; no. 2: 300 points; no. 3: 200 points
    • the first 100 who bring 10: 200 points each
    [Set 1] [Set 2] [Set 3]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> 1: 1000, 1-3: 500
    One place has two prizes. Please give each place one.
    (7/11) What can be won, in points? Choose one of these, or write your own, such as “1: 1000, 2-3: 500”; “10+: \
    200” gives 200 to those who bring 10.
    • no. 1: 1,000 points; no. 2 to 3: 500 points each; no. 4 to 10: 100 points each
    • no. 1: 500 points; no. 2: 300 points; no. 3: 200 points
    • the first 100 who bring 10: 200 points each
    [Set 1] [Set 2] [Set 3]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> 1: 1000, 2-3: 500, 10+: 20
    ✓ Prizes: no. 1: 1,000 points; no. 2 to 3: 500 points each; the first 100 who bring 10: 20 points each
    (8/11) Besides the prizes, does each friend who counts also earn points?
    [Nothing] [10 points]
    [20 points]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [10 points]
    ✓ Points per friend: 10 points
    (9/12) How many new friends should the budget cover?
    [50 people] [100 people]
    [500 people]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> 50
    ✓ Friends budgeted for: 50 people
    (10/12) When does it start? Choose, or say when: “tomorrow 8pm”, “Friday 18:00”, “Dec 1 20:00”.
    [At once]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [At once]
    ✓ Start: At once
    (11/12) How long does it run? Choose, or say a number of days or a date.
    [7 days] [14 days] [30 days]
    [Usual settings for the rest]
    [← Back] [Stop here]
    Carol> [7 days]
    ✓ End: Monday, March 9, 2026, 12:00 (China Standard Time), after 7 days
    (12/12) Send a picture for the card, or skip it and the card is drawn in your brand's colours.
    [Skip]
    [← Back] [Stop here]
    Carol> [Skip]
    Top host · contest. Please look it over:
    • Played: Teams
    • Team size: 8 people
    • What counts: Stays in the group
    • Days to stay: 3 days
    • Prizes: no. 1: 1,000 points; no. 2 to 3: 500 points each; the first 100 who bring 10: 20 points each
    • Points per friend: 10 points
    • Friends budgeted for: 50 people
    • Start: At once
    • End: Monday, March 9, 2026, 12:00 (China Standard Time), after 7 days
    💰 It costs at most 4,500 points. Nothing beyond that is ever paid out.
    All set. Nothing is shown to members before you launch.
    [🚀 Launch now] [Schedule]
    [👀 Card and announcement]
    [✏️ Change] [Keep as a draft]
    [Delete draft]
    Carol> [🚀 Launch now]
    🎉 Top host is live until Monday, March 9, 2026, 12:00 (China Standard Time). The board is open: /leaderboard.
    [My invite link] [My campaigns]
    """,
    zh="""
    Carol> 活动 新建 大赛
    1/9 大赛叫什么名字？会显示在榜单上。
    [先到这里]
    Carol> 带货之星
    2/9 「带货之星」要起个英文名吗？使用英文的成员会看到。跳过则统一显示中文名。
    [跳过]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [跳过]
    3/9 个人赛，还是战队赛（队长带队）？
    [个人赛] [战队赛]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [战队赛]
    ✓ 赛制：战队赛
    4/10 每支战队最多几人？
    [5 人] [10 人] [20 人]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 8
    ✓ 战队人数上限：8 人
    5/10 新朋友做到什么才算数？
    [进群并留下] [完成首单]
    [进群就算]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [进群并留下]
    ✓ 达标条件：进群并留下
    6/11 新朋友要在群里留满几天？
    [1 天] [3 天] [7 天]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 3天
    ✓ 留满天数：3 天
    7/11 奖品怎么设（积分）？可以选一个，也可以自己写，例如「1: 1000, 2-3: 500」；「满10人: 200」表示带满 10 人都得 \
    200。
    • 第 1 名 1,000 积分；第 2–3 名各 500 积分；第 4–10 名各 100 积分
    • 第 1 名 500 积分；第 2 名 300 积分；第 3 名 200 积分
    • 带满 10 人得 200 积分（限前 100 位）
    [方案 1] [方案 2] [方案 3]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 一辆车
    没看懂奖品设置。请写成「1: 1000, 2-3: 500」，或「满10人: 200」。
    7/11 奖品怎么设（积分）？可以选一个，也可以自己写，例如「1: 1000, 2-3: 500」；「满10人: 200」表示带满 10 人都得 \
    200。
    • 第 1 名 1,000 积分；第 2–3 名各 500 积分；第 4–10 名各 100 积分
    • 第 1 名 500 积分；第 2 名 300 积分；第 3 名 200 积分
    • 带满 10 人得 200 积分（限前 100 位）
    [方案 1] [方案 2] [方案 3]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 第1名: 1000，1-3: 500
    有名次设了两份奖品，请每个名次只设一份。
    7/11 奖品怎么设（积分）？可以选一个，也可以自己写，例如「1: 1000, 2-3: 500」；「满10人: 200」表示带满 10 人都得 \
    200。
    • 第 1 名 1,000 积分；第 2–3 名各 500 积分；第 4–10 名各 100 积分
    • 第 1 名 500 积分；第 2 名 300 积分；第 3 名 200 积分
    • 带满 10 人得 200 积分（限前 100 位）
    [方案 1] [方案 2] [方案 3]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 第1名: 1000，第2-3名: 500，满10人: 20
    ✓ 奖品设置：第 1 名 1,000 积分；第 2–3 名各 500 积分；带满 10 人得 20 积分（限前 100 位）
    8/11 除了名次奖，每带来一位达标新朋友另外给积分吗？
    [不给] [10 积分] [20 积分]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [10 积分]
    ✓ 每位新朋友另得：10 积分
    9/12 预算要留给多少位新朋友？
    [50 人] [100 人] [500 人]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> 50
    ✓ 预算人数：50 人
    10/12 什么时候开始？可以直接选，也可以说「今晚8点」「下周五18:00」「12月1日 20:00」。
    [立即开始]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [立即开始]
    ✓ 开始时间：立即开始
    11/12 办多久？可以直接选，也可以说天数或结束时间，比如「10天」「12月31日 22:00」。
    [7 天] [14 天] [30 天]
    [其余用默认设置]
    [← 上一步] [先到这里]
    Carol> [7 天]
    ✓ 结束时间：2026年3月9日 星期一 12:00（北京时间），共 7 天
    12/12 发一张图放到海报上。跳过就用品牌配色的默认海报。
    [跳过]
    [← 上一步] [先到这里]
    Carol> [跳过]
    带货之星 · 拉新大赛，上线前请核对：
    • 赛制：战队赛
    • 战队人数上限：8 人
    • 达标条件：进群并留下
    • 留满天数：3 天
    • 奖品设置：第 1 名 1,000 积分；第 2–3 名各 500 积分；带满 10 人得 20 积分（限前 100 位）
    • 每位新朋友另得：10 积分
    • 预算人数：50 人
    • 开始时间：立即开始
    • 结束时间：2026年3月9日 星期一 12:00（北京时间），共 7 天
    💰 最多花费 4,500 积分，超出部分系统不会发放。
    都准备好了。上线前成员看不到任何内容。
    [🚀 立即上线] [定时上线]
    [👀 预览海报和公告]
    [✏️ 修改] [存为草稿]
    [删除草稿]
    Carol> [🚀 立即上线]
    🎉 带货之星 已开赛，2026年3月9日 星期一 12:00（北京时间） 结束。发送「排行榜」查看实时榜单。
    [我的邀请链接] [活动列表]
    """,
)
async def test_a_contest_of_teams(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, campaign=False) as town:
        await town.play(script)
