"""What is told unasked, in both languages, and how anybody asks for quiet."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from referral.outreach import people
from tests.bots.unasked import fates
from tests.dialogue import NOON, in_both, open_town

STEPS: dict[str, Any] = {
    "rewards": {
        "budget": 9000,
        "rules": [
            {"to": "advocate", "milestones": [{"reach": 2, "amount": 200}, {"reach": 6, "amount": 500}]},
        ],
    },
    "qualify": {"event": "joined", "window_days": 30},
}


@in_both(
    en="""
    Alice> /quiet
    Acme Tea may write to you now and then: campaign news, congratulations and reminders, a few a week at most and \
    never at night.
    [Quiet, please]
    Alice> [Quiet, please]
    Quiet is on. Acme Tea sends you no more campaign news, congratulations or reminders. You still hear about your \
    rewards and whatever you do here.
    [Write to me again]
    Alice> /quiet
    Quiet is on: Acme Tea sends you no campaign news, congratulations or reminders. You still hear about your \
    rewards and whatever you do here.
    [Write to me again]
    Alice> [Write to me again]
    Welcome back. Acme Tea may write to you again, a few times a week at most and never at night.
    [Quiet, please]
    """,
    zh="""
    Alice> 免打扰
    茶里 偶尔会给你发活动消息、祝贺和提醒，每周最多几条，夜里不打扰。
    [开启免打扰]
    Alice> 免打扰 开启
    已开启免打扰。茶里 不再给你发活动消息、祝贺和提醒；奖励到账和你自己的操作结果仍会通知你。
    [关闭免打扰]
    Alice> 免打扰
    免打扰已开启：茶里 不会给你发活动消息、祝贺和提醒。奖励到账和你自己的操作结果仍会通知你。
    [关闭免打扰]
    Alice> [关闭免打扰]
    已关闭免打扰。有活动时 茶里 会告诉你，每周最多几条，夜里不打扰。
    [开启免打扰]
    """,
)
async def test_anybody_may_ask_for_quiet(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.play(script)


@in_both(
    en="""
    Alice invites Bob.
    Bob joins.
    Alice hears:
    You are one friend short: the next one in Spring tea brings you 200 points. There is time until May 31, 12:00.
    [My invite link]
    [No more of these]
    """,
    zh="""
    Alice invites Bob.
    Bob joins.
    Alice hears:
    只差 1 位：在 春茶会 再邀请 1 位朋友，就能得到 200 积分。活动 5月31日 12:00 结束。
    [我的邀请链接]
    [不再接收这类消息]
    """,
)
async def test_one_friend_short_of_a_prize(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, **STEPS) as town:
        await town.play(script)


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        (
            "en",
            """🎉 5 friends have come to Spring tea through you. Thank you for bringing them!
            One more friend brings you 500 points.
            [My invite link]
            [No more of these]""",
        ),
        (
            "zh",
            """🎉 你已经为 春茶会 成功邀请了 5 位朋友，谢谢你把他们带来！
            再邀请 1 位，就能得到 500 积分。
            [我的邀请链接]
            [不再接收这类消息]""",
        ),
    ],
)
async def test_five_friends_are_worth_a_word_of_thanks(tmp_path: Path, locale: str, words: str) -> None:
    async with open_town(tmp_path, locale, **STEPS) as town:
        for number in range(5):
            await town.play(f"Alice invites Fan{number}.\nFan{number} joins.")
        assert town.shown(town.news("Alice")[-1]).split() == words.split()
        assert fates(town) == [("sent", None)] * 2  # one friend short of two; five


async def test_a_prize_that_was_reached_meanwhile_is_not_promised(tmp_path: Path) -> None:
    async with open_town(tmp_path, **STEPS) as town:
        await town.later(hours=10)  # in the evening, so that the word waits for the morning
        await town.play("Alice invites Bob.\nBob joins.\nAlice invites Dora.\nDora joins.")
        town.news("Alice")
        await town.later(hours=12)
        assert town.news("Alice") == []
        assert fates(town) == [("skipped", "moot")]


@in_both(
    en="""
    15 days later:
    Alice hears:
    Spring tea goes on for 74 more days, and your invite link still works. Whoever opens it reads: “A free cup for you.”
    [My invite link]
    [No more of these]
    30 days later:
    Alice hears:
    """,
    zh="""
    15 days later:
    Alice hears:
    春茶会 还有 74 天，你的邀请链接一直有效。朋友打开会看到：「送你一杯新茶。」
    [我的邀请链接]
    [不再接收这类消息]
    30 days later:
    Alice hears:
    """,
)
async def test_who_fell_silent_hears_of_it_once(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.say("Alice", "/invite")
        await town.play(script)


@in_both(
    en="""
    7 days later:
    Carol hears:
    📊 Acme Tea, the week of Mar 2 to Mar 8
    • Friends who came: 1 (the week before: 0)
    • Friends who counted: 1 (0)
    • New advocates: 1 (0)
    Campaigns
    • Spring tea, until May 31, 12:00. 9,000 points left in the budget.
    [Campaigns]
    [No more of these]
    7 days later:
    Carol hears:
    📊 Acme Tea, the week of Mar 9 to Mar 15
    • Friends who came: 0 (the week before: 1)
    • Friends who counted: 0 (1)
    • New advocates: 0 (1)
    Campaigns
    • Spring tea, until May 31, 12:00. 9,000 points left in the budget.
    [Campaigns]
    [No more of these]
    """,
    zh="""
    7 days later:
    Carol hears:
    📊 茶里 一周小结（3月2日至3月8日）
    • 新来的朋友 1 位（前一周 0）
    • 达标的朋友 1 位（前一周 0）
    • 新加入的推荐人 1 位（前一周 0）
    活动
    • 春茶会，5月31日 12:00 结束。预算还剩 9,000 积分。
    [查看活动]
    [不再接收这类消息]
    7 days later:
    Carol hears:
    📊 茶里 一周小结（3月9日至3月15日）
    • 新来的朋友 0 位（前一周 1）
    • 达标的朋友 0 位（前一周 1）
    • 新加入的推荐人 0 位（前一周 1）
    活动
    • 春茶会，5月31日 12:00 结束。预算还剩 9,000 积分。
    [查看活动]
    [不再接收这类消息]
    """,
)
async def test_every_monday_who_runs_the_brand_reads_the_week(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, **STEPS) as town:
        await town.say("Carol", "hello")
        await town.play("Alice invites Bob.\nBob joins.")
        await town.later(hours=1)
        town.news("Carol")
        await town.play(script)


@in_both(
    en="""
    5 days later:
    Alice hears:
    Bob hears:
    Spring tea ends on Mar 9, 12:00. As the board stands, one more friend wins you 300 points.
    [My invite link]
    [No more of these]
    1 days later:
    Bob hears:
    """,
    zh="""
    5 days later:
    Alice hears:
    Bob hears:
    春茶会 3月9日 12:00 结束。按目前的榜单，你再邀请 1 位就能拿到 300 积分。
    [我的邀请链接]
    [不再接收这类消息]
    1 days later:
    Bob hears:
    """,
)
async def test_one_friend_short_when_a_contest_ends(tmp_path: Path, locale: str, script: str) -> None:
    contest: dict[str, Any] = {
        "campaign__kind": "contest",
        "campaign__ends_at": NOON + timedelta(days=7),
        "qualify": {"event": "joined"},
        "rewards": {"budget": 1000, "prizes": [{"first": 1, "amount": 300}]},
        "contest": {},
    }
    async with open_town(tmp_path, locale, **contest) as town:
        for advocate, friend in (("Alice", "Anna"), ("Bob", "Ben")):
            await town.play(f"{advocate} invites {friend}.\n{friend} joins.")
        town.news("Alice")
        town.news("Bob")
        await town.play(script)


async def test_a_brand_may_switch_its_cheers_off(tmp_path: Path) -> None:
    async with open_town(tmp_path, **STEPS) as town:
        town.do(lambda session: people.change_settings(session, town.brand.id, "operator", cheers=False))
        await town.play("Alice invites Bob.\nBob joins.")
        assert fates(town) == []
