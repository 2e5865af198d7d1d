"""Questions asked one by one outlive the program; buttons on old messages still work; forms bring all at once."""

from __future__ import annotations

from pathlib import Path

from bots.drafts import open_drafts
from referral.brands import connect, create_brand
from referral.campaigns import campaigns_of
from tests.dialogue import Town, open_town

TITLES = {"title": "Summer", "other": "夏日"}
REST = {"days": "7", "advocate": "10", "friend": "10", "cap": "20", "friends": "20"}


def titles(town: Town) -> list[str]:
    return town.do(lambda session: [one.title["en"] for one in campaigns_of(session, town.brand.id)])


async def test_the_next_answer_after_a_restart_and_a_week(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await town.say("Carol", "/campaign new referral")
        await town.say("Carol", "Summer")
        town.restart()
        await town.later(days=7)
        assert "(3/12)" in await town.ask("Carol", "夏日")
        town.restart()
        assert "(4/13)" in await town.ask("Carol", "[Stays in the group]")
        assert "Please look it over" in await town.ask("Carol", "[Usual settings for the rest]")
        town.restart()
        assert "Summer is live" in await town.ask("Carol", "[🚀 Launch now]")
        assert titles(town) == ["Summer"]


async def test_an_answer_belongs_to_the_brand_that_asked(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await town.say("Carol", "/help", group=True)
        other = town.do(lambda session: create_brand(session, "Other", slug="other"))
        town.do(lambda session: connect(session, other.id, "webchat", "others", "Others"))
        await town.say("Carol", "/campaign new referral")
        await town.later(minutes=1)
        await town.chat.say(town.person("Carol"), "/help", group="others")
        for answer in ("Summer", "skip", "[Usual settings for the rest]"):
            await town.say("Carol", answer)
        drafts = town.do(lambda session: open_drafts(session, town.brand.id))
        assert [one.answers["title"] for one in drafts] == ["Summer"]
        assert town.do(lambda session: open_drafts(session, other.id)) == []


async def test_a_button_from_before_the_restart(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await town.say("Alice", "/start")
        town.restart()
        assert "Here is your invitation" in await town.ask("Alice", "[My invite link]")


async def test_a_button_of_a_question_answered_before_answers_no_other(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await town.say("Carol", "/campaign new trial")
        await town.say("Carol", "Serum")
        await town.say("Carol", "[Skip]")
        assert "(3/14)" in await town.ask("Carol", "[Skip]")
        await town.say("Carol", "[As the campaign]")
        await town.say("Carol", "[100 places]")
        assert "(5/14)" in await town.ask("Carol", "[50 places]")
        [draft] = town.do(lambda session: open_drafts(session, town.brand.id))
        assert draft.answers["quota"] == "100"


async def test_a_form_brings_its_answers_at_once_and_the_next_form_the_rest(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        [asked] = await town.say("Carol", "/campaign new referral", group=True)
        assert asked.form is not None
        assert [field.name for field in asked.form.fields] == list(TITLES)
        assert "(3/12)" in await town.submit("Carol", asked.form.action, **TITLES)
        [asked] = await town.say("Carol", "[Stays in the group]", group=True)
        assert asked.form is not None
        assert [field.name for field in asked.form.fields] == list(REST)
        assert [field.value for field in asked.form.fields] == [
            "7 days",
            "50 points",
            "50 points",
            "20 people",
            "100 people",
        ]
        assert "(9/13)" in await town.submit("Carol", asked.form.action, **REST)


async def test_what_is_wrong_in_a_form_is_asked_again_and_the_rest_is_kept(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await town.say("Carol", "/campaign new referral")
        await town.say("Carol", "Summer")
        await town.say("Carol", "skip")
        [asked] = await town.say("Carol", "[Stays in the group]")
        assert asked.form is not None
        [again] = await town.chat.submit(town.person("Carol"), asked.form.action, REST | {"advocate": "lots"})
        assert "Please answer with a whole number." in again.text
        assert "(5/13)" in again.text
        assert again.form is not None
        left = [("advocate", "lots"), ("friend", "10"), ("cap", "20"), ("friends", "20"), ("hold", "3 days")]
        assert [(field.name, field.value) for field in again.form.fields] == left


async def test_a_form_of_another_time_changes_nothing(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        old = "This button is no longer in use. Say /help to go on."
        [asked] = await town.say("Carol", "/campaign new referral")
        assert asked.form is not None
        assert await town.submit("Carol", "form:nosuch:1", **TITLES) == old
        assert await town.submit("Carol", "form:campaign_referral:1", **TITLES) == old
        await town.say("Carol", "cancel")
        assert await town.submit("Carol", asked.form.action, **TITLES) == old
        assert town.do(lambda session: open_drafts(session, town.brand.id)) == []


async def test_a_form_of_admins_is_for_admins(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        said = await town.submit("Alice", "form:campaign_referral:1", **TITLES)
        assert said == "Only admins of the group can manage campaigns."
        assert titles(town) == []


async def test_what_is_said_in_a_group_is_no_answer(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await town.say("Carol", "/campaign new referral", group=True)
        assert await town.ask("Carol", "Summer", group=True) == ""
        assert "(2/12)" in await town.ask("Carol", "Summer")


async def test_a_command_word_as_an_answer_belongs_to_the_brand_that_asked_too(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        await town.say("Carol", "/help", group=True)
        other = town.do(lambda session: create_brand(session, "Other", slug="other"))
        town.do(lambda session: connect(session, other.id, "webchat", "others", "Others"))
        await town.say("Carol", "/campaign new referral")
        await town.later(minutes=1)
        await town.chat.say(town.person("Carol"), "/help", group="others")
        await town.say("Carol", "奖励")
        drafts = town.do(lambda session: open_drafts(session, town.brand.id))
        assert [one.answers["title"] for one in drafts] == ["奖励"]


async def test_an_answer_pressed_in_another_brands_group_is_none(tmp_path: Path) -> None:
    async with open_town(tmp_path, campaign=False) as town:
        other = town.do(lambda session: create_brand(session, "Other", slug="other"))
        town.do(lambda session: connect(session, other.id, "webchat", "others", "Others"))
        await town.say("Carol", "/broadcast new", group=True)
        await town.say("Carol", "Hello")
        [asked] = await town.say("Carol", "skip")
        actions = [one.action or "" for row in asked.buttons for one in row]
        everybody = next(one for one in actions if one.endswith(" all"))
        [said] = await town.chat.press(town.person("Carol"), everybody, group="others")
        assert "Nothing has been sent yet" not in said.text
        assert "Nothing has been sent yet" in await town.ask("Carol", "[Everyone]", group=True)
