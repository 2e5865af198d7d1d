"""What a campaign says in its communities, and what became of each post: the delivery log.

A row of `Announcement` is one post in one community, made in the unit of work that caused it and handed to the outbox
there; its unique key (campaign, what, turn, community) is why nothing is announced twice. The words, and how it reaches
a platform, are in `bots.announcements`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Strict
from pydantic import Field as Limit
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, UniqueConstraint, select, update
from sqlmodel import Field, Session, col

from core import clock, events, ids
from core.db import TenantRow, UtcDateTime, among_keys, insert_new, table
from core.outbox import Message, put
from referral import audit
from referral.brands import Community
from referral.campaigns import Campaign, CampaignMoved, CampaignVersion, campaigns_of, runs_in
from referral.contests.results import ContestFrozen
from referral.lifecycle import CampaignEnding, Key, at_hand, forget, ring_at

TOPIC = "announce:"
"""Outbox topic of posts and pins in communities, with the platform behind it."""
OCCASIONS = ("start", "reminder", "end", "results")
STATES = ("queued", "sent", "pinned", "failed", "gone", "skipped")
REASON_LENGTH = 300


class AnnounceTerms(BaseModel):
    """`[announce]`: which occasions are told in the communities, whether the start is pinned, and how many hours before
    the end people are reminded."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    on: Annotated[tuple[Literal["start", "reminder", "end", "results"], ...], Strict(False)] = (
        "start",
        "reminder",
        "end",
        "results",
    )
    pin: bool = True
    remind_hours: Annotated[int, Limit(ge=1, le=168)] = 24


class Announcement(TenantRow, table=True):
    """One post in one community. `state`: queued; sent; pinned; failed (the platform refused it); gone (the bot is not
    in the group any more); skipped (it had become untrue, or there was nothing to say)."""

    __tablename__ = "announcement"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        ForeignKeyConstraint(["brand_id", "community_id"], ["community.brand_id", "community.id"]),
        UniqueConstraint("brand_id", "campaign_id", "what", "turn", "community_id"),
        Index("ix_announcement_community", "brand_id", "community_id", "state"),
        CheckConstraint(
            "state IN ('queued', 'sent', 'pinned', 'failed', 'gone', 'skipped')",
            name="state",
        ),
    )

    campaign_id: UUID
    community_id: UUID
    what: str
    turn: int
    """Tells occasions that come again apart: the terms' version for a reminder, the revision for results, else 0."""
    state: str = "queued"
    tries: int = 1
    """How often it was queued: once, and again when somebody asked for another try."""
    message: str | None = None
    """The platform's own id of the post."""
    reason: str | None = Field(default=None, sa_type=Text)
    """Why it was not posted, or not pinned; a code of `announce.reason.*`, or the platform's own words."""
    queued_at: datetime = Field(sa_type=UtcDateTime)
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When the platform was first asked to post it: asked again, it may be there already."""
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    pinned_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    unpinned_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    @property
    def lacks_pin(self) -> bool:
        """Whether it stands in the group and the platform refused to pin it."""
        ours = (None, "no_pins", "removed")
        return self.state == "sent" and bool(self.message) and self.unpinned_at is None and self.reason not in ours


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something to be told in a campaign's communities."""

    brand_id: UUID
    campaign_id: UUID
    what: str
    turn: int = 0


@dataclass(frozen=True, slots=True)
class AnnouncementRefused:
    """A post could not be made (`pin` False), or not be pinned; `reason` in the platform's own words."""

    brand_id: UUID
    campaign_id: UUID
    community_id: UUID
    pin: bool
    reason: str


def listen(bus: events.Bus) -> None:
    """Hear what is to be announced."""
    bus.on(CampaignMoved, on_moved)
    bus.on(CampaignEnding, on_ending)
    bus.on(ContestFrozen, on_frozen)


def on_moved(session: Session, moves: Sequence[CampaignMoved]) -> None:
    """Announce starts, ends and, of campaigns without a frozen final, results; take pins down at the end."""
    settled = at_hand(session, [(moved.brand_id, moved.campaign_id) for moved in moves if moved.after == "settled"])
    finals = {one.id for one in settled if one.kind == "contest"}
    told: list[Occasion] = []
    for moved in moves:
        if (what := _occasion(moved)) is not None and not (what == "results" and moved.campaign_id in finals):
            told.append(Occasion(moved.brand_id, moved.campaign_id, what))
    announce(session, told)
    begun = [(moved.brand_id, moved.campaign_id) for moved in moves if moved.after == "running"]
    plan_reminders(session, at_hand(session, begun))
    take_down(session, [(moved.brand_id, moved.campaign_id) for moved in moves if moved.after == "ended"])


def _occasion(moved: CampaignMoved) -> str | None:
    if moved.after == "running" and moved.before in ("draft", "scheduled"):
        return "start"
    if moved.after == "ended" and moved.before != "scheduled":  # else nobody heard of its beginning
        return "end"
    return "results" if moved.after == "settled" else None


def on_frozen(session: Session, finals: Sequence[ContestFrozen]) -> None:
    """Announce the final of a contest, and each revision of it."""
    announce(session, [Occasion(one.brand_id, one.campaign_id, "results", one.revision) for one in finals])


def on_ending(session: Session, ends: Sequence[CampaignEnding]) -> None:
    """Remind of the ends that come near."""
    announce(session, [Occasion(one.brand_id, one.campaign_id, "reminder", one.version) for one in ends])


def plan_reminders(session: Session, campaigns: Sequence[Campaign]) -> None:
    """Set when each of these is to remind of its end, by its terms as they are now; what is past is not made up for."""
    now, due, off = clock.now(), {}, []
    terms = terms_of(session, campaigns)
    for campaign in campaigns:
        key = (campaign.brand_id, campaign.id)
        wanted = terms.get(key)
        at = campaign.ends_at - timedelta(hours=wanted.remind_hours) if wanted else now
        if wanted and "reminder" in wanted.on and at > max(now, campaign.starts_at) and campaign.state != "ended":
            due[key] = at
        else:
            off.append(key)
    ring_at(session, "reminder", due)
    forget(session, "reminder", off)


def follow_edit(session: Session, campaign: Campaign) -> None:
    """A running campaign has other terms: it reminds by them, and groups it came to are told that it runs."""
    plan_reminders(session, [campaign])
    a = table(Announcement).c
    begun = select(a.id).where(a.brand_id == campaign.brand_id, a.campaign_id == campaign.id, a.what == "start")
    if session.execute(begun.limit(1)).first() is not None:  # not for one that began before there were announcements
        announce(session, [Occasion(campaign.brand_id, campaign.id, "start")])


def terms_of(session: Session, campaigns: Sequence[Campaign]) -> dict[Key, AnnounceTerms]:
    """What each of these campaigns announces; those that did not come from a file announce nothing and are missing."""
    v = table(CampaignVersion)
    keys = [(campaign.brand_id, campaign.id, campaign.version) for campaign in campaigns]
    found = session.execute(
        select(v.c.brand_id, v.c.campaign_id, v.c.document["announce"]).where(
            among_keys(session, (v.c.brand_id, v.c.campaign_id, v.c.version), keys)
        )
    )
    return {(brand, campaign): AnnounceTerms.model_validate(said or {}) for brand, campaign, said in found}


def announce(session: Session, occasions: Sequence[Occasion]) -> None:
    """Queue a post for each community of the campaigns that announce this, once for ever."""
    if not occasions:
        return
    keys = {(one.brand_id, one.campaign_id) for one in occasions}
    campaigns = {(one.brand_id, one.id): one for one in at_hand(session, keys)}
    terms = terms_of(session, list(campaigns.values()))
    places = _places(session, {brand_id for brand_id, _ in campaigns})
    _queue(
        session,
        [
            (occasion, place)
            for occasion in occasions
            if _is_told(terms, occasion)
            for place in places[occasion.brand_id]
            if runs_in(campaigns[occasion.brand_id, occasion.campaign_id], place.id)
        ],
    )


def announce_in(session: Session, community: Community) -> None:
    """Queue the start of every campaign that runs, in a group that came to the brand meanwhile."""
    running = [one for one in campaigns_of(session, community.brand_id, ("running",)) if runs_in(one, community.id)]
    terms = terms_of(session, running)
    starts = [Occasion(one.brand_id, one.id, "start") for one in running]
    _queue(session, [(start, community) for start in starts if _is_told(terms, start) and not community.open])


def _is_told(terms: Mapping[Key, AnnounceTerms], occasion: Occasion) -> bool:
    wanted = terms.get((occasion.brand_id, occasion.campaign_id))
    return wanted is not None and occasion.what in wanted.on


def _queue(session: Session, posts: Sequence[tuple[Occasion, Community]]) -> None:
    rows = [_row(occasion, place) for occasion, place in posts]
    made = insert_new(
        session,
        table(Announcement),
        rows,
        ["brand_id", "campaign_id", "what", "turn", "community_id"],
        returning=table(Announcement).c.id,
    )
    put(
        session,
        [
            _post(place.brand_id, row["id"], place, 1)
            for row, (_, place) in zip(rows, posts, strict=True)
            if row["id"] in made
        ],
    )


def _places(session: Session, brands: Collection[UUID]) -> Mapping[UUID, list[Community]]:
    """The connected groups of these brands. Where whoever talks is in it, there is no group to post in."""
    found: dict[UUID, list[Community]] = defaultdict(list)
    places = select(Community).where(
        col(Community.brand_id).in_(list(brands)), col(Community.removed_at).is_(None), col(Community.open).is_(False)
    )
    for place in session.scalars(places.order_by(col(Community.connected_at), col(Community.id))):
        found[place.brand_id].append(place)
    return found


def _row(occasion: Occasion, place: Community) -> dict[str, Any]:
    return {
        "brand_id": occasion.brand_id,
        "id": ids.new(),
        "campaign_id": occasion.campaign_id,
        "community_id": place.id,
        "what": occasion.what,
        "turn": occasion.turn,
        "state": "queued",
        "tries": 1,
        "queued_at": clock.now(),
    }


def _post(brand_id: UUID, announcement_id: UUID, place: Community, tries: int) -> Message:
    return Message(
        TOPIC + place.platform,
        f"announce/{announcement_id}/{tries}",
        {"do": "post", "brand": str(brand_id), "announcement": str(announcement_id), "chat": place.group_id},
        brand_id,
    )


def take_down(session: Session, keys: Collection[Key]) -> None:
    """Queue that what is pinned for these campaigns is pinned no more."""
    if not keys:
        return
    a, c = table(Announcement), table(Community)
    pinned = session.execute(
        select(a.c.brand_id, a.c.id, c.c.platform, c.c.group_id)
        .join(c, (c.c.brand_id == a.c.brand_id) & (c.c.id == a.c.community_id))
        .where(among_keys(session, (a.c.brand_id, a.c.campaign_id), keys), a.c.state == "pinned")
    )
    put(session, [unpin_message(*row) for row in pinned])


def unpin_message(brand_id: UUID, announcement_id: UUID, platform: str, group_id: str) -> Message:
    """Asks that the pin of an announcement be taken down."""
    return Message(
        TOPIC + platform,
        f"unpin/{announcement_id}",
        {"do": "unpin", "brand": str(brand_id), "announcement": str(announcement_id), "chat": group_id},
        brand_id,
    )


def log_of(session: Session, campaign: Campaign) -> list[tuple[Announcement, Community]]:
    """The delivery log of a campaign: every post with its community, in the order they were queued."""
    found = session.execute(
        select(Announcement, Community)
        .join(
            Community,
            (col(Community.brand_id) == col(Announcement.brand_id))
            & (col(Community.id) == col(Announcement.community_id)),
        )
        .where(col(Announcement.brand_id) == campaign.brand_id, col(Announcement.campaign_id) == campaign.id)
        .order_by(col(Announcement.queued_at), col(Announcement.id))
    )
    return [(row, place) for row, place in found]


def try_again(session: Session, campaign: Campaign, actor: str) -> int:
    """Queue once more what was refused, was not pinned, or found us out of a group that is connected now; how many."""
    posts = [(row, place) for row, place in log_of(session, campaign) if place.removed_at is None]
    unpinned = [one for one in posts if one[0].lacks_pin and campaign.state in ("running", "paused")]
    count = again(session, [one for one in posts if one[0].state in ("failed", "gone")]) + again(session, unpinned)
    if count:
        audit.record(session, campaign.brand_id, actor, "campaign.announce", campaign.slug, posts=count)
    return count


def _anew(row: Announcement) -> dict[str, Any]:
    """What stands in the group is only to be pinned; all else is posted."""
    return {} if row.state == "sent" else {"state": "queued", "asked_at": None, "queued_at": clock.now()}


def again(session: Session, lost: Sequence[tuple[Announcement, Community]]) -> int:
    """Queue these announcements once more, unless somebody else just did; how many."""
    t, messages = table(Announcement), []
    for row, place in lost:
        same = (t.c.brand_id == row.brand_id) & (t.c.id == row.id) & (t.c.tries == row.tries)
        changed = session.execute(
            update(t)
            .where(same, t.c.state == row.state)
            .values(**_anew(row), reason=None, tries=row.tries + 1)
            .returning(t.c.id)
        ).all()
        if changed:
            messages.append(_post(row.brand_id, row.id, place, row.tries + 1))
    put(session, messages)
    return len(messages)
