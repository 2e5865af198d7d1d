"""News of the brand's groups for whoever runs it: a group that is lost, a post or a pin that was refused. Each once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlmodel import Session

from bots.admin_news import who_runs
from bots.context import as_code
from bots.message import Button, Reply
from bots.news import News, Voice, tell
from core import i18n
from core.events import Bus
from referral.announcing import AnnouncementRefused
from referral.brands import Community
from referral.campaigns import Campaign
from referral.connecting import CommunityLeft


def listen(bus: Bus, admins: Collection[str]) -> None:
    """Hear of it; `admins` as `platform:account`, whom the operator named."""
    bus.on(CommunityLeft, partial(on_left, admins=admins))
    bus.on(AnnouncementRefused, partial(on_refused, admins=admins))


def on_left(session: Session, left: Sequence[CommunityLeft], *, admins: Collection[str]) -> None:
    """A group the bot was taken out of; who disconnected one on purpose knows it."""
    for event in left:
        if event.removed:
            cause = f"group/{event.community_id}/{event.at.isoformat()}"
            _tell(session, event.brand_id, admins, cause, {"what": "removed", "community": str(event.community_id)})


def on_refused(session: Session, refusals: Sequence[AnnouncementRefused], *, admins: Collection[str]) -> None:
    """A post or a pin that a platform refused: told once for a campaign and a group."""
    for event in refusals:
        what = "not_pinned" if event.pin else "refused"
        facts = {
            "what": what,
            "community": str(event.community_id),
            "campaign": str(event.campaign_id),
            "reason": event.reason[:200],
        }
        _tell(session, event.brand_id, admins, f"group/{event.community_id}/{event.campaign_id}/{what}", facts)


def _tell(session: Session, brand_id: UUID, admins: Collection[str], cause: str, facts: Mapping[str, Any]) -> None:
    people = sorted(who_runs(session, brand_id, admins))
    tell(session, [News(brand_id, member, "group", f"{cause}/{member}", facts) for member in people])


def _words(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    community = voice.session.get_one(Community, (voice.brand.id, UUID(facts["community"])))
    shown: dict[str, Any] = {
        "community": community.title or community.group_id,
        "platform": i18n.text(voice.locale, f"platform.{community.platform}"),
    }
    if facts["what"] == "removed":
        return Reply(voice.say("group.news.removed", **shown), private=True)
    campaign = voice.session.get_one(Campaign, (voice.brand.id, UUID(facts["campaign"])))
    shown |= {"title": i18n.pick(campaign.title, voice.locale), "reason": as_code(facts["reason"])}
    again = f"do:announce {campaign.slug} again"
    if facts["what"] == "not_pinned":
        pin = Button(i18n.text(voice.locale, "announce.button.pin"), action=again)
        return Reply(voice.say("group.news.not_pinned", **shown), buttons=((pin,),), private=True)
    post = Button(i18n.text(voice.locale, "announce.button.again"), action=again)
    return Reply(voice.say("group.news.refused", **shown), buttons=((post,),), private=True)


KINDS = {"group": _words}
