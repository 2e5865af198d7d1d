"""The demo's stage: prepares its data once, then serves it with the people one can be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sqlmodel import Session

from core import clock, migrations
from core.settings import Settings
from daixin import jobs, serve
from daixin.bootstrap import Parts, build
from daixin.demo.history import SLUG, Made, make
from referral import members
from referral.brands import find_brand
from referral.campaigns import current_campaign, enroll
from referral.members import Account
from web.parts import Stage

PEOPLE = (("Alice", "advocate"), ("Bob", "friend"), ("Carol", "admin"))
ADMIN = "webchat:stage:Carol"
MEMBERS = 160
SEED = 7
ROLES = ("web", "worker")


def settings_for(folder: Path, base: Settings) -> Settings:
    """The operator's settings, with the demo's own database."""
    return base.model_copy(update={"database_url": f"sqlite:///{folder / 'daixin.db'}", "admins": ADMIN})


def prepare(folder: Path, base: Settings, people: int = MEMBERS, seed: int = SEED) -> Made | None:
    """Make the demo's data in `folder`, unless it is there; None then. A half-made one is made again."""
    done = folder / "prepared"
    if done.exists():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob("daixin.db*"):
        leftover.unlink()
    settings = settings_for(folder, base)
    migrations.migrate(settings.sqlalchemy_url)
    parts = build(settings)
    try:
        made = make(parts, people, seed)
    finally:
        parts.close()
    done.touch()
    return made


def run(folder: Path, base: Settings, platforms: Sequence[str] = ()) -> None:
    """Serve the stage until stopped."""
    settings = settings_for(folder, base)
    parts = build(settings, [*serve.platforms_of(ROLES), *platforms], stage=True)
    asyncio.run(serve.serve(parts, ROLES, stage_of(parts)))


def stage_of(parts: Parts) -> Stage:
    """The stage over a running house."""

    async def advance(days: int) -> None:
        clock.move(clock.offset() + timedelta(days=days))
        await jobs.run_all(parts.writer)

    async def invite(name: str) -> str:
        return await parts.writer.run(lambda session: _code_of(session, name))

    return Stage(advance=advance, invite=invite, now=clock.now, people=PEOPLE, brand=SLUG)


def _code_of(session: Session, name: str) -> str:
    brand = find_brand(session, SLUG)
    campaign = current_campaign(session, brand.id)
    assert campaign is not None
    account = f"stage:{name}"
    person = Account("webchat", account, name, chat=account)
    known = members.meet(session, brand.id, [person], [clock.now()], "message")[0]
    return enroll(session, campaign, known.member_id)
