"""Which statement an operator asked for: the member, the period, the file's format, all checked."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlmodel import Session

from core.errors import BadInput
from daixin.console import brand_named, member_named
from referral.brands import Brand
from referral.campaigns import find_campaign
from rewards.statements.brand import brand_statement
from rewards.statements.campaign import campaign_statement
from rewards.statements.files import FORMATS
from rewards.statements.member import FIRST, member_statement
from rewards.statements.sheets import Book


def of_member(
    session: Session, slug: str | None, who: str, since: datetime | None, until: datetime | None, locale: str | None
) -> Book:
    """A member's statement. Raises `NotFound("member")`."""
    brand = brand_named(session, slug)
    begins, ends = _period(brand, since, until)
    return member_statement(
        session,
        brand.id,
        member_named(session, brand.id, who),
        locale=locale or brand.locale,
        timezone=brand.timezone,
        since=begins or FIRST,
        until=ends,
    )


def of_brand(
    session: Session, slug: str | None, since: datetime | None, until: datetime | None, locale: str | None
) -> Book:
    """A brand's statement by month."""
    brand = brand_named(session, slug)
    begins, ends = _period(brand, since, until)
    last = None if ends is None else ends - timedelta(microseconds=1)
    return brand_statement(
        session, brand.id, locale=locale or brand.locale, timezone=brand.timezone, since=begins, until=last
    )


def of_campaign(session: Session, slug: str | None, campaign: str, locale: str | None) -> Book:
    """A campaign's settlement report. Raises `NotFound("campaign")`."""
    brand = brand_named(session, slug)
    return campaign_statement(session, find_campaign(session, brand.id, campaign), locale=locale or brand.locale)


def chosen_format(format: str | None, output: Path | None) -> str:
    """The format that was said, or that the file's name says; CSV else. Raises `BadInput("statement_format")`."""
    wanted = format or (output.suffix.removeprefix(".").lower() if output else "") or "csv"
    if wanted not in FORMATS:
        raise BadInput("statement_format", format=wanted[:20], known=", ".join(FORMATS))
    if wanted == "xlsx" and output is None:
        raise BadInput("statement_file")
    return wanted


def with_sheet(book: Book, sheet: str | None) -> Book:
    """The same book. Raises `BadInput("statement_sheet")` if it has no such sheet."""
    known = [one.key for one in book.sheets]
    if sheet is not None and sheet not in known:
        raise BadInput("statement_sheet", sheet=sheet[:20], known=", ".join(known))
    return book


def _period(brand: Brand, since: datetime | None, until: datetime | None) -> tuple[datetime | None, datetime | None]:
    """From the first day's midnight to that after the last day, in the brand's time zone. Raises `BadInput`."""
    zone = ZoneInfo(brand.timezone)
    begins = since.replace(tzinfo=zone) if since else None
    ends = (until + timedelta(days=1)).replace(tzinfo=zone) if until else None
    if begins and ends and begins >= ends:
        raise BadInput("statement_period")
    return begins, ends
