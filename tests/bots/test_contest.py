"""A contest in the chat: the board with its prizes, teams, the final, and what a decision changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from core import i18n
from referral.campaigns import find_campaign
from referral.contests import decisions
from referral.members import Identity
from tests.dialogue import NOON, Town, in_both, open_town

PRIZES = [
    {"first": 1, "last": 1, "amount": 300},
    {"first": 2, "last": 3, "amount": 100},
    {"reach": 2, "winners": 5, "amount": 20},
]


def a_contest(**terms: Any) -> dict[str, Any]:
    """What is different in the town's campaign: it is a contest of a week, counts joins, and has prizes."""
    return {
        "campaign__kind": "contest",
        "campaign__title": {"en": "Spring race", "zh_Hans": "春季拉新大赛"},
        "campaign__ends_at": NOON + timedelta(days=7),
        "qualify": {"event": "joined"},
        "rewards": {"budget": 1000, "prizes": PRIZES},
        "contest": terms,
    }


def judged(town: Town, account: str, act: Callable[..., Any], reason: str) -> Callable[[], object]:
    """Carol decides about somebody."""

    def unit(session: Session) -> None:
        found = select(Identity).where(col(Identity.account) == account)
        member = session.exec(found).one().member_id
        campaign = find_campaign(session, town.brand.id, "spring")
        act(session, campaign, member, reason=reason, actor="webchat:carol")

    return lambda: town.do(unit)


@in_both(
    en="""
    Alice> /leaderboard
    🏆 Spring race
    ⏳ 7 days to go, until Mar 9, 12:00.
    Nobody is on the board yet. The first place is free.
    You are not on the board yet: it takes one friend who counts. 1 more friend would win you 300 \
        points, as things stand.
    🎁 Prizes
    • Number 1: 300 points
    • Numbers 2 to 3: 100 points each
    • 2 friends, the first 5 to get there: 20 points
    Equal scores: whoever got there first is ahead.
    [My invite link]
    Alice invites Bob.
    Bob joins.
    Bob> /leaderboard
    🏆 Spring race
    ⏳ 7 days to go, until Mar 9, 12:00.
    🥇 Alice · 1 friend · 🎁 300 points
    You are not on the board yet: it takes one friend who counts. 1 more friend would win you 100 \
        points, as things stand.
    🎁 Prizes
    • Number 1: 300 points
    • Numbers 2 to 3: 100 points each
    • 2 friends, the first 5 to get there: 20 points
    Equal scores: whoever got there first is ahead.
    [My invite link]
    Bob invites Dora.
    Dora joins.
    Bob invites Eve.
    Eve joins.
    Alice> /leaderboard
    🏆 Spring race
    ⏳ 7 days to go, until Mar 9, 12:00.
    🥇 Bob · 2 friends · 🎁 320 points
    🥈 Alice · 1 friend ← you · 🎁 100 points
    1 more friend would win you 20 points, as things stand.
    🎁 Prizes
    • Number 1: 300 points
    • Numbers 2 to 3: 100 points each
    • 2 friends, the first 5 to get there: 20 points
    Equal scores: whoever got there first is ahead.
    [My invite link]
    Bob in the group> /leaderboard
    🏆 Spring race
    ⏳ 7 days to go, until Mar 9, 12:00.
    🥇 Bob · 2 friends ← you · 🎁 320 points
    🥈 Alice · 1 friend · 🎁 100 points
    🎁 Prizes
    • Number 1: 300 points
    • Numbers 2 to 3: 100 points each
    • 2 friends, the first 5 to get there: 20 points
    Equal scores: whoever got there first is ahead.
    [My invite link]
    Alice> /team
    There are no teams in this contest: everybody plays for themselves.
    [Leaderboard]
    7 days later:
    Fay> /leaderboard
    🏆 Spring race
    🕓 The contest is over. This board becomes final on Mar 10, 12:00; if something is wrong, tell an \
        admin before then.
    🥇 Bob · 2 friends · 🎁 320 points
    🥈 Alice · 1 friend · 🎁 100 points
    [My rewards]
    24 hours later:
    Alice hears:
    🏆 Spring race is decided: you came in at number 2 with 1 friend. You won 100 points.
    [Leaderboard] [My rewards]
    Bob hears:
    🏆 Spring race is decided: you came in at number 1 with 2 friends. You won 320 points.
    [Leaderboard] [My rewards]
    Fay hears:
    Fay> /leaderboard
    🏆 Spring race
    ✅ Final.
    🥇 Bob · 2 friends · 🎁 320 points
    🥈 Alice · 1 friend · 🎁 100 points
    [My rewards]
    Alice> /rewards
    Yours now: 100 points
    • Mar 10 · 100 points, a prize of Spring race: yours
    [Why?] [Statement] [Proof]
    (Bob is disqualified)
    Bob hears:
    We took back 320 points, because you were disqualified from the contest.
    [My rewards]
    You were disqualified from Spring race, and its final was computed anew. The reason, which \
        everybody may read: bought accounts. If this is a mistake, tell Acme Tea.
    [Leaderboard] [My rewards]
    Alice hears:
    🏆 The board of Spring race was computed anew after a decision: you are number 1 with 1 friend now. \
        Added for you: 200 points.
    [Leaderboard] [My rewards]
    Alice in the group> /leaderboard
    🏆 Spring race
    ✅ Final, revision 2: it was computed anew after a decision.
    🥇 Alice · 1 friend ← you · 🎁 300 points
    Disqualified:
    • Bob: bought accounts
    (Bob is reinstated)
    Bob hears:
    🏆 The board of Spring race was computed anew after a decision: you are number 1 with 2 friends now. \
        Added for you: 320 points.
    [Leaderboard] [My rewards]
    You are back in Spring race, and its final was computed anew: the friends are real.
    [Leaderboard] [My rewards]
    Alice hears:
    We took back 200 points, because the final board was computed anew after a decision.
    [My rewards]
    Alice in the group> /leaderboard
    🏆 Spring race
    ✅ Final, revision 3: it was computed anew after a decision.
    🥇 Bob · 2 friends · 🎁 320 points
    🥈 Alice · 1 friend ← you · 🎁 100 points
    """,
    zh="""
    Alice> 排行榜
    🏆 春季拉新大赛 排行榜
    ⏳ 还剩 7 天，3月9日 12:00 截止。
    榜上还没有人，第一名等你来拿。
    你还没有上榜，有一位朋友算数就能上榜。按目前的榜单，再邀请 1 位就能拿到 300 积分。
    🎁 奖品
    • 第 1 名：300 积分
    • 第 2–3 名：各得 100 积分
    • 邀满 2 位朋友（前 5 人）：20 积分
    人数相同，先达到的排前面。
    [我的邀请链接]
    Alice invites Bob.
    Bob joins.
    Bob> 排行榜
    🏆 春季拉新大赛 排行榜
    ⏳ 还剩 7 天，3月9日 12:00 截止。
    🥇 Alice · 1 位 · 🎁 300 积分
    你还没有上榜，有一位朋友算数就能上榜。按目前的榜单，再邀请 1 位就能拿到 100 积分。
    🎁 奖品
    • 第 1 名：300 积分
    • 第 2–3 名：各得 100 积分
    • 邀满 2 位朋友（前 5 人）：20 积分
    人数相同，先达到的排前面。
    [我的邀请链接]
    Bob invites Dora.
    Dora joins.
    Bob invites Eve.
    Eve joins.
    Alice> 排行榜
    🏆 春季拉新大赛 排行榜
    ⏳ 还剩 7 天，3月9日 12:00 截止。
    🥇 Bob · 2 位 · 🎁 320 积分
    🥈 Alice · 1 位 ← 你 · 🎁 100 积分
    按目前的榜单，再邀请 1 位就能拿到 20 积分。
    🎁 奖品
    • 第 1 名：300 积分
    • 第 2–3 名：各得 100 积分
    • 邀满 2 位朋友（前 5 人）：20 积分
    人数相同，先达到的排前面。
    [我的邀请链接]
    Bob in the group> 排行榜
    🏆 春季拉新大赛 排行榜
    ⏳ 还剩 7 天，3月9日 12:00 截止。
    🥇 Bob · 2 位 ← 你 · 🎁 320 积分
    🥈 Alice · 1 位 · 🎁 100 积分
    🎁 奖品
    • 第 1 名：300 积分
    • 第 2–3 名：各得 100 积分
    • 邀满 2 位朋友（前 5 人）：20 积分
    人数相同，先达到的排前面。
    [我的邀请链接]
    Alice> 战队
    这场大赛没有战队，各自上榜。
    [排行榜]
    7 days later:
    Fay> 排行榜
    🏆 春季拉新大赛 排行榜
    🕓 比赛已结束，榜单公示中，3月10日 12:00 定格。如有异议，请在此之前联系管理员。
    🥇 Bob · 2 位 · 🎁 320 积分
    🥈 Alice · 1 位 · 🎁 100 积分
    [我的奖励]
    24 hours later:
    Alice hears:
    🏆 春季拉新大赛 结果出炉：你邀请了 1 位朋友，获得第 2 名！你赢得 100 积分。
    [排行榜] [我的奖励]
    Bob hears:
    🏆 春季拉新大赛 结果出炉：你邀请了 2 位朋友，获得第 1 名！你赢得 320 积分。
    [排行榜] [我的奖励]
    Fay hears:
    Fay> 排行榜
    🏆 春季拉新大赛 排行榜
    ✅ 最终榜单。
    🥇 Bob · 2 位 · 🎁 320 积分
    🥈 Alice · 1 位 · 🎁 100 积分
    [我的奖励]
    Alice> 奖励
    可用：100 积分
    • 3月10日 · 100 积分，春季拉新大赛 奖品：可用
    [为什么？] [对账单] [凭证]
    (Bob is disqualified)
    Bob hears:
    320 积分 已扣回：你已被取消参赛资格。
    [我的奖励]
    你已被取消 春季拉新大赛 的参赛资格，最终榜单已重新计算。公开原因：刷小号。如有误会，请联系 茶里。
    [排行榜] [我的奖励]
    Alice hears:
    🏆 春季拉新大赛 的榜单经裁定重新计算：你现在是第 1 名（1 位朋友）。已为你补发 200 积分。
    [排行榜] [我的奖励]
    Alice in the group> 排行榜
    🏆 春季拉新大赛 排行榜
    ✅ 最终榜单（第 2 版，裁定后重新计算）。
    🥇 Alice · 1 位 ← 你 · 🎁 300 积分
    已取消资格：
    • Bob：刷小号
    (Bob is reinstated)
    Bob hears:
    🏆 春季拉新大赛 的榜单经裁定重新计算：你现在是第 1 名（2 位朋友）。已为你补发 320 积分。
    [排行榜] [我的奖励]
    你已恢复 春季拉新大赛 的参赛资格，最终榜单已重新计算：经核实为真实好友。
    [排行榜] [我的奖励]
    Alice hears:
    200 积分 已扣回：榜单经裁定重新计算。
    [我的奖励]
    Alice in the group> 排行榜
    🏆 春季拉新大赛 排行榜
    ✅ 最终榜单（第 3 版，裁定后重新计算）。
    🥇 Bob · 2 位 · 🎁 320 积分
    🥈 Alice · 1 位 ← 你 · 🎁 100 积分
    """,
)
async def test_everybody_for_themselves(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, **a_contest()) as town:
        out, back = ("bought accounts", "the friends are real") if locale == "en" else ("刷小号", "经核实为真实好友")
        town.stage["Bob is disqualified"] = judged(town, "bob", decisions.disqualify, out)
        town.stage["Bob is reinstated"] = judged(town, "bob", decisions.reinstate, back)
        await town.play(script)


@in_both(
    en="""
    Alice> /leaderboard
    🏆 Spring race
    ⏳ 7 days to go, until Mar 9, 12:00.
    Nobody is on the board yet. The first place is free.
    You are in no team yet, so your friends count for none. Join one, or found your own: /team
    🎁 Prizes
    • Number 1: 300 points
    • Numbers 2 to 3: 100 points each
    • 2 friends, the first 5 teams to get there: 20 points
    Equal scores: whoever got there first is ahead. A team shares its prize by how many friends each one brought.
    [My invite link] [Teams]
    Alice invites nobody.
    Cem invites nobody.
    Alice> /team
    Spring race is played in teams of up to 2. There is no team to join yet: found the first!
    [Found a team]
    Alice> [Found a team]
    What is your team called?
    Say “cancel” to stop.
    Alice> Green  leaves
    🚩 Green leaves is in Spring race, and you are its captain. Teammates join with your code, by saying \
        to me: /team join <Alice's code>
    [My invite link] [My team]
    Bob> /team join <Alice's code>
    🚩 You are in Green leaves, 2 of you now. From now on your friends count for the team.
    [My invite link] [My team]
    Bob> /team new Other
    You are already in the team Green leaves.
    Bob> /team leave
    Leave Green leaves? You can join another team then.
    [Yes, leave] [My team]
    Bob> [Yes, leave]
    You have left Green leaves.
    [Teams]
    Bob> /team
    Spring race is played in teams of up to 2. Join one of these, or found your own. Friends count for \
        the team you are in when they qualify.
    [Join Green leaves]
    [Found a team]
    Alice in the group> /team
    🚩 Green leaves in Spring race
    ⏳ 7 days to go, until Mar 9, 12:00.
    Your team is not on the board yet: it takes one friend who counts.
    Members (1 of 2)
    • 👑 Alice · 0
    Teammates join by saying to me: /team join <Alice's code>
    [Join Green leaves]
    [My invite link] [Leaderboard]
    Bob in the group> [Join Green leaves]
    (only to Bob)
    🚩 You are in Green leaves, 2 of you now. From now on your friends count for the team.
    [My invite link] [My team]
    Cem> /team new green LEAVES
    There is already a team called green LEAVES; choose another name.
    Cem> /team new Black pot
    🚩 Black pot is in Spring race, and you are its captain. Teammates join with your code, by saying to \
        me: /team join <Cem's code>
    [My invite link] [My team]
    Bob invites Dora.
    Dora joins.
    Bob> /team
    🚩 Green leaves in Spring race
    ⏳ 7 days to go, until Mar 9, 12:00.
    Number 1 of 1 with 1 friend.
    Members (2 of 2)
    • 👑 Alice · 0
    • Bob · 1
    [My invite link] [Leaderboard]
    Bob> /team leave
    A friend of yours has already counted for Green leaves, so you stay with it until the end.
    Cem in the group> /leaderboard
    🏆 Spring race
    ⏳ 7 days to go, until Mar 9, 12:00.
    🥇 Green leaves · 1 friend · 🎁 300 points
    🎁 Prizes
    • Number 1: 300 points
    • Numbers 2 to 3: 100 points each
    • 2 friends, the first 5 teams to get there: 20 points
    Equal scores: whoever got there first is ahead. A team shares its prize by how many friends each one brought.
    [My invite link] [My team]
    Eve> /team join <Alice's code>
    The team Green leaves is full: it has 2 people.
    Eve> /team join
    Ask somebody in the team for their invite code, then say: /team join CODE
    Eve> /team dance
    /team shows your team in Spring race. You can also say: /team new NAME, /team join CODE, /team leave.
    Cem> /leaderboard
    🏆 Spring race
    ⏳ 7 days to go, until Mar 9, 12:00.
    🥇 Green leaves · 1 friend · 🎁 300 points
    Your team is not on the board yet: it takes one friend who counts. 1 more friend would win your \
        team 100 points, as things stand.
    🎁 Prizes
    • Number 1: 300 points
    • Numbers 2 to 3: 100 points each
    • 2 friends, the first 5 teams to get there: 20 points
    Equal scores: whoever got there first is ahead. A team shares its prize by how many friends each one brought.
    [My invite link] [My team]
    8 days later:
    Alice hears:
    Bob hears:
    🏆 Spring race is decided: Green leaves came in at number 1 with 1 friend. You won 300 points.
    [Leaderboard] [My rewards]
    Bob> /team leave
    The contest is over; teams stay as they are.
    Bob in the group> /leaderboard
    🏆 Spring race
    ✅ Final.
    🥇 Green leaves · 1 friend ← you · 🎁 300 points
    Fay> /team
    The contest is over; teams stay as they are.
    [Leaderboard]
    """,
    zh="""
    Alice> 排行榜
    🏆 春季拉新大赛 排行榜
    ⏳ 还剩 7 天，3月9日 12:00 截止。
    榜上还没有人，第一名等你来拿。
    你还没有战队，邀请的朋友不会计入任何战队。发送「战队」加入或新建一支。
    🎁 奖品
    • 第 1 名：300 积分
    • 第 2–3 名：各得 100 积分
    • 全队邀满 2 位朋友（前 5 队）：20 积分
    人数相同，先达到的排前面。战队奖品按每人带来的朋友数分配。
    [我的邀请链接] [战队]
    Alice invites nobody.
    Cem invites nobody.
    Alice> 战队
    春季拉新大赛 以战队参赛，每队至多 2 人。现在还没有可加入的战队，来建第一支吧！
    [新建战队]
    Alice> [新建战队]
    给战队起个名字吧？
    发送「取消」可随时退出。
    Alice> 绿叶子
    🚩 绿叶子 已加入 春季拉新大赛，你是队长！队友对我说「战队 加入 <Alice's code>」即可入队。
    [我的邀请链接] [我的战队]
    Bob> 战队 加入 <Alice's code>
    🚩 你已加入 绿叶子，全队现有 2 人。从现在起，你邀请的朋友都算全队的。
    [我的邀请链接] [我的战队]
    Bob> 战队 新建 别的
    你已经在战队「绿叶子」里了。
    Bob> 战队 退出
    确定退出 绿叶子 吗？退出后可以加入别的战队。
    [确定退出] [我的战队]
    Bob> [确定退出]
    你已退出 绿叶子。
    [战队]
    Bob> 战队
    春季拉新大赛 以战队参赛，每队至多 2 人。选一支加入，或自己建队。朋友达标时你在哪支队，就算哪支队的。
    [加入 绿叶子]
    [新建战队]
    Alice in the group> 战队
    🚩 绿叶子 · 春季拉新大赛
    ⏳ 还剩 7 天，3月9日 12:00 截止。
    你的战队还没有上榜，有一位朋友算数就能上榜。
    队员（1/2）
    • 👑 Alice · 0 位
    队友对我说「战队 加入 <Alice's code>」即可入队。
    [加入 绿叶子]
    [我的邀请链接] [排行榜]
    Bob in the group> [加入 绿叶子]
    (only to Bob)
    🚩 你已加入 绿叶子，全队现有 2 人。从现在起，你邀请的朋友都算全队的。
    [我的邀请链接] [我的战队]
    Cem> 战队 新建 绿叶子
    已经有战队叫「绿叶子」，请换个名字。
    Cem> 战队 新建 黑陶壶
    🚩 黑陶壶 已加入 春季拉新大赛，你是队长！队友对我说「战队 加入 <Cem's code>」即可入队。
    [我的邀请链接] [我的战队]
    Bob invites Dora.
    Dora joins.
    Bob> 战队
    🚩 绿叶子 · 春季拉新大赛
    ⏳ 还剩 7 天，3月9日 12:00 截止。
    第 1 名（共 1 队），1 位朋友。
    队员（2/2）
    • 👑 Alice · 0 位
    • Bob · 1 位
    [我的邀请链接] [排行榜]
    Bob> 战队 退出
    你已为「绿叶子」带来朋友，比赛结束前不能退出。
    Cem in the group> 排行榜
    🏆 春季拉新大赛 排行榜
    ⏳ 还剩 7 天，3月9日 12:00 截止。
    🥇 绿叶子 · 1 位 · 🎁 300 积分
    🎁 奖品
    • 第 1 名：300 积分
    • 第 2–3 名：各得 100 积分
    • 全队邀满 2 位朋友（前 5 队）：20 积分
    人数相同，先达到的排前面。战队奖品按每人带来的朋友数分配。
    [我的邀请链接] [我的战队]
    Eve> 战队 加入 <Alice's code>
    战队「绿叶子」已满 2 人。
    Eve> 战队 加入
    先向队友要一个邀请码，再发送：战队 加入 邀请码
    Eve> 战队 跳舞
    发送「战队」查看你在 春季拉新大赛 的战队。也可以说：战队 新建 队名、战队 加入 邀请码、战队 退出。
    Cem> 排行榜
    🏆 春季拉新大赛 排行榜
    ⏳ 还剩 7 天，3月9日 12:00 截止。
    🥇 绿叶子 · 1 位 · 🎁 300 积分
    你的战队还没有上榜，有一位朋友算数就能上榜。按目前的榜单，全队再邀请 1 位就能拿到 100 积分。
    🎁 奖品
    • 第 1 名：300 积分
    • 第 2–3 名：各得 100 积分
    • 全队邀满 2 位朋友（前 5 队）：20 积分
    人数相同，先达到的排前面。战队奖品按每人带来的朋友数分配。
    [我的邀请链接] [我的战队]
    8 days later:
    Alice hears:
    Bob hears:
    🏆 春季拉新大赛 结果出炉：绿叶子 共邀请 1 位朋友，获得第 1 名！你赢得 300 积分。
    [排行榜] [我的奖励]
    Bob> 战队 退出
    大赛已结束，战队不能再变动。
    Bob in the group> 排行榜
    🏆 春季拉新大赛 排行榜
    ✅ 最终榜单。
    🥇 绿叶子 · 1 位 ← 你 · 🎁 300 积分
    Fay> 战队
    大赛已结束，战队不能再变动。
    [排行榜]
    """,
)
async def test_in_teams(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, **a_contest(mode="teams", team_most=2)) as town:
        await town.play(script)


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    Bob invites Dora.
    Dora joins.
    Alice> /judge
    Contests are run by the brand's team.
    Carol> /judge
    🏆 Spring race
    ⏳ 7 days to go, until Mar 9, 12:00.
    1. Alice · 1 friend
    2. Bob · 1 friend
    Press a name to take somebody out. They are told the reason, and everybody may read it.
    [✂ Alice]
    [✂ Bob]
    Carol> [✂ Alice]
    (1/2) Why is Alice to be disqualified from Spring race? Everybody will be able to read it.
    Say “cancel” to stop.
    [Friends who are not genuine]
    [Bought accounts]
    [Against the rules of the contest]
    Carol> [Bought accounts]
    (2/2) Disqualify Alice from Spring race, with all their accounts? What they won is taken back, and \
        whoever comes next moves up. The reason: Bought accounts
    Say “cancel” to stop.
    [Yes, disqualify]
    Carol> [Yes, disqualify]
    Alice is out of Spring race.
    🏆 Spring race
    ⏳ 7 days to go, until Mar 9, 12:00.
    1. Bob · 1 friend
    Disqualified:
    • Alice: Bought accounts
    Press a name to take somebody out. They are told the reason, and everybody may read it.
    [✂ Bob]
    [↩ Alice]
    1 minutes later:
    Alice hears:
    You were disqualified from Spring race. The reason, which everybody may read: Bought accounts. If \
        this is a mistake, tell Acme Tea before the board is final.
    [Leaderboard] [My rewards]
    Carol> [✂ Alice]
    🏆 Spring race
    ⏳ 7 days to go, until Mar 9, 12:00.
    1. Bob · 1 friend
    Disqualified:
    • Alice: Bought accounts
    Press a name to take somebody out. They are told the reason, and everybody may read it.
    [✂ Bob]
    [↩ Alice]
    Carol> [✂ Bob]
    (1/2) Why is Bob to be disqualified from Spring race? Everybody will be able to read it.
    Say “cancel” to stop.
    [Friends who are not genuine]
    [Bought accounts]
    [Against the rules of the contest]
    Carol> they never played fair
    (2/2) Disqualify Bob from Spring race, with all their accounts? What they won is taken back, and \
        whoever comes next moves up. The reason: they never played fair
    Say “cancel” to stop.
    [Yes, disqualify]
    Carol> hm
    Press the button if you are sure, or say “cancel”.
    (2/2) Disqualify Bob from Spring race, with all their accounts? What they won is taken back, and \
        whoever comes next moves up. The reason: they never played fair
    Say “cancel” to stop.
    [Yes, disqualify]
    Carol> cancel
    Stopped; nothing was changed.
    Carol> [↩ Alice]
    (1/2) Why is Alice to be let back into Spring race? Everybody will be able to read it.
    Say “cancel” to stop.
    [We checked: the friends are genuine]
    Carol> 1
    (2/2) Let Alice back into Spring race? Their friends count again, and places may change. The \
        reason: We checked: the friends are genuine
    Say “cancel” to stop.
    [Yes, let back in]
    Carol> [Yes, let back in]
    Alice is back in Spring race.
    🏆 Spring race
    ⏳ 7 days to go, until Mar 9, 12:00.
    1. Alice · 1 friend
    2. Bob · 1 friend
    Press a name to take somebody out. They are told the reason, and everybody may read it.
    [✂ Alice]
    [✂ Bob]
    1 minutes later:
    Alice hears:
    You are back in Spring race, and your friends count again: We checked: the friends are genuine.
    [Leaderboard] [My rewards]
    8 days later:
    Carol> /judge
    🏆 Spring race
    ✅ Final.
    1. Alice · 1 friend
    2. Bob · 1 friend
    Press a name to take somebody out. They are told the reason, and everybody may read it.
    [✂ Alice]
    [✂ Bob]
    Carol in the group> /judge
    (only to Carol)
    Decisions about people are taken in private: please write to me directly.
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    Bob invites Dora.
    Dora joins.
    Alice> 裁定
    大赛由品牌团队管理。
    Carol> 裁定
    🏆 春季拉新大赛 排行榜
    ⏳ 还剩 7 天，3月9日 12:00 截止。
    1. Alice · 1 位
    2. Bob · 1 位
    点名字可取消其参赛资格。原因会告知本人，并对所有人公开。
    [✂ Alice]
    [✂ Bob]
    Carol> [✂ Alice]
    1/2 为什么取消 Alice 在 春季拉新大赛 的参赛资格？原因将对所有人公开。
    发送「取消」可随时退出。
    [邀请的不是真实好友] [刷小号]
    [违反大赛规则]
    Carol> [刷小号]
    2/2 确定取消 Alice 在 春季拉新大赛 的参赛资格吗？其所有账号一并取消，已得奖品收回，后面的人递补。原因：刷小号
    发送「取消」可随时退出。
    [确定取消资格]
    Carol> [确定取消资格]
    已取消 Alice 在 春季拉新大赛 的参赛资格。
    🏆 春季拉新大赛 排行榜
    ⏳ 还剩 7 天，3月9日 12:00 截止。
    1. Bob · 1 位
    已取消资格：
    • Alice：刷小号
    点名字可取消其参赛资格。原因会告知本人，并对所有人公开。
    [✂ Bob]
    [↩ Alice]
    1 minutes later:
    Alice hears:
    你已被取消 春季拉新大赛 的参赛资格，公开原因：刷小号。如有误会，请在榜单定格前联系 茶里。
    [排行榜] [我的奖励]
    Carol> [✂ Alice]
    🏆 春季拉新大赛 排行榜
    ⏳ 还剩 7 天，3月9日 12:00 截止。
    1. Bob · 1 位
    已取消资格：
    • Alice：刷小号
    点名字可取消其参赛资格。原因会告知本人，并对所有人公开。
    [✂ Bob]
    [↩ Alice]
    Carol> [✂ Bob]
    1/2 为什么取消 Bob 在 春季拉新大赛 的参赛资格？原因将对所有人公开。
    发送「取消」可随时退出。
    [邀请的不是真实好友] [刷小号]
    [违反大赛规则]
    Carol> 比赛中作弊
    2/2 确定取消 Bob 在 春季拉新大赛 的参赛资格吗？其所有账号一并取消，已得奖品收回，后面的人递补。原因：比赛中作弊
    发送「取消」可随时退出。
    [确定取消资格]
    Carol> 嗯
    确定的话请点按钮，不然就发送「取消」。
    2/2 确定取消 Bob 在 春季拉新大赛 的参赛资格吗？其所有账号一并取消，已得奖品收回，后面的人递补。原因：比赛中作弊
    发送「取消」可随时退出。
    [确定取消资格]
    Carol> 取消
    已取消，没有任何改动。
    Carol> [↩ Alice]
    1/2 为什么恢复 Alice 在 春季拉新大赛 的参赛资格？原因将对所有人公开。
    发送「取消」可随时退出。
    [经核实为真实好友]
    Carol> 1
    2/2 确定恢复 Alice 在 春季拉新大赛 的参赛资格吗？其朋友重新算数，名次可能变动。原因：经核实为真实好友
    发送「取消」可随时退出。
    [确定恢复资格]
    Carol> [确定恢复资格]
    已恢复 Alice 在 春季拉新大赛 的参赛资格。
    🏆 春季拉新大赛 排行榜
    ⏳ 还剩 7 天，3月9日 12:00 截止。
    1. Alice · 1 位
    2. Bob · 1 位
    点名字可取消其参赛资格。原因会告知本人，并对所有人公开。
    [✂ Alice]
    [✂ Bob]
    1 minutes later:
    Alice hears:
    你已恢复 春季拉新大赛 的参赛资格，邀请的朋友重新算数：经核实为真实好友。
    [排行榜] [我的奖励]
    8 days later:
    Carol> 裁定
    🏆 春季拉新大赛 排行榜
    ✅ 最终榜单。
    1. Alice · 1 位
    2. Bob · 1 位
    点名字可取消其参赛资格。原因会告知本人，并对所有人公开。
    [✂ Alice]
    [✂ Bob]
    Carol in the group> 裁定
    (only to Carol)
    裁定请私聊进行，直接给我发消息就好。
    """,
)
async def test_the_team_judges(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, **a_contest()) as town:
        await town.play(script)


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_word_of_contests_is_said(locale: str) -> None:
    file = Path(__file__).parents[2] / f"core/locales/{locale}/LC_MESSAGES/contest.po"
    keys = set(re.findall(r'^msgid "(.+)"$', file.read_text(), re.MULTILINE))
    parts = ("bots", "daixin", "referral", "rewards")
    code = "".join(path.read_text() for part in parts for path in Path(part).rglob("*.py"))
    put_together = re.compile(
        r"contest\.(left|(ask|sure|done|why|prize\.reach|news\.(out|back|place|again))\.|scheduled|paused)"
        r"|button\.contest|reason\.|statement\.|news\.released"
    )
    assert {key for key in keys if f'"{key}"' not in code and not put_together.match(key)} <= {
        *{"team.ask_name.label", "contest.news.out", "contest.news.back"}
    }
