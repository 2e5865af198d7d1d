"""Something to tell a member unasked: queued in the unit of work that causes it, put into words when it is sent.

What is queued names rows, not what is in them: a code or a reference is read when the message goes out, in the
language of that moment, and nothing of it lies in the outbox.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from bots.context import Safe, amount_words, say
from bots.markup import escape
from core import clock, i18n
from core.db import among_keys, table
from core.outbox import Message, put
from referral.brands import Brand
from referral.campaigns import Campaign
from referral.members import Identity, Member

TOPIC = "chat:"
"""Outbox topic of messages to people, with the platform behind it."""


@dataclass(frozen=True, slots=True)
class News:
    """`kind`: who puts it into words (`bots.notify.KINDS`). `cause`: makes it unique, so that one thing is told once.
    `facts`: what it is about, ready for JSON."""

    brand_id: UUID
    member_id: UUID
    kind: str
    cause: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Voice:
    """Who is told, in which language, by which clock."""

    session: Session
    brand: Brand
    member: Member
    locale: str

    def say(self, key: str, **params: Any) -> str:
        """The message `key` in the member's language."""
        return say(self.locale, key, **params)

    def amount(self, minor: int, asset: str) -> Safe:
        """An amount as the member writes it."""
        return amount_words(self.session, self.brand.id, self.locale, minor, asset)

    def moment(self, at: str | None, campaign: Campaign | None = None) -> Safe:
        """A moment (ISO 8601) in the zone of the campaign's people, or of the brand."""
        zone = campaign.timezone if campaign else self.brand.timezone
        return Safe(escape(i18n.moment(self.locale, clock.parse(at), zone))) if at else Safe("")


def tell(session: Session, news: Sequence[News]) -> None:
    """Queue these for everybody who can be written to, where they were last heard."""
    if not news:
        return
    chats = _chats(session, {(item.brand_id, item.member_id) for item in news})
    put(
        session,
        [
            Message(TOPIC + chats[key][0], item.cause, _payload(item, *chats[key]), item.brand_id)
            for item in news
            if (key := (item.brand_id, item.member_id)) in chats
        ],
    )


def _chats(session: Session, people: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], tuple[str, str, str]]:
    """(platform, account, chat) of each member that can be written to, where they were last heard."""
    t = table(Identity)
    rows = session.execute(
        select(t.c.brand_id, t.c.member_id, t.c.platform, t.c.account, t.c.chat)
        .where(
            among_keys(session, (t.c.brand_id, t.c.member_id), people),
            t.c.reachable.is_(True),
            t.c.chat.is_not(None),
        )
        .order_by(t.c.seen_at)
    )
    return {(brand, member): (platform, account, chat) for brand, member, platform, account, chat in rows}


def _payload(item: News, platform: str, account: str, chat: str) -> dict[str, Any]:
    return {
        "chat": chat,
        "account": account,
        "brand": str(item.brand_id),
        "member": str(item.member_id),
        "kind": item.kind,
        "facts": dict(item.facts),
    }


def voice_of(session: Session, payload: Mapping[str, Any]) -> Voice | None:
    """Who is to be told what was queued; None for somebody who was forgotten since."""
    brand_id, member_id = UUID(payload["brand"]), UUID(payload["member"])
    brand, member = session.get(Brand, brand_id), session.get(Member, (brand_id, member_id))
    if brand is None or member is None or member.erased_at is not None:
        return None
    platform_locale = session.scalar(
        select(col(Identity.locale)).where(
            col(Identity.brand_id) == brand_id,
            col(Identity.member_id) == member_id,
            col(Identity.account) == payload["account"],
        )
    )
    return Voice(session, brand, member, member.locale or platform_locale or i18n.DEFAULT)
