"""Looks at an installation and says what to do."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from bots.adapter import Adapter, Diagnoses, SendError
from bots.markup import plain
from bots.placing import missing_words
from core import migrations
from core.db import is_sqlite, make_engine
from core.errors import DaixinError, Unavailable
from core.settings import Settings
from daixin.bootstrap import Parts, build
from daixin.console import LOCALE, ask_health, explain
from daixin.roles import CHATS
from referral.brands import Brand, Community

CONNECT_WITHIN = 20.0
"""Seconds a platform gets to say that it is ready."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `todo` says how to mend it."""

    ok: bool
    what: str
    todo: str = ""


async def examine(settings: Settings) -> list[Finding]:
    """Everything worth checking, in the order one would mend it."""
    findings = _configuration(settings)
    database = await asyncio.to_thread(_database, settings)
    findings += database
    if not all(finding.ok for finding in database):
        return findings
    try:
        parts = build(settings, CHATS, notes=_Scratch)
    except DaixinError as error:
        return [*findings, Finding(False, "settings", str(explain(error)))]
    try:
        findings.append(await _brands(parts))
        if not parts.adapters:
            findings.append(Finding(True, "no chat platform is set up: only the web chat will run"))
        for adapter in parts.adapters.values():
            findings += await _platform(parts, adapter)
    finally:
        parts.close()
    return findings


def _configuration(settings: Settings) -> list[Finding]:
    local = "127.0.0.1" in settings.public_url or "localhost" in settings.public_url
    secure = settings.public_url.startswith("https://")
    return [
        Finding(
            secure or local,
            f"public address {settings.public_url}",
            "set DAIXIN_PUBLIC_URL to the https address people reach",
        ),
        Finding(
            bool(settings.secret_key.get_secret_value()) or is_sqlite(settings.database_url),
            "secret key",
            "set DAIXIN_SECRET_KEY (or DAIXIN_SECRET_KEY_FILE) to at least 32 random characters",
        ),
    ]


def _database(settings: Settings) -> list[Finding]:
    engine = make_engine(settings.sqlalchemy_url, writer=False)
    kind = "SQLite" if is_sqlite(settings.database_url) else "PostgreSQL"
    try:
        revision = migrations.revision_of(engine)
    except Exception as error:
        return [Finding(False, f"database ({kind})", f"cannot be reached: {str(error).splitlines()[0][:200]}")]
    finally:
        engine.dispose()
    head = migrations.head()
    return [Finding(revision == head, f"database ({kind}) at {revision}", f"run `daixin migrate` (newest: {head})")]


async def _brands(parts: Parts) -> Finding:
    count = await parts.reader.run(lambda session: session.scalar(select(func.count()).select_from(Brand)) or 0)
    return Finding(count > 0, f"{count} brand(s)", 'make one: daixin brand create "My brand"')


async def _platform(parts: Parts, adapter: Adapter) -> list[Finding]:
    """Whether the platform takes us, and what we lack in each connected group.

    Where one can ask without listening (`probe`) the running bot notices nothing; otherwise its own word is taken, or
    we connect for a moment.
    """
    probe = getattr(adapter, "probe", None)
    if probe is not None:
        try:
            return [Finding(True, f"{adapter.platform} knows us as {await probe()}"), *await _rights(parts, adapter)]
        except (PermissionError, SendError) as error:
            return [Finding(False, f"{adapter.platform} does not take us", str(error))]
        finally:
            await adapter.close()
    running = await asyncio.to_thread(_running, parts.settings, adapter.platform)
    if running is not None:
        ready = running["state"] == "ready"
        return [Finding(ready, f"{adapter.platform} is {running['state']} in the running server", running["detail"])]
    return await _connect(parts, adapter)


def _running(settings: Settings, platform: str) -> dict[str, str] | None:
    """What the running server says of the platform; None if there is none, or it does not run it."""
    try:
        roles: dict[str, dict[str, str]] = json.loads(ask_health(settings)[1])["roles"]
    except (Unavailable, ValueError, LookupError, TypeError):
        return None
    return roles.get(platform)


async def _connect(parts: Parts, adapter: Adapter) -> list[Finding]:
    async def hear(incoming: object) -> tuple[()]:
        return ()

    running = asyncio.create_task(adapter.run(hear))
    try:
        for _ in range(int(CONNECT_WITHIN * 10)):
            if adapter.status.state in ("ready", "down") or running.done():
                break
            await asyncio.sleep(0.1)
        ready = adapter.status.state == "ready"
        state = f"{adapter.platform} is {adapter.status.state}"
        found = Finding(ready, state, adapter.status.detail or "check its token and address")
        return [found, *(await _rights(parts, adapter) if ready else [])]
    finally:
        await adapter.close()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await running


async def _rights(parts: Parts, adapter: Adapter) -> list[Finding]:
    if not isinstance(adapter, Diagnoses):
        return []
    findings = []
    for group in await parts.reader.run(lambda session: _groups(session, adapter.platform)):
        what = f"{adapter.platform} group {group.title}"
        try:
            missing = await adapter.diagnose(group.group_id)
            steps = plain(missing_words(LOCALE, adapter.platform, missing)).splitlines()
            findings.append(Finding(not missing, what, "\n       ".join(filter(None, steps))))
        except SendError as error:
            findings.append(Finding(False, what, f"{error.reason}: is the bot still in this group?"))
    return findings


class _Scratch:
    """Notes of a check: gone with it, so that the running bot's own readings stay as they are."""

    def __init__(self, *_: object) -> None:
        self._notes: dict[str, Any] = {}

    async def get(self, key: str) -> Any:
        return self._notes.get(key)

    async def put(self, key: str, value: Any) -> None:
        self._notes[key] = value

    async def quarantine(self, raw: str, error: str) -> None:
        """The running bot meets the same event and records it."""


def _groups(session: Session, platform: str) -> list[Community]:
    rows = session.scalars(
        select(Community).where(col(Community.platform) == platform, col(Community.removed_at).is_(None))
    )
    return list(rows)
