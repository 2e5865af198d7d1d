"""A group comes to a brand: by the platform's word for its admin, by a one-time code, or as the first of all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from bots.state import AdapterNote
from core import clock
from core.errors import Conflict
from referral import staff
from referral.brands import Brand, Community, communities_of
from referral.connecting import connect_group
from referral.members import find_identity
from tests.bots.square import Square
from tests.house import House, fresh_sqlite, later


@pytest.fixture
def square(house: House) -> Square:
    return Square(house)


async def test_the_first_group_of_a_platform_is_taken_and_no_other(square: Square) -> None:
    brand = square.brand()
    said = await square.adds("Mei", "tea", "can_invite_users")
    assert said.startswith("✅ This group now belongs to Acme.")
    assert "Invite users via link" in said
    assert "Administrators" in said
    assert (await square.adds("Stranger", "mine")).startswith("Hello! Invite your friends with me")
    assert square.community("mine") is None
    assert await square.says("Stranger", "/campaign", "mine") == "Only admins of the group can manage campaigns."
    assert square.acts(brand) == [("community.connect", "first_group")]


async def test_who_the_operator_named_is_asked_before_any_group_is_taken(house: House) -> None:
    square = Square(house, admins=frozenset({"telegram:mei"}))
    brand = square.brand()
    assert "[Connect this group]" in await square.adds("Stranger", "theirs")
    assert square.community("theirs") is None
    await square.adds("Mei", "tea")
    assert "now belongs to Acme" in await square.says("Mei", "[Connect this group]", "tea")
    assert square.acts(brand) == [("community.connect", "telegram:mei")]


async def test_an_admin_of_the_group_who_runs_the_brand_connects_it(square: Square) -> None:
    brand = square.brand()
    square.role(brand, "Mei", "manager")
    await square.adds("Mei", "tea")
    assert square.community("tea") is None
    assert "Only an admin of this group" in await square.says("Mei", "/connect", "tea")
    square.telegram.admins.add(("tea", "mei"))
    assert "now belongs to Acme" in await square.says("Mei", "/connect", "tea")
    assert square.community("tea").title == "tea lovers"  # type: ignore[union-attr]
    assert (await square.says("Ann", "/connect", "tea")) == "This group belongs to Acme."
    assert square.acts(brand)[-1] == ("community.connect", "telegram:mei")


async def test_a_reviewer_connects_nothing(square: Square) -> None:
    brand = square.brand()
    square.role(brand, "Ann", "reviewer")
    square.telegram.admins.add(("tea", "ann"))
    assert "You do not run a brand here yet" in await square.says("Ann", "/connect", "tea")


async def test_an_admin_of_a_group_is_a_manager_until_the_platform_says_otherwise(square: Square) -> None:
    brand = square.brand()
    await square.adds("Mei", "tea")
    square.telegram.admins.add(("tea", "mei"))
    assert "no campaign yet" in await square.says("Mei", "/campaign", "tea")
    assert "no campaign yet" in await square.says("Mei", "/campaign")
    square.telegram.admins.clear()
    assert await square.says("Mei", "/campaign") == "Only admins of the group can manage campaigns."
    assert len(square.acts(brand)) == 1


async def test_a_dialog_that_was_begun_by_an_admin_stops_with_the_right_and_keeps_what_was_said(
    square: Square,
) -> None:
    square.brand()
    await square.adds("Mei", "tea")
    square.telegram.admins.add(("tea", "mei"))
    first = await square.says("Mei", "/campaign new referral")
    square.telegram.admins.clear()
    assert (await square.says("Mei", "Summer")).startswith("You can no longer do this for Acme.")
    assert "Nobody has come" not in await square.says("Mei", "/me")
    square.telegram.admins.add(("tea", "mei"))
    assert "You can no longer" not in await square.says("Mei", "Summer")
    assert first
    square.telegram.admins.clear()
    assert await square.says("Mei", "cancel") == "Stopped; nothing was changed."


async def test_a_platform_that_does_not_answer_takes_no_right_away(square: Square) -> None:
    brand = square.brand()
    await square.adds("Mei", "tea")
    square.telegram.admins.add(("tea", "mei"))
    await square.says("Mei", "/campaign new referral")
    square.telegram.silent = True
    for words in ("Summer", "/campaign"):
        assert (await square.says("Mei", words)).startswith("I cannot ask the platform right now")
    square.role(brand, "Ann", "manager")
    assert "no campaign yet" in await square.says("Ann", "/campaign")
    square.telegram.silent = False
    assert "cannot ask" not in await square.says("Mei", "Summer")


async def test_a_code_connects_where_the_platform_cannot_tell_admins(square: Square) -> None:
    brand = square.brand()
    square.role(brand, "Mei", "owner")
    assert "one-time code" in await square.adds("Mei", "room", platform="wechat")
    assert "cannot see here who the group's owner is" in await square.says("Mei", "连接", "room", "wechat")
    said = await square.says("Mei", "/connect code")
    code = said.split("/connect ")[1].split("\n")[0]
    assert "now belongs to Acme" in await square.says("Li", f"连接 {code}", "room", "wechat")
    assert square.community("room", "wechat") is not None
    assert "does not work" in await square.says("Li", f"连接 {code}", "other", "wechat")
    assert square.acts(brand)[-1] == ("community.connect", "wechat:li")


async def test_a_partner_sees_its_own_and_manages_nothing(square: Square) -> None:
    brand = square.brand()
    square.role(brand, "Mei", "owner")
    code = (await square.says("Mei", "/connect partner")).split("/connect ")[1].split("\n")[0]
    assert "Only an admin of this group" in await square.says("Zoe", f"/connect {code}", "fans")
    square.telegram.admins.add(("fans", "zoe"))
    assert "is now a partner of Acme" in await square.says("Zoe", f"/connect {code}", "fans")
    community = square.community("fans")
    assert community is not None
    assert community.partner
    zoe = square.house.ask(lambda s: find_identity(s, brand.id, "telegram", "zoe"))
    assert zoe is not None
    assert community.admin_id == zoe.member_id
    own = (await square.says("Mei", "/connect code")).split("/connect ")[1].split("\n")[0]
    await square.says("Zoe", f"/connect {own}", "fans")
    again = square.community("fans")
    assert again is not None
    assert (again.partner, again.admin_id) == (False, None)
    code = (await square.says("Mei", "/connect partner")).split("/connect ")[1].split("\n")[0]
    await square.says("Zoe", f"/connect {code}", "fans")
    assert await square.says("Zoe", "/campaign new", "fans") == "Only admins of the group can manage campaigns."
    assert "[Yes, disconnect]" in await square.says("Zoe", "/connect off", "fans")
    assert "no longer belongs to Acme" in await square.says("Zoe", "[Yes, disconnect]", "fans")
    assert square.community("fans") is None


async def test_a_brand_begins_in_a_group(square: Square) -> None:
    square.telegram.admins.add(("tea", "mei"))
    await square.adds("Mei", "tea")
    assert "Nobody has started a brand" in await square.says("Mei", "[Connect this group]", "tea")
    said = await square.says("Mei", "[Start a new brand “tea lovers”]", "tea")
    assert said.startswith("tea lovers is set up, and you are its owner.")
    assert "now belongs to tea lovers" in said
    community = square.community("tea")
    assert community is not None
    [mei] = square.house.ask(lambda s: staff.staff_of(s, community.brand_id))
    assert mei.role == "owner"
    square.telegram.admins.add(("other", "max"))
    assert "do not run a brand" in await square.says("Max", "/connect", "other")
    assert "do not run a brand" in await square.says("Max", "/connect new Mine", "other")


async def test_on_a_hosted_service_everybody_begins_their_own(house: House) -> None:
    square = Square(house, open_to_brands=True)
    square.brand()
    square.telegram.admins |= {("tea", "mei"), ("cake", "max")}
    await square.adds("Mei", "zero")
    assert "is set up, and you are its owner" in await square.says("Mei", "/connect new Tea House", "tea")
    assert "Tea House is set up, and you are its owner" in await square.says("Max", "/connect new Tea House", "cake")
    tea, cake = square.community("tea"), square.community("cake")
    assert tea is not None
    assert cake is not None
    assert tea.brand_id != cake.brand_id
    square.telegram.admins.add(("tea", "max"))
    assert await square.says("Max", "/connect", "tea") == "This group belongs to Tea House.\n[Disconnect]"


async def test_taken_out_of_a_group_the_bot_lets_it_go(square: Square) -> None:
    brand = square.brand()
    await square.adds("Mei", "tea")
    await square.removes("Mei", "tea")
    assert square.community("tea") is None
    assert len(square.house.ask(lambda s: communities_of(s, brand.id))) == 1  # the web chat
    assert square.acts(brand)[-1] == ("community.disconnect", "telegram:mei")
    with later(days=1):
        assert "Hello!" in await square.adds("Mei", "tea")
        assert "“tea lovers” is waiting" in await square.says("Mei", "/connect")


async def test_of_two_brands_that_connect_a_group_at_once_one_gets_it(house: House) -> None:
    square = Square(house)
    one, two = square.brand("One"), square.brand("Two")
    other = House(house.url)

    def attempt(which: House, brand: Brand) -> str:
        try:
            which.do(lambda s: connect_group(s, brand.id, "telegram", "tea", "Tea", "operator"))
        except Conflict as error:
            return error.code
        return "connected"

    with ThreadPoolExecutor(2) as pool:
        tries = [pool.submit(attempt, house, one), pool.submit(attempt, other, two)]
        outcomes = sorted(tried.result(timeout=60) for tried in tries)
    other.close()
    assert outcomes == ["community_taken", "connected"]
    community = square.community("tea")
    assert community is not None
    loser = two if community.brand_id == one.id else one
    row = Community(brand_id=loser.id, platform="telegram", group_id="tea", connected_at=clock.now())
    with pytest.raises(IntegrityError):  # whatever writes past our code is refused by the database itself
        house.do(lambda s: s.add(row))


@pytest.mark.parametrize(
    "words",
    [
        "connect to",
        "connect to nosuch",
        "connect \x00",
        "connect off",
        "connect new " + "很长的名字" * 2000,
        "connect new <b>*Acme*</b> [x](http://x)",
        "connect " + "A" * 5000,
        "connect 2345678923",
        "staff take",
        "staff take nonsense yes",
        "staff take 00000000000000000000000000000000",
        "staff king",
        "staff 2345678923",
        "staff " + "９" * 5000,
    ],
)
@pytest.mark.parametrize("group", ["tea", None])
async def test_odd_words_have_an_answer(tmp_path: Path, words: str, group: str | None) -> None:
    house = House(fresh_sqlite(tmp_path))
    square = Square(house, admins=frozenset({"telegram:mei"}))
    square.telegram.admins.add(("tea", "mei"))
    square.brand()
    for name in ("Mei", "Ann"):
        said = await square.says(name, f"/{words}", group)
        assert said
        assert "went wrong" not in said
    house.close()


async def test_an_admin_of_one_brand_is_none_of_another_spoken_to_meanwhile(square: Square) -> None:
    tea, coffee = square.brand("Tea"), square.brand("Coffee")
    for brand, group in ((tea, "tea"), (coffee, "coffee")):
        connected = partial(connect_group, brand_id=brand.id, platform="telegram", group_id=group)
        square.house.do(partial(connected, title=group, actor="op"))
    square.telegram.admins.add(("coffee", "zoe"))
    await square.says("Zoe", "/help", "tea")
    with later(seconds=1):
        await square.says("Zoe", "/help", "coffee")
    asked = square.telegram.is_admin

    async def speaks_elsewhere_meanwhile(group: str, account: str) -> bool:
        with later(seconds=2):
            square.telegram.is_admin = asked
            await square.says("Zoe", "/me", "tea")
        return await asked(group, account)

    square.telegram.is_admin = speaks_elsewhere_meanwhile
    assert "try again" in await square.says("Zoe", "/campaign")
    assert await square.says("Zoe", "/campaign") == "Only admins of the group can manage campaigns."


async def test_whoever_is_to_add_the_bot_reads_its_name_and_gets_the_link(square: Square) -> None:
    brand = square.brand()
    square.role(brand, "Mei", "manager")
    link = "https://t.me/tea_bot?startgroup&admin=invite_users+pin_messages"

    def noted(session: Session) -> None:
        for platform, value in (
            ("telegram", {"name": "@tea_bot", "url": link}),
            ("wechat", {"name": "茶", "url": None}),
        ):
            session.add(AdapterNote(platform=platform, key="introduction", value=value, updated_at=clock.now()))

    square.house.do(noted)
    for name in ("Mei", "Stranger"):
        said = await square.says(name, "/connect")
        assert "On Telegram I am called @tea_bot." in said
        assert "[Add @tea_bot to a group]" in said
        assert "WeChat" not in said
    assert "[Add @tea_bot to a group]" in await square.says("Mei", "/connect partner")
    said = await square.says("Stranger", "/connect", platform="wechat")
    assert "On WeChat I am called 茶." in said
    assert "[Add" not in said

    said = await square.says("Stranger", "/connect", platform="webchat")  # which is no platform with groups
    assert "@tea_bot" in said
    assert "茶" in said
