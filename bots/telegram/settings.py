"""What one Telegram bot needs to know, and how fast it may speak."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


@dataclass(frozen=True, slots=True)
class TelegramSettings:
    """Settings of one bot. Rates are the limits Telegram states in its bot FAQ; 0 lifts a rate.

    api_url: another Bot API server than Telegram's own. webhook_url: the public address that leads to
    `/hooks/telegram`; without it the bot polls. webhook_secret: what Telegram then sends in
    `X-Telegram-Bot-Api-Secret-Token` (1-256 of `A-Za-z0-9_-`). poll_interval: seconds between two polls that
    brought nothing. poll_timeout: seconds a poll waits for news. concurrency: chats handled side by side.
    connections: calls to Telegram under way at once.
    longest_wait: a flood wait up to this many seconds is sat out, a longer one is told to the caller.
    """

    token: str = field(repr=False)
    api_url: str = "https://api.telegram.org"
    webhook_url: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)
    poll_interval: float = 0.0
    poll_timeout: int = 10
    concurrency: int = 64
    connections: int = 8
    messages_per_second: float = 30.0
    group_messages_per_minute: float = 20.0
    chat_interval: float = 1.0
    longest_wait: float = 5.0

    def __post_init__(self) -> None:
        if not self.token:
            raise ValueError("a Telegram bot needs a token")
        if self.concurrency < 1 or self.connections < 1:
            raise ValueError("concurrency and connections are at least 1")
        if self.webhook_url and not _SECRET.fullmatch(self.webhook_secret or ""):
            raise ValueError("a Telegram webhook needs a secret of 1-256 letters, digits, _ and -")
