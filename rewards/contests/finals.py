"""The final of a contest: frozen once when the time for objections is over, revised by decisions, replayed at will."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from core import clock, events
from core.errors import NotFound, Refused
from core.events import Bus
from referral.campaigns import Campaign
from referral.contests.decisions import (
    MemberDisqualified,
    MemberReinstated,
    decisions_of,
    hold,
    out_by,
)
from referral.contests.results import FINAL, ContestFrozen, ContestResult, keep, result_of, sealed
from referral.contests.sheet import left_out, points_now, read_sheet, still_counting, unfounded, write_down
from referral.contests.terms import terms_of
from referral.lifecycle import read_anew, ring_at, take_due
from rewards.contests.document import Basis
from rewards.plans import plan_of

log = structlog.get_logger()
AT_ONCE = 10
"""Contests one unit of work freezes."""
LATER = timedelta(minutes=1)
"""How long a final waits for friends whose time came before the end and who are not counted yet."""


def listen(bus: Bus) -> None:
    """Hear of decisions."""
    bus.on(MemberDisqualified, on_decided)
    bus.on(MemberReinstated, on_decided)


def freeze_due(session: Session) -> int:
    """Freeze the contests whose time for objections is over; how many were looked at."""
    keys = take_due(session, FINAL, AT_ONCE)
    for campaign in read_anew(session, keys):
        if still_counting(session, campaign):
            ring_at(session, FINAL, {(campaign.brand_id, campaign.id): clock.now() + LATER})
        else:
            freeze(session, campaign)
    return len(keys)


def freeze(session: Session, campaign: Campaign) -> ContestResult:
    """The final, made now if there is none: the score sheet is written down, and the prizes are given.

    Raises `Refused`: no_contest, contest_runs (it has not ended), contest_counts (friends are being counted still).
    """
    if campaign.kind != "contest":
        raise Refused("no_contest", slug=campaign.slug)
    hold(session, campaign)
    known = result_of(session, campaign.brand_id, campaign.id)
    if known is not None:
        return known
    if campaign.state not in ("ended", "settled"):
        raise Refused("contest_runs", slug=campaign.slug)
    if still_counting(session, campaign):
        raise Refused("contest_counts", slug=campaign.slug)
    points = points_now(session, campaign)
    write_down(session, campaign, points)
    return _keep(session, campaign, None)


def on_decided(session: Session, happened: Sequence[MemberDisqualified | MemberReinstated]) -> None:
    """A decision after the final makes its next revision; one before is in the first."""
    for brand_id, campaign_id in dict.fromkeys((event.brand_id, event.campaign_id) for event in happened):
        campaign = session.get_one(Campaign, (brand_id, campaign_id))
        last = result_of(session, brand_id, campaign_id)
        if last is not None:
            _keep(session, campaign, last)


def _keep(session: Session, campaign: Campaign, last: ContestResult | None) -> ContestResult:
    now = clock.now()
    decided = len(decisions_of(session, campaign.brand_id, campaign.id))
    basis = _basis(
        session,
        campaign,
        revision=last.revision + 1 if last else 1,
        version=last.version if last else campaign.version,
        decided=decided,
        salt=last.salt if last else secrets.token_hex(16),
        previous=last.sha256 if last else "",
        frozen_at=_first(session, last).frozen_at if last else now,
        made_at=now,
    )
    made = keep(
        session,
        campaign,
        basis.document(),
        revision=basis.revision,
        decisions=decided,
        version=basis.version,
        salt=basis.salt,
        at=now,
    )
    log.info("contest.frozen", campaign=campaign.slug, revision=made.revision, friends=len(basis.points))
    events.emit(session, [ContestFrozen(campaign.brand_id, campaign.id, made.revision, now)])
    return made


def _first(session: Session, result: ContestResult) -> ContestResult:
    first = result_of(session, result.brand_id, result.campaign_id, 1)
    assert first is not None
    return first


def _basis(
    session: Session,
    campaign: Campaign,
    *,
    revision: int,
    version: int,
    decided: int,
    salt: str,
    previous: str,
    frozen_at: datetime,
    made_at: datetime,
) -> Basis:
    return Basis(
        campaign,
        version,
        revision,
        previous,
        salt,
        terms_of(session, campaign, version),
        plan_of(session, campaign.brand_id, campaign.id, version),
        read_sheet(session, campaign.brand_id, campaign.id),
        out_by(decisions_of(session, campaign.brand_id, campaign.id)[:decided]),
        frozen_at,
        made_at,
    )


def basis_of(session: Session, campaign: Campaign, result: ContestResult) -> Basis:
    """What a revision was computed from, read from the records again."""
    before = result_of(session, campaign.brand_id, campaign.id, result.revision - 1)
    return _basis(
        session,
        campaign,
        revision=result.revision,
        version=result.version,
        decided=result.decisions,
        salt=result.salt,
        previous=before.sha256 if before else "",
        frozen_at=_first(session, result).frozen_at,
        made_at=result.frozen_at,
    )


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of computing a contest's finals again. `text`: the latest one as the records give it. `differences`:
    (revision, where in the document), or 0 and which line of the sheet no qualifying event bears out. `later`: friends
    who came to count after the final, which changes nothing."""

    revision: int
    text: str
    sha256: str
    differences: tuple[tuple[int, str], ...]
    later: int


def replay(session: Session, campaign: Campaign) -> Replay:
    """Compute every revision from the records again and compare it with what was published, byte for byte.

    Raises `NotFound("contest_final")` before there is one.
    """
    last = result_of(session, campaign.brand_id, campaign.id)
    if last is None:
        raise NotFound("contest_final", slug=campaign.slug)
    found: list[tuple[int, str]] = []
    text = digest = ""
    for revision in range(1, last.revision + 1):
        published = result_of(session, campaign.brand_id, campaign.id, revision)
        if published is None:
            found.append((revision, "missing"))
            continue
        text, digest = sealed(basis_of(session, campaign, published).document())
        if text != published.document or digest != published.sha256:
            found += [(revision, where) for where in _differing(text, published.document)]
    found += [(0, str(referral)) for referral in unfounded(session, campaign.brand_id, campaign)]
    return Replay(last.revision, text, digest, tuple(found), left_out(session, campaign))


def _differing(computed: str, published: str) -> list[str]:
    """The first fields in which two documents differ; `document` where one is none."""
    try:
        theirs = json.loads(published)
    except ValueError:
        return ["document"]
    ours = json.loads(computed)
    if not isinstance(theirs, dict):
        return ["document"]
    names = [name for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]
    return [_place(name, ours.get(name), theirs.get(name)) for name in names] or ["document"]


def _place(name: str, ours: object, theirs: object) -> str:
    if isinstance(ours, list) and isinstance(theirs, list):
        for index, (one, other) in enumerate(zip(ours, theirs, strict=False)):
            if one != other:
                return f"{name}.{index}"
        return f"{name}.{min(len(ours), len(theirs))}"
    return name
