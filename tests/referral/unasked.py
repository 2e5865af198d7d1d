"""Planning, asking and looking up unasked messages, for the stories about them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from core import clock
from core.outbox import Outbox
from referral import linking
from referral.brands import Brand
from referral.outreach import audiences, broadcasts, messages, people
from referral.outreach.messages import Key, Notice, Verdict
from referral.outreach.models import Broadcast, Outreach
from tests.referral.town import Town

NOON = datetime(2026, 3, 2, 4, 0, 5, tzinfo=UTC)
"""Noon of a Monday in Shanghai."""


def plan(town: Town, *who: UUID, subject: str = "news/1", **more: Any) -> int:
    """Plan a message about something to these people; how many were queued."""
    notices = [Notice(one, "nudge", subject, **more) for one in who]
    return town.house.do(lambda session: messages.plan(session, session.get_one(Brand, town.brand.id), notices))


def key(town: Town, who: UUID, subject: str = "news/1") -> Key:
    return (town.brand.id, who, subject)


def ask(town: Town, *keys: Key) -> list[Verdict]:
    """The turn of these messages has come."""
    return town.house.do(lambda session: messages.let_out(session, keys))


def sent(town: Town, who: UUID, subject: str) -> bool:
    """Plan it, let it out, and send it if it may go."""
    plan(town, who, subject=subject)
    [verdict] = ask(town, key(town, who, subject))
    if verdict.chat is None:
        return False
    town.house.do(lambda session: messages.settle(session, [(verdict.key, "sent", None)]))
    return True


def fate(town: Town, who: UUID, subject: str = "news/1") -> tuple[str, str | None]:
    row = town.house.ask(lambda session: session.get_one(Outreach, key(town, who, subject)))
    return row.state, row.reason


def quiet(town: Town, who: UUID, *, on: bool = True) -> None:
    town.house.do(lambda session: people.choose(session, town.brand.id, who, quiet=on))


def draft(town: Town, by: UUID, audience: str = "all", text: str = "新茶到了") -> UUID:
    return town.house.do(lambda session: broadcasts.draft(session, town.brand.id, {"zh_Hans": text}, audience, by).id)


def found(session: Session, town: Town, which: UUID) -> Broadcast:
    return broadcasts.find_broadcast(session, town.brand.id, which)


def start(town: Town, which: UUID) -> None:
    town.house.do(lambda session: broadcasts.start(session, found(session, town, which), "webchat:carol"))


def state(town: Town, which: UUID) -> tuple[str, int]:
    row = town.house.ask(lambda session: found(session, town, which))
    return row.state, row.planned


def queued(town: Town) -> list[Outbox]:
    def read(session: Session) -> list[Outbox]:
        return list(session.exec(select(Outbox).where(col(Outbox.topic).startswith(messages.TOPIC))).all())

    return town.house.ask(read)


def link(town: Town, one: str, other: str) -> linking.MemberLink:
    """The account of one person on Telegram and that of another name on Discord are one person's."""
    first, second = town.talks(one), town.talks(other, "discord")
    code = town.house.do(lambda session: linking.start_link(session, town.brand.id, first))
    made = town.house.do(lambda session: linking.finish_link(session, town.brand.id, second, code))
    assert isinstance(made, linking.MemberLink)
    return made


def who(town: Town, audience: str) -> set[UUID]:
    now = clock.now()
    return set(town.house.ask(lambda session: audiences.page(session, town.brand.id, audience, now, None, 100)))
