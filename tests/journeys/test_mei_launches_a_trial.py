"""Mei (here Alice) connects her group, launches a trial from the chat and gives Bob a place with a button."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select
from sqlmodel import Session

from bots.drafts import open_drafts
from core import i18n
from referral import staff
from referral.audit import verify_chain
from referral.brands import communities_of, create_brand, only_brand
from referral.campaigns import campaigns_of
from referral.trials.places import TrialApplication
from rewards.verify import verify
from tests.house import fresh_sqlite
from tests.journeys.stage import GROUPS, Stage, on_stage

PLATFORMS = [
    "telegram",
    "discord",
    pytest.param("wechat", marks=pytest.mark.needs("node")),
    "webchat",
]
TITLES = {"en": ("Serum trial", "焕亮精华试用"), "zh_Hans": ("焕亮精华试用", "Serum trial")}


@pytest.mark.parametrize("locale", i18n.LOCALES)
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_from_the_first_word_to_a_place(platform: str, locale: str, tmp_path: Path) -> None:
    async with on_stage(platform, locale, fresh_sqlite(tmp_path), tmp_path) as stage:
        await connect(stage)
        await launch(stage)
        await apply(stage)
        await approve(stage)
        assert stage.parts.reader.run_sync(verify) == []
        brand = stage.do(only_brand)
        assert brand is not None
        assert stage.do(lambda session: verify_chain(session, brand.id)) == []


async def connect(stage: Stage) -> None:
    """Where the platform knows its admins its word is enough, and a brand begins there and then; on WeChat the
    operator's code makes Alice the owner, and hers connects the room."""
    if stage.platform == "wechat":
        code = stage.do(_owners_code)
        await stage.says("alice", f"/staff {code}")
        await stage.asked("alice")
        await _speak(stage)
        await stage.says("alice", "/connect code")
        shown = await stage.sees("alice", "Acme")
        found = re.search(r"(?:连接|/connect) [A-Z0-9-]{8,}", shown)
        assert found is not None
        await stage.says("alice", found[0], group=True)
    else:
        await stage.says("alice", "/connect", group=True)
        await stage.presses("alice", "button.begin_brand", group=True, brand=GROUPS[stage.platform])
    await stage._until(lambda: stage.do(_connected))
    if stage.platform != "wechat":
        await _speak(stage)


def _owners_code(session: Session) -> str:
    brand = create_brand(session, "Acme", slug="acme")
    return staff.new_code(session, brand.id, "owner", staff.OPERATOR)


def _connected(session: Session) -> bool:
    brand = only_brand(session)
    return brand is not None and any(not one.open for one in communities_of(session, brand.id))


async def _speak(stage: Stage) -> None:
    """In the language of this story."""
    for who in ("alice", "bob"):
        await stage.says(who, f"/language {'zh' if stage.locale == 'zh_Hans' else 'en'}")
        await stage.sees(who, stage.word("language.set"))


async def launch(stage: Stage) -> None:
    title, other = TITLES[stage.locale]
    await stage.says("alice", "/campaign new")
    await stage.sees("alice", stage.word("wizard.which"))
    await stage.presses("alice", "button.kind.trial")
    await stage.fills("alice", title=title, other=other, item=stage.word("wizard.item.as_title"), quota="50")
    await stage.sees("alice", stage.word("wizard.ask.approve"))
    await stage.presses("alice", "wizard.approve.hand")
    await stage.sees("alice", stage.word("wizard.ask.questions")[:20])
    await stage.presses("alice", "button.back")
    await stage.sees("alice", stage.word("wizard.ask.approve"))
    await stage.presses("alice", "wizard.approve.hand")
    await stage.sees("alice", stage.word("wizard.ask.questions")[:20])
    await stage.presses("alice", "button.rest_by_default")
    page = await stage.sees("alice", stage.word("wizard.ready"))
    assert title in page
    await stage.presses("alice", "button.launch")
    await stage.sees("alice", "🎉")
    brand = stage.do(only_brand)
    assert brand is not None
    [campaign] = stage.do(lambda session: campaigns_of(session, brand.id))
    assert (campaign.kind, campaign.state, campaign.title[stage.locale]) == ("trial", "running", title)


async def apply(stage: Stage) -> None:
    await stage.says("bob", "/trial")
    await stage.sees("bob", TITLES[stage.locale][0])
    await stage.presses("bob", "button.trial_apply")
    await stage.sees("bob", stage.word("wizard.usual.1"))
    await stage.says("bob", "I would love to")
    await stage.sees("bob", stage.word("wizard.usual.2"))
    await stage.presses("bob", "button.skip")
    await stage.sees("bob", "📝")


async def approve(stage: Stage) -> None:
    await stage.arrives("alice", "Bob")
    await stage.presses("alice", "button.case.look")
    await stage.sees("alice", "I would love to")
    await stage.presses("alice", "button.case.application.approve")
    await stage.asked("alice")
    await stage.says("alice", "A good fit")
    await stage.sees("alice", "A good fit")
    await stage.arrives("bob", "🎉")
    await stage.presses("bob", "button.trial_take")
    await stage.asked("bob")
    [place] = stage.do(lambda session: list(session.scalars(select(TrialApplication))))
    assert place.state == "taken"


@pytest.mark.parametrize("platform", ["telegram", "webchat", "discord"])
async def test_the_card_bears_the_picture_that_was_sent(platform: str, tmp_path: Path) -> None:
    async with on_stage(platform, "en", fresh_sqlite(tmp_path), tmp_path) as stage:
        await connect(stage)
        await stage.says("alice", "/campaign new")
        await stage.presses("alice", "button.kind.contest")
        await stage.fills("alice", title="Top host", other="-")
        await stage.sees("alice", stage.word("wizard.ask.mode"))
        await stage.presses("alice", "button.rest_by_default")
        await stage.sees("alice", stage.word("wizard.ready"))
        brand = stage.do(only_brand)
        assert brand is not None
        [draft] = stage.do(lambda session: open_drafts(session, brand.id))
        await stage.says("alice", f"/campaign draft {draft.code} step picture")
        await stage.sees("alice", stage.word("wizard.ask.picture"))
        await stage.harness.show("alice", a_picture())
        await stage.sees("alice", stage.word("wizard.picture.given"))
        await stage.presses("alice", "button.launch")
        await stage.sees("alice", "🎉")
        [campaign] = stage.do(lambda session: campaigns_of(session, brand.id))
        assert campaign.picture is not None


def a_picture() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (600, 400), "#c33").save(drawn, "JPEG")
    return drawn.getvalue()


async def test_what_was_looked_at_is_launched_on_both_databases(migrated_url: str, tmp_path: Path) -> None:
    async with on_stage("telegram", "en", migrated_url, tmp_path) as stage:
        await connect(stage)
        await stage.says("alice", "/campaign new trial")
        await stage.fills("alice", title="Serum trial")
        await stage.presses("alice", "button.rest_by_default")
        await stage.sees("alice", stage.word("wizard.ready"))
        brand = stage.do(only_brand)
        assert brand is not None
        await stage.presses("alice", "button.preview")
        await stage.sees("alice", stage.word("wizard.preview.zh_Hans"))
        await stage.sees("alice", stage.word("wizard.ready"))
        assert stage.do(lambda session: campaigns_of(session, brand.id)) == []
        await stage.presses("alice", "button.launch")
        await stage.sees("alice", "🎉")
        assert len(stage.do(lambda session: campaigns_of(session, brand.id))) == 1
        await stage.says("alice", "/campaign new")
        assert stage.do(lambda session: open_drafts(session, brand.id)) == []
        assert stage.parts.reader.run_sync(verify) == []
