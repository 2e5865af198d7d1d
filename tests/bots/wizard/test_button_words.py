"""The words on the button that begins a campaign begin one when they are typed, too; in a group they are talk."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import i18n
from tests.dialogue import in_both, open_town


@in_both(
    en="""
    Carol> New campaign
    What would you like to run?
    Referral: members bring friends, and both are rewarded.
    Product trial: people apply for a limited number of places, try it and tell you what they think; whoever brings \
    friends moves up the line.
    Contest: whoever brings the most friends wins, alone or as a team, on a live board.
    [Referral]
    [Product trial]
    [Contest]
    Carol> [Contest]
    (1/9) What is the contest called? Members see this name on the board.
    [Stop here]
    Alice> new campaign
    Only admins of the group can manage campaigns.
    """,
    zh="""
    Carol> 新建活动
    想办哪种活动？
    老带新：老成员邀请朋友，双方都有奖励。
    新品试用：限量名额，申请、审核、寄样、收反馈一条龙；带朋友一起申请的人排得更靠前。
    拉新大赛：比谁带来的新朋友多，个人赛、战队赛都行，榜单实时更新。
    [老带新]
    [新品试用]
    [拉新大赛]
    Carol> [拉新大赛]
    1/9 大赛叫什么名字？会显示在榜单上。
    [先到这里]
    Alice> 新建活动
    只有群管理员可以管理活动。
    """,
)
async def test_the_words_of_the_button_begin_a_campaign(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale, campaign=False) as town:
        await town.play(script)


@pytest.mark.parametrize("locale", i18n.LOCALES)
async def test_what_can_be_typed_is_what_stands_on_the_button(tmp_path: Path, locale: str) -> None:
    async with open_town(tmp_path, locale, campaign=False) as town:
        typed = await town.ask("Carol", f" {i18n.text(locale, 'button.campaign_new').upper()} ")
        assert typed == await town.ask("Carol", "/campaign new")
