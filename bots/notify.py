"""Tells people what happened to them: events become outbox messages, the outbox becomes words in a chat.

Only people who talked to us are written to, on the account they last used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from bots.adapter import Adapter, SendError
from bots.context import Safe, name_of, say, sentences
from bots.markup import escape
from bots.message import Address, Button, Reply
from core import clock, i18n
from core.db import among_keys, table
from core.events import Bus
from core.money import Money
from core.outbox import Claimed, Message, Undeliverable, put
from core.reader import Reader
from core.writer import Writer
from referral import leaderboard
from referral.campaigns import Campaign
from referral.members import Identity, Member, set_reachable
from referral.referrals import FriendJoined, Referral
from rewards.rewards import Reward, RewardGranted, RewardReleased, RewardVoided

TOPIC = "chat:"
"""Outbox topic of messages to people, with the platform behind it."""


@dataclass(frozen=True, slots=True)
class News:
    """Something to tell a member: `key` of the words, `cause` that makes it unique, facts that are looked up later."""

    brand_id: UUID
    member_id: UUID
    key: str
    cause: str
    campaign_id: UUID
    referral_id: UUID | None = None
    amount: int = 0
    asset: str = "PTS"
    at: datetime | None = None
    reason: str | None = None


def listen(bus: Bus) -> None:
    """Hear what people want to be told of."""
    bus.on(FriendJoined, _on_joined)
    bus.on(RewardGranted, _on_granted)
    bus.on(RewardReleased, _on_released)
    bus.on(RewardVoided, _on_voided)


def _on_joined(session: Session, happened: Sequence[FriendJoined]) -> None:
    # A friend who qualified in the same breath is told of by the reward.
    _tell(
        session,
        [
            News(
                e.brand_id,
                e.advocate_id,
                "news.joined",
                f"joined/{e.referral_id}",
                e.campaign_id,
                e.referral_id,
                at=e.due_at,
            )
            for e in happened
            if e.due_at is not None and e.due_at > clock.now()
        ],
    )


def _on_granted(session: Session, happened: Sequence[RewardGranted]) -> None:
    _tell(
        session,
        [
            News(
                e.brand_id,
                e.member_id,
                f"news.{e.state}.{e.role}",
                f"granted/{e.reward_id}",
                e.campaign_id,
                e.referral_id,
                e.amount,
                e.asset,
                e.hold_until,
            )
            for e in happened
            if e.state in ("held", "capped")
        ],
    )


def _on_released(session: Session, happened: Sequence[RewardReleased]) -> None:
    _tell(
        session,
        [
            News(
                e.brand_id,
                e.member_id,
                f"news.paid.{e.role}",
                f"released/{e.reward_id}",
                e.campaign_id,
                e.referral_id,
                e.amount,
                e.asset,
            )
            for e in happened
        ],
    )


def _on_voided(session: Session, happened: Sequence[RewardVoided]) -> None:
    _tell(
        session,
        [
            News(
                e.brand_id,
                e.member_id,
                f"news.{e.state}.{reward.role}",
                f"{e.state}/{e.reward_id}",
                e.campaign_id,
                reward.referral_id,
                e.amount,
                e.asset,
                reason=f"{e.reason}.{reward.role}",
            )
            for e in happened
            if (reward := session.get(Reward, (e.brand_id, e.reward_id))) is not None
        ],
    )


def _tell(session: Session, news: Sequence[News]) -> None:
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


def _chats(session: Session, people: set[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], tuple[str, str, str]]:
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
        "key": item.key,
        "campaign": str(item.campaign_id),
        "referral": str(item.referral_id) if item.referral_id else None,
        "amount": item.amount,
        "asset": item.asset,
        "at": item.at.isoformat() if item.at else None,
        "reason": item.reason,
    }


def compose(session: Session, payload: dict[str, Any]) -> Reply | None:
    """The words of a message, in the member's language as it is now; None for somebody who was forgotten since."""
    brand_id, member_id = UUID(payload["brand"]), UUID(payload["member"])
    member = session.get(Member, (brand_id, member_id))
    campaign = session.get(Campaign, (brand_id, UUID(payload["campaign"])))
    if member is None or campaign is None or member.erased_at is not None:
        return None
    platform_locale = session.scalar(
        select(col(Identity.locale)).where(
            col(Identity.brand_id) == brand_id,
            col(Identity.member_id) == member_id,
            col(Identity.account) == payload["account"],
        )
    )
    locale = member.locale or platform_locale or i18n.DEFAULT
    standing = leaderboard.standing(session, brand_id, campaign.id, member_id)
    facts: dict[str, Any] = {
        "title": i18n.pick(campaign.title, locale),
        "days": campaign.stay_days,
        "amount": Safe(escape(Money(payload["amount"], payload["asset"]).format(locale))),
        "at": _moment(payload["at"], locale, campaign),
        "friend": _other(session, brand_id, member_id, payload["referral"], locale),
        "rank": standing.rank if standing else 0,
        "reason": Safe(say(locale, f"reason.{payload['reason']}")) if payload["reason"] else "",
    }
    key = payload["key"]
    text = say(locale, f"{key}.{campaign.event}" if key.startswith("news.held.") else key, **facts)
    if standing is not None and payload["key"] == "news.paid.advocate":
        text = sentences(locale, text, say(locale, "news.rank", rank=standing.rank))
    label = i18n.text(locale, "button.rewards")
    return Reply(text, buttons=((Button(label, action="do:rewards"),),), private=True)


def _moment(at: str | None, locale: str, campaign: Campaign) -> str:
    return Safe(escape(i18n.moment(locale, clock.parse(at), campaign.timezone))) if at else ""


def _other(session: Session, brand_id: UUID, member_id: UUID, referral_id: str | None, locale: str) -> str:
    """The name of the other one of the two."""
    referral = session.get(Referral, (brand_id, UUID(referral_id))) if referral_id else None
    if referral is None:
        return ""
    other = referral.friend_id if referral.advocate_id == member_id else referral.advocate_id
    return name_of(session, brand_id, other, locale)


class Deliverer:
    """Hands the outbox's messages of one platform to its adapter."""

    def __init__(self, adapter: Adapter, reader: Reader, writer: Writer) -> None:
        self._adapter = adapter
        self._reader = reader
        self._writer = writer

    async def __call__(self, message: Claimed) -> None:
        payload = message.payload
        reply = await self._reader.run(lambda session: compose(session, payload))
        if reply is None:
            return
        try:
            await self._adapter.send(Address(self._adapter.platform, payload["chat"]), reply)
        except SendError as error:
            if error.permanent:
                platform, account = self._adapter.platform, payload["account"]
                await self._writer.run(lambda session: set_reachable(session, platform, account, reachable=False))
            raise Undeliverable(error.reason, permanent=error.permanent, retry_after=error.retry_after) from error
