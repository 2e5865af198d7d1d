"""The words every platform shares keep their promises by themselves."""

from __future__ import annotations

import dataclasses
import typing
from datetime import UTC, datetime

import pytest

from bots.message import ACTION_BYTES, CERTAINTIES, Address, Button, Incoming, Joined, Person, Place, Reply


def test_a_button_does_exactly_one_thing() -> None:
    for button in (Button("x", action="a"), Button("x", url="https://example.org"), Button("x", copy="CODE")):
        assert button.label == "x"
    with pytest.raises(ValueError, match="exactly one"):
        Button("x")
    with pytest.raises(ValueError, match="exactly one"):
        Button("x", action="a", url="https://example.org")


def test_an_action_fits_the_tightest_platform_counted_in_bytes() -> None:
    assert Button("x", action="好" * 21 + "x").action
    with pytest.raises(ValueError, match=f"longer than {ACTION_BYTES} bytes"):
        Button("x", action="好" * 22)
    with pytest.raises(ValueError, match="longer"):
        Button("x", action="x" * (ACTION_BYTES + 1))


def test_messages_cannot_be_changed_after_they_were_said() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Reply.__setattr__(Reply("paid"), "text", "not paid")
    for kind in typing.get_args(Incoming):
        assert kind.__dataclass_params__.frozen


def test_a_reply_is_plain_and_public_unless_it_says_otherwise() -> None:
    reply = Reply("hello")
    assert not any((reply.buttons, reply.image, reply.form))
    assert not any((reply.private, reply.edit, reply.brief))


def test_a_join_claims_nothing_it_does_not_know(joined: Joined) -> None:
    assert joined.certainty == CERTAINTIES[-1] == "unknown"
    assert (joined.invite, joined.inviter, joined.candidates) == (None, None, ())


@pytest.fixture
def joined() -> Joined:
    place = Place(Address("webchat", "tea"), group="tea")
    return Joined(Person("v:bob", "Bob"), place, datetime(2030, 1, 1, tzinfo=UTC))
