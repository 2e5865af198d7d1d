"""Mei (here Alice) runs what she launched, on each platform: she pauses it, extends it, carries it away as a file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from core import i18n
from referral.audit import entries_of, verify_chain
from referral.brands import only_brand
from referral.campaigns import campaigns_of
from tests.house import fresh_sqlite
from tests.journeys.stage import Stage, on_stage
from tests.journeys.test_mei_launches_a_trial import PLATFORMS, connect, launch


@pytest.mark.parametrize("locale", i18n.LOCALES)
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_trial_is_steered_from_the_chat(platform: str, locale: str, tmp_path: Path) -> None:
    async with on_stage(platform, locale, fresh_sqlite(tmp_path), tmp_path) as stage:
        await connect(stage)
        await launch(stage)
        brand = stage.do(only_brand)
        assert brand is not None
        [before] = stage.do(lambda session: campaigns_of(session, brand.id))
        await run(stage, before.slug)
        [after] = stage.do(lambda session: campaigns_of(session, brand.id))
        assert (after.state, after.version) == ("running", before.version + 1)
        assert after.ends_at == before.ends_at + timedelta(days=7)
        assert stage.do(lambda session: verify_chain(session, brand.id)) == []
        acts = [entry.act for entry in stage.do(lambda session: entries_of(session, brand.id, subject=before.slug))]
        assert acts == ["campaign.export", "campaign.extend", "campaign.resume", "campaign.pause", "campaign.launch"]


async def run(stage: Stage, slug: str) -> None:
    await stage.says("alice", f"/campaign show {slug}")
    await stage.presses("alice", "button.pause")
    await stage.sees("alice", stage.word("campaign.state.paused"))
    await stage.presses("alice", "button.resume")
    await stage.sees("alice", stage.word("campaign.state.running"))
    await stage.presses("alice", "button.extend")
    await stage.presses("alice", "button.days_more", n=7)
    await stage.presses("alice", "button.do_it")
    await stage.sees("alice", "✅")
    await stage.presses("alice", "button.export_file")
    await stage.sees("alice", stage.word("campaign.export.file", title="")[-20:])
