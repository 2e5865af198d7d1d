"""No statement that names its rows by their keys may read a whole brand.

SQLite keeps no statistics here. Told a brand and a list of keys it may well take an index of which it uses the brand
alone, since that promises the order or the groups; no test is slow by it, and a brand with a million orders reads a
million rows for each refund. `core.lists` tells it better, and this sees to it: each statement that goes through there
is explained once, and the tests that make one which reads a brand fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

BIG = (
    *("adjustment", "attribution", "audit_entry", "contest_point", "conversion", "credit_share", "earning"),
    *("enrollment", "identity", "invite_code", "ledger_account", "member", "member_link", "member_term", "membership"),
    *("outbox", "outreach", "payout", "payout_line", "qualifying_event", "referral", "refund", "review_case", "reward"),
    *("score", "sealed_transfer", "shop_order_name", "sighting", "touch", "transfer", "trial_application"),
    *("webhook_delivery", "webhook_event"),
)
"""Tables of which a brand has a row for each person, message or order, or more."""
_KEYED = ("likelihood(", "json_each(")
_NAMED = re.compile(r"likelihood\((.*?) (?:=|IN) ")
_READS = re.compile(rf"(?:SCAN|SEARCH) (?:{'|'.join(BIG)})(?:_\d+)?(?: USING .*?(?P<by>\(.*\))?)?(?: LEFT-JOIN)?$")

_seen: dict[str, list[str]] = {}
_found: dict[str, list[str]] = {}


def whole(plan: list[str]) -> list[str]:
    """The lines of SQLite's plan that read all of a brand's rows, or of everybody's, in a big table."""
    return [line for line in plan if (read := _READS.match(line)) and read["by"] in (None, "(brand_id=?)")]


def watch() -> None:
    """Look at what every engine executes from now on."""
    event.listen(Engine, "before_cursor_execute", _look)


def _look(connection: Connection, _: Any, statement: str, parameters: Any, __: Any, executemany: bool) -> None:
    if statement not in _seen:
        _seen[statement] = _explain(connection, statement, parameters[0] if executemany else parameters)
    if bad := _seen[statement]:
        _found[statement] = bad


def _explain(connection: Connection, statement: str, parameters: Any) -> list[str]:
    keyed = connection.dialect.name == "sqlite" and any(mark in statement for mark in _KEYED)
    if not keyed or statement.startswith("EXPLAIN"):
        return []
    named = set(re.findall(r"\.(\w+)", " ".join(_NAMED.findall(statement))))
    if named == {"brand_id", "campaign_id"}:  # a whole campaign, of which referrals have no index: counted all the same
        return []
    raw: Any = connection.connection.dbapi_connection
    return whole([row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)])


@contextmanager
def looked_up() -> Iterator[None]:
    """What is executed meanwhile looks up the rows it names, or this fails."""
    _found.clear()
    yield
    found = "\n\n".join(f"{statement}\n  {'; '.join(lines)}" for statement, lines in _found.items())
    _found.clear()
    assert not found, f"these name their rows and yet read a whole brand:\n\n{found}"
