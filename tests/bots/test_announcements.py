"""What a campaign says in its group, from its start to its results, in both languages.

`Tea hears:` is what the bot posts in the group for everybody.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session

from core import i18n
from referral.brands import Brand
from tests.dialogue import NOON, Town, in_both, open_town

ENDS: dict[str, Any] = {"campaign__ends_at": NOON + timedelta(days=10)}


def speak(town: Town) -> None:
    """The brand speaks the story's language."""

    def change(session: Session) -> None:
        session.get_one(Brand, town.brand.id).locale = i18n.negotiate(town.locale)

    town.do(change)


@in_both(
    en="""
    0 minutes later:
    Tea hears:
    📣 Spring tea has begun!
    For the friends you bring: “A free cup for you.”
    Want to take part before Mar 12, 12:00? I'll send you your own invite link in private.
    [Get my invite link]
    Alice invites Bob.
    Bob joins.
    9 days later:
    Tea hears:
    ⏳ Nearly over: Spring tea ends on Mar 12, 12:00. Everything up to then counts.
    [Get my invite link]
    1 days later:
    Tea hears:
    🏁 Spring tea is over. Thank you, everybody! Say /me to see how your friends did.
    🎉 The result of Spring tea: together you brought 1 friend. Thank you!
    🥇 Alice · 1 friend
    Carol> /announce
    Spring tea: what I posted, and where
    • Start · Tea lovers (web chat): posted, Mar 2, 12:00. Nothing can be pinned here.
    • Reminder · Tea lovers (web chat): posted, Mar 11, 12:00
    • End · Tea lovers (web chat): posted, Mar 12, 12:00
    • Results · Tea lovers (web chat): posted, Mar 12, 12:00
    9 days later:
    Tea hears:
    """,
    zh="""
    0 minutes later:
    Tea hears:
    📣 春茶会 开始啦！
    给朋友的心意：「送你一杯新茶。」
    3月12日 12:00 前都可以参加。想参加？我私聊发你专属邀请链接。
    [领我的邀请链接]
    Alice invites Bob.
    Bob joins.
    9 days later:
    Tea hears:
    ⏳ 春茶会 快结束了，3月12日 12:00 截止，在那之前达成的都算数。
    [领我的邀请链接]
    1 days later:
    Tea hears:
    🏁 春茶会 结束啦，感谢大家参与！发「我的」就能看到自己的成绩。
    🎉 春茶会 结果出炉：大家一共请来 1 位朋友，感谢！
    🥇 Alice · 1 位
    Carol> 公告记录
    春茶会 的公告记录
    • 开始 · 爱茶的人（网页聊天）：已发，3月2日 12:00。这个平台不能置顶。
    • 提醒 · 爱茶的人（网页聊天）：已发，3月11日 12:00
    • 结束 · 爱茶的人（网页聊天）：已发，3月12日 12:00
    • 结果 · 爱茶的人（网页聊天）：已发，3月12日 12:00
    9 days later:
    Tea hears:
    """,
)
async def test_a_campaign_from_its_start_to_its_results(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, **ENDS) as town:
        speak(town)
        await town.play(script)


def contest() -> dict[str, Any]:
    prizes = [{"first": 1, "last": 1, "amount": 300}]
    return {
        **ENDS,
        "campaign__kind": "contest",
        "campaign__communities": ["webchat:tea"],
        "qualify": {"event": "retained", "stay_days": 3, "window_days": 30},
        "rewards": {"budget": 600, "prizes": prizes},
        "contest": {"objection_hours": 24},
    }


@in_both(
    en="""
    0 minutes later:
    Tea hears:
    🏁 Spring tea has begun! Who brings the most friends by Mar 12, 12:00?
    For the friends: “A free cup for you.”
    Want to take part? I'll send you your own invite link in private.
    [Get my invite link] [Leaderboard]
    Alice invites Bob.
    Bob joins.
    9 days later:
    Tea hears:
    ⏳ Final sprint: Spring tea ends on Mar 12, 12:00.
    🥇 Alice · 1 friend
    [Get my invite link] [Leaderboard]
    1 days later:
    Tea hears:
    🏁 Time! Spring tea is over. Does something on the board look wrong? Tell us before Mar 13, 12:00; after that \
    the result stands.
    [Leaderboard]
    1 days later:
    Tea hears:
    🏆 The final of Spring tea stands. Congratulations!
    🥇 Alice · 1 friend
    [Leaderboard]
    30 days later:
    Tea hears:
    """,
    zh="""
    0 minutes later:
    Tea hears:
    🏁 春茶会 开赛啦！3月12日 12:00 前，看谁请来的朋友最多。
    给朋友的心意：「送你一杯新茶。」
    想参赛？我私聊发你专属邀请链接。
    [领我的邀请链接] [排行榜]
    Alice invites Bob.
    Bob joins.
    9 days later:
    Tea hears:
    ⏳ 最后冲刺：春茶会 3月12日 12:00 结束。
    🥇 Alice · 1 位
    [领我的邀请链接] [排行榜]
    1 days later:
    Tea hears:
    🏁 时间到，春茶会 结束！名次公示中，如有异议请在 3月13日 12:00 前告诉我们，之后就是最终结果。
    [排行榜]
    1 days later:
    Tea hears:
    🏆 春茶会 最终名次揭晓，恭喜！
    🥇 Alice · 1 位
    [排行榜]
    30 days later:
    Tea hears:
    """,
)
async def test_a_contest_from_its_start_to_its_final(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, **contest()) as town:
        speak(town)
        await town.play(script)
        assert town.campaign().state == "settled"


@in_both(
    en="""
    Carol> /announce english
    Say that in the group whose language you mean, for example /announce english.
    Carol in the group> /announce english
    From now on announcements here are in English.
    10 days later:
    Tea hears:
    🏁 Spring tea is over. Thank you, everybody! Say /me to see how your friends did.
    Alice> /announce
    Only admins of the group can manage campaigns.
    """,
    zh="""
    Carol> 公告语言 中文
    请在要设置的群里说，例如「公告语言 中文」。
    Carol in the group> 公告语言 中文
    之后这里的公告都用中文。
    10 days later:
    Tea hears:
    🏁 春茶会 结束啦，感谢大家参与！发「我的」就能看到自己的成绩。
    Alice> 公告记录
    只有群管理员可以管理活动。
    """,
)
async def test_each_group_hears_its_own_language(tmp_path: Path, locale: str, script: str) -> None:
    only_end: dict[str, Any] = {"announce": {"on": ["end"]}}
    async with open_town(tmp_path, locale, **ENDS, **only_end) as town:

        def other(session: Session) -> None:
            session.get_one(Brand, town.brand.id).locale = "zh_Hans" if locale == "en" else "en"

        town.do(other)
        await town.play(script)


@in_both(
    en="""
    0 minutes later:
    Tea hears:
    📣 Spring tea has begun!
    For the friends you bring: “A free cup for you.”
    Want to take part before Mar 12, 12:00? I'll send you your own invite link in private.
    [Get my invite link]
    """,
    zh="""
    0 minutes later:
    Tea hears:
    📣 春茶会 开始啦！
    给朋友的心意：「送你一杯新茶。」
    3月12日 12:00 前都可以参加。想参加？我私聊发你专属邀请链接。
    [领我的邀请链接]
    """,
)
async def test_the_button_under_the_start_leads_to_a_link_of_ones_own(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, **ENDS) as town:
        speak(town)
        await town.play(script)
        [reply] = await town.chat.press(town.person("Dora"), "do:invite spring", group="tea")
        assert reply.private
        assert reply.image is not None
