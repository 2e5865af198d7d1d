"""News for whoever runs the brand: low budgets and pools, payees several members share, payouts that need a person.

Told to the admins the operator named and to those of the brand's communities, where they have talked to us.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from bots.context import Safe, name_of
from bots.message import Button, Reply
from bots.news import News, Voice, tell
from core import i18n, ids
from core.db import among_keys, table
from core.events import Bus
from referral.brands import Community
from referral.campaigns import Campaign
from referral.members import Identity
from referral.staff import staff_of
from referral.webhooks.endpoints import EndpointStopped, waiting
from referral.webhooks.models import WebhookEndpoint
from rewards.budget import BudgetWarned
from rewards.items.items import Item
from rewards.items.vouchers import VoucherLow
from rewards.payouts.payouts import PayeeShared, Payout, PayoutContradicted, PayoutStarted, PayoutStuck

NAMES = 5
"""Members named who share a payee."""


def listen(bus: Bus, admins: Collection[str]) -> None:
    """Hear what admins must know; `admins` as `platform:account`."""
    kinds: dict[type, Callable[[Any], tuple[str, dict[str, Any]] | None]] = {
        VoucherLow: _voucher_low,
        PayeeShared: _payee_shared,
        PayoutContradicted: _contradicted,
        PayoutStuck: _stuck,
        PayoutStarted: _to_approve,
        BudgetWarned: _budget,
        EndpointStopped: _webhook_off,
    }
    for kind, facts_of in kinds.items():
        bus.on(kind, partial(_on, admins=admins, facts_of=facts_of))


def _on(
    session: Session,
    happened: Sequence[Any],
    *,
    admins: Collection[str],
    facts_of: Callable[[Any], tuple[str, dict[str, Any]] | None],
) -> None:
    news = []
    people: dict[UUID, set[UUID]] = {}
    for event in happened:
        if (told := facts_of(event)) is None:
            continue
        if event.brand_id not in people:
            people[event.brand_id] = who_runs(session, event.brand_id, admins)
        what, facts = told
        cause = ids.new()
        news += [
            News(event.brand_id, member, "admin", f"admin/{cause}/{member}", {"what": what, **facts})
            for member in people[event.brand_id]
        ]
    tell(session, news)


def who_runs(session: Session, brand_id: UUID, admins: Collection[str]) -> set[UUID]:
    """The members who run the brand: its owners and managers, the admins of its own groups (a partner's sees only the
    partner's), and whom the operator named."""
    found = set(
        session.scalars(
            select(col(Community.admin_id)).where(
                col(Community.brand_id) == brand_id,
                col(Community.admin_id).is_not(None),
                col(Community.partner).is_(False),
            )
        )
    )
    found |= {one.member_id for one in staff_of(session, brand_id, ("owner", "manager"))}
    accounts = {tuple(name.split(":", 1)) for name in admins if ":" in name}
    if accounts:
        t = table(Identity)
        named = select(t.c.member_id).where(
            t.c.brand_id == brand_id, among_keys(session, (t.c.platform, t.c.account), accounts)
        )
        found |= set(session.scalars(named))
    return {member for member in found if member is not None}


def _voucher_low(event: VoucherLow) -> tuple[str, dict[str, Any]]:
    what = "voucher_gone" if event.left == 0 else "voucher_low"
    return what, {"item": str(event.item_id), "left": event.left, "pool": event.pool}


def _payee_shared(event: PayeeShared) -> tuple[str, dict[str, Any]]:
    return "payee_shared", {"provider": event.provider, "members": [str(one) for one in event.members]}


def _contradicted(event: PayoutContradicted) -> tuple[str, dict[str, Any]]:
    return "contradicted", {"payout": str(event.payout_id), "had": event.had, "said": event.said}


def _stuck(event: PayoutStuck) -> tuple[str, dict[str, Any]]:
    return "stuck", {"payout": str(event.payout_id)}


def _to_approve(event: PayoutStarted) -> tuple[str, dict[str, Any]] | None:
    return None if event.approved else ("to_approve", {"payout": str(event.payout_id)})


def _budget(event: BudgetWarned) -> tuple[str, dict[str, Any]]:
    campaign = {"campaign": str(event.campaign_id), "asset": event.asset, "left": event.left}
    return f"budget.{event.level}", campaign


def _webhook_off(event: EndpointStopped) -> tuple[str, dict[str, Any]]:
    return f"webhook_off.{event.reason}", {"endpoint": str(event.endpoint_id)}


def _words(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    what = facts["what"]
    shown: dict[str, Any] = {}
    if "endpoint" in facts:
        return _webhook_words(voice, what, UUID(facts["endpoint"]))
    if "item" in facts:
        item = voice.session.get_one(Item, (voice.brand.id, UUID(facts["item"])))
        shown = {"title": i18n.pick(item.title, voice.locale), "left": facts["left"], "pool": facts["pool"]}
        shown["slug"] = Safe(item.slug)
    if "campaign" in facts:
        campaign = voice.session.get_one(Campaign, (voice.brand.id, UUID(facts["campaign"])))
        title = i18n.pick(campaign.title, voice.locale)
        shown = {"title": title, "left": voice.amount(facts["left"], facts["asset"])}
    if "members" in facts:
        names = [_name(voice, UUID(one)) for one in facts["members"][:NAMES]]
        way = i18n.text(voice.locale, f"withdraw.way.{facts['provider']}")
        shown = {"names": ", ".join(names), "n": len(facts["members"]), "way": way}
    if "payout" in facts:
        shown = _payout_facts(voice, facts)
    return Reply(voice.say(f"admin.{what}", **shown), private=True)


def _webhook_words(voice: Voice, what: str, endpoint_id: UUID) -> Reply | None:
    endpoint = voice.session.get(WebhookEndpoint, (voice.brand.id, endpoint_id))
    if endpoint is None or endpoint.state != "off" or endpoint.removed_at is not None:
        return None  # somebody was faster
    left = waiting(voice.session, voice.brand.id, endpoint.id)
    words = voice.say(f"admin.{what}", url=Safe(endpoint.url.partition("?")[0]), waiting=left)
    button = Button(i18n.text(voice.locale, "button.dashboard"), action="do:dashboard")
    return Reply(words, buttons=((button,),), private=True)


def _payout_facts(voice: Voice, facts: Mapping[str, Any]) -> dict[str, Any]:
    payout = voice.session.get_one(Payout, (voice.brand.id, UUID(facts["payout"])))
    states = {name: i18n.text(voice.locale, f"admin.state.{facts[name]}") for name in ("had", "said") if name in facts}
    return {
        "name": _name(voice, payout.member_id),
        "amount": voice.amount(payout.amount, payout.asset),
        "reference": Safe(payout.reference),
        **states,
    }


def _name(voice: Voice, member_id: UUID) -> str:
    return name_of(voice.session, voice.brand.id, member_id, voice.locale)


KINDS = {"admin": _words}
