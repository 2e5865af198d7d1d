"""Campaigns that are being put together in a chat: kept with every answer, so that a week's pause, a restart or a
colleague who takes over loses nothing."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import Column, ForeignKeyConstraint, Index, UniqueConstraint, delete, select, update
from sqlmodel import Field, Session, col

from core import clock
from core.db import Json, TenantRow, UtcDateTime, table

Kind = Literal["referral", "trial", "contest"]
LISTED = 3


class CampaignDraft(TenantRow, table=True):
    """A campaign in the making. `code` names it on buttons; `answers` as they were kept by its questions; `locale` is
    the language its title is in; `author` is who answered last, as `platform:account`. `revision` counts the answers:
    of two people on one draft the second is told. `campaign_id`: what it became."""

    __tablename__ = "campaign_draft"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        UniqueConstraint("brand_id", "code"),
        Index("ix_campaign_draft_open", "brand_id", "updated_at"),
    )

    code: str
    kind: str
    locale: str
    author: str
    answers: dict[str, str] = Field(sa_column=Column(Json, nullable=False))
    revision: int = 1
    campaign_id: UUID | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


def start_draft(
    session: Session, brand_id: UUID, kind: Kind, author: str, locale: str, answers: dict[str, str] | None = None
) -> CampaignDraft:
    """A new draft; the one this author began before without an answer is taken again."""
    empty = next(
        (one for one in open_drafts(session, brand_id, most=None) if one.author == author and not one.answers), None
    )
    now = clock.now()
    draft = empty or CampaignDraft(
        brand_id=brand_id,
        code=secrets.token_hex(4),
        kind=kind,
        locale=locale,
        author=author,
        answers={},
        created_at=now,
        updated_at=now,
    )
    draft.kind, draft.locale, draft.answers, draft.updated_at = kind, locale, dict(answers or {}), now
    session.add(draft)
    session.flush()
    return draft


def find_draft(session: Session, brand_id: UUID, code: str) -> CampaignDraft | None:
    """The brand's draft of this code, launched or not."""
    return session.scalar(
        select(CampaignDraft)
        .where(col(CampaignDraft.brand_id) == brand_id, col(CampaignDraft.code) == code)
        .execution_options(populate_existing=True)
    )


def open_drafts(session: Session, brand_id: UUID, most: int | None = LISTED) -> list[CampaignDraft]:
    """The brand's drafts that are not launched, the latest first."""
    return list(
        session.scalars(
            select(CampaignDraft)
            .where(col(CampaignDraft.brand_id) == brand_id, col(CampaignDraft.campaign_id).is_(None))
            .order_by(col(CampaignDraft.updated_at).desc(), col(CampaignDraft.id))
            .limit(most)
        )
    )


def write_draft(
    session: Session, brand_id: UUID, code: str, revision: int, author: str, answers: dict[str, str]
) -> int | None:
    """Keep the answers if nobody else has written since this revision; the new revision, None if somebody has."""
    return _change(session, brand_id, code, revision, author=author, answers=answers)


def close_draft(session: Session, brand_id: UUID, code: str, revision: int, campaign_id: UUID) -> bool:
    """The draft became a campaign; whether it was still as it stood at this revision."""
    return _change(session, brand_id, code, revision, campaign_id=campaign_id) is not None


def drop_draft(session: Session, brand_id: UUID, code: str) -> bool:
    """Forget a draft that is not launched; whether there was one."""
    d = table(CampaignDraft)
    gone = session.execute(
        delete(d).where(d.c.brand_id == brand_id, d.c.code == code, d.c.campaign_id.is_(None)).returning(d.c.id)
    )
    return bool(gone.all())


def _change(session: Session, brand_id: UUID, code: str, revision: int, **values: Any) -> int | None:
    d = table(CampaignDraft)
    here = (d.c.brand_id == brand_id, d.c.code == code, d.c.revision == revision, d.c.campaign_id.is_(None))
    changed = update(d).where(*here).values(revision=revision + 1, updated_at=clock.now(), **values)
    return cast("int | None", session.scalar(changed.returning(d.c.revision)))


def forget_author(session: Session, brand_id: UUID, author: str) -> None:
    """The drafts of somebody who asks to be forgotten stay the brand's; who answered last is no longer known."""
    d = table(CampaignDraft)
    session.execute(update(d).where(d.c.brand_id == brand_id, d.c.author == author).values(author=""))
