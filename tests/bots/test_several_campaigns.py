"""Where several campaigns run, an answer is about the person's own, and the others are a button away."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlmodel import Session

from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from tests.dialogue import NOON, Town, campaign_file, in_both, open_town


def autumn(town: Town) -> None:
    """A second campaign begins."""

    def unit(session: Session) -> None:
        title = {"en": "Autumn tea", "zh_Hans": "秋茶会"}
        file = campaign_file()
        file["campaign"] |= {"slug": "autumn", "title": title, "starts_at": NOON - timedelta(hours=1)}
        apply_campaign(session, town.brand, build_campaign(file))

    town.do(unit)


@in_both(
    en="""
    Alice invites Bob.
    (Autumn begins.)
    Alice> /me
    Spring tea: 0 counted, 1 on the way, 0 did not count.
    • Bob: opened your invitation, has not joined the group yet
    [My invite link]
    [Why?] [My rewards]
    [See Autumn tea]
    Alice> [See Autumn tea]
    Nobody has come through your link to Autumn tea yet. Share it with a friend who would like it.
    [My invite link]
    [Why?] [My rewards]
    [See Spring tea]
    Bob> /why
    Spring tea: what counted, and why
    • You came through Alice on Mar 2, 12:00; join the group to go on.
    [See Autumn tea]
    Dora> /leaderboard
    Autumn tea: nobody is on the board yet. The first place is free.
    [My invite link]
    [See Spring tea]
    """,
    zh="""
    Alice invites Bob.
    (Autumn begins.)
    Alice> 我的
    春茶会：已算数 0 位，进行中 1 位，未算数 0 位。
    • Bob：打开了邀请，还没进群
    [我的邀请链接]
    [为什么？] [我的奖励]
    [看「秋茶会」]
    Alice> [看「秋茶会」]
    秋茶会 还没有朋友通过你的链接加入。把它发给可能喜欢的朋友吧。
    [我的邀请链接]
    [为什么？] [我的奖励]
    [看「春茶会」]
    """,
)
async def test_the_campaign_one_is_in_comes_first(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        town.stage["Autumn begins."] = lambda: autumn(town)
        await town.play(script)


async def test_each_campaign_has_its_own_link(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        autumn(town)
        assert "your invitation to Autumn tea" in await town.ask("Alice", "/invite")
        assert "your invitation to Spring tea" in await town.ask("Alice", "[See Spring tea]")
        assert "your invitation to Autumn tea" in await town.ask("Alice", "/invite no-such-campaign")
