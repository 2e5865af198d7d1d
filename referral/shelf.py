"""Which kept pictures somebody still has a use for; the others are forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, literal
from sqlmodel import Session, col

from referral.campaigns import Campaign
from referral.pictures import KEPT, Picture
from referral.trials.places import TrialFeedback


def in_use(name: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a campaign or a trier's words show the brand's `Picture` of this name."""

    def shown(brand: Any, picture: Any) -> ColumnElement[bool]:
        return exists().where(brand == col(Picture.brand_id), picture == name)

    return shown(col(Campaign.brand_id), col(Campaign.picture)) | shown(
        col(TrialFeedback.brand_id), col(TrialFeedback.picture)
    )


def named() -> ColumnElement[str]:
    """The name of a `Picture` in a statement."""
    return literal(KEPT).concat(col(Picture.sha256))


def forget_unused(session: Session, brand_id: UUID, names: Iterable[str]) -> None:
    """Forget those of these pictures that nothing shows any more."""
    digests = {name.removeprefix(KEPT) for name in names}
    session.flush()
    session.execute(
        delete(Picture).where(
            col(Picture.brand_id) == brand_id, col(Picture.sha256).in_(sorted(digests)), ~in_use(named())
        )
    )
