"""The demo's stage: prepares its data once, then serves it with the people one can be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import uvloop
from sqlmodel import Session

from core import clock, migrations
from core.errors import BadInput
from core.settings import Settings
from daixin import jobs, serve
from daixin.bootstrap import Parts, build
from daixin.demo.history import SLUG, Made, make
from daixin.roles import platforms_of
from referral import members
from referral.brands import find_brand
from referral.campaigns import current_campaign, enroll
from referral.members import Account
from web.parts import Stage

PEOPLE = (("Alice", "advocate"), ("Bob", "friend"), ("Carol", "admin"))
ADMIN = "webchat:stage:Carol"
ROLES = ("web", "worker")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a prepared folder was made from."""

    members: int
    seed: int


def settings_for(folder: Path, base: Settings) -> Settings:
    """The operator's settings, with the demo's own database."""
    return base.model_copy(update={"database_url": f"sqlite:///{folder / 'daixin.db'}", "admins": ADMIN})


def prepared(folder: Path) -> Recipe | None:
    """What the folder's data was made from; None for one that holds none, or half."""
    try:
        return Recipe(**json.loads((folder / "prepared").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def prepare(folder: Path, base: Settings, recipe: Recipe) -> Made:
    """Make the demo's data in `folder`. What a broken-off attempt left there is made again.

    Raises `BadInput("demo_there")` if the folder holds the data of a recipe already.
    """
    there = prepared(folder)
    if there is not None:
        raise BadInput("demo_there", path=str(folder), members=there.members, seed=there.seed)
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob("daixin.db*"):
        leftover.unlink()
    settings = settings_for(folder, base)
    migrations.migrate(settings.sqlalchemy_url)
    parts = build(settings)
    try:
        made = make(parts, recipe.members, recipe.seed)
    finally:
        parts.close()
    (folder / "prepared").write_text(json.dumps(asdict(recipe)))
    return made


def run(folder: Path, base: Settings, opened: Callable[[str], None]) -> None:
    """Serve the stage until stopped; `opened(url)` is called once its door is open."""
    settings = settings_for(folder, base)
    migrations.migrate(settings.sqlalchemy_url)
    days = folder / "days"
    if days.exists():
        clock.move(timedelta(days=int(days.read_text())))
    parts = build(settings, platforms_of(ROLES), stage=True)
    uvloop.run(serve.serve(parts, ROLES, stage_of(parts, days), opened))


def stage_of(parts: Parts, days: Path) -> Stage:
    """The stage over a running house. `days`: the file that keeps how far its clock was moved, over restarts."""

    async def advance(by: int) -> None:
        clock.move(clock.offset() + timedelta(days=by))
        await asyncio.to_thread(days.write_text, str(clock.offset().days))
        await jobs.run_all(parts.writer)

    async def invite(name: str) -> str:
        return await parts.writer.run(lambda session: _code_of(session, name))

    return Stage(advance=advance, invite=invite, now=clock.now, people=PEOPLE, brand=SLUG, admin=_carol)


def _carol(session: Session) -> tuple[UUID, UUID]:
    """Who runs the demo's brand: its dashboard opens for her."""
    brand = find_brand(session, SLUG)
    platform, _, account = ADMIN.partition(":")
    person = Account(platform, account, "Carol", chat=account)
    return brand.id, members.meet(session, brand.id, [person], [clock.now()], "message")[0].member_id


def _code_of(session: Session, name: str) -> str:
    brand = find_brand(session, SLUG)
    campaign = current_campaign(session, brand.id)
    assert campaign is not None
    account = f"stage:{name}"
    person = Account("webchat", account, name, chat=account)
    known = members.meet(session, brand.id, [person], [clock.now()], "message")[0]
    return enroll(session, campaign, known.member_id)
