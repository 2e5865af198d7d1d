"""Orders and refunds: what went back is the sum of the refunds; rewards for an order belong to its referral, shares of
an order are one whole, and whoever was paid for a share has it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import and_, func, or_, select
from sqlmodel import Session

from core.db import table
from referral.attribution.decisions import Attribution, CreditShare
from referral.attribution.split import WHOLE
from referral.conversions import REFUND_STATUSES, STATUSES, Conversion, Refund
from referral.referrals import Referral
from rewards.rewards import BY, Reward
from rewards.verify.problem import Problem, as_raw, raw, stream

START = len("order/") + 1
"""Where the conversion's identifier begins in the cause of its rewards."""


def refunded(session: Session) -> Iterator[Problem]:
    """Orders of which not what their refunds say went back, or whose net is not what its parts leave."""
    t, refund = table(Conversion), table(Refund)
    sums = (
        select(refund.c.brand_id, refund.c.conversion_id, func.sum(refund.c.applied).label("applied"))
        .where(refund.c.conversion_id.is_not(None))
        .group_by(refund.c.brand_id, refund.c.conversion_id)
        .subquery("sums")
    )
    applied = func.coalesce(sums.c.applied, 0)
    parts = t.c.gross - t.c.discount - t.c.tax - t.c.shipping
    found = (
        select(t.c.id, t.c.net, t.c.refunded, applied.label("applied"), parts.label("parts"))
        .outerjoin(sums, and_(sums.c.brand_id == t.c.brand_id, sums.c.conversion_id == t.c.id))
        .where(or_(t.c.refunded != applied, t.c.refunded > t.c.net, t.c.net != parts))
    )
    for row in stream(session, found):
        detail = f"net {row.net} of {row.parts}, {row.refunded} went back, its refunds say {row.applied}"
        yield Problem("refunded", "conversion", str(row.id), detail)


def applied(session: Session) -> Iterator[Problem]:
    """Refunds that were not applied as they say, or to another order."""
    t, order = table(Refund), table(Conversion)
    taken = t.c.status.in_(("applied", "cut"))
    found = (
        select(t.c.id, t.c.status, t.c.amount, t.c.applied, t.c.order_id)
        .outerjoin(order, and_(order.c.brand_id == t.c.brand_id, order.c.id == t.c.conversion_id))
        .where(
            or_(
                t.c.status.not_in(REFUND_STATUSES),
                # One that was rejected names its order, too: it had waited for it, in another currency.
                and_(t.c.status == "waiting", t.c.conversion_id.is_not(None)),
                and_(~taken, t.c.applied != 0),
                and_(t.c.status == "applied", t.c.amount.is_not(None), t.c.applied != t.c.amount),
                and_(t.c.status == "cut", or_(t.c.amount.is_(None), t.c.applied >= t.c.amount)),
                and_(taken, or_(order.c.id.is_(None), order.c.currency != t.c.currency)),
                and_(taken, or_(order.c.source != t.c.source, order.c.external_id != t.c.order_id)),
            )
        )
    )
    for row in stream(session, found):
        detail = f"is {row.status} with {row.applied} of {row.amount} for order {row.order_id}"
        yield Problem("refund", "refund", str(row.id), detail)


def attributed(session: Session) -> Iterator[Problem]:
    """Orders that count for a referral which is not the buyer's, or for none."""
    t, referral = table(Conversion), table(Referral)
    counts = t.c.status == "attributed"
    found = (
        select(t.c.id, t.c.status)
        .outerjoin(referral, and_(referral.c.brand_id == t.c.brand_id, referral.c.id == t.c.referral_id))
        .where(
            or_(
                and_(counts, or_(referral.c.id.is_(None), t.c.campaign_id.is_(None))),
                and_(t.c.referral_id.is_not(None), referral.c.campaign_id != t.c.campaign_id),
                t.c.status.not_in(STATUSES),
            )
        )
    )
    for row in stream(session, found):
        detail = f"is {row.status}, but its referral or campaign is another"
        yield Problem("attributed", "conversion", str(row.id), detail)


def rewarded(session: Session) -> Iterator[Problem]:
    """Rewards for an order that is not of their referral."""
    t, order = table(Reward), table(Conversion)
    named = as_raw(session, func.substr(t.c.cause, START, 36))
    found = (
        select(t.c.id, t.c.cause)
        .outerjoin(order, and_(order.c.brand_id == t.c.brand_id, raw(session, order.c.id) == named))
        .where(
            t.c.cause.like("order/%"),
            or_(order.c.id.is_(None), order.c.referral_id.is_(None), order.c.referral_id != t.c.referral_id),
        )
    )
    for row in stream(session, found):
        yield Problem("cause", "reward", str(row.id), f"is for {row.cause}, which is no order of its referral")


def shared(session: Session) -> Iterator[Problem]:
    """Decisions by a policy whose shares are not one whole order, or not of its order's campaign."""
    t, share, order = table(Attribution), table(CreditShare), table(Conversion)
    same = and_(share.c.brand_id == t.c.brand_id, share.c.conversion_id == t.c.conversion_id)
    found = (
        select(t.c.conversion_id, t.c.revision, func.sum(share.c.share).label("sum"))
        .join(share, and_(same, share.c.revision == t.c.revision))
        .join(order, and_(order.c.brand_id == t.c.brand_id, order.c.id == t.c.conversion_id))
        .group_by(t.c.brand_id, t.c.conversion_id, t.c.revision)
        .having(
            or_(func.sum(share.c.share) != WHOLE, func.count().filter(share.c.campaign_id != order.c.campaign_id) > 0)
        )
    )
    for row in stream(session, found):
        detail = f"decision {row.revision} shares {row.sum} millionths"
        yield Problem("shares", "conversion", str(row.conversion_id), detail)


def credited(session: Session) -> Iterator[Problem]:
    """Rewards for a share of an order that its decision gave to nobody or to somebody else."""
    t, share = table(Reward), table(CreditShare)
    order = as_raw(session, func.substr(t.c.cause, START, 36))
    advocate = as_raw(session, func.substr(t.c.cause, START + 36 + len(BY), 36))
    found = (
        select(t.c.id, t.c.cause)
        .outerjoin(
            share,
            and_(
                share.c.brand_id == t.c.brand_id,
                raw(session, share.c.conversion_id) == order,
                raw(session, share.c.advocate_id) == advocate,
            ),
        )
        .where(t.c.cause.like(f"order/%{BY}%"), share.c.conversion_id.is_(None))
    )
    for row in stream(session, found):
        yield Problem("cause", "reward", str(row.id), f"is for {row.cause}, of which the decision says nothing")


CHECKS = (refunded, applied, attributed, rewarded, shared, credited)
