"""What a failed call to the gateway means for the message that was to be sent."""

from __future__ import annotations

import re

from bots.adapter import SendError
from bots.wechat.transport import CallFailed

PAUSE = 60.0
"""Seconds to leave an account alone that WeChat calls too busy, or that has to log in again."""

_BUSY = re.compile(r"rate.?limit|too (many|fast|often)|frequen|频繁|过快|稍后再试", re.I)
_LOGGED_OUT = re.compile(r"not logged ?in|logged ?out|未登录|已退出", re.I)
_GONE = re.compile(
    r"not (a |your )?friend|no such|not exist|not found|no payload|unknown (contact|room)|not in (the )?room"
    r"|blocked|blacklist|不是.{0,6}(好友|朋友)|朋友验证|拒收|黑名单|已被移出",
    re.I,
)
_REFUSED = {"NOT_FOUND", "INVALID_ARGUMENT", "PERMISSION_DENIED", "FAILED_PRECONDITION", "UNIMPLEMENTED"}


def too_busy(failure: CallFailed) -> bool:
    """Whether WeChat has had enough of the account: then every message waits, not only this one."""
    return bool(_BUSY.search(failure.reason)) or (failure.status == "RESOURCE_EXHAUSTED" and not _too_large(failure))


def _too_large(failure: CallFailed) -> bool:
    return failure.status == "RESOURCE_EXHAUSTED" and "larger than max" in failure.reason


def as_send_error(failure: CallFailed) -> SendError:
    """Gateways pass WeChat's words on as they are, under one status, so the words decide before the status does."""
    reason = str(failure)
    if failure.status == "NOT_CONNECTED":
        return SendError(reason, retry_after=1.0)
    if too_busy(failure) or _LOGGED_OUT.search(failure.reason):
        return SendError(reason, retry_after=PAUSE)
    if _too_large(failure) or failure.status in _REFUSED or _GONE.search(failure.reason):
        return SendError(reason, permanent=True)
    return SendError(reason)
