"""The root of a day's books is posted into the chats the brand chose, in the brand's language."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from sqlmodel import Session, col, select

from bots.adapter import SendError
from bots.message import Address, Reply
from core.outbox import Outbox
from referral.brands import Brand
from rewards.proofs import blocks
from tests.dialogue import Town, open_town


async def a_day_of_books(town: Town, locale: str) -> str:
    """Something is booked and sealed, the day goes by; the root."""

    def choose(session: Session) -> None:
        brand = session.get_one(Brand, town.brand.id)
        brand.locale = locale
        session.add(brand)
        blocks.publish_on(session, town.brand.id, [("webchat", "lobby")])

    town.do(choose)
    await town.settle()
    await town.later(days=1)
    return str(town.do(lambda session: session.exec(select(col(blocks.PublishedRoot.root))).one()))


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", ("The books of", "sealed up to block", "Keep this line")),
        ("zh_Hans", ("的账本已封存至第", "请留存这一行")),
    ],
)
async def test_the_group_reads_the_root_the_day_after(tmp_path: Path, locale: str, words: tuple[str, ...]) -> None:
    async with open_town(tmp_path) as town:
        heard: list[tuple[str, str]] = []

        async def hear(address: Address, reply: Reply) -> None:
            heard.append((address.chat, reply.text))

        with patch.object(town.chat, "send", hear):
            root = await a_day_of_books(town, locale)
            await town.later(hours=1)
        posts = [text for chat, text in heard if chat == "lobby"]
        assert len(posts) == 1
        assert f"`{root}`" in posts[0]
        assert all(word in posts[0] for word in words)


async def test_a_chat_that_is_gone_is_a_dead_letter(tmp_path: Path) -> None:
    async def refuse(address: Address, reply: Reply) -> None:
        raise SendError("no such chat", permanent=True)

    async with open_town(tmp_path) as town:
        with patch.object(town.chat, "send", refuse):
            await a_day_of_books(town, "en")
        states = town.do(
            lambda session: session.exec(select(col(Outbox.state)).where(col(Outbox.topic) == "root:webchat")).all()
        )
        assert states == ["dead"]
