"""Logs: structlog, one event a line, secrets removed whoever logs them."""

from __future__ import annotations

import logging
import re
from typing import Any

import structlog

_TOKEN = re.compile(r"(bot)?\d{6,12}:[A-Za-z0-9_-]{30,}|[MNO][A-Za-z\d_-]{23,25}\.[\w-]{6}\.[\w-]{27,}")
"""What Telegram's and Discord's tokens look like; their libraries log addresses that hold them."""
_secrets: set[str] = set()


def hide(secret: str | None) -> None:
    """Never let this text appear in a log line."""
    if secret and len(secret) >= 6:
        _secrets.add(secret)


def scrub(text: str) -> str:
    """The text without anything that looks like, or is known to be, a secret."""
    for secret in _secrets:
        text = text.replace(secret, "***")
    return _TOKEN.sub("***", text)


def _scrub_event(logger: Any, method: str, event: Any) -> Any:
    return {key: scrub(value) if isinstance(value, str) else value for key, value in event.items()}


def configure(*, json: bool = False, level: int = logging.INFO) -> None:
    """Send structlog's and the standard library's logs through one chain to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _scrub_event,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: Any = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _scrub_event, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "apscheduler", "uvicorn.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
