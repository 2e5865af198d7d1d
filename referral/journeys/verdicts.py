"""The answer of a journey in one code: whether it counted, for whom, and what stood against it."""

from __future__ import annotations

from typing import Any

from core import clock
from referral.conversions import PURCHASED, Conversion
from referral.journeys.orders import own_policy, shares_in
from referral.journeys.reading import Known
from referral.journeys.steps import Verdict
from referral.referrals import Referral
from referral.rules import REFUSALS
from referral.touches import Touch

OF_ORDERS = (
    *("counted", "partly_refunded", "refunded", "nothing_paid", "guest", "unknown_buyer", "ambiguous_buyer"),
    *("no_referral", "outside_window.after", "outside_window.before", "not_joined"),
    *("referral_reversed", "referral_rejected", "referral_expired", "referral_own", "referral_forgotten"),
    *("taken_back", *REFUSALS, "other"),
    *("not_new.unknown", "already_referred.unknown", "shared", "credited", "credit_lapsed", "in_doubt"),
)
OF_FRIENDS = (
    *("qualified", "waiting.purchased", "waiting.trial", "waiting.join", "waiting.stay", "waiting.return"),
    *("expired", "expired.gone", "rejected"),
    *("reversed.left_during_hold", "reversed.refunded", "reversed.fraud", "reversed.self_referral"),
    *("reversed.loop", "reversed.linked_duplicate", "reversed.other", "came_alone"),
)


def verdict_of_order(known: Known, order: Conversion) -> Verdict:
    """Whether an order counts, for whom, or why not."""
    facts = _order_facts(known, order)
    if order.status == "attributed":
        if order.left == 0:
            return Verdict(counted=False, reason="refunded" if order.net else "nothing_paid", facts=facts)
        referral = known.referral
        if referral is not None and referral.state in ("reversed", "rejected"):
            return Verdict(counted=False, reason="taken_back", facts={**facts, "why": referral.reason})
        shares = shares_in(known.decisions[-1]) if known.decisions else {}
        if shares:
            facts["advocate"] = max(shares, key=lambda one: shares[one])
        if len(shares) > 1:
            return Verdict(counted=True, reason="shared", facts={**facts, "shares": shares})
        by_policy = own_policy(known)
        if by_policy is not None:
            return Verdict(counted=True, reason="credited", facts={**facts, "how": by_policy.reason})
        return Verdict(counted=True, reason="partly_refunded" if order.refunded else "counted", facts=facts)
    reason = order.reason or "other"
    if reason == "outside_window" and known.referral is not None:
        early = order.ordered_at < known.referral.started_at
        reason = "outside_window.before" if early else "outside_window.after"
    if reason in ("no_referral", "unknown_buyer") and in_doubt(known):
        return Verdict(counted=None, reason="in_doubt", facts=facts)
    tried = _refused(known, order)
    if reason == "no_referral" and tried is not None and tried.outcome is not None:
        reason = tried.outcome
    if reason in REFUSALS and tried is not None:
        facts |= refusal_facts(known, tried)
        reason = _as_known(reason, facts)
    elif reason in REFUSALS:
        reason = "other"
    return Verdict(counted=False, reason=reason if reason in OF_ORDERS else "other", facts=facts)


def _order_facts(known: Known, order: Conversion) -> dict[str, Any]:
    referral, campaign = known.referral, known.campaign
    owner = known.owners.get(order.code or "")
    facts: dict[str, Any] = {
        "advocate": known.advocate_id or (owner.advocate_id if owner else None),
        "friend": order.member_id,
        "number": order.external_id,
        "ordered": order.ordered_at,
        "net": order.net,
        "left": order.left,
        "refunded": order.refunded,
        "currency": order.currency,
        "code": order.code,
    }
    if referral is not None and campaign is not None:
        facts["came"] = referral.started_at
        facts["until"] = min(referral.expires_at, campaign.ends_at)
        facts["days"] = campaign.window_days
    return facts


def _refused(known: Known, order: Conversion) -> Touch | None:
    """The last time the buyer came with somebody's code and a rule stood against it: for the order's reason, where it
    names one."""
    refused = [one for one in known.touches if one.outcome in REFUSALS and one.touched_at <= order.ordered_at]
    same = [one for one in refused if one.outcome == order.reason]
    return next(iter(same or refused), None)


def _as_known(reason: str, facts: dict[str, Any]) -> str:
    """The reason, told without what was forgotten with somebody since."""
    needed = {"not_new": "seen", "already_referred": "earlier"}.get(reason)
    return f"{reason}.unknown" if needed is not None and needed not in facts else reason


def refusal_facts(known: Known, touch: Touch) -> dict[str, Any]:
    """What the sentence about a refused touch says."""
    owner = known.owners.get(touch.code or "")
    campaign = known.campaigns.get(touch.campaign_id) if touch.campaign_id else None
    facts: dict[str, Any] = {"came": touch.touched_at}
    if owner is not None:
        facts["advocate"] = owner.advocate_id
    if campaign is not None:
        facts |= {"starts": campaign.starts_at, "ends": campaign.ends_at}
    seen = (touch.facts or {}).get("seen_at")
    if seen:
        at = clock.parse(seen)
        facts |= {"seen": at, "via": (touch.facts or {}).get("seen_via"), "before": (touch.touched_at - at).days}
    earlier = [one for one in known.referrals if one.campaign_id == touch.campaign_id]
    if touch.outcome == "already_referred" and earlier:
        facts |= {"earlier": earlier[0].advocate_id, "since": earlier[0].started_at}
    return facts


def in_doubt(known: Known) -> bool:
    """Whether somebody still has to say who brought this friend."""
    return any(case.kind == "attribution" and case.state == "open" for case in known.cases)


def verdict_of_person(known: Known) -> Verdict:
    """Whether a member counts for anybody: by the referral begun last, else by why their last try made none."""
    if known.referrals:
        return verdict_of_friend(known, max(known.referrals, key=lambda one: (one.started_at, one.id)))
    facts: dict[str, Any] = {"friend": known.friend_id}
    refused = next((one for one in known.touches if one.outcome in REFUSALS), None)
    if in_doubt(known):
        return Verdict(counted=None, reason="in_doubt", facts=facts)
    if refused is not None and refused.outcome is not None:
        facts |= refusal_facts(known, refused)
        return Verdict(counted=False, reason=_as_known(refused.outcome, facts), facts=facts)
    return Verdict(counted=False, reason="came_alone", facts=facts)


def verdict_of_friend(known: Known, referral: Referral) -> Verdict:
    """Whether a friend counts, or what they still have to do, or why they do not."""
    campaign = known.campaigns.get(referral.campaign_id)
    event = campaign.event if campaign else PURCHASED
    facts: dict[str, Any] = {
        "advocate": referral.advocate_id,
        "friend": referral.friend_id,
        "came": referral.started_at,
        "until": referral.expires_at,
        "due": referral.due_at,
        "qualified": referral.qualified_at,
        "days": campaign.stay_days if campaign else 0,
        "event": event,
    }
    if referral.state == "qualified":
        return Verdict(counted=True, reason="qualified", facts=facts)
    if referral.state in ("started", "joined"):
        return Verdict(counted=None, reason=f"waiting.{_waits_for(referral, event)}", facts=facts)
    if referral.state == "expired":
        reason = "expired" if referral.reason == "window_over" else "expired.gone"
    elif referral.state == "rejected":
        reason = "rejected"
    else:
        reason = f"reversed.{referral.reason}"
    return Verdict(counted=False, reason=reason if reason in OF_FRIENDS else "reversed.other", facts=facts)


def _waits_for(referral: Referral, event: str) -> str:
    if event == PURCHASED:
        return "purchased"
    if event in ("trial_claimed", "feedback_given"):
        return "trial"
    if referral.state == "started":
        return "join"
    return "stay" if referral.stay_since is not None else "return"
