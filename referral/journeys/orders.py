"""The steps of an order: what was bought, whose it is and by which rules, and what went back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID

from referral.attribution.decisions import Attribution
from referral.attribution.policy import USUAL
from referral.conversions import PURCHASED, Conversion, Refund
from referral.journeys.reading import Known
from referral.journeys.steps import Asked, Step

BUYER, BROUGHT, WINDOW, STANDING, JOINED, PAID = "buyer", "brought", "window", "standing", "joined", "paid"
RULES = (BUYER, BROUGHT, WINDOW, STANDING, JOINED, PAID)
"""What is asked of an order, in the order of `referral.orders`."""
AGAINST = {
    **dict.fromkeys(("guest", "unknown_buyer", "ambiguous_buyer"), BUYER),
    **dict.fromkeys(("outside_window", "credit_lapsed"), WINDOW),
    **dict.fromkeys(("referral_reversed", "referral_rejected", "referral_expired"), STANDING),
    **dict.fromkeys(("referral_own", "referral_forgotten"), STANDING),
    "not_joined": JOINED,
    **dict.fromkeys(("refunded", "nothing_paid"), PAID),
}
"""Which rule stood against an order, by its reason; whatever else there is said that nobody had brought the buyer."""


def steps_of_orders(known: Known) -> Iterator[Step]:
    """Of every order of the journey: the purchase, the decision, and its refunds."""
    for order in known.orders:
        yield _purchase(order)
        yield _decision(known, order)
    for decided in known.decisions:
        if not decided.shares and decided.policy in (None, USUAL):
            continue  # nobody's by the rules, which the order's own step says
        yield _credit(known, decided)
    for refund in known.refunds:
        yield _refund(refund)


def _purchase(order: Conversion) -> Step:
    facts = {
        "number": order.external_id,
        "source": order.source,
        "currency": order.currency,
        "gross": order.gross,
        "discount": order.discount,
        "shipping": order.shipping,
        "tax": order.tax,
        "net": order.net,
        "lines": len(order.lines or ()),
        "code": order.code,
        "member": order.member_id,
    }
    return Step(order.ordered_at, "order", facts, link=("order", str(order.id)), order=50)


def _decision(known: Known, order: Conversion) -> Step:
    referral = next((one for one in known.referrals if one.id == order.referral_id), None)
    credited = shares_in(known.decisions[-1]) if known.decisions else {}
    advocate = referral.advocate_id if referral else None
    facts: dict[str, Any] = {
        "number": order.external_id,
        "status": order.status,
        "reason": order.reason,
        "advocate": max(credited, key=lambda one: credited[one], default=advocate),
    }
    return Step(
        max(order.received_at, order.ordered_at),
        f"order.{order.status}",
        facts,
        asked=asked_of_order(known, order),
        version=referral.campaign_version if referral else None,
        campaign_id=order.campaign_id,
        tone="good" if order.status == "attributed" else "bad",
        order=52,
    )


def asked_of_order(known: Known, order: Conversion) -> tuple[Asked, ...]:
    """The rules as they were answered when the order was judged, by the reason that was kept."""
    against = None if order.reason is None else AGAINST.get(order.reason, BROUGHT)
    asked: list[Asked] = []
    held: bool | None = True
    for rule in RULES:
        campaign = known.campaigns.get(order.campaign_id) if order.campaign_id else None
        if rule == JOINED and campaign is not None and campaign.event == PURCHASED:
            continue
        if rule == against:
            asked.append(Asked(rule, held=False, facts=_facts(known, order, rule)))
            held = None
        else:
            asked.append(Asked(rule, held, _facts(known, order, rule) if held else {}))
    return tuple(asked)


def _facts(known: Known, order: Conversion, rule: str) -> dict[str, Any]:
    referral = next((one for one in known.referrals if one.id == order.referral_id), None)
    campaign = known.campaigns.get(order.campaign_id) if order.campaign_id else None
    if rule == BUYER:
        return {"member": order.member_id, "reason": order.reason}
    if rule == BROUGHT:
        return {"advocate": referral.advocate_id if referral else None, "reason": order.reason}
    if referral is None or campaign is None:
        return {}
    if rule == WINDOW and own_policy(known) is None:
        until = min(referral.expires_at, campaign.ends_at)
        return {"since": referral.started_at, "until": until, "ordered": order.ordered_at}
    if rule in (WINDOW, STANDING):
        return {"reason": order.reason}
    if rule == JOINED:
        return {"joined": referral.joined_at}
    return {"net": order.net, "left": order.left, "currency": order.currency}


def _credit(known: Known, decided: Attribution) -> Step:
    """Whose credit the order is, by which policy, and the touches that were looked at."""
    parts = {str(touch): share for touch, _, share in decided.shares}
    seen = []
    for one in decided.touches:
        touch = known.credited.get(UUID(one))
        owner = known.owners.get(touch.code or "") if touch is not None else None
        if touch is not None:
            facts = {"at": touch.touched_at, "kind": touch.kind, "advocate": owner.advocate_id if owner else None}
            seen.append({**facts, "share": parts.get(one, 0)})
    told: dict[str, Any] = {
        "how": decided.reason,
        "policy": decided.policy,
        "shares": shares_in(decided),
        "seen": seen,
        "touches": len(decided.touches),
    }
    what = "attribution" if decided.revision == 1 else "attribution.again"
    tone = "good" if decided.shares else ""
    tell = partial(Step, version=decided.campaign_version, campaign_id=decided.campaign_id)
    return tell(decided.decided_at, what, told, tone=tone, order=53)


def own_policy(known: Known) -> Attribution | None:
    """The decision in force, where the campaign has a policy of its own: its windows are not the referral's."""
    last = known.decisions[-1] if known.decisions else None
    return last if last is not None and last.policy not in (None, USUAL) else None


def shares_in(decided: Attribution) -> dict[UUID, int]:
    """Millionths of the order by advocate."""
    found: dict[UUID, int] = {}
    for _, advocate, share in decided.shares:
        found[UUID(advocate)] = found.get(UUID(advocate), 0) + share
    return found


def _refund(refund: Refund) -> Step:
    facts = {
        "number": refund.external_id,
        "currency": refund.currency,
        "amount": refund.applied,
        "asked": refund.amount,
        "rest": refund.rest,
        "reason": refund.reason,
    }
    return Step(refund.refunded_at, f"refund.{refund.status}", facts, tone="bad", order=75)
