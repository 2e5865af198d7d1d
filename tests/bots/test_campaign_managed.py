"""Staff run a campaign from the chat: its figures, its end, its budget, its words, once more, and as a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from referral import audit, members, staff
from referral.brands import Community, community_of_group
from referral.campaigns import find_campaign
from referral.members import Membership
from referral.trials import applications
from tests.bots.serum import open_trial
from tests.dialogue import Town, in_both, open_town
from tests.house import person


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    Carol> /campaign
    Campaigns of Acme Tea
    Spring tea · referral · running · until May 31, 12:00
    1 came, 0 counted
    [Spring tea · running]
    [New campaign]
    Carol> [Spring tea · running]
    Spring tea · referral · running
    Until May 31, 12:00, 89 days left
    Invitations used 1 → came 1 → in the group 1 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Pause] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Carol> [Pause]
    Spring tea is paused. Friends already on the way go on; nobody new is counted.
    Spring tea · referral · paused
    Until May 31, 12:00, 89 days left
    Invitations used 1 → came 1 → in the group 1 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Resume] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Carol> [Pause]
    This is no longer possible: somebody was faster, or the campaign is already in another state.
    Carol> [Resume]
    Spring tea runs again.
    Spring tea · referral · running
    Until May 31, 12:00, 89 days left
    Invitations used 1 → came 1 → in the group 1 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Pause] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Carol> [Extend]
    (1/2) Spring tea ends on Sunday, May 31, 2026, 12:00 (China Standard Time). How long should it go on? Choose, \
    or write a day and time, such as “next Friday 18:00”.
    [+7 days] [+14 days]
    [+30 days]
    [Stop here]
    Carol> yesterday
    We can’t tell when that is. Write a day and an hour, such as “next Friday 18:00” or “Dec 1 20:00”.
    (1/2) Spring tea ends on Sunday, May 31, 2026, 12:00 (China Standard Time). How long should it go on? Choose, \
    or write a day and time, such as “next Friday 18:00”.
    [+7 days] [+14 days]
    [+30 days]
    [Stop here]
    Carol> next Friday 18:00
    The new end must be later than the present one. To stop sooner, end the campaign.
    (1/2) Spring tea ends on Sunday, May 31, 2026, 12:00 (China Standard Time). How long should it go on? Choose, \
    or write a day and time, such as “next Friday 18:00”.
    [+7 days] [+14 days]
    [+30 days]
    [Stop here]
    Carol> [+7 days]
    (2/2) Spring tea will end on Sunday, June 7, 2026, 12:00 (China Standard Time). Right?
    [Yes]
    [← Back] [Stop here]
    Carol> [Yes]
    ✅ It now ends on Sunday, June 7, 2026, 12:00 (China Standard Time).
    Spring tea · referral · running
    Until Jun 7, 12:00, 96 days left
    Invitations used 1 → came 1 → in the group 1 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Pause] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Carol> [Yes]
    This button is no longer in use. Say /help to go on.
    Carol> [Raise budget]
    (1/2) The budget of Spring tea is 3,000 points. How much should be added (points)?
    [Stop here]
    Carol> nothing
    Please answer with a whole number.
    (1/2) The budget of Spring tea is 3,000 points. How much should be added (points)?
    [Stop here]
    Carol> 2000
    (2/2) The budget of Spring tea goes from 3,000 points to 5,000 points. Right?
    [Yes]
    [← Back] [Stop here]
    Carol> back
    (1/2) The budget of Spring tea is 3,000 points. How much should be added (points)?
    [Stop here]
    Carol> 1000
    (2/2) The budget of Spring tea goes from 3,000 points to 4,000 points. Right?
    [Yes]
    [← Back] [Stop here]
    Carol> [Yes]
    ✅ 1,000 points added to the budget.
    Spring tea · referral · running
    Until Jun 7, 12:00, 96 days left
    Invitations used 1 → came 1 → in the group 1 → counted 0
    Budget 4,000 points: 0 points spent, 4,000 points left
    [Pause] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Carol> [Export]
    (file: Campaign file)
    Spring tea as a file. Pasted to me here or in another installation, it makes the same campaign.
    (file: Campaign statement)
    The statement of Spring tea: what its budget was given, promised and paid.
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    Carol> 活动
    茶里 的活动
    春茶会 · 老带新 · 进行中 · 截止 5月31日 12:00
    来了 1 位，算数 0 位
    [春茶会 · 进行中]
    [新建活动]
    Carol> [春茶会 · 进行中]
    春茶会 · 老带新 · 进行中
    截止 5月31日 12:00，还剩 89 天
    邀请触达 1 次 → 来了 1 位 → 进群 1 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [暂停] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Carol> [暂停]
    春茶会 已暂停。进行中的朋友继续计算，暂不计入新朋友。
    春茶会 · 老带新 · 已暂停
    截止 5月31日 12:00，还剩 89 天
    邀请触达 1 次 → 来了 1 位 → 进群 1 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [恢复] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Carol> [暂停]
    现在不能这样操作：可能别人已经操作过，或活动状态已改变。
    Carol> [恢复]
    春茶会 已恢复。
    春茶会 · 老带新 · 进行中
    截止 5月31日 12:00，还剩 89 天
    邀请触达 1 次 → 来了 1 位 → 进群 1 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [暂停] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Carol> [延长]
    1/2 春茶会 目前截止 2026年5月31日 星期日 12:00（北京时间）。延长到什么时候？点选，或写个时间，如「下周五18:00」。
    [+7 天] [+14 天] [+30 天]
    [先到这里]
    Carol> 昨天
    没看懂是什么时间。请写清日期和钟点，例如“下周五18:00”或“12月1日20:00”。
    1/2 春茶会 目前截止 2026年5月31日 星期日 12:00（北京时间）。延长到什么时候？点选，或写个时间，如「下周五18:00」。
    [+7 天] [+14 天] [+30 天]
    [先到这里]
    Carol> 下周五18:00
    新的截止时间要晚于现在的截止时间。想提前停止，请直接结束活动。
    1/2 春茶会 目前截止 2026年5月31日 星期日 12:00（北京时间）。延长到什么时候？点选，或写个时间，如「下周五18:00」。
    [+7 天] [+14 天] [+30 天]
    [先到这里]
    Carol> 6月30日晚上8点
    2/2 春茶会 将延长到 2026年6月30日 星期二 20:00（北京时间），确认吗？
    [确认]
    [← 上一步] [先到这里]
    Carol> [确认]
    ✅ 已延长到 2026年6月30日 星期二 20:00（北京时间）。
    春茶会 · 老带新 · 进行中
    截止 6月30日 20:00，还剩 120 天
    邀请触达 1 次 → 来了 1 位 → 进群 1 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [暂停] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Carol> [确认]
    这个按钮已经失效，发送「帮助」继续。
    Carol> [加预算]
    1/2 春茶会 目前的预算是 3,000 积分。再加多少（积分）？
    [先到这里]
    Carol> 很多
    请回答一个整数。
    1/2 春茶会 目前的预算是 3,000 积分。再加多少（积分）？
    [先到这里]
    Carol> 2000
    2/2 春茶会 的预算将从 3,000 积分 增加到 5,000 积分，确认吗？
    [确认]
    [← 上一步] [先到这里]
    Carol> 返回
    1/2 春茶会 目前的预算是 3,000 积分。再加多少（积分）？
    [先到这里]
    Carol> 1000
    2/2 春茶会 的预算将从 3,000 积分 增加到 4,000 积分，确认吗？
    [确认]
    [← 上一步] [先到这里]
    Carol> [确认]
    ✅ 预算已增加 1,000 积分。
    春茶会 · 老带新 · 进行中
    截止 6月30日 20:00，还剩 120 天
    邀请触达 1 次 → 来了 1 位 → 进群 1 位 → 算数 0 位
    预算 4,000 积分：已用 0 积分，剩余 4,000 积分
    [暂停] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Carol> [导出]
    (file: 活动文件)
    春茶会 的活动文件。把内容粘贴给我，或导入其他部署，就能得到同样的活动。
    (file: 活动对账表)
    春茶会 的对账表：预算、发放和打款明细。
    """,
)
async def test_figures_end_and_budget(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)
        acts = [entry.act for entry in town.do(lambda s: audit.entries_of(s, town.brand.id, subject="spring"))]
        assert acts == [
            "campaign.export",
            "campaign.budget",
            "campaign.extend",
            "campaign.resume",
            "campaign.pause",
        ]
        assert town.do(lambda s: audit.verify_chain(s, town.brand.id)) == []


@in_both(
    en="""
    Carol> /campaign edit spring
    What should change in Spring tea?
    [Name (中文)]
    [Name (English)]
    [What the friend gets, in words (中文)]
    [What the friend gets, in words (English)]
    [Reward of who invites]
    [Reward of the new friend]
    [Extend]
    Carol> [Name (English)]
    (1/2) Name (English) of Spring tea: Spring tea
    What should it be?
    [Stop here]
    Carol> rewards
    (2/2) Name (English) of Spring tea:
    Spring tea → rewards
    Right?
    [Yes]
    [← Back] [Stop here]
    Carol> [Yes]
    ✅ Name (English) changed; this is version 2.
    rewards · referral · running
    Until May 31, 12:00, 89 days left
    Invitations used 0 → came 0 → in the group 0 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Pause] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Carol> [Edit]
    What should change in rewards?
    [Name (中文)]
    [Name (English)]
    [What the friend gets, in words (中文)]
    [What the friend gets, in words (English)]
    [Reward of who invites]
    [Reward of the new friend]
    [Extend]
    Carol> [Reward of the new friend]
    (1/2) Reward of the new friend of rewards: 50 points
    What should it be?
    [Stop here]
    Carol> a lot
    Please answer with a whole number.
    (1/2) Reward of the new friend of rewards: 50 points
    What should it be?
    [Stop here]
    Carol> 4000
    (2/2) Reward of the new friend of rewards:
    50 points → 4,000 points
    It holds for friends who come from now on; those already here are paid as they were promised. Right?
    [Yes]
    [← Back] [Stop here]
    Carol> [Yes]
    This cannot be done:
    • The budget in PTS does not cover one reward; make it at least 4,100 points.
    rewards · referral · running
    Until May 31, 12:00, 89 days left
    Invitations used 0 → came 0 → in the group 0 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Pause] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Carol> [Run again]
    (1/2) When should a new campaign like rewards start? Choose, or write a day and time, such as “tomorrow 8pm”.
    [Now]
    [Stop here]
    Carol> tomorrow 8pm
    (2/2) Another campaign like rewards:
    • starts Tuesday, March 3, 2026, 20:00 (China Standard Time)
    • ends Tuesday, June 2, 2026, 12:00 (China Standard Time)
    • sets aside 3,000 points
    Launch it?
    [Yes]
    [← Back] [Stop here]
    Carol> [Yes]
    ✅ rewards once more, as spring-2.
    rewards · referral · scheduled
    Starts Mar 3, 20:00
    Invitations used 0 → came 0 → in the group 0 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Carol> /campaign
    Campaigns of Acme Tea
    rewards · referral · scheduled · until Jun 2, 12:00
    0 came, 0 counted
    rewards · referral · running · until May 31, 12:00
    0 came, 0 counted
    [rewards · scheduled]
    [rewards · running]
    [New campaign]
    Carol> /campaign end spring
    End rewards now? Nobody is on the way. This cannot be undone.
    [Yes, end it]
    Carol> [Yes, end it]
    rewards has ended.
    rewards · referral · ended
    Ended Mar 2, 12:00
    Invitations used 0 → came 0 → in the group 0 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Run again] [Export]
    [← All campaigns]
    Carol> [Edit]
    What should change in rewards?
    [Name (中文)]
    [Name (English)]
    [What the friend gets, in words (中文)]
    [What the friend gets, in words (English)]
    [Reward of who invites]
    [Reward of the new friend]
    [Extend]
    Carol> /campaign extend spring
    the campaign spring is over and cannot be changed
    rewards · referral · ended
    Ended Mar 2, 12:00
    Invitations used 0 → came 0 → in the group 0 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Run again] [Export]
    [← All campaigns]
    """,
    zh="""
    Carol> 活动 修改 spring
    要修改 春茶会 的哪一项？
    [名称（中文）]
    [名称（English）]
    [好友福利文案（中文）]
    [好友福利文案（English）]
    [推荐人奖励]
    [新朋友奖励]
    [延长]
    Carol> [名称（中文）]
    1/2 春茶会 的名称（中文）目前是：春茶会
    改成什么？
    [先到这里]
    Carol> 奖励
    2/2 春茶会 的名称（中文）：
    春茶会 → 奖励
    确认吗？
    [确认]
    [← 上一步] [先到这里]
    Carol> [确认]
    ✅ 名称（中文）已修改，现在是第 2 版。
    奖励 · 老带新 · 进行中
    截止 5月31日 12:00，还剩 89 天
    邀请触达 0 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [暂停] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Carol> [修改]
    要修改 奖励 的哪一项？
    [名称（中文）]
    [名称（English）]
    [好友福利文案（中文）]
    [好友福利文案（English）]
    [推荐人奖励]
    [新朋友奖励]
    [延长]
    Carol> [新朋友奖励]
    1/2 奖励 的新朋友奖励目前是：50 积分
    改成什么？
    [先到这里]
    Carol> 很多
    请回答一个整数。
    1/2 奖励 的新朋友奖励目前是：50 积分
    改成什么？
    [先到这里]
    Carol> 4000
    2/2 奖励 的新朋友奖励：
    50 积分 → 4,000 积分
    之后来的朋友按新的发，已经来的仍按原来的发。确认吗？
    [确认]
    [← 上一步] [先到这里]
    Carol> [确认]
    无法这样改：
    • PTS 预算不够发一次奖励，至少要有 4,100 积分。
    奖励 · 老带新 · 进行中
    截止 5月31日 12:00，还剩 89 天
    邀请触达 0 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [暂停] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Carol> [再开一期]
    1/2 照着 奖励 再开一期，什么时候开始？点选，或直接写时间，例如「明天晚上8点」。
    [现在]
    [先到这里]
    Carol> 明天晚上8点
    2/2 照 奖励 再开一期：
    • 开始：2026年3月3日 星期二 20:00（北京时间）
    • 结束：2026年6月2日 星期二 12:00（北京时间）
    • 预算：3,000 积分
    确认开始吗？
    [确认]
    [← 上一步] [先到这里]
    Carol> [确认]
    ✅ 已再开一期 奖励（spring-2）。
    奖励 · 老带新 · 待开始
    3月3日 20:00 开始
    邀请触达 0 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Carol> 活动
    茶里 的活动
    奖励 · 老带新 · 待开始 · 截止 6月2日 12:00
    来了 0 位，算数 0 位
    奖励 · 老带新 · 进行中 · 截止 5月31日 12:00
    来了 0 位，算数 0 位
    [奖励 · 待开始]
    [奖励 · 进行中]
    [新建活动]
    Carol> 活动 结束 spring
    现在结束 奖励 吗？目前没有进行中的朋友。此操作无法撤销。
    [确定结束]
    Carol> [确定结束]
    奖励 已结束。
    奖励 · 老带新 · 已结束
    3月2日 12:00 结束
    邀请触达 0 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [再开一期] [导出]
    [← 全部活动]
    Carol> [修改]
    要修改 奖励 的哪一项？
    [名称（中文）]
    [名称（English）]
    [好友福利文案（中文）]
    [好友福利文案（English）]
    [推荐人奖励]
    [新朋友奖励]
    [延长]
    Carol> 活动 延长 spring
    活动 spring 已结束，不能再改
    奖励 · 老带新 · 已结束
    3月2日 12:00 结束
    邀请触达 0 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [再开一期] [导出]
    [← 全部活动]
    """,
)
async def test_changed_and_once_more(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


def _manager(town: Town, name: str) -> None:
    def give(session: Session) -> None:
        known = members.meet(session, town.brand.id, [person(name, "webchat")], [clock.now()], "message")[0]
        staff.give(session, town.brand.id, known.member_id, "manager", "operator")

    town.do(give)


@in_both(
    en="""
    (Mei is a manager.)
    Mei> /campaign budget spring
    (1/2) The budget of Spring tea is 3,000 points. How much should be added (points)?
    [Stop here]
    Mei> 500
    (2/2) The budget of Spring tea goes from 3,000 points to 3,500 points. Right?
    [Yes]
    [← Back] [Stop here]
    Carol> /campaign extend spring
    (1/2) Spring tea ends on Sunday, May 31, 2026, 12:00 (China Standard Time). How long should it go on? Choose, \
    or write a day and time, such as “next Friday 18:00”.
    [+7 days] [+14 days]
    [+30 days]
    [Stop here]
    Carol> [+7 days]
    (2/2) Spring tea will end on Sunday, June 7, 2026, 12:00 (China Standard Time). Right?
    [Yes]
    [← Back] [Stop here]
    Carol> [Yes]
    ✅ It now ends on Sunday, June 7, 2026, 12:00 (China Standard Time).
    Spring tea · referral · running
    Until Jun 7, 12:00, 96 days left
    Invitations used 0 → came 0 → in the group 0 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Pause] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Mei> [Yes]
    ⚠️ Nothing was changed: Carol was faster and let it end later (Mar 2, 12:00). This is how it stands now; \
    please look at it again.
    Spring tea · referral · running
    Until Jun 7, 12:00, 96 days left
    Invitations used 0 → came 0 → in the group 0 → counted 0
    Budget 3,000 points: 0 points spent, 3,000 points left
    [Pause] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Mei> [Raise budget]
    (1/2) The budget of Spring tea is 3,000 points. How much should be added (points)?
    [Stop here]
    Mei> 500
    (2/2) The budget of Spring tea goes from 3,000 points to 3,500 points. Right?
    [Yes]
    [← Back] [Stop here]
    Mei> [Yes]
    ✅ 500 points added to the budget.
    Spring tea · referral · running
    Until Jun 7, 12:00, 96 days left
    Invitations used 0 → came 0 → in the group 0 → counted 0
    Budget 3,500 points: 0 points spent, 3,500 points left
    [Pause] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    """,
    zh="""
    (Mei is a manager.)
    Mei> 活动 加预算 spring
    1/2 春茶会 目前的预算是 3,000 积分。再加多少（积分）？
    [先到这里]
    Mei> 500
    2/2 春茶会 的预算将从 3,000 积分 增加到 3,500 积分，确认吗？
    [确认]
    [← 上一步] [先到这里]
    Carol> 活动 延长 spring
    1/2 春茶会 目前截止 2026年5月31日 星期日 12:00（北京时间）。延长到什么时候？点选，或写个时间，如「下周五18:00」。
    [+7 天] [+14 天] [+30 天]
    [先到这里]
    Carol> [+7 天]
    2/2 春茶会 将延长到 2026年6月7日 星期日 12:00（北京时间），确认吗？
    [确认]
    [← 上一步] [先到这里]
    Carol> [确认]
    ✅ 已延长到 2026年6月7日 星期日 12:00（北京时间）。
    春茶会 · 老带新 · 进行中
    截止 6月7日 12:00，还剩 96 天
    邀请触达 0 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [暂停] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Mei> [确认]
    ⚠️ 没有改动：Carol 已经抢先延长了活动（3月2日 12:00）。下面是最新情况，请看过再改。
    春茶会 · 老带新 · 进行中
    截止 6月7日 12:00，还剩 96 天
    邀请触达 0 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    预算 3,000 积分：已用 0 积分，剩余 3,000 积分
    [暂停] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Mei> [加预算]
    1/2 春茶会 目前的预算是 3,000 积分。再加多少（积分）？
    [先到这里]
    Mei> 500
    2/2 春茶会 的预算将从 3,000 积分 增加到 3,500 积分，确认吗？
    [确认]
    [← 上一步] [先到这里]
    Mei> [确认]
    ✅ 预算已增加 500 积分。
    春茶会 · 老带新 · 进行中
    截止 6月7日 12:00，还剩 96 天
    邀请触达 0 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    预算 3,500 积分：已用 0 积分，剩余 3,500 积分
    [暂停] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    """,
)
async def test_two_at_once_the_second_looks_again(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        town.stage["Mei is a manager."] = lambda: _manager(town, "Mei")
        await town.play(script)


@pytest.mark.parametrize("locale", ["en", "zh"])
async def test_a_file_goes_out_and_comes_back(tmp_path: Path, locale: str) -> None:
    async with open_town(tmp_path, locale) as town:
        yes = "[Yes]" if locale == "en" else "[确认]"
        file, sheet = await town.say("Carol", "/campaign export spring")
        assert file.image is not None
        assert sheet.image is not None
        assert sheet.image.draw()[:2] == b"PK"
        text = file.image.draw().decode()
        same = await town.ask("Carol", text)
        assert yes in same
        unchanged = await town.ask("Carol", yes)
        assert ("already as the file says" if locale == "en" else "没有改动") in unchanged
        other = text.replace('slug = "spring"', 'slug = "summer"')
        await town.ask("Carol", "/campaign apply")
        assert yes in await town.ask("Carol", other)
        made = await town.ask("Carol", yes)
        assert ("Launched from the file" if locale == "en" else "已按文件创建活动") in made
        assert town.campaign("summer").state == "running"
        wrong = await town.ask("Carol", text.replace("budget = 3000", 'budget = "lots"'))
        assert "rewards.budget" in wrong
        await town.ask("Carol", "/campaign apply")
        again = await town.ask("Carol", "rewards are fine\nslug = 3")
        assert ("Line by line" if locale == "en" else "各行问题") in again
        assert "1: " in again
        await town.ask("Carol", "cancel")
        stranger = await town.ask("Alice", text)
        assert ("Only admins" if locale == "en" else "只有群管理员") in stranger


@in_both(
    en="""
    Zoe> /campaign
    Only admins of the group can manage campaigns.
    (The group is Zoe's, a partner's.)
    Alice invites Bob.
    Bob joins.
    Zoe> /campaign
    What came of your group for Acme Tea
    Spring tea · running
    Tea lovers: 1 came, 0 counted
    Zoe> /campaign end spring
    Only admins of the group can manage campaigns.
    """,
    zh="""
    Zoe> 活动
    只有群管理员可以管理活动。
    (The group is Zoe's, a partner's.)
    Alice invites Bob.
    Bob joins.
    Zoe> 活动
    你的群为「茶里」带来的数据
    春茶会 · 进行中
    爱茶的人：来了 1 位，算数 0 位
    Zoe> 活动 结束 spring
    只有群管理员可以管理活动。
    """,
)
async def test_a_partner_sees_what_came_of_the_own_group(
    tmp_path: Path, locale: str, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_town(tmp_path, locale) as town:

        def partner() -> None:
            def make(session: Session) -> None:
                found = community_of_group(session, "webchat", "tea")
                assert isinstance(found, Community)
                found.partner = True

            town.do(make)
            monkeypatch.setattr(town.chat, "is_admin", _zoe_runs_tea)

        town.stage["The group is Zoe's, a partner's."] = partner
        await town.play(script)


async def _zoe_runs_tea(group: str, account: str) -> bool:
    return (group, account) == ("tea", "zoe")


@in_both(
    en="""
    (Bob applies and gets the place.)
    Carol> /campaign show serum
    Night serum trial · trial · running
    Until Mar 16, 12:00, 13 days left
    Invitations used 0 → came 0 → in the group 0 → counted 0
    Places 1 of 1 given away
    Applied 1 → approved 1 → taken 0 → delivered 0 → feedback 0 → bought 0
    Budget 1,000 points: 0 points spent, 1,000 points left
    [Pause] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Carol> [Raise budget]
    Which budget of Night serum trial should grow?
    [points]
    [Night serum]
    Carol> [Night serum]
    (1/2) The budget of Night serum trial is 1 × Night serum. How much should be added (Night serum)?
    [Stop here]
    Carol> 5
    (2/2) The budget of Night serum trial goes from 1 × Night serum to 6 × Night serum. Right?
    [Yes]
    [← Back] [Stop here]
    Carol> [Yes]
    ✅ 5 × Night serum added to the budget.
    Night serum trial · trial · running
    Until Mar 16, 12:00, 13 days left
    Invitations used 0 → came 0 → in the group 0 → counted 0
    Places 1 of 6 given away
    Applied 1 → approved 1 → taken 0 → delivered 0 → feedback 0 → bought 0
    Budget 1,000 points: 0 points spent, 1,000 points left
    [Pause] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Carol> [Run again]
    (1/2) When should a new campaign like Night serum trial start? Choose, or write a day and time, such as \
    “tomorrow 8pm”.
    [Now]
    [Stop here]
    Carol> next Monday 10:00
    (2/2) Another campaign like Night serum trial:
    • starts Monday, March 9, 2026, 10:00 (China Standard Time)
    • ends Tuesday, March 24, 2026, 12:00 (China Standard Time)
    • sets aside 1,000 points + 6 × Night serum
    Launch it?
    [Yes]
    [← Back] [Stop here]
    Carol> [Yes]
    ✅ Night serum trial once more, as serum-2.
    Night serum trial · trial · scheduled
    Starts Mar 9, 10:00
    Invitations used 0 → came 0 → in the group 0 → counted 0
    Places 0 of 6 given away
    Applied 0 → approved 0 → taken 0 → delivered 0 → feedback 0 → bought 0
    Budget 1,000 points: 0 points spent, 1,000 points left
    [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    """,
    zh="""
    (Bob applies and gets the place.)
    Carol> 活动 查看 serum
    夜间精华试用 · 新品试用 · 进行中
    截止 3月16日 12:00，还剩 13 天
    邀请触达 0 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    名额已用 1/1
    申请 1 → 通过 1 → 领取 0 → 送达 0 → 反馈 0 → 购买 0
    预算 1,000 积分：已用 0 积分，剩余 1,000 积分
    [暂停] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Carol> [加预算]
    给 夜间精华试用 的哪项预算加量？
    [积分]
    [夜间精华]
    Carol> [夜间精华]
    1/2 夜间精华试用 目前的预算是 1 × 夜间精华。再加多少（夜间精华）？
    [先到这里]
    Carol> 5
    2/2 夜间精华试用 的预算将从 1 × 夜间精华 增加到 6 × 夜间精华，确认吗？
    [确认]
    [← 上一步] [先到这里]
    Carol> [确认]
    ✅ 预算已增加 5 × 夜间精华。
    夜间精华试用 · 新品试用 · 进行中
    截止 3月16日 12:00，还剩 13 天
    邀请触达 0 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    名额已用 1/6
    申请 1 → 通过 1 → 领取 0 → 送达 0 → 反馈 0 → 购买 0
    预算 1,000 积分：已用 0 积分，剩余 1,000 积分
    [暂停] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Carol> [再开一期]
    1/2 照着 夜间精华试用 再开一期，什么时候开始？点选，或直接写时间，例如「明天晚上8点」。
    [现在]
    [先到这里]
    Carol> 下周一上午10点
    2/2 照 夜间精华试用 再开一期：
    • 开始：2026年3月9日 星期一 10:00（北京时间）
    • 结束：2026年3月24日 星期二 12:00（北京时间）
    • 预算：1,000 积分 + 6 × 夜间精华
    确认开始吗？
    [确认]
    [← 上一步] [先到这里]
    Carol> [确认]
    ✅ 已再开一期 夜间精华试用（serum-2）。
    夜间精华试用 · 新品试用 · 待开始
    3月9日 10:00 开始
    邀请触达 0 次 → 来了 0 位 → 进群 0 位 → 算数 0 位
    名额已用 0/6
    申请 0 → 通过 0 → 领取 0 → 送达 0 → 反馈 0 → 购买 0
    预算 1,000 积分：已用 0 积分，剩余 1,000 积分
    [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    """,
)
async def test_a_trial_has_its_steps_and_its_places(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, campaign=False) as town:
        open_trial(town)
        town.stage["Bob applies and gets the place."] = lambda: _applies(town, "Bob")
        await town.play(script)


def _applies(town: Town, name: str) -> None:
    def unit(session: Session) -> None:
        known = members.meet(session, town.brand.id, [person(name, "webchat")], [clock.now()], "message")[0]
        applications.apply(session, find_campaign(session, town.brand.id, "serum"), known.member_id, {})

    town.do(unit)


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    Carol> /campaign show spring
    Spring tea · contest · running
    Until May 31, 12:00, 89 days left
    Invitations used 1 → came 1 → in the group 1 → counted 1
    🥇 Alice · 1 friend · 🎁 300 points
    Budget 1,000 points: 0 points spent, 1,000 points left
    [Pause] [End]
    [Extend] [Raise budget]
    [Edit] [Run again] [Export]
    [← All campaigns]
    Carol> [End]
    End Spring tea now? Nobody is on the way. This cannot be undone.
    [Yes, end it]
    Carol> [Yes, end it]
    Spring tea has ended.
    Spring tea · contest · ended
    Ended Mar 2, 12:00
    Invitations used 1 → came 1 → in the group 1 → counted 1
    🕓 The contest is over. This board becomes final on Mar 3, 12:00; if something is wrong, tell an admin before \
    then.
    🥇 Alice · 1 friend · 🎁 300 points
    Budget 1,000 points: 0 points spent, 1,000 points left
    [Run again] [Export]
    [← All campaigns]
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    Carol> 活动 查看 spring
    春茶会 · 拉新大赛 · 进行中
    截止 5月31日 12:00，还剩 89 天
    邀请触达 1 次 → 来了 1 位 → 进群 1 位 → 算数 1 位
    🥇 Alice · 1 位 · 🎁 300 积分
    预算 1,000 积分：已用 0 积分，剩余 1,000 积分
    [暂停] [结束]
    [延长] [加预算]
    [修改] [再开一期] [导出]
    [← 全部活动]
    Carol> [结束]
    现在结束 春茶会 吗？目前没有进行中的朋友。此操作无法撤销。
    [确定结束]
    Carol> [确定结束]
    春茶会 已结束。
    春茶会 · 拉新大赛 · 已结束
    3月2日 12:00 结束
    邀请触达 1 次 → 来了 1 位 → 进群 1 位 → 算数 1 位
    🕓 比赛已结束，榜单公示中，3月3日 12:00 定格。如有异议，请在此之前联系管理员。
    🥇 Alice · 1 位 · 🎁 300 积分
    预算 1,000 积分：已用 0 积分，剩余 1,000 积分
    [再开一期] [导出]
    [← 全部活动]
    """,
)
async def test_a_contest_has_its_first_places(tmp_path: Path, locale: str, script: str) -> None:
    rewards = {"budget": 1000, "prizes": [{"first": 1, "last": 1, "amount": 300}]}
    joined = {"event": "joined"}
    async with open_town(
        tmp_path, locale, campaign__kind="contest", contest={}, qualify=joined, rewards=rewards
    ) as town:
        await town.play(script)


@pytest.mark.parametrize(
    "words",
    [
        "budget spring 7",
        "budget spring " + "9" * 5000,
        "budget spring ²",
        "edit spring 99",
        "edit spring " + "9" * 5000,
        "edit spring -1",
        "duplicate nosuch",
        "show",
        "extend spring \x00",
        "apply [",
        "apply [campaign]\nslug = 5",
        "export spring spring",
    ],
)
async def test_odd_words_are_answered_and_change_nothing(tmp_path: Path, words: str) -> None:
    async with open_town(tmp_path) as town:
        said = await town.ask("Carol", f"/campaign {words}")
        assert said
        assert "went wrong" not in said
        assert town.campaign().version == 1


async def test_a_friend_with_two_accounts_in_a_partners_group_came_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_town(tmp_path) as town:
        await town.say("Alice", "/invite")
        await town.say("Bob", "/join <Alice's code>")
        await town.chat.join(town.person("Bob"), "tea")

        def second_account(session: Session) -> None:
            found = community_of_group(session, "webchat", "tea")
            assert isinstance(found, Community)
            found.partner = True
            here = (col(Membership.community_id) == found.id, col(Membership.account) == "bob")
            bob = session.scalars(select(Membership).where(*here)).one()
            again = bob.model_dump(include={"brand_id", "community_id", "member_id", "joined_at"})
            session.add(Membership(account="bob2", **again))

        town.do(second_account)
        monkeypatch.setattr(town.chat, "is_admin", _zoe_runs_tea)
        assert "Tea lovers: 1 came, 0 counted" in await town.ask("Zoe", "/campaign")
