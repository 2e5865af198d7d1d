"""Who opened a Telegram Mini App, by what Telegram signed for us.

Source: "Validating data received via the Mini App", core.telegram.org/bots/webapps. The fields but `hash`, sorted, one
`key=value` a line, under HMAC-SHA-256 with a key that is HMAC-SHA-256 of the bot's token under `WebAppData`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

from core.errors import NotAllowed

LONGEST = 8192
MOST_FIELDS = 32
VALID = timedelta(hours=24)
"""How long a page that was opened may go on asking."""
SKEW = timedelta(minutes=1)
"""How far Telegram's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Whose Telegram opened the page. `language`: as Telegram tells it, such as `zh-hans`."""

    account: str
    language: str | None


def read_init_data(text: str, token: str, now: datetime) -> Opened:
    """What the bot with this token may believe. Raises `NotAllowed("mini_forged" | "mini_stale")`."""
    fields = _fields(text)
    given = fields.pop("hash", "")
    lines = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    key = hmac.digest(b"WebAppData", token.encode(), hashlib.sha256)
    expected = hmac.new(key, lines.encode(), hashlib.sha256).hexdigest()
    if not token or not hmac.compare_digest(given.encode(), expected.encode()):
        raise NotAllowed("mini_forged")
    signed = fields.get("auth_date", "")
    if not (signed.isascii() and signed.isdigit() and len(signed) <= 11):
        raise NotAllowed("mini_forged")
    age = now - datetime.fromtimestamp(int(signed), UTC)
    if not -SKEW <= age <= VALID:
        raise NotAllowed("mini_stale")
    return _user(fields.get("user", ""))


def _fields(text: str) -> dict[str, str]:
    if len(text) > LONGEST:
        raise NotAllowed("mini_forged")
    try:
        pairs = parse_qsl(text, True, True, "utf-8", "strict", MOST_FIELDS)
    except ValueError:
        raise NotAllowed("mini_forged") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):  # the same field twice could be read one way by the signer and another by us
        raise NotAllowed("mini_forged")
    return fields


def _user(text: str) -> Opened:
    """The user's field, which is signed, but need not be there: a page opened in a group's name has none."""
    try:
        user = json.loads(text)
        account, language = user["id"], user.get("language_code")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise NotAllowed("mini_forged") from None
    if not isinstance(account, int) or isinstance(account, bool):
        raise NotAllowed("mini_forged")
    return Opened(str(account), language if isinstance(language, str) else None)
