"""What is watched: a campaign's board in a window, with the names that the audience may read."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session

from core import clock, tenants
from core.errors import NotFound
from referral.boards.faces import Places, names_of, places_of, spots_of
from referral.boards.shares import find_share
from referral.boards.windows import ALL, Mark, mark_of, since, windows_of
from referral.campaigns import Campaign
from web.boards.hub import Sight, Topic

SHOWN = 50
"""Lines of a board."""
NAMED_SECONDS = 2.0
"""How old names may be: a member who wants to be hidden from now on moves no line."""
RECOUNT_SECONDS = 15.0
"""How old a count may be though its mark says that nothing has changed (see `Mark`)."""


class Which(NamedTuple):
    """A campaign of a brand."""

    brand_id: UUID
    campaign_id: UUID


@dataclass(frozen=True, slots=True)
class _Basis:
    """What the last look was made from, and when (monotonic seconds)."""

    mark: Mark
    begin: datetime | None
    places: Places
    names: Mapping[UUID, str | None]
    counted: float
    named: float


def brand_board(which: Which, window: str) -> Topic:
    """The board as the brand sees it: with everybody's name."""
    return Topic(("brand", which, window), lambda session, last: _look(session, which, window, last, public=False))


def masked_board(which: Which, window: str) -> Topic:
    """The board for strangers' eyes, opened by somebody of the brand."""
    return Topic(("masked", which, window), lambda session, last: _look(session, which, window, last, public=True))


def shared_board(token: str, window: str) -> Topic:
    """The board behind a link, for as long as the link stands."""

    def look(session: Session, last: Sight | None) -> Sight:
        try:
            share = find_share(session, token)
        except NotFound:
            return Sight(None)
        return _look(session, Which(share.brand_id, share.campaign_id), window, last, public=True)

    return Topic(("shared", token, window), look)


def read(sight: Sight) -> dict[str, Any]:
    """What a page shows before its first event."""
    return dict(json.loads(sight.body)) if sight.body is not None else {}


def _look(session: Session, which: Which, window: str, last: Sight | None, *, public: bool) -> Sight:
    with tenants.only(session, which.brand_id):
        mark = mark_of(session, *which)
        if mark is None or mark.state == "draft":
            return Sight(None)
        window = window if window in windows_of(mark.state) else ALL
        begin = since(window, ZoneInfo(mark.timezone), clock.now())
        before: _Basis | None = last.basis if last is not None else None
        moment = time.monotonic()
        same = before is not None and (before.mark, before.begin) == (mark, begin)
        names_hold = before is not None and moment - before.named < NAMED_SECONDS
        if last is not None and same and names_hold:
            return last
        campaign = session.get_one(Campaign, (which.brand_id, which.campaign_id), populate_existing=True)
        if before is not None and same and moment - before.counted < RECOUNT_SECONDS:
            places, counted = before.places, before.counted
        else:
            places, counted = places_of(session, campaign, window, clock.now(), SHOWN), moment
        known = before.names if before is not None and names_hold else {}
        asked = [line.owner for line in places.standings.lines if line.owner not in known]
        names = {**known, **(names_of(session, campaign, places, asked, public=public) if asked else {})}
        named = before.named if before is not None and names_hold else moment
        basis = _Basis(mark, begin, places, names, counted, named)
        return Sight(_body(campaign, places, names, public=public), basis)


def _body(campaign: Campaign, places: Places, names: Mapping[UUID, str | None], *, public: bool) -> str:
    """One line of JSON: k names the line, r its rank, n the name, s the score, t when it was reached (seconds since
    1970); for the brand also m, the member."""
    spots = spots_of(campaign, places, names)
    lines = [
        {"k": spot.key, "r": spot.rank, "n": spot.name, "s": spot.score, "t": int(spot.reached_at.timestamp())}
        | ({} if public or places.teams else {"m": str(spot.owner)})
        for spot in spots
    ]
    facts = {
        "state": campaign.state,
        "final": places.revision,
        "teams": places.teams,
        "of": places.standings.of,
        "friends": places.standings.friends,
        "places": lines,
    }
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
