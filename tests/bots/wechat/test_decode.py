"""What a gateway and a person say, read without a gateway."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.message import Address, Person, Place, Pressed, Said
from bots.wechat import decode
from bots.wechat.transport import Contact, Message
from tests.bots.wechat.harness import MENU

ALICE = Person("wxid_alice", "Alice")
ME = decode.Me("wxid_bot", ("小带", "小带 助手"))
ROOM = Place(Address("wechat", "r@chatroom"), group="r@chatroom")
HERE = Place(Address("wechat", "wxid_alice"))


def heard(text: str, *, room: bool = False, mentions: tuple[str, ...] = (), offer: dict[str, str] | None = None) -> Any:
    message = Message("m1", "wxid_alice", "r@chatroom" if room else "", text, mentions)
    return decode.heard(message, ALICE, ROOM if room else HERE, ME, MENU, offer or {})


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", "1"),
        ("１", "1"),
        (" 2 ", "2"),
        ("1.", "1"),
        ("1、", "1"),
        ("３．", "3"),
        ("①", "1"),
        ("⑫", "12"),
        ("⑴", "1"),
        ("⒈", "1"),
        ("1️⃣", "1"),
        ("(2)", "2"),
        ("01", "1"),
        ("1234", None),
        ("1.5", None),
        ("1 2", None),
        ("第1", None),
        ("", None),
        ("½", None),
        ("²⁰²⁶", None),
        ("٣", None),
    ],
)
def test_a_number_in_the_ways_people_type_it(text: str, number: str | None) -> None:
    assert decode.number(text) == number


@given(st.text())
def test_any_text_is_a_number_or_not(text: str) -> None:
    number = decode.number(text)
    assert number is None or number.isascii()


def test_the_number_of_a_button_presses_it_and_any_other_text_is_said() -> None:
    offer = {"1": "invite", "2": "top"}
    assert heard("②", offer=offer) == Pressed(ALICE, HERE, "top", key="m1")
    assert heard("3", offer=offer) == Said(ALICE, HERE, "3", key="m1")
    assert heard("2 个", offer=offer) == Said(ALICE, HERE, "2 个", key="m1")
    assert heard("   ") is None


def test_a_number_in_a_group_presses_also_after_the_bots_name() -> None:
    assert heard("@小带\u20051", room=True, offer={"1": "top"}) == Pressed(ALICE, ROOM, "top", key="m1")
    assert heard("1", room=True) is None


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("@小带\u2005邀请", "邀请"),
        ("@小带 邀请", "邀请"),
        ("邀请 @小带", "邀请"),
        ("@小带 助手\u2005邀请", "邀请"),
        ("@小带", ""),
    ],
)
def test_the_bots_name_is_taken_off(text: str, rest: str) -> None:
    assert decode.addressed(Message("m", "a", "r@", text), ME) == (rest, True)


def test_what_is_quoted_is_not_said_again() -> None:
    quoted = "「小带：选一个\n\n1. 我的邀请\n2. 排行榜」\n- - - - - - - - - - - - - - -\n2"
    assert heard(quoted, offer={"2": "top"}) == Pressed(ALICE, HERE, "top", key="m1")
    assert heard(quoted, room=True, offer={"2": "top"}) == Pressed(ALICE, ROOM, "top", key="m1")
    assert heard(quoted[:-1] + "@小带 帮助", room=True).text == "帮助"
    assert heard("「引号」里的话").text == "「引号」里的话"


def test_another_name_is_not_ours() -> None:
    assert heard("@小带子\u2005你好", room=True) is None
    assert heard("邮箱 me@小带.com", room=True) is None


def test_a_mention_by_id_counts_whatever_we_are_called_there() -> None:
    assert heard("@群助手\u2005怎么玩", room=True, mentions=("wxid_bot",)).text == "怎么玩"
    assert heard("怎么玩", room=True, mentions=("wxid_bot",)).text == "怎么玩"
    assert heard("怎么玩", room=True, mentions=("wxid_bob",)) is None


@pytest.mark.parametrize(
    "text",
    [
        "/help",
        "／help",
        "帮助",
        "Invite",
        "加入 ABCD2345",
        "邀请码ABCD2345",
        "邀请码: abcd-2345",
        "code: XYZ",
        "Code ABCD2345",
    ],
)
def test_words_for_the_bot(text: str) -> None:
    assert decode.for_us(text.replace("code: XYZ", "code: XYZ12345"), MENU)


@pytest.mark.parametrize(
    "text", ["邀请大家吃饭", "帮助 一下", "加入 我们 吧", "code review", "codes", "我的邀请码呢", "", "邀请码"]
)
def test_words_for_others(text: str) -> None:
    assert not decode.for_us(text, MENU)


@given(st.text(), st.booleans())
def test_whatever_is_said_is_heard_or_passed_over(text: str, room: bool) -> None:
    said = heard(text, room=room, offer={"1": "one"})
    assert said is None or isinstance(said, Said | Pressed)
    if not room and text.strip():
        assert said is not None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(
    ["messageId", "roomId", "inviteeIdList", "removeeIdList", "inviterId", "timestamp", "contactId", "status", "data"]
)


@given(st.integers(0, 30), st.dictionaries(keys, json_values) | json_values)
def test_any_payload_is_read_or_refused(kind: int, payload: Any) -> None:
    try:
        decode.event(kind, json.dumps(payload))
    except (ValueError, KeyError, TypeError):
        return


@pytest.mark.parametrize("payload", ["", "{", "[]", "null", '"text"', "\x00"])
def test_what_is_not_an_object_is_refused_where_it_matters(payload: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        decode.event(2, payload)
    assert decode.event(1, payload) is None


def test_a_join_with_everything_and_with_nothing() -> None:
    full = {"roomId": "r@", "inviteeIdList": ["a", "b"], "inviterId": "c", "timestamp": 1_700_000_000_000}
    at = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert decode.event(19, json.dumps(full)) == decode.RoomJoined("r@", ("a", "b"), "c", at)
    assert decode.event(19, '{"roomId": "r@"}') == decode.RoomJoined("r@", (), None, None)
    assert decode.event(19, '{"roomId": "r@", "inviterId": 7}') == decode.RoomJoined("r@", (), None, None)


@pytest.mark.parametrize("absurd", [None, 0, -5, True, "1700000000000", 1e30, float("inf"), float("nan"), [1]])
def test_an_absurd_time_is_no_time(absurd: object) -> None:
    assert decode.moment(absurd) is None


def test_only_a_code_that_wants_scanning_means_logged_out() -> None:
    assert decode.event(22, '{"status": 2, "qrcode": "https://q"}') == decode.NotLoggedIn(
        "scan this code with the phone of the account: https://q"
    )
    assert decode.event(22, '{"status": 4}') is None


def test_a_contact_without_a_name_goes_by_the_id() -> None:
    assert decode.person(Contact("wxid_x", "", friend=False)) == Person("wxid_x", "wxid_x")
