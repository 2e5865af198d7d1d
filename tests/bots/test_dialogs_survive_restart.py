"""Questions asked one by one outlive the program; buttons on old messages still work; forms bring all at once."""

from __future__ import annotations

from pathlib import Path

from referral.brands import connect, create_brand
from referral.campaigns import campaigns_of
from tests.dialogue import Town, open_town

ANSWERS = {"title": "Summer", "points": "10", "days": "7", "friends": "20"}


def titles(town: Town) -> list[str]:
    return town.do(lambda session: [one.title["en"] for one in campaigns_of(session, town.brand.id)])


async def test_the_next_answer_after_a_restart_and_a_week(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await town.say("Carol", "/campaign new")
        await town.say("Carol", "Summer")
        town.restart()
        await town.later(days=7)
        assert "(3/4)" in await town.ask("Carol", "10")
        town.restart()
        assert "(4/4)" in await town.ask("Carol", "7")
        assert "Summer is running" in await town.ask("Carol", "20")
        assert titles(town) == ["Summer"]


async def test_an_answer_belongs_to_the_brand_that_asked(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await town.say("Carol", "/help", group=True)
        other = town.do(lambda session: create_brand(session, "Other", slug="other"))
        town.do(lambda session: connect(session, other.id, "webchat", "others", "Others"))
        await town.say("Carol", "/campaign new")
        await town.later(minutes=1)
        await town.chat.say(town.person("Carol"), "/help", group="others")
        for answer in ANSWERS.values():
            await town.say("Carol", answer)
        assert titles(town) == ["Summer"]
        assert town.do(lambda session: campaigns_of(session, other.id)) == []


async def test_a_button_from_before_the_restart(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await town.say("Alice", "/start")
        town.restart()
        assert "Here is your invitation" in await town.ask("Alice", "[My invite link]")


async def test_a_form_brings_every_answer_at_once(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        [asked] = await town.say("Carol", "/campaign new", group=True)
        assert asked.form is not None
        assert [field.name for field in asked.form.fields] == list(ANSWERS)
        assert "Summer is running" in await town.submit("Carol", asked.form.action, **ANSWERS)
        assert titles(town) == ["Summer"]


async def test_a_wrong_answer_in_a_form_changes_nothing(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        [asked] = await town.say("Carol", "/campaign new")
        assert asked.form is not None
        wrong = ANSWERS | {"days": "seven"}
        [again] = await town.chat.submit(town.person("Carol"), asked.form.action, wrong)
        assert "Please answer with a whole number." in again.text
        assert "(3/4)" in again.text
        assert again.form is not None
        assert [(field.name, field.value) for field in again.form.fields] == [("days", "seven"), ("friends", "20")]
        assert titles(town) == []
        assert "Summer is running" in await town.submit("Carol", asked.form.action, days="7", friends="20")
        assert titles(town) == ["Summer"]


async def test_a_form_of_another_time_changes_nothing(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        old = "This button is no longer in use. Say /help to go on."
        [asked] = await town.say("Carol", "/campaign new")
        assert asked.form is not None
        assert await town.submit("Carol", "form:nosuch:1", **ANSWERS) == old
        assert await town.submit("Carol", "form:campaign_new:1", **ANSWERS) == old
        await town.say("Carol", "cancel")
        assert await town.submit("Carol", asked.form.action, **ANSWERS) == old
        assert titles(town) == []


async def test_a_form_of_admins_is_for_admins(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        said = await town.submit("Alice", "form:campaign_new:1", **ANSWERS)
        assert said == "Only admins of the group can manage campaigns."
        assert titles(town) == []


async def test_what_is_said_in_a_group_is_no_answer(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await town.say("Carol", "/campaign new", group=True)
        assert await town.ask("Carol", "Summer", group=True) == ""
        assert "(2/4)" in await town.ask("Carol", "Summer")
