"""From the outbox to the person, and what happens when the person cannot be reached."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

from sqlmodel import Session, col, select

from bots.adapter import SendError
from bots.message import Address, Place, Reachable, Reply
from core.outbox import Outbox
from referral.members import Identity
from tests.dialogue import Town, open_town

BRING = """
    Alice invites Bob.
    Bob joins.
"""


def states(town: Town) -> list[tuple[str, int]]:
    """State and tries of every message in the outbox to a person."""

    def read(session: Session) -> list[tuple[str, int]]:
        rows = session.exec(select(Outbox).order_by(col(Outbox.created_at))).all()
        return [(row.state, row.attempts) for row in rows if row.topic.startswith("chat:")]

    return town.do(read)


def reachable(town: Town, name: str) -> bool:
    return town.do(lambda session: session.get_one(Identity, (town.brand.id, "webchat", name.lower())).reachable)


async def refuse(address: Address, reply: Reply) -> None:
    raise SendError("blocked", permanent=True)


async def falter(address: Address, reply: Reply) -> None:
    raise SendError("the network is down")


async def test_a_person_who_blocked_us_is_not_written_to_again_until_they_speak(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        with patch.object(town.chat, "send", refuse):
            await town.play(BRING)
        assert states(town) == [("dead", 1)]
        assert not reachable(town, "Alice")

        await town.later(days=7)
        assert town.news("Alice") == []
        assert [town.shown(reply).splitlines()[0] for reply in town.news("Bob")] == [
            "✅ You have stayed 7 days. You earned 50 points, yours on Mar 12, 12:00."
        ]

        await town.say("Alice", "/me")
        assert reachable(town, "Alice")
        await town.later(days=3)
        assert "100 points added to your balance" in town.shown(town.news("Alice")[0])


async def test_a_network_that_falters_only_delays(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        with patch.object(town.chat, "send", falter):
            await town.play(BRING)
        assert states(town) == [("pending", 1)]
        assert reachable(town, "Alice")

        await town.later(minutes=1)
        assert "Bob joined Spring tea through you" in town.shown(town.news("Alice")[0])
        assert states(town) == [("delivered", 2)]


async def test_the_platform_tells_of_a_block_and_of_its_end(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await town.say("Alice", "/invite")
        place = Place(Address("webchat", "alice"))
        for now in (False, True):
            await town.parts.router.hear(Reachable(town.person("Alice"), place, now))
            assert reachable(town, "Alice") is now


async def test_the_words_are_in_the_language_of_the_moment(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await town.play(BRING)
        town.news("Alice")
        await town.say("Alice", "/language 中文")
        await town.later(days=7)
        assert "Bob 已留满 7 天" in town.shown(town.news("Alice")[0])


async def test_who_was_forgotten_meanwhile_is_told_nothing(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        with patch.object(town.chat, "send", falter):
            await town.play(BRING)
        await town.say("Alice", "/privacy forget yes")
        await town.later(minutes=1)
        assert town.news("Alice") == []
        assert states(town) == [("delivered", 2)]
