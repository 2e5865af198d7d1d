"""The one-time codes that give a role or connect a group, as they are kept; made and used in `referral.staff`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, delete
from sqlmodel import Field, Session, col

from core.db import Row, UtcDateTime


class StaffCode(Row, table=True):
    """A one-time code; only its keyed hash is kept. `what`: one of `staff.CODES`."""

    __tablename__ = "staff_code"
    __table_args__ = (ForeignKeyConstraint(["brand_id"], ["brand.id"]),)

    digest: str = Field(primary_key=True)
    brand_id: UUID
    what: str
    made_by: str
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def void_codes_by(session: Session, brand_id: UUID | None, makers: Collection[str]) -> None:
    """The codes that these actors made for the brand (for any, where none is named) work no more."""
    gone = delete(StaffCode).where(col(StaffCode.made_by).in_(makers))
    session.execute(gone if brand_id is None else gone.where(col(StaffCode.brand_id) == brand_id))
