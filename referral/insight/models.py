"""The tables of the daily figures. All of them can be thrown away: they are counted again from the records."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import BigInteger, Date, ForeignKeyConstraint
from sqlmodel import Field

from core.db import Row, UtcDateTime

NOBODY = UUID(int=0)
"""Stands for the campaign where something came of none."""


class InsightFigure(Row, table=True):
    """One figure of one day (of the brand's own clock).

    `source`: the records it was counted from. `what`: what was counted. `part`: of which part of it: a platform and
    community, a currency, an asset; empty where there are none.
    """

    __tablename__ = "insight_figure"
    __table_args__ = (ForeignKeyConstraint(["brand_id"], ["brand.id"]),)

    brand_id: UUID = Field(primary_key=True)
    day: dt.date = Field(primary_key=True, sa_type=Date)
    source: str = Field(primary_key=True)
    campaign_id: UUID = Field(primary_key=True)
    what: str = Field(primary_key=True)
    part: str = Field(primary_key=True, default="")
    amount: int = Field(sa_type=BigInteger)


class InsightDay(Row, table=True):
    """Where a day's records are: identifiers grow with time, so those of a day lie between two of them.

    `stale`: there are records that `counted_at` did not see.
    """

    __tablename__ = "insight_day"
    __table_args__ = (ForeignKeyConstraint(["brand_id"], ["brand.id"]),)

    brand_id: UUID = Field(primary_key=True)
    source: str = Field(primary_key=True)
    day: dt.date = Field(primary_key=True, sa_type=Date)
    first_id: UUID
    last_id: UUID
    stale: bool = True
    counted_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)


class InsightMark(Row, table=True):
    """How far a source has been looked through. `timezone`: whose days they are."""

    __tablename__ = "insight_mark"
    __table_args__ = (ForeignKeyConstraint(["brand_id"], ["brand.id"]),)

    brand_id: UUID = Field(primary_key=True)
    source: str = Field(primary_key=True)
    seen_id: UUID
    timezone: str
    counted_at: dt.datetime = Field(sa_type=UtcDateTime)
