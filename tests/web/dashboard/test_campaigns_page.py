"""Mei looks at her campaigns, pauses one, resumes it, and ends it after she was asked."""

from __future__ import annotations

from pathlib import Path

from sqlmodel import Session, select

from referral.audit import AuditEntry
from referral.campaigns import find_campaign
from tests.web.brandsite import Brandsite, open_brand


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
