"""Carries payouts out: takes what is due, hands it to its provider, asks what became of it. May be killed anywhere.

Between the commit that marks a payout `processing` and the commit of the answer lies one call of the provider. Whoever
dies there leaves a lease behind; when it ends, somebody asks with `look_up`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal
from uuid import UUID

import structlog
from sqlalchemy import or_, select
from sqlmodel import Session, col

from core import clock
from core.errors import Refused, Unavailable
from core.writer import Writer
from referral.members import identities_of
from rewards.payouts import payees
from rewards.payouts.opening import TOPIC
from rewards.payouts.payouts import OPEN, SETTLED, Payee, Payout, PayoutEvent, payout_of
from rewards.payouts.port import Answer, PayoutOrder, Provider
from rewards.payouts.settling import ASKING, CANCEL_ASKED, TRIED, USUAL, Pace, cancel_payout, conclude, note

log = structlog.get_logger()
PARALLEL = 8

Step = Literal["start", "look_up"]
Asked = Literal["start", "look_up", "cancel"]


@dataclass(frozen=True, slots=True)
class Task:
    """A payout in our hands until the lease ends, and what to do with it."""

    step: Step
    provider: str
    order: PayoutOrder


class PayoutRunner:
    """Serves the payouts of the providers it is given, `parallel` at a time, until stopped."""

    def __init__(
        self,
        writer: Writer,
        providers: Mapping[str, Provider],
        *,
        parallel: int = PARALLEL,
        poll: float = 2.0,
        pace: Pace = USUAL,
    ) -> None:
        self._writer = writer
        self._providers = dict(providers)
        self._parallel = parallel
        self._poll = poll
        self._pace = pace
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        writer.on_commit(self._committed)

    async def run(self) -> None:
        """Carry out what is due until `stop`; calls in hand are finished first."""
        self._loop = asyncio.get_running_loop()
        while not self._stopping:
            self._wake.clear()
            if not await self.run_due():
                try:
                    await asyncio.wait_for(self._wake.wait(), self._poll)
                except TimeoutError:
                    continue

    async def run_due(self) -> int:
        """One round; how many payouts were taken. A database that is away costs only this round."""
        if not self._providers:
            return 0
        taken = time.monotonic()
        try:
            tasks = await self._writer.run(
                lambda session: claim(session, list(self._providers), self._parallel, self._pace)
            )
        except Unavailable as error:
            log.warning("payout.put_off", error=error.code)
            return 0
        await asyncio.gather(*(self._carry_out(task, taken) for task in tasks))
        return len(tasks)

    async def look_up(self, brand_id: UUID, payout_id: UUID, actor: str | None = None) -> Payout:
        """Ask now what became of a payout, whenever it is due. Raises `Refused("provider_unknown" | "not_sent")`."""
        name, order = await self._writer.run(lambda session: _sent_order(session, brand_id, payout_id))
        answer = await self._ask("look_up", self._provider(name), order)
        return await self._take_in(order, answer, "look_up", actor)

    async def cancel(self, brand_id: UUID, payout_id: UUID, actor: str) -> Payout:
        """Stop a payout: at once while nobody has it, else by asking the provider.

        Raises `Refused`: payout_settled, cannot_cancel, provider_unknown, not_sent. What the provider answers is taken
        in as any answer: the payout may turn out to be completed. From now on it is not handed over again in any case.
        """
        try:
            return await self._writer.run(lambda session: cancel_payout(session, brand_id, payout_id, actor))
        except Refused as refused:
            if refused.code != "payout_sent":
                raise
        name, order = await self._writer.run(lambda session: _sent_order(session, brand_id, payout_id, stop=True))
        provider = self._provider(name)
        if not provider.can_cancel:
            raise Refused("cannot_cancel", provider=name)
        answer = await self._ask("cancel", provider, order)
        return await self._take_in(order, answer, "cancel", actor)

    def stop(self) -> None:
        """Finish the calls in hand, then return from `run`."""
        self._stopping = True
        self._wake.set()

    async def close(self) -> None:
        """Let the providers' connections go."""
        for provider in self._providers.values():
            await provider.close()

    def _provider(self, name: str) -> Provider:
        if name not in self._providers:
            raise Refused("provider_unknown", provider=name)
        return self._providers[name]

    def _committed(self, topics: set[str]) -> None:
        """Called in the writer's thread."""
        if self._loop is not None and TOPIC in topics and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    async def _carry_out(self, task: Task, taken: float) -> None:
        order = task.order
        if task.step == "start" and time.monotonic() - taken > self._pace.lease.total_seconds() / 2:
            return  # too late to be sure that nobody else asks meanwhile; the look-up will find that it never left
        answer = await self._ask(task.step, self._providers[task.provider], order)
        if task.step == "start" and answer.state == "not_found":
            answer = Answer("unknown", answer.external_id, answer.reason, answer.detail)
        try:
            await self._take_in(order, answer, task.step)
        except Unavailable as error:
            log.warning("payout.answer_lost", payout=order.reference, error=error.code)

    async def _take_in(self, order: PayoutOrder, answer: Answer, kind: Asked, actor: str | None = None) -> Payout:
        more = partial(conclude, actor=actor, pace=self._pace, attempts=order.attempts)
        return await self._writer.run(lambda session: more(session, order.brand_id, order.id, answer, kind))

    async def _ask(self, what: Asked, provider: Provider, order: PayoutOrder) -> Answer:
        """The provider's answer; whatever goes wrong is `unknown`. Errors are logged by their names: their words could
        hold what the payee told us."""
        try:
            async with asyncio.timeout(self._pace.lease.total_seconds() / 2):
                match what:
                    case "start":
                        return await provider.start(order)
                    case "look_up":
                        return await provider.look_up(order)
                    case "cancel":
                        return await provider.cancel(order)
        except Exception as error:
            reason = "timeout" if isinstance(error, TimeoutError) else "no_answer"
            log.warning("payout.no_answer", payout=order.reference, asked=what, error=type(error).__name__)
            return Answer("unknown", reason=reason)


def claim(session: Session, providers: Sequence[str], limit: int, pace: Pace = USUAL) -> list[Task]:
    """Take up to `limit` due payouts of these providers for the length of the lease, longest due first.

    What is to be started is marked `processing` here: when this is committed, it may have been paid.
    """
    now = clock.now()
    due = session.scalars(
        select(Payout)
        .where(
            col(Payout.state).in_(OPEN),
            col(Payout.due_at) <= now,
            col(Payout.provider).in_(providers),
            or_(col(Payout.approved), col(Payout.state) != "pending"),
        )
        .order_by(col(Payout.due_at), col(Payout.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    return [task for payout in due if (task := _take(session, payout, pace)) is not None]


def _take(session: Session, payout: Payout, pace: Pace) -> Task | None:
    now = clock.now()
    step: Step = "start" if payout.state == "pending" else "look_up"
    try:
        details = _details(session, payout)
    except Unavailable as error:
        # Its key is missing: only this one waits, until somebody has set it and says `retry`.
        log.error("payout.sealed", payout=payout.reference)
        payout.due_at, payout.reason = None, "sealed"
        note(session, payout, step, Answer("unknown", reason=error.code))
        session.add(payout)
        session.flush()
        return None
    payout.due_at = now + pace.lease
    if step == "start":
        payout.state, payout.reason = "processing", ASKING
        payout.attempts += 1
        payout.sent_at = payout.sent_at or now
        payout.detail = {**payout.detail, TRIED: now.isoformat()}
        session.add(
            PayoutEvent(
                brand_id=payout.brand_id,
                payout_id=payout.id,
                kind="start",
                state="processing",
                reason=ASKING,
                at=now,
            )
        )
    elif payout.reason == ASKING:
        payout.state, payout.reason = "unknown", "no_answer"
    session.add(payout)
    session.flush()
    return Task(step, payout.provider, _order(session, payout, details))


def order_of(session: Session, payout: Payout) -> PayoutOrder:
    """The payout as its provider sees it. Raises `Unavailable("sealed")`."""
    return _order(session, payout, _details(session, payout))


def _details(session: Session, payout: Payout) -> dict[str, str]:
    payee = session.get(Payee, (payout.brand_id, payout.payee_id)) if payout.payee_id else None
    return payees.details_of(payee) if payee else {}


def _order(session: Session, payout: Payout, details: dict[str, str]) -> PayoutOrder:
    accounts: dict[str, str] = {}
    for identity in identities_of(session, payout.brand_id, [payout.member_id]):
        accounts.setdefault(identity.platform, identity.account)
    return PayoutOrder(
        brand_id=payout.brand_id,
        id=payout.id,
        reference=payout.reference,
        asset=payout.asset,
        amount=payout.amount,
        payee=details,
        item=payout.detail.get("item"),
        accounts=accounts,
        note=str(payout.detail.get("note", "")),
        external_id=payout.external_id,
        detail=payout.detail,
        attempts=payout.attempts,
        sent_at=payout.sent_at.isoformat() if payout.sent_at else None,
    )


def _sent_order(session: Session, brand_id: UUID, payout_id: UUID, *, stop: bool = False) -> tuple[str, PayoutOrder]:
    payout = payout_of(session, brand_id, payout_id, lock=True)
    if payout.state in SETTLED:
        raise Refused("payout_settled", state=payout.state)
    if not payout.attempts:
        raise Refused("not_sent")
    if stop:
        payout.detail = {**payout.detail, CANCEL_ASKED: True}
        session.add(payout)
        session.flush()
    return payout.provider, order_of(session, payout)
