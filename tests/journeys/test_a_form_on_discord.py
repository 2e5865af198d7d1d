"""What takes words is asked in forms: two of them and one button on Discord, and the campaign runs."""

from __future__ import annotations

from pathlib import Path

from referral.campaigns import campaigns_of
from tests.bots.discord.harness import eventually
from tests.bots.discord.payloads import Message
from tests.bots.discord.reading import read
from tests.bots.discord.world import GUILD, buttons
from tests.house import fresh_sqlite
from tests.journeys.program import Program, open_program

TITLES = {"title": "Summer **party**", "other": ""}


def titles(program: Program) -> list[str]:
    return program.parts.reader.run_sync(
        lambda session: sorted(one.title["en"] for one in campaigns_of(session, program.brand.id))
    )


async def sees(program: Program, name: str, words: str) -> Message:
    def found() -> Message | None:
        shown = program.discord.private_messages(name)
        return next((message for message in reversed(shown) if words in read(message.content)), None)

    message = await eventually(found)
    assert isinstance(message, Message)
    return message


async def press(program: Program, words: str, label: str) -> None:
    """Alice presses a button under the message with these words."""
    await program.discord.press("alice", await sees(program, "alice", words), label, guild=GUILD)


async def test_a_campaign_from_forms(tmp_path: Path) -> None:
    async with open_program(fresh_sqlite(tmp_path)) as program:
        discord = program.discord
        await program.connected(1)

        asked = await discord.slash("gina", "campaign", "new", guild=GUILD)
        await sees(program, "gina", "Only admins of the group can manage campaigns.")
        assert asked.modal is None

        asked = await discord.slash("alice", "campaign", "new referral", guild=GUILD)
        modal = await eventually(lambda: asked.modal)
        assert modal["title"] == "New referral campaign"
        await discord.submit(asked, TITLES)
        await press(program, "When does a new friend count?", "Stays in the group")

        message = await sees(program, "alice", "How many days must a new friend stay?")
        asked = await discord.press("alice", message, "Fill in", guild=GUILD)
        modal = await eventually(lambda: asked.modal)
        await discord.submit(asked, values(modal) | {"advocate": "a lot"})
        message = await sees(program, "alice", "Please answer with a whole number.")
        assert titles(program) == ["Spring tea"]

        again = await discord.press("alice", message, "Fill in", guild=GUILD)
        modal = await eventually(lambda: again.modal)
        assert values(modal)["advocate"] == "a lot"
        await discord.submit(again, values(modal) | {"advocate": "5"})
        await press(program, "What should the card say", "Usual settings for the rest")
        await press(program, "Please look it over", "🚀 Launch now")
        await sees(program, "alice", "Summer **party** is live")
        assert titles(program) == ["Spring tea", "Summer **party**"]


def values(modal: dict[str, object]) -> dict[str, str]:
    """What stands in the fields of a form before anybody writes there."""
    parts = modal["components"]
    assert isinstance(parts, list)
    fields = [part["component"] for part in parts if "component" in part]
    return {field["custom_id"]: field.get("value") or "" for field in fields}


async def test_many_choices_are_a_menu(tmp_path: Path) -> None:
    async with open_program(fresh_sqlite(tmp_path)) as program:
        discord = program.discord
        await program.connected(1)
        asked = await discord.slash("alice", "campaign", "new referral", guild=GUILD)
        await eventually(lambda: asked.modal)
        await discord.submit(asked, TITLES)
        await press(program, "When does a new friend count?", "Usual settings for the rest")
        await press(program, "Please look it over", "✏️ Change")
        message = await sees(program, "alice", "What would you like to change?")
        [menu] = [part for part in buttons(message) if part["type"] == 3]
        labels = [option["label"] for option in menu["options"]]
        assert "For the member: 50 points" in labels
        await discord.pick("alice", message, "For the member: 50 points", guild=GUILD)
        await sees(program, "alice", "How many points does a member get")
