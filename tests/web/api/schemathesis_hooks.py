"""Gives schemathesis webhooks that there are and sources that may be: what is made up at random meets refusals only.

Loaded by its command line, which is told the key and the webhooks that stay by the environment.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections import deque
from itertools import count, cycle
from typing import Any
from urllib.request import Request, urlopen

import schemathesis
from schemathesis import Case, HookContext, Response

STAYING = os.environ["WEBHOOKS"].split(",")
KEPT = 4
"""Webhooks of its own that are left standing: a brand has ten at most."""
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_made: deque[str] = deque()
_known = set(STAYING)
_next, _number = cycle(STAYING), count()


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """An id that could be one becomes one, every second address one that can be reached and every second source one in
    small letters; what is malformed stays."""
    number = next(_number)
    if "{webhook}" in case.path:
        given = str(case.path_parameters.get("webhook"))
        if UUID.fullmatch(given) and given not in _known:
            case.path_parameters["webhook"] = _new(case, number) if case.method == "DELETE" else next(_next)
    if (
        "/webhooks" in case.path
        and number % 2
        and isinstance(case.body, dict)
        and isinstance(case.body.get("url"), str)
    ):
        case.body["url"] = _address(number)
    if number % 2:
        for told in _told(case.body):
            if isinstance(told.get("source"), str):
                told["source"] = unicodedata.normalize("NFKC", told["source"]).casefold()


def _told(body: Any) -> list[dict[str, Any]]:
    """The orders and refunds of a request."""
    if not isinstance(body, dict):
        return []
    rows = [body.get("conversions"), body.get("refunds")]
    return [body, *(one for row in rows if isinstance(row, list) for one in row if isinstance(one, dict))]


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:
    """What was made stays for the next few calls, which may go on with it."""
    if case.path.endswith("/webhooks") and response.status_code == 201:
        _made.append(json.loads(response.content)["id"])
        _known.add(_made[-1])
        if len(_made) > KEPT:
            _ask(case, "DELETE", f"/webhooks/{_made.popleft()}")


def _new(case: Case[Any], number: int) -> str:
    return str(_ask(case, "POST", "/webhooks", {"url": _address(number)})["id"])


def _address(number: int) -> str:
    """One of the open internet that nobody has to look up; nothing is ever sent there."""
    return f"https://93.184.216.34/{number}"


def _ask(case: Case[Any], method: str, path: str, body: Any = None) -> Any:
    request = Request(f"{case.operation.base_url}{path}", json.dumps(body).encode() if body else None, method=method)
    request.add_header("Authorization", f"Bearer {os.environ['API_KEY']}")
    request.add_header("Content-Type", "application/json")
    try:
        with urlopen(request) as answer:
            return json.loads(answer.read() or "null")
    except OSError:  # it was removed by what is tested
        return None
