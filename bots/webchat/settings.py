"""What an operator may set for the web chat."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:*]+")


@dataclass(frozen=True, slots=True)
class WebChatSettings:
    """`secret_key` signs the visitor's cookie; `public_url` is where people reach us, without a trailing slash.

    `allowed_origins`: sites (`https://shop.example`) that may show the chat in a frame. A frame on another site
    gets our cookie only with `cross_site_cookie`, which makes it `SameSite=None; Secure; Partitioned` and so needs
    https; without it the cookie is `SameSite=Lax`.

    Everything is kept in the memory of one process and is bounded: `history` messages a chat, `visitors` chats (the
    longest unused go first), `image_bytes` of pictures in all, `uploads` pictures that people are sending at the same
    time. Lengths are characters, rates are per minute, `keep_alive` is in seconds.

    `stage` is for demonstrations only: anybody may be anybody by `?as=NAME` and enter groups by `?group=ID`.
    `admins` are accounts (`stage:Carol`) that count as admins of every group.
    """

    secret_key: str
    public_url: str
    title: str = "Daixin"
    max_text: int = 4000
    max_name: int = 40
    history: int = 50
    visitors: int = 10_000
    image_bytes: int = 64 * 1024 * 1024
    body_bytes: int = 64 * 1024
    messages_per_minute: int = 30
    sends_per_minute: int = 120
    arrivals_per_minute: int = 60
    streams: int = 10
    uploads: int = 4
    keep_alive: float = 15.0
    allowed_origins: tuple[str, ...] = ()
    cross_site_cookie: bool = False
    stage: bool = False
    admins: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.secret_key:
            raise ValueError("the web chat needs a secret_key to sign its visitors' cookies")
        for origin in self.allowed_origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not an origin such as https://shop.example")
        if self.cross_site_cookie and not self.public_url.startswith("https://"):
            raise ValueError("cross_site_cookie needs an https public_url: browsers drop such a cookie otherwise")
