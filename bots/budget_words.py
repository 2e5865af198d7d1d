"""Tells the operator's admins that a campaign's budget runs out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from bots.adapter import Adapter, SendError
from bots.context import Safe, say
from bots.markup import escape
from bots.message import Address, Reply
from core import i18n, ids
from core.db import among_keys, table
from core.events import Bus
from core.money import Money
from core.outbox import Claimed, Message, Undeliverable, put
from core.reader import Reader
from referral.campaigns import Campaign
from referral.members import Identity, Member
from rewards.budget import BudgetWarned

BUDGET_TOPIC = "budget:"
"""Outbox topic of warnings, with the platform behind it."""


def listen(bus: Bus, admins: Collection[str]) -> None:
    """Hear of budgets; `admins` as `platform:account`."""
    bus.on(BudgetWarned, partial(on_warned, admins=admins))


def on_warned(session: Session, happened: Sequence[BudgetWarned], *, admins: Collection[str]) -> None:
    """Queue a warning for each admin who has talked to us. Each level is told to us once for a funding."""
    accounts = [tuple(name.split(":", 1)) for name in admins if ":" in name]
    keys = {(event.brand_id, *account) for event in happened for account in accounts}
    if not keys:
        return
    t = table(Identity)
    rows = session.execute(
        select(t.c.brand_id, t.c.platform, t.c.account, t.c.chat, t.c.member_id).where(
            among_keys(session, (t.c.brand_id, t.c.platform, t.c.account), keys),
            t.c.reachable.is_(True),
            t.c.chat.is_not(None),
        )
    ).all()
    put(
        session,
        [
            Message(BUDGET_TOPIC + row.platform, f"budget/{ids.new()}", _payload(event, row), event.brand_id)
            for event in happened
            for row in rows
            if row.brand_id == event.brand_id
        ],
    )


def _payload(event: BudgetWarned, to: Any) -> dict[str, Any]:
    return {
        "chat": to.chat,
        "brand": str(event.brand_id),
        "member": str(to.member_id),
        "account": to.account,
        "campaign": str(event.campaign_id),
        "asset": event.asset,
        "level": event.level,
        "left": event.left,
    }


def compose(session: Session, payload: dict[str, Any]) -> Reply | None:
    """The words of a warning, in the admin's language; None for somebody who was forgotten since."""
    brand_id = UUID(payload["brand"])
    member = session.get(Member, (brand_id, UUID(payload["member"])))
    campaign = session.get(Campaign, (brand_id, UUID(payload["campaign"])))
    if member is None or campaign is None or member.erased_at is not None:
        return None
    t = table(Identity)
    platform_locale = session.scalar(
        select(t.c.locale).where(
            t.c.brand_id == brand_id, t.c.member_id == member.id, t.c.account == payload["account"]
        )
    )
    locale = member.locale or platform_locale or i18n.DEFAULT
    left = Safe(escape(Money(payload["left"], payload["asset"]).format(locale)))
    title = i18n.pick(campaign.title, locale)
    return Reply(say(locale, f"budget.{payload['level']}", title=title, left=left), private=True)


class BudgetWarner:
    """Handles the outbox topic `budget:<platform>`."""

    def __init__(self, adapter: Adapter, reader: Reader) -> None:
        self._adapter = adapter
        self._reader = reader

    async def __call__(self, message: Claimed) -> None:
        reply = await self._reader.run(lambda session: compose(session, message.payload))
        if reply is None:
            return
        try:
            await self._adapter.send(Address(self._adapter.platform, message.payload["chat"]), reply)
        except SendError as error:
            raise Undeliverable(error.reason, permanent=error.permanent, retry_after=error.retry_after) from error
