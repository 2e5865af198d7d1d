"""A member's own invites into groups: made by the outbox, and credited when the platform says for certain."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import Session

from referral.campaigns import invites_of
from referral.members import Membership
from tests.bots.discord.harness import eventually as discord_eventually
from tests.bots.discord.world import GUILD
from tests.bots.telegram.harness import eventually
from tests.house import fresh_sqlite
from tests.journeys.program import Program, open_program


@pytest.fixture
def url(tmp_path: Path) -> str:
    return fresh_sqlite(tmp_path)


async def said(program: Program, name: str, command: str, argument: str = "") -> str:
    """What somebody on Discord is answered to a slash command."""
    before = len(program.discord.private_messages(name))
    await program.discord.slash(name, command, argument)
    await discord_eventually(lambda: len(program.discord.private_messages(name)) > before)
    return program.discord.private_messages(name)[-1].content


def invites(program: Program, code: str) -> list[str]:
    def read(session: Session) -> list[str]:
        return list(invites_of(session, program.brand.id, code).values())

    return program.parts.reader.run_sync(read)


async def test_dave_joins_the_telegram_group_by_alices_own_link(url: str) -> None:
    async with open_program(url) as program:
        api = program.telegram
        alice, dave = api.person("Alice"), api.person("Dave")
        group = api.group("Tea lovers")
        api.membership(api.bot, group, "administrator")
        await program.connected(2)

        api.say(alice, "/invite")
        await eventually(lambda: api.seen(alice))
        await program.settle()
        made = api.called("createChatInviteLink")
        assert len(made) == 1
        assert made[0]["name"].endswith(" Alice")
        [link] = group.links.values()

        api.membership(dave, group, "member", invite_link=link)
        await eventually(lambda: group.statuses.get(dave.id) == "member" and api.unheard == 0)
        api.say(alice, "/me")
        await eventually(lambda: len(api.seen(alice)) == 2)
        assert "Dave: joined, counts on" in api.seen(alice)[-1].text

        await program.later(days=7)
        api.say(alice, "/why")
        await eventually(lambda: any("as a new friend" in one.text for one in api.seen(alice)))
        await program.later(days=3)
        assert any("10 points added to your balance for bringing Dave" in one.text for one in api.seen(alice))
        assert api.seen(dave) == []  # he never spoke to the bot, so it does not speak to him


async def test_discord_credits_one_join_and_leaves_two_at_once_to_their_word(url: str) -> None:
    async with open_program(url) as program:
        discord = program.discord
        await program.connected(1)
        codes = {}
        for name in ("alice", "gina"):
            await said(program, name, "invite")
            shown = discord.private_messages(name)[-1].content
            codes[name] = shown.split("/r/")[1].split()[0].strip("<>)")
        await program.settle()
        links = {name: invites(program, code)[0].rpartition("/")[2] for name, code in codes.items()}

        await discord.join("carol", links["alice"])
        await discord_eventually(lambda: discord.guilds[GUILD].invites[links["alice"]].uses == 1)
        await told(program, "alice", "Carol: joined, counts on")

        await discord.join("dave", links["alice"])
        await discord.join("eve", links["gina"])
        await told(program, "alice", "1 on the way", settle=True)
        await told(program, "gina", "Nobody has come through your link")

        assert "You are in. Stay 7 days" in await said(program, "dave", "join", codes["alice"])
        await told(program, "alice", "Dave: joined, counts on")
        assert "You are in." in await said(program, "eve", "join", codes["gina"])
        await told(program, "gina", "Eve: joined, counts on")


async def told(program: Program, name: str, words: str, *, settle: bool = False) -> None:
    """Ask `/me` until these words are in it; `settle` waits first until every join was heard."""
    if settle:

        def heard(session: Session) -> int:
            return int(session.scalar(select(func.count()).select_from(Membership)) or 0)

        await discord_eventually(lambda: program.parts.reader.run_sync(heard) >= 4)
    shown = ""
    for _ in range(50):
        shown = await said(program, name, "me")
        if words in shown:
            return
    raise AssertionError(f"{words!r} is not in {shown!r}")
