"""What Telegram puts behind the address of a Mini App, made as its documentation says."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from urllib.parse import urlencode

TOKEN = "123456:bot-token-of-the-test"


def signed(account: int | None, at: datetime, token: str = TOKEN, **more: str) -> str:
    """Init data of this Telegram account, opened at this moment; `account` None leaves the user out."""
    fields = {"auth_date": str(int(at.timestamp())), "query_id": "AAF", "signature": "abc"} | more
    if account is not None:
        user = {"id": account, "first_name": "Mei & <b>", "language_code": "zh-hans"}
        fields["user"] = json.dumps(user, ensure_ascii=False)
    lines = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    key = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    return urlencode(fields | {"hash": hmac.new(key, lines.encode(), hashlib.sha256).hexdigest()})
