"""What a provider tells us unasked: read only after its signature was checked over the raw body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlmodel import Session, col

from rewards.payouts.payouts import Payout, PayoutEvent, payout_of
from rewards.payouts.port import Answer
from rewards.payouts.settling import conclude

log = structlog.get_logger()
Taken = Literal["taken", "repeated", "unknown", "differs"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One authentic notice about one payout.

    `key`: the provider's own number of the notice, the same when it is sent again. `amount`: minor units of `asset` as
    the provider has them, None where it does not say.
    """

    key: str
    reference: str
    answer: Answer
    asset: str | None = None
    amount: int | None = None


class NoticeRefused(Exception):
    """It is not authentic, too old, or cannot be read. `status` is what we answer; the text never quotes the notice."""

    def __init__(self, reason: str, status: int = 401) -> None:
        super().__init__(reason)
        self.status = status


@runtime_checkable
class Notifies(Protocol):
    """A provider that sends notices."""

    name: str
    not_ours: int
    """The status we answer to an authentic notice about a payout we do not have."""

    async def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """What it says; None for an authentic notice about something else. Raises `NoticeRefused`.

        headers: with lower-case names. Changes nothing.
        """

    def acknowledge(self, status: int) -> bytes:
        """The body of our answer with this status, as the provider expects it (JSON)."""


def take_in(session: Session, provider: str, notice: Notice) -> Taken:
    """Let a notice conclude its payout, once however often it is sent. A unit of work.

    Nothing changes when there is no such payout of this provider, or it is about another sum.
    """
    found = _payout(session, provider, notice.reference)
    if found is None:
        return "unknown"
    payout = payout_of(session, found.brand_id, found.id, lock=True)
    if (notice.asset or payout.asset, notice.amount) != (payout.asset, notice.amount and payout.amount):
        log.error("payout.notice_differs", payout=payout.reference, provider=provider)
        return "differs"
    if _heard(session, payout, notice.key):
        return "repeated"
    told = notice.answer
    answer = Answer(told.state, told.external_id, told.reason, {**told.detail, "notice": notice.key})
    conclude(session, payout.brand_id, payout.id, answer, "notice")
    return "taken"


def _payout(session: Session, provider: str, reference: str) -> Payout | None:
    """By reference alone: a notice knows no brand."""
    try:
        number = UUID(hex=reference)
    except ValueError:
        return None
    return session.scalars(
        select(Payout).where(col(Payout.id) == number, col(Payout.provider) == provider)
    ).one_or_none()


def _heard(session: Session, payout: Payout, key: str) -> bool:
    details = session.scalars(
        select(col(PayoutEvent.detail)).where(
            col(PayoutEvent.brand_id) == payout.brand_id,
            col(PayoutEvent.payout_id) == payout.id,
            col(PayoutEvent.kind) == "notice",
        )
    )
    return bool(key) and any(detail.get("notice") == key for detail in details)
