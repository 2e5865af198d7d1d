"""What a process of `daixin serve` may be."""

from __future__ import annotations

from collections.abc import Sequence

CHATS = ("telegram", "discord", "wechat")
ROLES = ("web", "worker", *CHATS)


def platforms_of(roles: Sequence[str]) -> list[str]:
    """The platforms of these roles; the web chat lives with the web."""
    return [name for name in CHATS if name in roles] + (["webchat"] if "web" in roles else [])
