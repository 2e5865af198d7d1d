"""The operator's admin hears that a budget runs low, in their own language and in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from bots.markup import plain
from tests.dialogue import Town, open_town

SAID = {
    "en": [
        "⚠️ 80% of the budget of Spring tea is spent; 35 points are left.",
        (
            "⛔ The budget of Spring tea no longer covers a reward; 35 points are left. "
            "Friends still count, but earn nothing until it is raised."
        ),
    ],
    "zh_Hans": [
        "⚠️ 春茶会 的预算已用 80%，还剩 35 积分。",
        "⛔ 春茶会 的预算已不够发奖励，还剩 35 积分。好友仍会计数，但追加预算前不再发放奖励。",
    ],
}


async def brings(town: Town, name: str) -> list[str]:
    """Alice brings a friend, who stays a week; what the admin hears of the budget (beside the digest of the week)."""
    await town.say("Alice", "/invite")
    await town.say(name, "/join <Alice's code>")
    await town.chat.join(town.person(name), "tea")
    await town.later(days=7)
    heard = [plain(reply.text) for reply in town.news("Carol")]
    return [said for said in heard if said.startswith(("⚠️", "⛔"))]


@pytest.mark.parametrize("locale", ["en", "zh_Hans"])
async def test_a_budget_that_runs_low(tmp_path: Path, locale: str) -> None:
    async with open_town(tmp_path, locale, rewards__budget=185) as town:
        await town.say("Carol", "/start")
        town.news("Carol")
        assert await brings(town, "Bob") == SAID[locale][:1]
        assert await brings(town, "Dan") == SAID[locale][1:]
        assert await brings(town, "Eve") == []
