"""The way from the chat into the brand's pages: a link for whoever has a role, for them alone, once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlmodel import Session

from core import clock
from core.errors import Refused
from referral import audit, members, staff
from referral.users import links
from tests.dialogue import Town, in_both, open_town
from tests.house import person


def make(town: Town, name: str, role: str | None) -> None:
    """Let them have this role, or none."""

    def unit(session: Session) -> None:
        known = members.meet(session, town.brand.id, [person(name, "webchat")], [clock.now()], "message")[0]
        if role is None:
            staff.take(session, town.brand.id, known.member_id, "operator")
        else:
            staff.give(session, town.brand.id, known.member_id, role, "operator")

    town.do(unit)


@in_both(
    en="""
    Alice> /dashboard
    The dashboard is for the people who run Acme Tea. If somebody gave you a code, say /staff and the code.
    Mei in the group> /dashboard
    (only to Mei)
    The way into the dashboard is for you alone: please say /dashboard to me in private.
    """,
    zh="""
    Alice> 管理后台
    管理后台只对「茶里」的团队开放。如果收到了授权码，请发送「团队」加授权码。
    Mei in the group> 后台
    (only to Mei)
    登录链接只发给你本人，请私聊我发送「管理后台」。
    """,
)
async def test_the_way_in_is_for_who_runs_the_brand(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        make(town, "Mei", "reviewer")
        await town.play(script)


async def way_in(town: Town, name: str) -> str:
    """The token of the link that is answered."""
    replies = await town.say(name, "/dashboard")
    assert replies[0].private
    url = replies[0].buttons[0][0].url or ""
    found = re.fullmatch(r"https://tea\.example/door/([\w-]{43})", url)
    assert found is not None
    assert found[1] not in replies[0].text, "a preview of the words must not hold it"
    return found[1]


async def test_a_new_link_closes_the_one_before(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        make(town, "Mei", "manager")
        make(town, "Ann", "owner")
        first, second = await way_in(town, "Mei"), await way_in(town, "Mei")
        with pytest.raises(Refused):
            town.do(lambda session: links.look(session, first))
        link = town.do(lambda session: links.look(session, second))
        assert (link.what, link.brand_id) == ("enter", town.brand.id)
        assert link.digest != second
        # The operator has no role of their own and needs none.
        await way_in(town, "Carol")
        acts = town.do(lambda session: [one.act for one in audit.entries_of(session, town.brand.id, most=10)])
        assert acts.count("user.link") == 3
        await town.later(minutes=6)
        with pytest.raises(Refused):
            town.do(lambda session: links.look(session, second))
        make(town, "Mei", None)
        assert "for the people who run" in await town.ask("Mei", "/dashboard")
