"""How many came how far in a trial: the figures of each step."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, distinct, func, select
from sqlmodel import Session

from core.db import table
from core.errors import NotFound
from referral.campaigns import Campaign
from referral.conversions import Conversion
from referral.referrals import Referral
from referral.trials.places import STATES, TrialApplication, TrialFeedback, trial_of


@dataclass(frozen=True, slots=True)
class Funnel:
    """`quota` places, `given` of them somebody's. `applied` … `purchased`: how many people ever came so far; `states`:
    where the applications stand now. `referred`: how many of the applicants were brought by somebody. `purchased`: who
    bought after the place was theirs, with something left of the order after refunds. `rating`: the mean, of
    `reviewed` ratings; `consented`: how much feedback may be published."""

    quota: int
    given: int
    applied: int
    referred: int
    approved: int
    taken: int
    delivered: int
    reviewed: int
    purchased: int
    consented: int
    rating: float | None
    states: dict[str, int]


def funnel(session: Session, campaign: Campaign) -> Funnel:
    """The figures of a trial campaign. Raises `NotFound("trial")` for one that is none."""
    trial = trial_of(session, campaign.brand_id, campaign.id)
    if trial is None:
        raise NotFound("trial", slug=campaign.slug)
    t, f = table(TrialApplication), table(TrialFeedback)
    mine = (t.c.brand_id == campaign.brand_id) & (t.c.campaign_id == campaign.id)
    passed = [func.count(t.c[f"{name}_at"]) for name in ("approved", "claimed", "delivered", "reviewed")]
    counted, approved, taken, delivered, reviewed = session.execute(
        select(func.count(), *passed).select_from(t).where(mine)
    ).one()
    by_state: dict[str, int] = dict(
        session.execute(select(t.c.state, func.count()).where(mine).group_by(t.c.state)).all()
    )
    mean, consented = session.execute(
        select(func.avg(f.c.rating), func.sum(case((f.c.consent, 1), else_=0))).where(
            f.c.brand_id == campaign.brand_id, f.c.campaign_id == campaign.id
        )
    ).one()
    return Funnel(
        trial.quota,
        trial.given,
        counted,
        _referred(session, campaign),
        approved,
        taken,
        delivered,
        reviewed,
        _bought(session, campaign),
        int(consented or 0),
        float(mean) if mean is not None else None,
        {state: by_state.get(state, 0) for state in STATES},
    )


def _referred(session: Session, campaign: Campaign) -> int:
    t, r = table(TrialApplication), table(Referral)
    together = (r.c.brand_id == t.c.brand_id) & (r.c.friend_id == t.c.member_id) & (r.c.campaign_id == t.c.campaign_id)
    return int(
        session.scalar(
            select(func.count())
            .select_from(t.join(r, together))
            .where(t.c.brand_id == campaign.brand_id, t.c.campaign_id == campaign.id, r.c.state != "rejected")
        )
        or 0
    )


def _bought(session: Session, campaign: Campaign) -> int:
    t, o = table(TrialApplication), table(Conversion)
    together = (o.c.brand_id == t.c.brand_id) & (o.c.member_id == t.c.member_id)
    return int(
        session.scalar(
            select(func.count(distinct(t.c.member_id)))
            .select_from(t.join(o, together))
            .where(
                t.c.brand_id == campaign.brand_id,
                t.c.campaign_id == campaign.id,
                o.c.ordered_at >= t.c.claimed_at,
                o.c.net > o.c.refunded,
            )
        )
        or 0
    )
