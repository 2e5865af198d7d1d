"""What the bots remember in the database: with whom they talk about what, and each adapter's own notes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Text, select
from sqlmodel import Field, Session, col

from bots.adapter import INTRODUCTION
from core import clock, ids
from core.db import Json, Row, UtcDateTime
from core.reader import Reader
from core.writer import Writer

QUARANTINE_LIMIT = 20_000
"""Characters kept of an event that could not be read."""


class Conversation(Row, table=True):
    """A platform account's talk with us: which brand it is about and the dialog in hand, so it survives restarts.

    Looked up before the brand is known, so its key is the account alone.
    """

    __tablename__ = "conversation"

    platform: str = Field(primary_key=True)
    account: str = Field(primary_key=True)
    brand_id: UUID | None = Field(default=None, index=True)
    dialog: str | None = None
    data: dict[str, Any] | None = Field(default=None, sa_column=Column(Json))
    updated_at: datetime = Field(sa_type=UtcDateTime)


class AdapterNote(Row, table=True):
    """A JSON value an adapter must remember (`bots.adapter.Store`)."""

    __tablename__ = "adapter_note"

    platform: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    value: Any = Field(sa_column=Column(Json, nullable=False))
    updated_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class Introduction:
    """Who our bot is on a platform, in the platform's own words; `url` adds it to a group, where such a link exists."""

    platform: str
    name: str
    url: str | None


def introductions(session: Session) -> list[Introduction]:
    """The bots that have been connected."""
    notes = session.scalars(
        select(AdapterNote).where(col(AdapterNote.key) == INTRODUCTION).order_by(col(AdapterNote.platform))
    )
    return [Introduction(note.platform, note.value["name"], note.value["url"]) for note in notes]


class Quarantined(Row, table=True):
    """An incoming event nobody could read."""

    __tablename__ = "quarantined"

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    platform: str
    raw: str = Field(sa_type=Text)
    error: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcDateTime)


class DatabaseStore:
    """`bots.adapter.Store` for one platform."""

    def __init__(self, platform: str, writer: Writer, reader: Reader) -> None:
        self._platform = platform
        self._writer = writer
        self._reader = reader

    async def get(self, key: str) -> Any:
        def read(session: Session) -> Any:
            note = session.get(AdapterNote, (self._platform, key))
            return note.value if note else None

        return await self._reader.run(read)

    async def put(self, key: str, value: Any) -> None:
        def write(session: Session) -> None:
            note = session.get(AdapterNote, (self._platform, key))
            if value is None:
                if note is not None:
                    session.delete(note)
                return
            if note is None:
                note = AdapterNote(platform=self._platform, key=key, value=value, updated_at=clock.now())
            note.value, note.updated_at = value, clock.now()
            session.add(note)

        await self._writer.run(write)

    async def quarantine(self, raw: str, error: str) -> None:
        def write(session: Session) -> None:
            session.add(
                Quarantined(
                    platform=self._platform, raw=raw[:QUARANTINE_LIMIT], error=error[:QUARANTINE_LIMIT], at=clock.now()
                )
            )

        await self._writer.run(write)
