"""Four questions asked at once: the admin fills in a form on Discord, and the campaign runs."""

from __future__ import annotations

from pathlib import Path

from referral.campaigns import campaigns_of
from tests.bots.discord.harness import eventually
from tests.bots.discord.reading import read
from tests.bots.discord.world import GUILD
from tests.house import fresh_sqlite
from tests.journeys.program import Program, open_program

ANSWERS = {"title": "Summer **party**", "points": "5", "days": "7", "friends": "20"}


def titles(program: Program) -> list[str]:
    return program.parts.reader.run_sync(
        lambda session: sorted(one.title["en"] for one in campaigns_of(session, program.brand.id))
    )


async def sees(program: Program, name: str, words: str) -> None:
    shown = program.discord.private_messages
    await eventually(lambda: any(words in read(message.content) for message in shown(name)))


async def test_a_campaign_from_a_form(tmp_path: Path) -> None:
    async with open_program(fresh_sqlite(tmp_path)) as program:
        discord = program.discord
        await program.connected(1)

        asked = await discord.slash("gina", "campaign", "new", guild=GUILD)
        await sees(program, "gina", "Only admins of the group can manage campaigns.")
        assert asked.modal is None

        asked = await discord.slash("alice", "campaign", "new", guild=GUILD)
        await eventually(lambda: asked.modal)
        await discord.submit(asked, ANSWERS | {"points": "a lot"})
        await sees(program, "alice", "Please answer with a whole number.")
        assert titles(program) == ["Spring tea"]

        again = await discord.slash("alice", "campaign", "new", guild=GUILD)
        await eventually(lambda: again.modal)
        await discord.submit(again, ANSWERS)
        await sees(program, "alice", "Summer **party** is running: 5 points for each of the two")
        assert titles(program) == ["Spring tea", "Summer **party**"]
