"""What people say who tried it: a rating, words, perhaps a picture, and whether the brand may show it around."""

from __future__ import annotations

import unicodedata
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.db import insert_missing, table
from core.errors import BadInput, Refused
from referral.members import Member
from referral.trials import credit
from referral.trials.applications import finish
from referral.trials.places import TrialApplication, TrialFeedback, campaign_of, locked, step

TEXT_LENGTH = 1000
RATINGS = range(1, 6)


def give_feedback(
    session: Session,
    brand_id: UUID,
    application_id: UUID,
    rating: int,
    text: str = "",
    *,
    consent: bool = False,
    picture: str | None = None,
) -> TrialFeedback:
    """Keep what a trier says, once; late feedback of a no-show is welcome too.

    Raises `BadInput`: trial_rating, trial_feedback_text (most); `Refused`: trial_feedback_given, trial_not_delivered.
    """
    text = unicodedata.normalize("NFC", text).strip()
    if rating not in RATINGS:
        raise BadInput("trial_rating")
    if len(text) > TEXT_LENGTH:
        raise BadInput("trial_feedback_text", most=TEXT_LENGTH)
    trial, row = locked(session, brand_id, application_id)
    if row.state == "reviewed":
        raise Refused("trial_feedback_given")
    if row.state not in ("delivered", "no_show"):
        raise Refused("trial_not_delivered", state=row.state)
    said = {
        "brand_id": brand_id,
        "application_id": row.id,
        "campaign_id": row.campaign_id,
        "rating": rating,
        "text": text,
        "picture": picture,
        "consent": consent,
        "given_at": clock.now(),
    }
    target = table(TrialFeedback)
    insert_missing(session, target, [said], ["brand_id", "application_id"])
    late = row.state == "no_show"
    step(session, trial, row, "reviewed", reason="late" if late else None)
    campaign = campaign_of(session, row)
    credit.credit(session, campaign, row, credit.GIVEN)
    finish(session, trial, campaign, row)
    return session.get_one(TrialFeedback, (brand_id, row.id))


def feedback_of(session: Session, row: TrialApplication) -> TrialFeedback | None:
    """What the applicant said."""
    return session.get(TrialFeedback, (row.brand_id, row.id))


def all_feedback(
    session: Session, brand_id: UUID, campaign_id: UUID, *, to_publish: bool = False, latest: int | None = None
) -> list[tuple[TrialFeedback, TrialApplication, Member]]:
    """What the triers of a campaign said, oldest first; `to_publish`: only what the brand may show around; `latest`:
    only so many of the last."""
    chosen = (
        select(TrialFeedback, TrialApplication, Member)
        .join(
            TrialApplication,
            (col(TrialApplication.brand_id) == col(TrialFeedback.brand_id))
            & (col(TrialApplication.id) == col(TrialFeedback.application_id)),
        )
        .join(
            Member,
            (col(Member.brand_id) == col(TrialApplication.brand_id))
            & (col(Member.id) == col(TrialApplication.member_id)),
        )
        .where(col(TrialFeedback.brand_id) == brand_id, col(TrialFeedback.campaign_id) == campaign_id)
        .order_by(col(TrialFeedback.given_at).desc(), col(TrialFeedback.application_id).desc())
        .limit(latest)
    )
    if to_publish:
        chosen = chosen.where(col(TrialFeedback.consent).is_(True))
    return [(said, row, member) for said, row, member in reversed(session.execute(chosen).all())]
