"""What was asked to be taken away as a file, and how far it is.

waiting → running → done → expired, or cancelled | failed. Whoever makes a file holds a lease that each step renews; a
lease that ran out (its process died) lets somebody else begin again from the first row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKeyConstraint,
    Index,
    func,
    or_,
    select,
    update,
)
from sqlmodel import Field, Session, col

from core import clock, i18n
from core.db import TenantRow, UtcDateTime, table
from core.errors import BadInput, NotFound, Refused
from core.writer import announce
from referral import audit
from referral.brands import Brand
from referral.campaigns import find_campaign

KINDS = ("orders", "friends", "rewards", "transfers", "leaderboard", "advocates", "applications")
OF_A_CAMPAIGN = ("leaderboard", "applications")
"""What there is only within a campaign."""
TIMELESS = ("leaderboard",)
"""What has no period: it is as it stands."""
FORMATS = ("csv", "xlsx")
OPEN = ("waiting", "running")
KEPT = timedelta(days=7)
"""How long a file can be downloaded."""
MOST_OPEN = 3
"""Exports a brand may have under way at once."""
MOST_KEPT = 20
"""Files kept for a brand; a newer one takes the oldest one's place."""
ATTEMPTS = 3
"""How often making a file is begun, if its process dies each time."""
LEASE = timedelta(minutes=2)
TOPIC = "exports"


class Export(TenantRow, table=True):
    """One file. `what`: of `KINDS`. `mark`: whether a CSV begins with a byte order mark, as Excel wants it.

    Rows from `since` to before `until`; `locale` and `timezone`: the words and moments in it. `rows`: how many are
    written so far, of about `expected`; `size` in bytes. `attempt`: which time it is made, 0 before the first.
    `reason` of a failure: its words are `export.reason.<reason>`.
    """

    __tablename__ = "export"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'cancelled', 'expired')",
            name="state",
        ),
        Index("ix_export_due", "state", "lease_until"),
        Index("ix_export_asked", "brand_id", "asked_at"),
    )

    what: str
    format: str
    mark: bool = True
    locale: str
    timezone: str
    campaign_id: UUID | None = None
    since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
    state: str = "waiting"
    asked_by: str
    asked_at: datetime = Field(sa_type=UtcDateTime)
    attempt: int = 0
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    expected: int | None = None
    rows: int = 0
    size: int = Field(default=0, sa_type=BigInteger)
    reason: str | None = None
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    @property
    def file(self) -> str:
        """What the file is called on our disk."""
        return f"{self.id.hex}.{self.format}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for. `since`, `until`: see `Export`; `until` of None: up to now."""

    what: str
    format: str = "xlsx"
    mark: bool = True
    campaign: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def ask(session: Session, brand_id: UUID, wish: Wish, locale: str, actor: str) -> Export:
    """Ask for a file; audited.

    Raises `BadInput`: export_kind, export_period; `NotFound("campaign")`; `Refused`: export_campaign (a campaign must
    be named), export_busy (most) while others are under way.
    """
    if wish.what not in KINDS or wish.format not in FORMATS or locale not in i18n.LOCALES:
        raise BadInput("export_kind")
    now = clock.now()
    until = min(wish.until or now, now)
    if wish.since is not None and wish.since >= until:
        raise BadInput("export_period")
    # Who asks holds the brand's row, so that several at once are counted one after another.
    brand = session.scalars(select(Brand).where(col(Brand.id) == brand_id).with_for_update(key_share=True)).one()
    campaign = find_campaign(session, brand_id, wish.campaign) if wish.campaign else None
    if campaign is None and wish.what in OF_A_CAMPAIGN:
        raise Refused("export_campaign")
    if _count(session, brand_id) >= MOST_OPEN:
        raise Refused("export_busy", most=MOST_OPEN)
    found = Export(
        brand_id=brand_id,
        what=wish.what,
        format=wish.format,
        mark=wish.mark,
        locale=locale,
        timezone=(campaign or brand).timezone,
        campaign_id=campaign.id if campaign else None,
        since=None if wish.what in TIMELESS else wish.since,
        until=now if wish.what in TIMELESS else until,
        asked_by=actor,
        asked_at=now,
    )
    session.add(found)
    session.flush()
    details = {"what": found.what, "format": found.format, "campaign": campaign.slug if campaign else None}
    audit.record(session, brand_id, actor, "export.ask", str(found.id), **details)
    announce(session, TOPIC)
    return found


def _count(session: Session, brand_id: UUID) -> int:
    under_way = (col(Export.brand_id) == brand_id) & col(Export.state).in_(OPEN)
    return int(session.scalar(select(func.count()).select_from(Export).where(under_way)) or 0)


def export_of(session: Session, brand_id: UUID, export_id: UUID) -> Export:
    """One of the brand's exports. Raises `NotFound("export")`."""
    found = session.scalar(select(Export).where(col(Export.brand_id) == brand_id, col(Export.id) == export_id))
    if found is None:
        raise NotFound("export")
    return found


def exports_of(session: Session, brand_id: UUID, most: int = 50) -> list[Export]:
    """The brand's exports, the newest first."""
    return list(
        session.scalars(
            select(Export)
            .where(col(Export.brand_id) == brand_id)
            .order_by(col(Export.asked_at).desc(), col(Export.id).desc())
            .limit(most)
        )
    )


def cancel(session: Session, brand_id: UUID, export_id: UUID, actor: str) -> Export:
    """Stop an export, or let go of its file; nothing happens to one that is over. Raises `NotFound("export")`."""
    found = export_of(session, brand_id, export_id)
    t = table(Export)
    mine = (t.c.brand_id == brand_id) & (t.c.id == export_id) & t.c.state.in_((*OPEN, "done"))
    after = {"state": "cancelled", "lease_until": None, "ended_at": clock.now()}
    if session.execute(update(t).where(mine).values(after).returning(t.c.id)).all():
        audit.record(session, brand_id, actor, "export.cancel", str(export_id))
        announce(session, TOPIC)
    session.refresh(found)
    return found


def downloaded(session: Session, brand_id: UUID, export_id: UUID, actor: str) -> Export:
    """Note that somebody takes the file away. Raises `NotFound("export")`, also for one that is not there any more."""
    found = export_of(session, brand_id, export_id)
    if found.state != "done" or (found.expires_at is not None and found.expires_at <= clock.now()):
        raise NotFound("export")
    audit.record(session, brand_id, actor, "export.download", str(export_id), rows=found.rows)
    return found


# Making them.


def is_due(session: Session) -> bool:
    """Whether a file waits to be made."""
    t = table(Export)
    return session.scalar(select(t.c.id).where(_due()).limit(1)) is not None


def _due() -> ColumnElement[bool]:
    t = table(Export)
    return or_(t.c.state == "waiting", (t.c.state == "running") & (t.c.lease_until <= clock.now()))


def take(session: Session) -> Export | None:
    """The file that waited longest, ours until the lease ends; None when there is none. One that was begun too often
    has failed."""
    t = table(Export)
    while True:
        found = session.execute(
            select(t.c.brand_id, t.c.id, t.c.attempt)
            .where(_due())
            .order_by(t.c.asked_at, t.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if found is None:
            return None
        mine = (t.c.brand_id == found.brand_id) & (t.c.id == found.id)
        if found.attempt >= ATTEMPTS:
            session.execute(update(t).where(mine).values(_failed("trouble")))
            continue
        lease = clock.now() + LEASE
        after = {"state": "running", "attempt": found.attempt + 1, "lease_until": lease, "rows": 0}
        session.execute(update(t).where(mine).values(after))
        return session.scalars(
            select(Export)
            .where(col(Export.brand_id) == found.brand_id, col(Export.id) == found.id)
            .execution_options(populate_existing=True)
        ).one()


def progress(session: Session, export: Export, rows: int, expected: int | None = None) -> bool:
    """So many rows are written; whether it is still wanted, and still ours."""
    values: dict[str, object] = {"rows": rows, "lease_until": clock.now() + LEASE}
    if expected is not None:
        values["expected"] = expected
    return _still(session, export, values)


def finish(session: Session, export: Export, rows: int, size: int) -> bool:
    """The file is there; whether it is still wanted. Of many files the oldest make room."""
    now = clock.now()
    after = {"state": "done", "rows": rows, "expected": rows, "size": size, "lease_until": None}
    if not _still(session, export, after | {"ended_at": now, "expires_at": now + KEPT}):
        return False
    t = table(Export)
    newest = (
        select(t.c.id)
        .where(t.c.brand_id == export.brand_id, t.c.state == "done")
        .order_by(t.c.ended_at.desc(), t.c.id.desc())
        .limit(MOST_KEPT)
    )
    old = (t.c.brand_id == export.brand_id) & (t.c.state == "done") & t.c.id.not_in(newest.scalar_subquery())
    session.execute(update(t).where(old).values(state="expired"))
    return True


def fail(session: Session, export: Export, reason: str) -> bool:
    """It could not be made; whether anybody still wanted it."""
    return _still(session, export, _failed(reason))


def _failed(reason: str) -> dict[str, object]:
    return {"state": "failed", "reason": reason, "lease_until": None, "ended_at": clock.now()}


def _still(session: Session, export: Export, values: dict[str, object]) -> bool:
    t = table(Export)
    mine = (t.c.brand_id == export.brand_id) & (t.c.id == export.id)
    held = (t.c.state == "running") & (t.c.attempt == export.attempt)
    return bool(session.execute(update(t).where(mine, held).values(values).returning(t.c.id)).all())


def expire(session: Session) -> int:
    """Let files go whose time is over; how many."""
    t = table(Export)
    over = (t.c.state == "done") & (t.c.expires_at <= clock.now())
    return len(session.execute(update(t).where(over).values(state="expired").returning(t.c.id)).all())


def forget_files(session: Session, brand_id: UUID) -> None:
    """Somebody is being forgotten: no file of the brand names them any longer, and what is being made begins again."""
    t = table(Export)
    mine = t.c.brand_id == brand_id
    session.execute(update(t).where(mine, t.c.state == "done").values(state="expired", reason="forgotten"))
    session.execute(update(t).where(mine, t.c.state == "running").values(state="waiting", lease_until=None))
    announce(session, TOPIC)


def kept(session: Session) -> set[str]:
    """The names of all files that somebody may still want, or that are being made."""
    t = table(Export)
    rows = session.execute(select(t.c.id, t.c.format).where(t.c.state.in_((*OPEN, "done"))))
    return {f"{export_id.hex}.{ending}" for export_id, ending in rows}
