"""What a browser calls itself, in the few words people know their devices by."""

from __future__ import annotations

from functools import lru_cache

from starlette.requests import Request
from ua_parser import parse_os, parse_user_agent

LENGTH = 320


def device_of(request: Request) -> str:
    """`Chrome · Windows`; empty where nothing can be told."""
    return _read(request.headers.get("user-agent", "")[:LENGTH])


@lru_cache(maxsize=512)
def _read(text: str) -> str:
    browser, system = parse_user_agent(text), parse_os(text)
    named = [browser.family if browser else "", system.family if system else ""]
    return " · ".join(one for one in named if one and one != "Other")[:80]
