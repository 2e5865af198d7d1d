"""What cannot be launched says why and leads to the question that mends it; times that cannot be are asked again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bots.drafts import open_drafts
from referral.brands import connect, disconnect
from referral.campaigns import campaigns_of
from rewards.items.items import ItemForm, save_item
from tests.dialogue import Town, open_town


def join_group(town: Town, group: str, title: str) -> None:
    town.do(lambda session: connect(session, town.brand.id, "telegram", group, title))


async def referral(town: Town, *answers: str) -> str:
    """The answer to the last of these, in a new referral campaign called Summer."""
    await town.say("Carol", "/campaign new referral")
    said = ""
    for answer in ("Summer", "[Skip]", *answers):
        said = await town.ask("Carol", answer)
    return said


async def test_discord_forbids_pay_for_a_bare_join_and_the_way_out_is_a_button(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        town.do(lambda session: connect(session, town.brand.id, "discord", "700", "Guild"))
        page = await referral(town, "[Just joins]", "[Usual settings for the rest]")
        assert "⛔" in page
        assert "Discord" in page
        assert "[🚀 Launch now]" not in page
        assert "When does a new friend count?" in await town.ask("Carol", "[Change: What counts]")
        assert town.do(lambda session: campaigns_of(session, town.brand.id)) == []
        await town.say("Carol", "[Stays in the group]")
        page = await town.ask("Carol", "[7 days]")
        assert "⛔" not in page
        assert "Summer is live" in await town.ask("Carol", "[🚀 Launch now]")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("March 1, 10am", "has already gone by"),
        ("the day the cows come home", "We can’t tell when that is."),
        ("Dec 1", "at what time?"),
    ],
)
async def test_a_start_that_cannot_be_is_asked_again(tmp_path: Path, said: str, why: str) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await until(town, "When does it start?")
        answer = await town.ask("Carol", said)
        assert why in answer
        assert "When does it start?" in answer


async def until(town: Town, question: str) -> str:
    """A referral campaign, with the first choice each time, up to this question."""
    said = await referral(town)
    for _ in range(20):
        if question in said:
            return said
        [*_, reply] = await town.say("Carol", town_first(town))
        said = town.shown(reply)
    raise AssertionError(said)


def town_first(town: Town) -> str:
    """The first choice under the newest question."""
    offered = town._offered["Carol"]
    newest = (offered[-1].action or "").split()[0]
    first = next(one for one in offered if (one.action or "").startswith(newest + " "))
    return f"[{first.label}]"


async def test_an_end_before_the_start_is_asked_again(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await until(town, "When does it start?")
        await town.say("Carol", "next Friday 18:00")
        await town.say("Carol", "[Yes, that is right]")
        answer = await town.ask("Carol", "tomorrow 18:00")
        assert "That is before the start (Friday, March 13, 2026, 18:00" in answer
        assert "How long does it run?" in answer


async def test_a_draft_left_until_its_start_has_passed_starts_at_once(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await until(town, "When does it start?")
        await town.say("Carol", "tomorrow 18:00")
        await town.say("Carol", "[Yes, that is right]")
        await town.say("Carol", "[7 days]")
        assert "[📅 Schedule it]" in await town.ask("Carol", "[Skip]")
        await town.later(days=3)
        page = await town.ask("Carol", "/campaign new")
        page = await town.ask("Carol", "[Go on: Summer]")
        assert "• Start: At once" in page
        assert "[🚀 Launch now]" in page
        assert "Summer is live" in await town.ask("Carol", "[🚀 Launch now]")


async def test_a_draft_left_until_its_end_has_passed_asks_for_another_end(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await until(town, "How long does it run?")
        await town.say("Carol", "March 20 18:00")
        await town.say("Carol", "[Yes, that is right]")
        await town.say("Carol", "[Skip]")
        await town.later(days=30)
        page = await town.ask("Carol", "[Keep as a draft]")
        page = await town.ask("Carol", "[Go on]")
        assert "⛔" in page
        assert "[🚀 Launch now]" not in page
        assert "How long does it run?" in await town.ask("Carol", "[Change: End]")
        page = await town.ask("Carol", "[14 days]")
        assert "⛔" not in page


async def test_an_old_launch_button_of_a_campaign_that_cannot_be_any_more(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await until(town, "How long does it run?")
        await town.say("Carol", "March 20 18:00")
        await town.say("Carol", "[Yes, that is right]")
        await town.say("Carol", "[Skip]")
        await town.later(days=30)
        page = await town.ask("Carol", "[🚀 Launch now]")
        assert "⛔" in page
        [draft] = town.do(lambda session: open_drafts(session, town.brand.id))
        assert draft.campaign_id is None


async def test_several_groups_are_named_by_their_numbers(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        for number in range(3):
            join_group(town, f"-{number + 1}", f"Fans {number}")
        await until(town, "In which groups does it run?")
        await town.say("Carol", "3, 4")
        await town.say("Carol", "[Skip]")
        assert "Summer is live" in await town.ask("Carol", "[🚀 Launch now]")
        [campaign] = town.do(lambda session: campaigns_of(session, town.brand.id))
        assert len(campaign.communities) == 2


async def test_groups_that_were_all_disconnected_meanwhile_do_not_become_all_groups(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        join_group(town, "-1", "Fans")
        await until(town, "In which groups does it run?")
        await town.say("Carol", "[Fans]")
        assert "• Groups: Fans" in await town.ask("Carol", "[Skip]")
        town.do(lambda session: disconnect(session, "telegram", "-1"))
        page = await town.ask("Carol", "[🚀 Launch now]")
        assert "⛔ The groups you chose are no longer connected." in page
        assert town.do(lambda session: campaigns_of(session, town.brand.id)) == []


async def test_an_item_that_was_retired_meanwhile_is_chosen_again(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        form = ItemForm("coupon", "promo_code", {"en": "A coupon", "zh_Hans": "优惠码"}, {}, settings={})
        town.do(lambda session: save_item(session, town.brand.id, form))
        await town.say("Carol", "/campaign new trial")
        await town.say("Carol", "Summer")
        await town.say("Carol", "[Skip]")
        await town.say("Carol", "[A coupon]")
        page = await town.ask("Carol", "[Usual settings for the rest]")
        assert "• Handed over: A coupon" in page
        assert "50 × A coupon" in page
        town.do(lambda session: save_item(session, town.brand.id, replace(form, active=False)))
        page = await town.ask("Carol", "[🚀 Launch now]")
        assert "⛔ What is to be handed over is no longer in the catalogue." in page
        await town.say("Carol", "[Change: Handed over]")
        await town.say("Carol", "[Sent as a parcel]")
        page = await town.ask("Carol", "[As the campaign]")
        assert "⛔" not in page
        assert "Summer is live" in await town.ask("Carol", "[🚀 Launch now]")


async def test_what_is_to_be_expected_is_told_from_the_brands_past(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await town.say("Alice", "/start")
        await town.play(
            """
            Alice invites Bob.
            Bob joins.
            30 days later:
            """
        )
        page = await referral(town, "[Usual settings for the rest]")
        assert "It costs at most" in page
        assert "Going by 1 campaign of yours, more likely" in page
