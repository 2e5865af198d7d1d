"""What `daixin payout …` and `daixin vault …` do in the database: units of work that return what is printed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import String, cast, select
from sqlmodel import Session, col

from core import vault
from core.db import table
from core.errors import Conflict, NotFound
from core.money import Money
from core.sheets import Cell, read_sheet
from core.writer import Writer
from daixin.bootstrap import Parts
from daixin.console import LOCALE, brand_named
from daixin.models import TABLES
from referral.members import Member
from rewards.items import redeem
from rewards.payouts import approvals, batches, manual, settling
from rewards.payouts.manual import MARK
from rewards.payouts.payouts import OPEN, Payee, Payout, PayoutBatch, events_of, payout_of
from rewards.payouts.port import AUTOMATIC, Answer
from rewards.payouts.runner import PayoutRunner

Document = dict[str, Any]
SEALED = [table(model) for model in TABLES if "sealed" in table(model).columns]
"""Every table of which `core.vault` has sealed a column, by the name it always has."""


def find(session: Session, brand: str | None, reference: str) -> Payout:
    """The payout of a reference, as files write it or by its last eight digits, as members are told it.

    Raises `NotFound("payout")`, `Conflict("payout_ambiguous")` when the eight digits are those of several.
    """
    owner = brand_named(session, brand)
    digits = reference.strip().upper().removeprefix(MARK).replace("-", "").lower()
    found = select(Payout).where(col(Payout.brand_id) == owner.id)
    if re.fullmatch(r"[0-9a-f]{32}", digits):
        found = found.where(col(Payout.id) == UUID(digits))
    elif re.fullmatch(r"[0-9a-f]{8}", digits):
        found = found.where(cast(col(Payout.id), String).like(f"%{digits}"))
    else:
        raise NotFound("payout")
    payouts = session.scalars(found.limit(2)).all()
    if not payouts:
        raise NotFound("payout")
    if len(payouts) > 1:
        raise Conflict("payout_ambiguous")
    return payouts[0]


def listed(session: Session, brand: str | None, states: Sequence[str], waiting: bool, limit: int) -> list[Document]:
    """Payouts, the newest first; with `waiting` only those that need a person: approval, or an end nobody knows."""
    owner = brand_named(session, brand)
    found = select(Payout).where(col(Payout.brand_id) == owner.id)
    if states:
        found = found.where(col(Payout.state).in_(states))
    if waiting:
        stuck = col(Payout.state).in_(OPEN) & col(Payout.provider).in_(AUTOMATIC) & col(Payout.due_at).is_(None)
        found = found.where(((col(Payout.state) == "pending") & ~col(Payout.approved)) | stuck)
    found = found.order_by(col(Payout.created_at).desc(), col(Payout.id).desc()).limit(limit)
    return [document(session, payout) for payout in session.scalars(found)]


def document(session: Session, payout: Payout) -> Document:
    """A payout without what only its provider needs to know."""
    payee = session.get(Payee, (payout.brand_id, payout.payee_id)) if payout.payee_id else None
    member = session.get(Member, (payout.brand_id, payout.member_id))
    batch = session.get(PayoutBatch, (payout.brand_id, payout.batch_id)) if payout.batch_id else None
    return {
        "reference": MARK + payout.reference,
        "member": member.name if member else None,
        "provider": payout.provider,
        "amount": payout.amount,
        "fee": payout.fee,
        "asset": payout.asset,
        "said": Money(payout.amount, payout.asset).format(LOCALE),
        "payee": payee.masked if payee else None,
        "state": payout.state,
        "reason": payout.reason,
        "approved": payout.approved,
        "approved_by": payout.approved_by,
        "flag": payout.flag,
        "batch": batch.number if batch else None,
        "attempts": payout.attempts,
        "look_ups": payout.look_ups,
        "stuck": payout.state in OPEN and payout.provider in AUTOMATIC and payout.due_at is None,
        "due_at": _at(payout.due_at),
        "external_id": payout.external_id,
        "created_at": _at(payout.created_at),
        "sent_at": _at(payout.sent_at),
        "settled_at": _at(payout.settled_at),
    }


def shown(session: Session, brand: str | None, reference: str) -> Document:
    """A payout with its history."""
    payout = find(session, brand, reference)
    history = [
        {
            "at": _at(event.at),
            "kind": event.kind,
            "state": event.state,
            "external_id": event.external_id,
            "reason": event.reason,
            "actor": event.actor,
        }
        for event in events_of(session, payout.brand_id, payout.id)
    ]
    return document(session, payout) | {"history": history}


def act(session: Session, brand: str | None, reference: str, do: Callable[[Session, UUID, UUID], Payout]) -> Document:
    """Do something to the payout of a reference, and show it then."""
    payout = find(session, brand, reference)
    return document(session, do(session, payout.brand_id, payout.id))


def batch_document(session: Session, batch: PayoutBatch) -> Document:
    """A batch and how far it has come."""
    progress = batches.progress_of(session, batch)
    return {
        "batch": batch.number,
        "provider": batch.provider,
        "asset": batch.asset,
        "count": batch.count,
        "total": batch.total,
        "said": Money(batch.total, batch.asset).format(LOCALE),
        "created_by": batch.created_by,
        "created_at": _at(batch.created_at),
        "approved_by": batch.approved_by,
        "exported_at": _at(batch.exported_at),
        "by_state": progress.counts,
    }


def batches_listed(session: Session, brand: str | None) -> list[Document]:
    """The brand's batches, the newest first."""
    owner = brand_named(session, brand)
    return [batch_document(session, batch) for batch in batches.batches_of(session, owner.id)]


def made(session: Session, brand: str | None, provider: str, asset: str, actor: str) -> Document:
    """A batch of what waits. Raises as `batches.create_batch`."""
    owner = brand_named(session, brand)
    return batch_document(session, batches.create_batch(session, owner.id, provider, asset, actor))


def approved(session: Session, brand: str | None, number: int, actor: str) -> Document:
    """A batch, approved. Raises as `batches.approve_batch`."""
    owner = brand_named(session, brand)
    batch = batches.batch_numbered(session, owner.id, number)
    return batch_document(session, batches.approve_batch(session, owner.id, batch.id, actor))


def approved_one(session: Session, brand: str | None, reference: str, actor: str) -> Document:
    """A payout, approved. Raises as `approvals.approve`."""
    return act(session, brand, reference, partial(approvals.approve, actor=actor))


def exported(session: Session, brand: str | None, number: int, actor: str, locale: str | None) -> list[list[Cell]]:
    """The lines of a batch's file, in the brand's language if no other is named. Raises as `manual.export_batch`."""
    owner = brand_named(session, brand)
    batch = batches.batch_numbered(session, owner.id, number)
    return manual.export_batch(session, owner.id, batch.id, actor, locale or owner.locale)


def imported(session: Session, brand: str | None, file: Path, actor: str, number: int | None) -> Document:
    """What an import did. Raises as `read_sheet` and `manual.import_results`."""
    owner = brand_named(session, brand)
    return asdict(manual.import_results(session, owner.id, list(read_sheet(file)), actor, number))


def retried(session: Session, brand: str | None, reference: str, actor: str) -> Document:
    """A payout, due again; for an item reward that failed the new payout. Raises as `settling.retry`."""

    def again(session: Session, brand_id: UUID, payout_id: UUID) -> Payout:
        payout = payout_of(session, brand_id, payout_id, lock=True)
        failed_reward = payout.state == "failed" and payout.reward_id is not None
        return (redeem.give_again if failed_reward else settling.retry)(session, brand_id, payout_id, actor)

    return act(session, brand, reference, again)


def decided(
    session: Session, brand: str | None, reference: str, actor: str, paid: bool, number: str | None, reason: str | None
) -> Document:
    """A payout, as a person says it ended. Raises as `settling.decide`."""
    answer = Answer("completed", number) if paid else Answer("failed", number, reason or "decided")
    return act(session, brand, reference, partial(settling.decide, answer=answer, actor=actor))


async def asked(
    parts: Parts, brand: str | None, reference: str, ask: Callable[[PayoutRunner, UUID, UUID], Awaitable[Payout]]
) -> Document:
    """A payout after its provider was asked something."""
    payout = await parts.writer.run(lambda session: find(session, brand, reference))
    runner = PayoutRunner(parts.writer, parts.providers)
    try:
        after = await ask(runner, payout.brand_id, payout.id)
    finally:
        await runner.close()
    return await parts.writer.run(lambda session: document(session, after))


def rotate(writer: Writer) -> int:
    """Seal everything again with the newest key, a page a unit; how many values."""
    total = 0
    for of in SEALED:
        count, last = writer.run_sync(partial(vault.rotate, of=of, column="sealed"))
        total += count
        while last is not None:
            count, last = writer.run_sync(partial(vault.rotate, of=of, column="sealed", after=last))
            total += count
    return total


def _at(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
