"""Turns what was recorded about a friend into steps: sightings, touches, the referral, groups, cases, staff, links."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from core import clock
from referral.cases import Case
from referral.conversions import PURCHASED
from referral.journeys.reading import Known
from referral.journeys.steps import Asked, Step
from referral.referrals import Referral
from referral.rules import BY_STAYING
from referral.touches import Touch

RULES = (
    *("campaign_not_started", "campaign_over", "campaign_paused", "advocate_gone"),
    *("self_referral", "loop", "already_referred", "not_new"),
)
"""What is asked of somebody who comes with a code, in the order of `rules.refusal`."""


def steps_of_friend(known: Known) -> Iterator[Step]:
    """Everything but orders and money."""
    yield from _sightings(known)
    for touch in known.touches:
        yield from _touch(known, touch)
    yield from _stays(known)
    for referral in known.referrals:
        if known.order is None and known.referral is not None and referral.id != known.referral.id:
            continue
        yield from _referral(known, referral)
    for case in known.cases:
        yield from _case(case)
    for entry in known.acts:
        done = {"by": entry.actor, "act": entry.act, "details": entry.details}
        yield Step(entry.at, "act", done, order=60)
    for link in known.links:
        whose = {"member": link.kept_id}
        yield Step(link.linked_at, "linked", whose, order=20)
        if link.undone_at is not None:
            yield Step(link.undone_at, "unlinked", whose, order=20)


def _sightings(known: Known) -> Iterator[Step]:
    came = {touch.touched_at for touch in known.touches}
    for seen in known.seen:
        if seen.at not in came:  # else the touch itself was the first we saw of them
            yield Step(seen.at, "seen", {"platform": seen.platform, "via": seen.via}, order=10)


def _touch(known: Known, touch: Touch) -> Iterator[Step]:
    owner = known.owners.get(touch.code or "")
    facts: dict[str, Any] = {
        "platform": touch.platform,
        "code": touch.code,
        "certainty": touch.certainty,
        "outcome": touch.outcome,
        "advocate": owner.advocate_id if owner else None,
        "place": _place(known, touch),
    }
    clicked = _click_of(touch)
    click = known.clicks.get(clicked) if clicked else None
    if click is not None:
        more = {"device": click.device, "referrer": click.referrer, "robot": click.robot}
        yield Step(click.touched_at, "click", {**facts, **more}, campaign_id=click.campaign_id, order=30)
    refused = touch.outcome not in (None, "referred", "again")
    yield Step(
        touch.touched_at,
        f"touch.{touch.kind}",
        facts,
        asked=asked_of_touch(known, touch),
        version=_version(known, touch),
        campaign_id=touch.campaign_id,
        tone="bad" if refused else ("good" if touch.outcome == "referred" else ""),
        order=31,
    )


def _click_of(touch: Touch) -> UUID | None:
    return UUID(touch.facts["click"]) if touch.facts and "click" in touch.facts else None


def _place(known: Known, touch: Touch) -> str | None:
    found = known.communities.get(touch.community_id) if touch.community_id else None
    return found.title if found else None


def _version(known: Known, touch: Touch) -> int | None:
    mine = [one for one in known.referrals if one.touch_id == touch.id]
    if mine:
        return mine[0].campaign_version
    return known.version_at(touch.campaign_id, touch.touched_at) if touch.campaign_id else None


def asked_of_touch(known: Known, touch: Touch) -> tuple[Asked, ...]:
    """The rules as they were answered then: by the outcome that was kept, never judged anew."""
    if touch.outcome is None or touch.campaign_id is None or touch.kind == "click":
        return ()
    stood_against = {"again": "already_referred", "referred": None}.get(touch.outcome, touch.outcome)
    if stood_against is not None and stood_against not in RULES:
        return (Asked(stood_against, held=False),)
    asked: list[Asked] = []
    held: bool | None = True
    for rule in RULES:
        if rule == stood_against:
            asked.append(Asked(rule, held=touch.outcome == "again", facts=_facts(known, touch, rule)))
            held = None
        else:
            asked.append(Asked(rule, held, _facts(known, touch, rule) if held else {}))
    return tuple(asked)


def _facts(known: Known, touch: Touch, rule: str) -> dict[str, Any]:
    campaign = known.campaigns.get(touch.campaign_id) if touch.campaign_id else None
    if campaign is None:
        return {}
    if rule == "campaign_not_started":
        return {"starts": campaign.starts_at}
    if rule == "campaign_over":
        return {"ends": campaign.ends_at}
    if rule == "already_referred":
        earlier = [one for one in known.referrals if one.campaign_id == touch.campaign_id and one.touch_id != touch.id]
        return {"earlier": earlier[0].advocate_id, "since": earlier[0].started_at} if earlier else {}
    if rule == "not_new":
        seen = (touch.facts or {}).get("seen_at")
        return {"seen": clock.parse(seen), "via": (touch.facts or {}).get("seen_via")} if seen else {}
    return {}


def _stays(known: Known) -> Iterator[Step]:
    for stay in known.stays:
        community = known.communities.get(stay.community_id)
        facts = {"place": community.title if community else None, "platform": community.platform if community else None}
        yield Step(stay.joined_at, "group.joined", facts, order=35)
        if stay.left_at is not None:
            yield Step(stay.left_at, "group.left", facts, order=35)


def _referral(known: Known, referral: Referral) -> Iterator[Step]:
    campaign = known.campaigns.get(referral.campaign_id)
    event = campaign.event if campaign else PURCHASED
    facts: dict[str, Any] = {
        "advocate": referral.advocate_id,
        "friend": referral.friend_id,
        "event": event,
        "days": campaign.stay_days if campaign else 0,
        "until": referral.expires_at,
        "due": referral.due_at,
        "reason": referral.reason,
    }
    tell = partial(Step, facts=facts, version=referral.campaign_version, campaign_id=referral.campaign_id)
    link = ("friend", str(referral.id))
    yield tell(referral.started_at, "referral.started", tone="good", order=40, link=link)
    if referral.joined_at is not None:
        waits = event in BY_STAYING and referral.state == "joined"
        what = "referral.joined.waits" if waits and referral.due_at else "referral.joined"
        yield tell(referral.joined_at, what, order=41)
    if referral.qualified_at is not None:
        yield tell(referral.qualified_at, "referral.qualified", tone="good", order=70)
    yield from _rejected(referral)
    if referral.state in ("expired", "reversed", "rejected"):
        at = ended_at(known, referral)
        yield tell(at, f"referral.{referral.state}", tone="bad", order=80)


def _rejected(referral: Referral) -> Iterator[Step]:
    for again in (referral.facts or {}).get("reinstated", []):
        at = clock.parse(again["at"])
        yield Step(at, "referral.reinstated", {"reason": again.get("reason")}, tone="good", order=81)


def ended_at(known: Known, referral: Referral) -> datetime:
    """When a referral ended, by what ended it; the latest moment it can have been where nothing says it exactly."""
    rejected = (referral.facts or {}).get("rejected")
    if rejected and referral.reason in ("fraud", "review"):
        return clock.parse(rejected["at"])
    if referral.state == "expired":
        return referral.expires_at
    found: list[datetime] = []
    if referral.reason == "refunded":
        found = [refund.refunded_at for refund in known.refunds]
    elif referral.reason == "left_during_hold":
        found = [stay.left_at for stay in known.stays if stay.left_at is not None]
    else:
        found = [link.linked_at for link in known.links]
    begun = referral.qualified_at or referral.joined_at or referral.started_at
    return max(found, default=begun + timedelta(microseconds=1))


def _case(case: Case) -> Iterator[Step]:
    facts = {"kind": case.kind, "signal": case.facts.get("signal"), "member": case.member_id}
    link = ("review", str(case.id))
    if case.kind == "appeal":
        facts["words"] = case.facts.get("words")
    yield Step(case.opened_at, "case.opened", facts, campaign_id=case.campaign_id, order=60, link=link)
    if case.state == "decided" and case.decided_at is not None:
        said = {"verdict": case.verdict, "reason": case.reason, "by": case.decided_by}
        tone = "good" if case.verdict == "approve" else "bad"
        yield Step(case.decided_at, "case.decided", {**facts, **said}, tone=tone, order=61, link=link)
    elif case.state == "closed" and case.decided_at is not None:
        yield Step(case.decided_at, "case.closed", facts, order=61, link=link)
