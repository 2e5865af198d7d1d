"""Payouts and payees follow the persons they belong to: two members become one, one becomes two again, one is
forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlmodel import Session, col

from core import clock
from core.events import Bus
from referral.linking import LinkUndone, MemberLink, MembersLinked
from rewards.ledger import Account, Move, Purpose, transfer
from rewards.payouts.payouts import OPEN, Payee, Payout


def listen(bus: Bus) -> None:
    """Join payouts to the linking of members."""
    bus.on(MembersLinked, on_linked)
    bus.on(LinkUndone, on_undone)


def on_linked(session: Session, happened: Sequence[MembersLinked]) -> None:
    """Payouts and payees of the absorbed member become the kept one's; where both have a payee the kept one's holds."""
    for event in happened:
        moved = {"payouts": _move_payouts(session, event), "payees": _move_payees(session, event)}
        link = session.get_one(MemberLink, (event.brand_id, event.link_id))
        link.moved = {**link.moved, **moved}
        session.add(link)
        session.flush()


def _move_payouts(session: Session, event: MembersLinked) -> dict[str, str]:
    """By payout: its state when it went over."""
    payouts = session.scalars(
        select(Payout)
        .where(col(Payout.brand_id) == event.brand_id, col(Payout.member_id) == event.absorbed_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for payout in payouts:
        payout.member_id = event.kept_id
        session.add(payout)
    return {str(payout.id): payout.state for payout in payouts}


def _move_payees(session: Session, event: MembersLinked) -> dict[str, bool]:
    """By payee: whether it was the current one when it went over."""
    mine = session.scalars(_payees_of(event.brand_id, event.kept_id)).all()
    taken = {payee.provider for payee in mine if payee.replaced_at is None}
    theirs = session.scalars(_payees_of(event.brand_id, event.absorbed_id)).all()
    were = {str(payee.id): payee.replaced_at is None for payee in theirs}
    for payee in theirs:
        payee.member_id = event.kept_id
        if payee.replaced_at is None and payee.provider in taken:
            payee.replaced_at = clock.now()
        session.add(payee)
    return were


def _payees_of(brand_id: UUID, member_id: UUID) -> Any:
    return select(Payee).where(col(Payee.brand_id) == brand_id, col(Payee.member_id) == member_id)


def on_undone(session: Session, happened: Sequence[LinkUndone]) -> None:
    """What had gone over goes back. What failed since came back to the kept member, and goes on to its owner."""
    for event in happened:
        moved = session.get_one(MemberLink, (event.brand_id, event.link_id)).moved
        before: dict[str, str] = moved.get("payouts", {})
        payouts = session.scalars(
            select(Payout)
            .where(col(Payout.brand_id) == event.brand_id, col(Payout.id).in_([UUID(one) for one in before]))
            .with_for_update()
            .execution_options(populate_existing=True)
        ).all()
        moves = []
        for payout in payouts:
            payout.member_id = event.absorbed_id
            session.add(payout)
            if before[str(payout.id)] in OPEN and payout.state == "failed":
                kept, absorbed = (
                    Account(event.brand_id, member, Purpose.PAYABLE, payout.asset)
                    for member in (event.kept_id, event.absorbed_id)
                )
                reference = f"link/{event.link_id}/back/payout/{payout.id}"
                moves.append(Move(reference, "link", kept, absorbed, payout.amount + payout.fee))
        session.flush()
        transfer(session, moves)
        _give_payees_back(session, event, moved.get("payees", {}))


def _give_payees_back(session: Session, event: LinkUndone, were: dict[str, bool]) -> None:
    """Each is again what it was, unless the absorbed member got a newer one meanwhile."""
    payees = session.scalars(
        select(Payee).where(col(Payee.brand_id) == event.brand_id, col(Payee.id).in_([UUID(one) for one in were]))
    ).all()
    newer = session.scalars(_payees_of(event.brand_id, event.absorbed_id).where(col(Payee.replaced_at).is_(None)))
    taken = {payee.provider for payee in newer}
    for payee in payees:
        payee.member_id = event.absorbed_id
        if payee.provider in taken:
            payee.replaced_at = payee.replaced_at or clock.now()
        elif were[str(payee.id)]:
            payee.replaced_at = None
        session.add(payee)
    session.flush()


def forget_payees(session: Session, brand_id: UUID, members: Sequence[UUID]) -> None:
    """Erase where these members were paid, except what an open payout still needs. Fingerprints stay: keyed hashes."""
    needed = exists(
        select(col(Payout.id)).where(
            col(Payout.brand_id) == col(Payee.brand_id),
            col(Payout.payee_id) == col(Payee.id),
            col(Payout.state).in_(OPEN),
        )
    )
    session.execute(
        update(Payee)
        .where(col(Payee.brand_id) == brand_id, col(Payee.member_id).in_(members), ~needed)
        .values(sealed="", masked="", replaced_at=clock.now())
    )


def export_payouts(session: Session, brand_id: UUID, member_id: UUID) -> dict[str, Any]:
    """A member's payouts and payees, oldest first, ready for JSON. Amounts in minor units; payees as they are shown."""
    payouts = session.scalars(
        select(Payout)
        .where(col(Payout.brand_id) == brand_id, col(Payout.member_id) == member_id)
        .order_by(col(Payout.created_at), col(Payout.id))
    )
    return {
        "payouts": [
            {
                "reference": payout.reference,
                "provider": payout.provider,
                "asset": payout.asset,
                "amount": payout.amount,
                "fee": payout.fee,
                "state": payout.state,
                "reason": payout.reason,
                "created_at": payout.created_at.isoformat(),
                "settled_at": payout.settled_at.isoformat() if payout.settled_at else None,
            }
            for payout in payouts
        ],
        "payees": [
            {"provider": payee.provider, "shown": payee.masked, "created_at": payee.created_at.isoformat()}
            for payee in session.scalars(_payees_of(brand_id, member_id).order_by(col(Payee.created_at)))
        ],
    }
