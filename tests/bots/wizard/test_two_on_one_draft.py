"""Two managers and one draft: either may go on with it, nobody's answer is lost in silence, and it is launched once."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import Session

from bots.drafts import open_drafts
from referral import staff
from referral.audit import entries_of, verify_chain
from referral.campaigns import campaigns_of
from referral.members import find_identity
from tests.dialogue import Town, open_town

OVERTAKEN = "Carol has been working on Serum trial meanwhile, so your last answer was not taken."


async def manager(town: Town, name: str) -> None:
    """Somebody who may run campaigns."""
    await town.say(name, "/start")

    def appoint(session: Session) -> None:
        known = find_identity(session, town.brand.id, "webchat", name.lower())
        assert known is not None
        staff.give(session, town.brand.id, known.member_id, "manager", "webchat:carol")

    town.do(appoint)


async def begun(town: Town) -> None:
    """Carol has begun a trial, and Dave is a manager too."""
    await manager(town, "Dave")
    await town.say("Carol", "/campaign new trial")
    await town.say("Carol", "Serum trial")
    await town.say("Carol", "[Skip]")


async def test_a_colleague_goes_on_with_a_draft(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await begun(town)
        shown = await town.ask("Dave", "/campaign new")
        assert "Serum trial · Product trial · Carol" in shown
        assert "(3/14)" in await town.ask("Dave", "[Go on: Serum trial]")
        await town.say("Dave", "[Usual settings for the rest]")
        assert "Serum trial is live" in await town.ask("Dave", "[🚀 Launch now]")
        assert town.do(lambda session: open_drafts(session, town.brand.id)) == []


async def test_the_second_to_answer_is_told_and_shown_the_first_ones_answer(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await begun(town)
        await town.say("Dave", "/campaign new")
        await town.say("Dave", "[Go on: Serum trial]")
        await town.say("Carol", "Night cream")
        assert OVERTAKEN in await town.ask("Dave", "Day cream")
        assert "(4/14)" in await town.ask("Dave", "[Go on]")
        [draft] = town.do(lambda session: open_drafts(session, town.brand.id))
        assert draft.answers["item"] == "Night cream"


async def test_a_page_that_is_out_of_date_launches_nothing(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await begun(town)
        await town.say("Carol", "[Usual settings for the rest]")
        await town.say("Dave", "/campaign new")
        await town.say("Dave", "[Go on: Serum trial]")
        await town.say("Carol", "[✏️ Change]")
        await town.say("Carol", "[Places: 50 places]")
        await town.say("Carol", "500")
        late = await town.ask("Dave", "[🚀 Launch now]")
        assert late.startswith("This has changed since you saw it.")
        assert "500 places" in late
        assert town.do(lambda session: campaigns_of(session, town.brand.id)) == []
        assert "is live" in await town.ask("Dave", "[🚀 Launch now]")
        assert "already been launched" in await town.ask("Carol", "[🚀 Launch now]")
        [campaign] = town.do(lambda session: campaigns_of(session, town.brand.id))
        assert campaign.kind == "trial"


async def test_a_launch_is_in_the_audit_log(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await begun(town)
        await town.say("Carol", "[Usual settings for the rest]")
        await town.say("Carol", "[🚀 Launch now]")
        [entry] = town.do(lambda session: entries_of(session, town.brand.id, acts=["campaign.launch"]))
        assert (entry.actor, entry.subject) == ("webchat:carol", "serum-trial")
        assert town.do(lambda session: verify_chain(session, town.brand.id)) == []


async def test_who_is_no_manager_any_more_is_told_so_and_the_draft_stays(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await begun(town)
        await town.say("Dave", "/campaign new")
        await town.say("Dave", "[Go on: Serum trial]")

        def dismiss(session: Session) -> None:
            known = find_identity(session, town.brand.id, "webchat", "dave")
            assert known is not None
            staff.take(session, town.brand.id, known.member_id, "webchat:carol")

        town.do(dismiss)
        for words in ("Day cream", "[As the campaign]", "[Usual settings for the rest]"):
            answer = await town.ask("Dave", words)
            assert "Acme Tea" in answer
            assert "(4/14)" not in answer
        [draft] = town.do(lambda session: open_drafts(session, town.brand.id))
        assert list(draft.answers) == ["title", "other"]


async def test_a_forgotten_author_is_a_colleague(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await begun(town)
        await town.say("Dave", "/campaign new")
        await town.say("Dave", "[Go on: Serum trial]")
        await town.say("Dave", "Day cream")
        await town.say("Dave", "/privacy")
        for label in ("Forget me", "Yes, forget me"):
            button = next((one.label for one in town._offered["Dave"] if label.lower() in one.label.lower()), None)
            if button is not None:
                await town.say("Dave", f"[{button}]")
        assert "Serum trial · Product trial · a colleague" in await town.ask("Carol", "/campaign new")


@pytest.mark.parametrize("late", ["[Stop here]", "[Go on]"])
async def test_a_late_press_after_the_draft_is_deleted(tmp_path: Path, late: str) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await begun(town)
        await town.say("Carol", "[Stop here]")
        await town.say("Carol", "[Delete draft]")
        await town.say("Carol", "[Yes, delete it]")
        answer = await town.ask("Carol", late)
        assert "no longer" in answer or "no such draft any more" in answer
