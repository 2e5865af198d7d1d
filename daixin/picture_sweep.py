"""Pictures that were sent and never became anything: a draft given up, an answer taken back."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, Text, cast, delete, exists, select, tuple_
from sqlmodel import Session, col

from bots.drafts import CampaignDraft
from bots.state import Conversation
from core import clock
from referral.pictures import Picture
from referral.shelf import in_use, named

KEPT_FOR = timedelta(days=30)
PIECE = 100


def forget_unused(session: Session) -> int:
    """Forget pictures that nothing has shown or mentioned for thirty days; how many, at most a hundred."""
    old = (
        select(col(Picture.brand_id), col(Picture.sha256))
        .where(col(Picture.kept_at) < clock.now() - KEPT_FOR, ~in_use(named()), ~_mentioned())
        .limit(PIECE)
    )
    keys = [tuple(row) for row in session.execute(old)]
    if keys:
        session.execute(delete(Picture).where(tuple_(col(Picture.brand_id), col(Picture.sha256)).in_(keys)))
    return len(keys)


def _mentioned() -> ColumnElement[bool]:
    """Whether a draft or somebody's open questions hold it."""
    draft = exists().where(
        col(CampaignDraft.brand_id) == col(Picture.brand_id),
        cast(col(CampaignDraft.answers), Text).contains(col(Picture.sha256)),
    )
    talk = exists().where(
        col(Conversation.brand_id) == col(Picture.brand_id),
        col(Conversation.dialog).is_not(None),
        cast(col(Conversation.data), Text).contains(col(Picture.sha256)),
    )
    return draft | talk
