"""Mei looks at her campaigns, pauses one, resumes it, and ends it after she was asked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlmodel import Session, select

from core import clock
from referral.audit import AuditEntry
from referral.campaigns import find_campaign
from rewards import settlement
from rewards.rewards import release_due
from tests.rewards.arena import open_arena
from tests.web.brandsite import Brandsite, Filled, open_brand


def state_of(site: Brandsite) -> str:
    def query(session: Session) -> str:
        return find_campaign(session, site.ours.brand_id, site.ours.campaign).state

    return site.house.ask(query)


async def test_a_campaign_is_paused_resumed_and_ended_once_however_often_it_is_pressed(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        listed = await mei.get("/campaigns")
        assert listed.status_code == 200
        assert f"/campaigns/{site.ours.campaign}" in listed.text
        assert "Otherworld" not in listed.text
        page = f"/campaigns/{site.ours.campaign}"
        for what, state in (("pause", "paused"), ("pause", "paused"), ("resume", "running"), ("end", "ended")):
            answer = await mei.post(f"{page}/act", what=what)
            assert answer.status_code == 303
            assert state_of(site) == state
        late = await mei.post(f"{page}/act", what="resume")
        assert late.status_code == 422
        assert "somebody was faster" in late.text
        assert state_of(site) == "ended"
        told = await mei.get(page)
        assert told.text.count("paused it") == 1
        assert told.text.count("ended it") == 1

        def acts(session: Session) -> list[str]:
            entries = select(AuditEntry).where(AuditEntry.brand_id == site.ours.brand_id)
            return [row.act for row in session.exec(entries) if row.actor == f"user:{mei.user_id}"]

        assert site.house.ask(acts) == ["campaign.pause", "campaign.resume", "campaign.end"]


async def test_it_is_asked_before_a_campaign_ends(tmp_path: Path) -> None:
    async with open_brand(tmp_path, "zh_Hans") as site:
        mei = await site.person("manager")
        asked = await mei.get(f"/campaigns/{site.ours.campaign}?ask=end")
        assert "现在就结束这个活动？" in asked.text
        assert state_of(site) == "running"


async def test_who_only_reviews_looks_and_does_not_touch(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        rui = await site.person("reviewer")
        page = await rui.get(f"/campaigns/{site.ours.campaign}")
        assert page.status_code == 200
        assert "/act" not in page.text
        assert (await rui.post(f"/campaigns/{site.ours.campaign}/act", what="pause")).status_code == 403
        assert (await rui.get(f"/campaigns/{site.theirs.campaign}")).status_code == 404
        assert state_of(site) == "running"


async def test_what_a_settled_campaign_did_not_spend_is_not_called_spent(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        page = f"/campaigns/{site.ours.campaign}"
        assert "CN¥15.00 of CN¥1,000.00" in (await mei.get(page)).text
        await mei.post(f"{page}/act", what="end")

        def settle(session: Session) -> None:
            release_due(session)
            settlement.settle(session, find_campaign(session, site.ours.brand_id, site.ours.campaign))

        with clock.moved(timedelta(days=30)):
            site.house.do(settle)
            mei = await site.person("owner")
            told = (await mei.get(page)).text
            assert "CN¥15.00 of CN¥1,000.00" in told
            assert "CN¥985.00 went back to you" in told
            assert "CN¥15.00 of CN¥1,000.00" in (await mei.get("/campaigns")).text


async def test_a_contest_has_the_same_first_places_on_every_page(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        arena = open_arena(site.house)
        arena.brings("Alice", 2)
        arena.brings("Bob", 1)
        arena.disqualifies("Alice")
        mei = await site.person("owner", of=Filled(arena.brand.id, arena.brand.slug, "race"))
        for page in ("/campaigns/race", "/leaderboard/race"):
            told = (await mei.get(page)).text.partition("<table" if "campaigns" in page else "data-board")[2]
            assert str(arena.people["Bob"]) in told
            assert str(arena.people["Alice"]) not in told


async def test_a_team_stands_on_its_contests_page_by_its_name(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        arena = open_arena(site.house, contest={"mode": "teams"})
        arena.founds("Alice", "Green & Co")
        arena.brings("Alice", 2)
        mei = await site.person("owner", of=Filled(arena.brand.id, arena.brand.slug, "race"))
        told = (await mei.get("/campaigns/race")).text
        assert "<bdi>Green &amp; Co</bdi>" in told
        assert str(arena.people["Alice"]) not in told
