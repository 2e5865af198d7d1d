"""What I earned, and when it is mine."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from rewards.proofs.merkle import check
from tests.bots.till import Till
from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    Alice> /rewards
    You have no rewards yet. They appear here as soon as a friend counts.
    [My invite link]
    7 days later:
    Alice hears:
    🎉 Bob joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    ✅ Bob has stayed 7 days. You earned 100 points, yours on Mar 12, 12:00.
    [My rewards]
    Bob hears:
    ✅ You have stayed 7 days. You earned 50 points, yours on Mar 12, 12:00.
    [My rewards]
    Alice> /rewards
    Yours now: 0 points · on hold: 100 points (next release Mar 12)
    • Mar 9 · 100 points for bringing Bob (Spring tea): held until Mar 12, 12:00, then yours
    [Why?] [Statement] [Proof]
    Bob> /rewards
    Yours now: 0 points · on hold: 50 points (next release Mar 12)
    • Mar 9 · 50 points for coming through Alice (Spring tea): held until Mar 12, 12:00, then yours
    [Why?] [Statement] [Proof]
    3 days later:
    Alice hears:
    💰 100 points added to your balance for bringing Bob to Spring tea. You are now number 1 on the board.
    [My rewards]
    Bob hears:
    💰 50 points added to your balance. Welcome to Spring tea!
    [My rewards]
    Alice> /rewards
    Yours now: 100 points
    • Mar 9 · 100 points for bringing Bob (Spring tea): yours
    [Why?] [Statement] [Proof]
    Bob> [My rewards]
    Yours now: 50 points
    • Mar 9 · 50 points for coming through Alice (Spring tea): yours
    [Why?] [Statement] [Proof]
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    Alice> 奖励
    你还没有奖励。有朋友算数后会显示在这里。
    [我的邀请链接]
    7 days later:
    Alice hears:
    🎉 Bob 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    ✅ Bob 已留满 7 天，你获得 100 积分，将于 3月12日 12:00 入账。
    [我的奖励]
    Bob hears:
    ✅ 你已留满 7 天，获得 50 积分，将于 3月12日 12:00 入账。
    [我的奖励]
    Alice> 奖励
    可用：0 积分 · 冻结中：100 积分（3月12日 起解冻）
    • 3月9日 · 100 积分，邀请 Bob（春茶会）：冻结至 3月12日 12:00，之后可用
    [为什么？] [对账单] [凭证]
    Bob> 奖励
    可用：0 积分 · 冻结中：50 积分（3月12日 起解冻）
    • 3月9日 · 50 积分，受 Alice 邀请（春茶会）：冻结至 3月12日 12:00，之后可用
    [为什么？] [对账单] [凭证]
    3 days later:
    Alice hears:
    💰 100 积分 已入账，感谢你邀请 Bob 参加 春茶会。你现在排在第 1 名。
    [我的奖励]
    Bob hears:
    💰 50 积分 已入账，欢迎参加 春茶会！
    [我的奖励]
    Alice> 奖励
    可用：100 积分
    • 3月9日 · 100 积分，邀请 Bob（春茶会）：可用
    [为什么？] [对账单] [凭证]
    Bob> [我的奖励]
    可用：50 积分
    • 3月9日 · 50 积分，受 Alice 邀请（春茶会）：可用
    [为什么？] [对账单] [凭证]
    """,
)
async def test_held_and_then_mine(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    7 days later:
    Alice hears:
    🎉 Bob joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    ✅ Bob has stayed 7 days. You earned 100 points, yours on Mar 12, 12:00.
    [My rewards]
    Bob leaves.
    Alice hears:
    Your 100 points for bringing Bob to Spring tea will not be yours, because your friend left the group while it \
    was still held.
    [My rewards]
    Bob hears:
    ✅ You have stayed 7 days. You earned 50 points, yours on Mar 12, 12:00.
    [My rewards]
    Your 50 points for joining Spring tea will not be yours, because you left the group while it was still held.
    [My rewards]
    Alice> /rewards
    • Mar 9 · 100 points for bringing Bob (Spring tea): taken back, because your friend left the group while it was \
    still held
    [Why?] [Statement] [Proof]
    Bob> /rewards
    • Mar 9 · 50 points for coming through Alice (Spring tea): taken back, because you left the group while it was \
    still held
    [Why?] [Statement] [Proof]
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    7 days later:
    Alice hears:
    🎉 Bob 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    ✅ Bob 已留满 7 天，你获得 100 积分，将于 3月12日 12:00 入账。
    [我的奖励]
    Bob leaves.
    Alice hears:
    邀请 Bob 参加 春茶会 的 100 积分 不再发放：朋友在冻结期内退群。
    [我的奖励]
    Bob hears:
    ✅ 你已留满 7 天，获得 50 积分，将于 3月12日 12:00 入账。
    [我的奖励]
    参加 春茶会 的 50 积分 不再发放：你在冻结期内退群。
    [我的奖励]
    Alice> 奖励
    • 3月9日 · 100 积分，邀请 Bob（春茶会）：已收回，朋友在冻结期内退群
    [为什么？] [对账单] [凭证]
    Bob> 奖励
    • 3月9日 · 50 积分，受 Alice 邀请（春茶会）：已收回，你在冻结期内退群
    [为什么？] [对账单] [凭证]
    """,
)
async def test_taken_back(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


MILESTONE = {"name": "milestone", "to": "advocate", "milestones": [{"reach": 2, "amount": 500}], "hold_days": 3}
PER_FRIEND = {"to": "advocate", "amount": 100, "hold_days": 3}
FIRST_ORDER = {
    "to": "advocate",
    "on": "purchased",
    "asset": "CNY",
    "amount": 1000,
    "when": "order.first && order.net >= 10000",
    "why": {"en": "a first order of 100 yuan or more", "zh_Hans": "首单满 100 元"},
}


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    Alice invites Dan.
    Dan joins.
    7 days later:
    Alice hears:
    🎉 Bob joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    🎉 Dan joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    ✅ Bob has stayed 7 days. You earned 100 points, yours on Mar 12, 12:00.
    [My rewards]
    ✅ Dan has stayed 7 days. You earned 600 points, yours on Mar 12, 12:00.
    [My rewards]
    3 days later:
    Alice hears:
    💰 3 rewards added to your balance: 700 points. You are now number 1 on the board.
    [My rewards]
    Alice> /rewards
    Yours now: 700 points
    • Mar 9 · 500 points for reaching 2 friends (Spring tea): yours
    • Mar 9 · 100 points for bringing Dan (Spring tea): yours
    • Mar 9 · 100 points for bringing Bob (Spring tea): yours
    [Why?] [Statement] [Proof]
    (Alice is given 20 points.)
    Alice hears:
    🎁 Acme Tea gave you 20 points: “Sorry for the wait”
    [My rewards]
    (Alice loses 30 points.)
    Alice hears:
    Acme Tea took 30 points from your balance: “Paid twice by mistake”
    [My rewards]
    Alice> /rewards
    Yours now: 690 points
    • Mar 12 · −30 points, taken by Acme Tea: “Paid twice by mistake”
    • Mar 12 · 20 points from Acme Tea, “Sorry for the wait”: yours
    • Mar 9 · 500 points for reaching 2 friends (Spring tea): yours
    • Mar 9 · 100 points for bringing Dan (Spring tea): yours
    • Mar 9 · 100 points for bringing Bob (Spring tea): yours
    [Why?] [Statement] [Proof]
    Alice> [Statement]
    (file: Your statement)
    Your statement: what you have, and the last movements
    • PTS: 690 points payable, 0 points held
    • Mar 12 · deducted by hand · -30 points (Paid twice by mistake)
    • Mar 12 · hold is over · 20 points (Sorry for the wait)
    • Mar 12 · reward granted · 20 points (Sorry for the wait)
    • Mar 12 · hold is over · 500 points (a friend stayed)
    • Mar 12 · hold is over · 100 points (a friend stayed)
    • Mar 12 · hold is over · 100 points (a friend stayed)
    • Mar 9 · reward granted · 500 points (a friend stayed)
    • Mar 9 · reward granted · 100 points (a friend stayed)
    • Mar 9 · reward granted · 100 points (a friend stayed)
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    Alice invites Dan.
    Dan joins.
    7 days later:
    Alice hears:
    🎉 Bob 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    🎉 Dan 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    ✅ Bob 已留满 7 天，你获得 100 积分，将于 3月12日 12:00 入账。
    [我的奖励]
    ✅ Dan 已留满 7 天，你获得 600 积分，将于 3月12日 12:00 入账。
    [我的奖励]
    3 days later:
    Alice hears:
    💰 3 笔奖励已入账，共 700 积分。你现在排在第 1 名。
    [我的奖励]
    Alice> 奖励
    可用：700 积分
    • 3月9日 · 500 积分，累计邀请 2 位朋友（春茶会）：可用
    • 3月9日 · 100 积分，邀请 Dan（春茶会）：可用
    • 3月9日 · 100 积分，邀请 Bob（春茶会）：可用
    [为什么？] [对账单] [凭证]
    (Alice is given 20 points.)
    Alice hears:
    🎁 茶里 给你发放了 20 积分：抱歉让你久等
    [我的奖励]
    (Alice loses 30 points.)
    Alice hears:
    茶里 从你的余额扣除了 30 积分：之前多发了
    [我的奖励]
    Alice> 奖励
    可用：690 积分
    • 3月12日 · −30 积分，茶里 扣除（之前多发了）
    • 3月12日 · 20 积分，茶里 发放（抱歉让你久等）：可用
    • 3月9日 · 500 积分，累计邀请 2 位朋友（春茶会）：可用
    • 3月9日 · 100 积分，邀请 Dan（春茶会）：可用
    • 3月9日 · 100 积分，邀请 Bob（春茶会）：可用
    [为什么？] [对账单] [凭证]
    Alice> [对账单]
    (file: 你的对账单)
    对账单：当前余额和最近变动
    • PTS：可用 690 积分，冻结 0 积分
    • 3月12日 · 人工扣减 · -30 积分（之前多发了）
    • 3月12日 · 奖励解冻 · 20 积分（抱歉让你久等）
    • 3月12日 · 发放奖励 · 20 积分（抱歉让你久等）
    • 3月12日 · 奖励解冻 · 500 积分（好友留存）
    • 3月12日 · 奖励解冻 · 100 积分（好友留存）
    • 3月12日 · 奖励解冻 · 100 积分（好友留存）
    • 3月9日 · 发放奖励 · 500 积分（好友留存）
    • 3月9日 · 发放奖励 · 100 积分（好友留存）
    • 3月9日 · 发放奖励 · 100 积分（好友留存）
    """,
)
async def test_a_milestone_goodwill_and_a_deduction(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, rewards__rules=[PER_FRIEND, MILESTONE]) as town:
        till = Till(town, tmp_path)
        sorry, wrong = (
            ("Sorry for the wait", "Paid twice by mistake") if locale == "en" else ("抱歉让你久等", "之前多发了")
        )
        town.stage = {
            "Alice is given 20 points.": till.gives("Alice", 20, sorry),
            "Alice loses 30 points.": till.gives("Alice", -30, wrong),
        }
        await town.play(script)


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    Alice invites Dan.
    Dan joins.
    7 days later:
    Alice hears:
    🎉 Bob joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    🎉 Dan joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    ✅ Bob has stayed 7 days. You earned 100 points, yours on Mar 12, 12:00.
    [My rewards]
    Dan counted for Spring tea, but no reward could be given, because what can be earned by this rule in a week was \
    used up.
    [My rewards]
    Alice> /rewards
    Yours now: 0 points · on hold: 100 points (next release Mar 12)
    • Mar 9 · 100 points for bringing Dan (Spring tea): not given, because what can be earned by this rule in a \
    week was used up
    • Mar 9 · 100 points for bringing Bob (Spring tea): held until Mar 12, 12:00, then yours
    [Why?] [Statement] [Proof]
    Alice> /why
    Spring tea: what counted, and why
    • Dan came on Mar 2, 12:00 as a new friend and stayed 7 days, so it counted on Mar 9, 12:00. By this rule 150 \
    points can be earned in a week by everybody together, and that was used up, so 100 points was not given.
    • Bob came on Mar 2, 12:00 as a new friend and stayed 7 days, so it counted on Mar 9, 12:00. 100 points will be \
    yours on Mar 12, 12:00.
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    Alice invites Dan.
    Dan joins.
    7 days later:
    Alice hears:
    🎉 Bob 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    🎉 Dan 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    ✅ Bob 已留满 7 天，你获得 100 积分，将于 3月12日 12:00 入账。
    [我的奖励]
    Dan 在 春茶会 中已算数，但这次没有奖励：这项奖励本周的名额已用完。
    [我的奖励]
    Alice> 奖励
    可用：0 积分 · 冻结中：100 积分（3月12日 起解冻）
    • 3月9日 · 100 积分，邀请 Dan（春茶会）：未发放，这项奖励本周的名额已用完
    • 3月9日 · 100 积分，邀请 Bob（春茶会）：冻结至 3月12日 12:00，之后可用
    [为什么？] [对账单] [凭证]
    Alice> 为什么
    春茶会：算没算，为什么
    • Dan 于 3月2日 12:00 作为新朋友加入并留满 7 天，3月9日 12:00 已算数。这项奖励每周总共 150 \
    积分，本周已发完，所以这次的 100 积分 没有发放。
    • Bob 于 3月2日 12:00 作为新朋友加入并留满 7 天，3月9日 12:00 已算数。100 积分 将于 3月12日 12:00 入账。
    """,
)
async def test_what_is_beyond_a_cap_says_so(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, rewards__rules=[PER_FRIEND | {"caps": {"week": 150}}]) as town:
        await town.play(script)


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    (Bob buys for 50 yuan.)
    Alice hears:
    🎉 Bob joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    Alice> /why
    Spring tea: what counted, and why
    • Bob has been in the group since Mar 2, 12:00. The rule asks for 7 days, so it counts on Mar 9, 12:00. There is \
    a reward for this: “a first order of 100 yuan or more”. This time: first order: yes; goods paid: CN¥50.00, so \
    it was not given.
    Alice invites Dan.
    Dan joins.
    (Dan buys for 120 yuan.)
    Alice hears:
    🎉 Dan joined Spring tea through you. If they stay, it counts on Mar 9, 12:00.
    [My rewards]
    💰 CN¥10.00 added to your balance for bringing Dan to Spring tea.
    [My rewards]
    Alice> /rewards
    Yours now: CN¥10.00
    • Mar 2 · CN¥10.00 for an order of Dan (Spring tea): yours. The rule: a first order of 100 yuan or more
    [Withdraw]
    [Why?] [Statement] [Proof]
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    (Bob buys for 50 yuan.)
    Alice hears:
    🎉 Bob 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    Alice> 为什么
    春茶会：算没算，为什么
    • Bob 从 3月2日 12:00 起在群里。规则要求留满 7 天，到 3月9日 12:00 就算数。有一项奖励要求“首单满 100 \
    元”，这次没有达到。本次情况：是否首单：是；商品实付：¥50.00。
    Alice invites Dan.
    Dan joins.
    (Dan buys for 120 yuan.)
    Alice hears:
    🎉 Dan 通过你的邀请加入了 春茶会，留到 3月9日 12:00 就算数。
    [我的奖励]
    💰 ¥10.00 已入账，感谢你邀请 Dan 参加 春茶会。
    [我的奖励]
    Alice> 奖励
    可提现：¥10.00
    • 3月2日 · ¥10.00，Dan 下单（春茶会）：可用。规则：首单满 100 元
    [提现]
    [为什么？] [对账单] [凭证]
    """,
)
async def test_a_condition_is_told_in_its_own_words(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, rewards__rules=[FIRST_ORDER], rewards__budgets={"CNY": 100_000}) as town:
        till = Till(town, tmp_path)
        town.stage = {
            "Bob buys for 50 yuan.": till.buys("Bob", 50),
            "Dan buys for 120 yuan.": till.buys("Dan", 120),
        }
        await town.play(script)


async def test_pages_and_the_proof_of_a_line(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        till = Till(town, tmp_path)
        await town.say("Alice", "/start")
        for number in range(10):
            till.gives("Alice", 1 + number, f"Gift {number}")()
        await town.settle()
        first = await town.ask("Alice", "/rewards")
        assert "Gift 9" in first
        assert "Gift 1" not in first
        second = await town.ask("Alice", "[Older →]")
        assert "Gift 1" in second
        assert "[← Newer]" in second
        await town.ask("Alice", "[Proof]")
        [shown] = await town.say("Alice", "[Mar 2 · 10 points]")
        assert "This stands in the books" in shown.text
        assert shown.image is not None
        assert (shown.image.filename, shown.image.is_file) == ("proof-2026-03-02.json", True)
        document = json.loads(shown.image.draw())
        checked = check(document)
        assert checked.ok
        assert checked.root is not None
        assert checked.root in shown.text
        [reward] = [button for button in town._offered["Alice"] if button.label == "Mar 2 · 10 points"]
        assert reward.action is not None
        stolen = await town.chat.press(town.person("Bob"), reward.action)
        assert "no longer in use" in stolen[0].text


async def test_the_statement_is_a_file_too(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await town.say("Alice", "/start")
        Till(town, tmp_path).gives("Alice", 7, "=1+1")()
        [shown] = await town.say("Alice", "/rewards statement")
        assert shown.image is not None
        assert shown.image.media_type == "text/csv"
        rows = list(csv.reader(shown.image.draw().decode("utf-8-sig").splitlines()))
        assert len(rows) == 3
        assert "'=1+1" in rows[1]
