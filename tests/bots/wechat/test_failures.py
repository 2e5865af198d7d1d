"""What the gateway's refusals mean."""

from __future__ import annotations

import pytest

from bots.wechat.failures import as_send_error
from bots.wechat.transport import CallFailed


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("UNKNOWN", "wxid_x is not a friend"),
        ("UNKNOWN", "no payload found for id wxid_x"),
        ("INTERNAL", "MockRoom.load(): gone@chatroom not exist."),
        ("UNKNOWN", "对方开启了朋友验证，你还不是他（她）朋友"),
        ("UNKNOWN", "消息已发出，但被对方拒收了"),
        ("NOT_FOUND", ""),
        ("INVALID_ARGUMENT", "bad id"),
        ("RESOURCE_EXHAUSTED", "Received message larger than max (4500000 vs. 4194304)"),
    ],
)
def test_useless_to_try_again(status: str, reason: str) -> None:
    assert as_send_error(CallFailed(status, reason)).permanent


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("UNKNOWN", "操作过于频繁，请稍后再试"),
        ("UNKNOWN", "rate limited"),
        ("RESOURCE_EXHAUSTED", "slow down"),
        ("UNKNOWN", "not logged in"),
        ("NOT_CONNECTED", "nobody listens"),
    ],
)
def test_try_again_later(status: str, reason: str) -> None:
    error = as_send_error(CallFailed(status, reason))
    assert not error.permanent
    assert error.retry_after


@pytest.mark.parametrize("status", ["TIMEOUT", "DISCONNECTED", "UNAVAILABLE", "INTERNAL", "UNKNOWN"])
def test_it_may_have_been_sent(status: str) -> None:
    error = as_send_error(CallFailed(status, "no answer"))
    assert (error.permanent, error.retry_after) == (False, None)
