"""What a payout of an item brought, in words: the code, the tickets, the badge, the parcel's way."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from bots.context import Safe, as_code, say
from bots.markup import escape
from bots.message import Button
from bots.receipts import brand_zone, failure
from core import i18n
from referral import codes
from rewards.items.contents import Contents, contents_of
from rewards.items.kinds import PLATFORM_OF
from rewards.payouts.payouts import Payout

Rows = tuple[tuple[Button, ...], ...]
WAITING = ("sold_out", "no_draw", "needs_account")


def gain(session: Session, locale: str, payout: Payout) -> tuple[str, Rows]:
    """What is in it by now, and what can be done about it. A voucher's code is in it: for its owner in private."""
    found = contents_of(session, payout)
    assert found is not None
    title = i18n.pick(found.item.title, locale)
    if payout.state == "failed":
        return say(locale, "gain.failed", title=title, reason=failure(locale, payout)), ()
    if payout.state == "unknown":
        return say(locale, "gain.unknown", title=title), ()
    zone = brand_zone(session, payout)
    if found.codes:
        lines = [_code(locale, zone, code.text, code.expires_at) for code in found.codes]
        return "\n".join([say(locale, "gain.codes", title=title), *lines]), ()
    if found.tickets:
        return _tickets(locale, zone, title, found), ()
    if found.shipment is not None:
        return _parcel(locale, title, payout, found)
    return _given(locale, zone, title, payout, found), ()


def _moment(locale: str, zone: str, at: datetime | None) -> Safe:
    return Safe(escape(i18n.moment(locale, at, zone))) if at else Safe("")


def _code(locale: str, zone: str, code: str, expires_at: datetime | None) -> str:
    key = "gain.code.until" if expires_at else "gain.code"
    return "- " + say(locale, key, code=as_code(code), until=until(locale, zone, expires_at))


def until(locale: str, zone: str, ends: datetime | None) -> Safe:
    """The last day of what ends at a midnight, or else the moment."""
    if ends is None:
        return Safe("")
    last = ends - timedelta(seconds=1)
    whole_day = ends.astimezone(ZoneInfo(zone)).time() == time()
    return Safe(escape(i18n.moment(locale, last if whole_day else ends, zone, time=not whole_day)))


def _tickets(locale: str, zone: str, title: str, found: Contents) -> str:
    draw = found.draw
    facts: dict[str, Any] = {"title": title, "numbers": ", ".join(map(str, found.tickets))}
    if draw is None:
        return say(locale, "gain.tickets", **facts)
    facts |= {
        "draw": i18n.pick(draw.title, locale),
        "closes": _moment(locale, zone, draw.closes_at),
        "commitment": Safe(draw.commitment),
        "person": Safe(found.person or ""),
    }
    return say(locale, "gain.tickets_of", **facts)


def _parcel(locale: str, title: str, payout: Payout, found: Contents) -> tuple[str, Rows]:
    shipment = found.shipment
    assert shipment is not None
    words = say(
        locale,
        f"gain.parcel.{shipment.state}",
        title=title,
        carrier=shipment.carrier or "",
        tracking=as_code(shipment.tracking) if shipment.tracking else "",
        reference=Safe(codes.display(shipment.reference)),
    )
    label = {"asked": "button.address", "ready": "button.address_change"}.get(shipment.state)
    if label is None:
        return words, ()
    return words, ((Button(i18n.text(locale, label), action=f"do:shop address {payout.id.hex}"),),)


def _given(locale: str, zone: str, title: str, payout: Payout, found: Contents) -> str:
    platform = PLATFORM_OF.get(found.item.kind, "").title()
    if payout.state != "completed":
        waiting = payout.reason if payout.reason in WAITING else None
        return say(locale, f"gain.waiting.{waiting}" if waiting else "gain.on_its_way", title=title, platform=platform)
    if found.badge is not None and found.badge.ends_at is not None:
        return say(locale, "gain.given_until", title=title, until=until(locale, zone, found.badge.ends_at))
    return say(locale, "gain.given", title=title)
