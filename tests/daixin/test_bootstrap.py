"""How a friend with a code enters each community, by what its platform told us."""

from __future__ import annotations

from sqlmodel import Session

from bots.state import AdapterNote
from core import clock
from daixin.bootstrap import bots_of, entrances, health_of
from referral import brands
from tests.house import House
from web.parts import Bot, Entrance

CODE = "ABCD2345X"


def enter(house: House, *, deep_link: str | None = None, invited: bool = False) -> dict[str, Entrance]:
    """The ways into a brand's web chat, its Telegram group and its WeChat group."""

    def unit(session: Session) -> dict[str, Entrance]:
        brand = brands.create_brand(session, "Tea")
        group = brands.connect(session, brand.id, "telegram", "-1", "Tea lovers", "https://t.me/+open")
        brands.connect(session, brand.id, "wechat", "1@chatroom", "茶友群", None)
        if deep_link is not None:
            session.add(AdapterNote(platform="telegram", key="deep_link", value=deep_link, updated_at=clock.now()))
            session.flush()
        own = {group.id: "https://t.me/+alices"} if invited else {}
        return {way.platform: way for way in entrances(session, brands.communities_of(session, brand.id), CODE, own)}

    return house.do(unit)


def test_the_web_chat_is_open_to_everybody_even_inside_wechat(house: House) -> None:
    way = enter(house)["webchat"]
    assert (way.url, way.carries_code, way.opens_in_wechat) == (f"/chat?code={CODE}", True, True)


def test_a_bot_that_noted_its_deep_link_is_entered_through_it(house: House) -> None:
    way = enter(house, deep_link="https://t.me/tea_bot?start={code}", invited=True)["telegram"]
    assert (way.url, way.carries_code) == (f"https://t.me/tea_bot?start={CODE}", True)


def test_else_the_members_own_invite_tells_whose_friend_comes(house: House) -> None:
    way = enter(house, invited=True)["telegram"]
    assert (way.url, way.carries_code) == ("https://t.me/+alices", True)


def test_an_open_invite_carries_no_code_and_the_page_asks_for_it(house: House) -> None:
    ways = enter(house)
    assert (ways["telegram"].url, ways["telegram"].carries_code) == ("https://t.me/+open", False)
    assert (ways["wechat"].url, ways["wechat"].title) == (None, "茶友群")


def test_whoever_is_to_add_a_bot_reads_what_it_called_itself(house: House) -> None:
    def unit(session: Session) -> list[Bot]:
        for platform, url in (("wechat", None), ("telegram", "https://t.me/tea_bot?startgroup")):
            value = {"name": "tea", "url": url}
            session.add(AdapterNote(platform=platform, key="introduction", value=value, updated_at=clock.now()))
        session.flush()
        return bots_of(session)

    assert house.do(unit) == [Bot("telegram", "tea", "https://t.me/tea_bot?startgroup"), Bot("wechat", "tea")]


def test_health_of_a_process_without_platforms() -> None:
    assert health_of({}, {}) == {}
