"""Which payouts a second person has to approve, and approving them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlmodel import Session

from core import clock
from core.errors import BadInput, Refused
from core.money import Money
from core.writer import announce
from referral.actors import is_same, person_behind
from referral.linking import person_of
from rewards.payouts import payees
from rewards.payouts.opening import TOPIC
from rewards.payouts.payouts import Payee, Payout, PayoutBatch, PayoutEvent, payout_of
from rewards.payouts.port import AUTOMATIC

_limits: Mapping[str, int] | None = None


def set_limits(text: str | None) -> None:
    """Set up to which amount nobody has to approve, `CNY=500,USD=80`; an asset that is not named always needs it.

    Called once at start; None means that amounts need no approval at all. Raises `BadInput("approval_limits", given)`.
    """
    global _limits
    _limits = None if text is None else read_limits(text)


def read_limits(text: str) -> dict[str, int]:
    """The limits in minor units by asset. Raises `BadInput("approval_limits", given)`."""
    limits = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        asset, equals, amount = part.partition("=")
        try:
            limits[asset.strip()] = Money.parse(amount, asset.strip()).minor
        except BadInput:
            equals = ""
        if not equals:
            raise BadInput("approval_limits", given=part[:40])
    return limits


def above_limit(asset: str, amount: int) -> bool:
    """Whether this much needs a second person."""
    return _limits is not None and amount > _limits.get(asset, 0)


def flag_of(session: Session, payee: Payee | None, asset: str, amount: int) -> str | None:
    """Why a person has to look at a withdrawal before it goes out: payee_shared, above_limit, or None."""
    if payee is not None and payees.sharing(session, payee):
        return "payee_shared"
    return "above_limit" if above_limit(asset, amount) else None


def approve(session: Session, brand_id: UUID, payout_id: UUID, actor: str) -> Payout:
    """Let a payout that waits for approval go. Again changes nothing.

    Raises `Refused("same_person")` when `actor` (an account `platform:id`, a user of the web or a name) is who is
    paid, or put the payout into a batch, `Refused("payout_settled")`.
    """
    payout = payout_of(session, brand_id, payout_id, lock=True)
    if payout.approved:
        return payout
    if payout.state != "pending":
        raise Refused("payout_settled", state=payout.state)
    if involved(session, payout, actor):
        raise Refused("same_person")
    mark_approved(session, payout, actor)
    return payout


def involved(session: Session, payout: Payout, actor: str) -> bool:
    """Whether this is who is paid, or who put the payout into a batch: somebody else has to approve it."""
    batch = session.get(PayoutBatch, (payout.brand_id, payout.batch_id)) if payout.batch_id else None
    if batch is not None and is_same(session, payout.brand_id, actor, batch.created_by):
        return True
    return is_paid(session, payout, actor)


def is_paid(session: Session, payout: Payout, actor: str) -> bool:
    """Whether this is who is paid, by any of their accounts."""
    mine = person_behind(session, payout.brand_id, actor)
    return mine is not None and mine == person_of(session, payout.brand_id, payout.member_id)


def mark_approved(session: Session, payout: Payout, actor: str) -> None:
    """Note who approved it; the runner may take it now."""
    payout.approved, payout.approved_by = True, actor
    payout.due_at = clock.now() if payout.provider in AUTOMATIC else None
    session.add(payout)
    session.add(
        PayoutEvent(
            brand_id=payout.brand_id,
            payout_id=payout.id,
            kind="approve",
            state=payout.state,
            reason=payout.flag,
            actor=actor,
            at=clock.now(),
        )
    )
    session.flush()
    announce(session, TOPIC)
