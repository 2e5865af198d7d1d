"""The words of what people are told unasked. Under each is the button that ends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from sqlmodel import Session

from bots.context import Safe
from bots.markup import escape
from bots.message import Button, Reply
from bots.news import Voice
from bots.outreach import digest
from bots.outreach.prizes import next_prize
from core import clock, i18n
from referral import leaderboard
from referral.brands import Brand
from referral.campaigns import Campaign
from referral.members import Member
from referral.outreach.messages import Verdict
from rewards.contests import last_days
from rewards.plans import plan_of

INVITE = "do:invite"


def unasked(locale: str, text: str, *rows: tuple[Button, ...]) -> Reply:
    """A message nobody asked for, with the way to ask for no more of them."""
    enough = Button(i18n.text(locale, "outreach.enough"), action="do:quiet on")
    return Reply(text, buttons=(*rows, (enough,)), private=True)


def broadcast_words(locale: str, brand: str, text: Mapping[str, str]) -> Reply:
    """A broadcast as this person reads it. What staff typed is shown as typed."""
    said = "\n".join(escape(line.strip()) for line in i18n.pick(text, locale).splitlines())
    return unasked(locale or i18n.DEFAULT, f"📣 **{escape(brand)}**\n\n{said}")


def compose(session: Session, verdict: Verdict) -> Reply | None:
    """The words of anything else; None where there is nothing to tell any more."""
    brand, member = session.get(Brand, verdict.key[0]), session.get(Member, verdict.key[:2])
    if brand is None or member is None:
        return None
    return KINDS[verdict.kind](Voice(session, brand, member, verdict.locale or i18n.DEFAULT), verdict.facts)


def _campaign(voice: Voice, facts: Mapping[str, Any]) -> Campaign | None:
    """The campaign it is about, while it still runs."""
    found = voice.session.get(Campaign, (voice.brand.id, UUID(facts["campaign"])))
    return found if found is not None and found.state == "running" and found.ends_at > clock.now() else None


def _score(voice: Voice, campaign: Campaign) -> int:
    own = leaderboard.standing(voice.session, voice.brand.id, campaign.id, voice.member.id)
    return own.score if own is not None else 0


def _milestone(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    campaign = _campaign(voice, facts)
    if campaign is None or _score(voice, campaign) < facts["reach"]:
        return None
    text = voice.say("outreach.milestone", n=facts["reach"], title=i18n.pick(campaign.title, voice.locale))
    if (prize := next_prize(voice, campaign)) is not None:
        text += "\n" + voice.say("outreach.next_prize", prize=prize)
    return _with_invite(voice, text)


def _gap(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    campaign = _campaign(voice, facts)
    if campaign is None or _score(voice, campaign) + 1 != facts["reach"]:
        return None
    prize = next_prize(voice, campaign)
    if prize is None:
        return None
    shown = {
        "title": i18n.pick(campaign.title, voice.locale),
        "ends": voice.moment(campaign.ends_at.isoformat(), campaign),
    }
    return _with_invite(voice, voice.say("outreach.gap", prize=prize, **shown))


def _last_days(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    campaign = _campaign(voice, facts)
    gap = last_days.gap_of(voice.session, campaign, voice.member.id) if campaign is not None else None
    if campaign is None or gap is None:
        return None
    asset = plan_of(voice.session, voice.brand.id, campaign.id, campaign.version).prize_asset(gap.prize)
    text = voice.say(
        "outreach.last_days",
        title=i18n.pick(campaign.title, voice.locale),
        ends=voice.moment(campaign.ends_at.isoformat(), campaign),
        prize=voice.amount(gap.prize.amount, asset),
    )
    return _with_invite(voice, text)


def _nudge(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    campaign = _campaign(voice, facts)
    if campaign is None:
        return None
    text = voice.say(
        "outreach.nudge",
        n=max(1, (campaign.ends_at - clock.now()).days),
        title=i18n.pick(campaign.title, voice.locale),
        benefit=Safe(escape(i18n.pick(campaign.benefit, voice.locale))),
    )
    return _with_invite(voice, text)


def _digest(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    text, rows = digest.words(voice, clock.parse(facts["since"]), clock.parse(facts["until"]))
    return unasked(voice.locale, text, *rows)


def _with_invite(voice: Voice, text: str) -> Reply:
    return unasked(voice.locale, text, (Button(i18n.text(voice.locale, "button.invite"), action=INVITE),))


KINDS: dict[str, Callable[[Voice, Mapping[str, Any]], Reply | None]] = {
    "milestone": _milestone,
    "gap": _gap,
    last_days.KIND: _last_days,
    "nudge": _nudge,
    "digest": _digest,
}
"""Who puts which kind into words."""
