"""Draws: tickets, a secret that is committed to before the first of them, and winners anyone can compute again.

States: open → closed (at its time; the list of tickets is fixed) → revealed (seed, winners and prizes are known).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, UniqueConstraint, select, update
from sqlmodel import Field, Session, col

from core import clock, events, ids, money, vault
from core.db import Json, TenantRow, UtcDateTime, insert_all, table
from core.errors import BadInput, Conflict, NotFound, Refused
from core.money import LARGEST
from referral.members import keyed_hash
from rewards.items import draw_proof
from rewards.items.items import SLUG, TITLE_LENGTH, Item, find_item

MARK_LENGTH = 16
MOST_WINNERS = 1000
ENTROPY_LENGTH = 200
SEED_BYTES = 32


class Draw(TenantRow, table=True):
    """A draw among the tickets of one item.

    `commitment`: SHA-256 of the seed, public from the start. `sealed`: the seed until it is public. `entropy`: which
    public value, not known before the close, goes in as well. `prizes`: [{asset, amount, winners}], best first.
    """

    __tablename__ = "draw"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "item_id"], ["item.brand_id", "item.id"]),
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        UniqueConstraint("brand_id", "slug"),
        CheckConstraint("state IN ('open', 'closed', 'revealed')", name="state"),
        CheckConstraint("(state = 'revealed') = (seed IS NOT NULL)", name="seed_is_secret_until_revealed"),
        Index("ix_draw_item", "brand_id", "item_id", "state"),
        Index("ix_draw_due", "state", "closes_at"),
    )

    slug: str
    item_id: UUID
    campaign_id: UUID
    """Whose budget pays the prizes."""
    title: dict[str, str] = Field(sa_column=Column(Json, nullable=False))
    commitment: str
    sealed: str = Field(repr=False)
    seed: str | None = None
    entropy: str | None = None
    entropy_value: str | None = None
    prizes: list[dict[str, Any]] = Field(sa_column=Column(Json, nullable=False))
    tickets: int = 0
    tickets_digest: str | None = None
    winners: list[dict[str, Any]] | None = Field(default=None, sa_column=Column(Json))
    state: str = "open"
    opened_at: datetime = Field(sa_type=UtcDateTime)
    closes_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revealed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Ticket(TenantRow, table=True):
    """One chance. `number`: 1, 2, … within the draw. `person`: the member's mark in this draw, which names nobody."""

    __tablename__ = "ticket"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "draw_id"], ["draw.brand_id", "draw.id"]),
        ForeignKeyConstraint(["brand_id", "payout_id"], ["payout.brand_id", "payout.id"]),
        UniqueConstraint("brand_id", "draw_id", "number"),
        Index("ix_ticket_payout", "brand_id", "payout_id"),
        Index("ix_ticket_member", "brand_id", "member_id"),
    )

    draw_id: UUID
    number: int
    member_id: UUID
    person: str
    payout_id: UUID
    created_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class DrawMoved:
    """A draw is open (its commitment is public), closed (its list is fixed) or revealed."""

    brand_id: UUID
    draw_id: UUID
    slug: str
    state: str
    commitment: str
    tickets: int
    tickets_digest: str | None


@dataclass(frozen=True, slots=True)
class PrizeWon:
    """Somebody won. `number`: of the ticket."""

    brand_id: UUID
    draw_id: UUID
    campaign_id: UUID
    member_id: UUID
    place: int
    number: int
    asset: str
    amount: int


@dataclass(frozen=True, slots=True)
class Prize:
    """What each of so many `winners` gets, in minor units of `asset` (`item:<slug>` for an item)."""

    asset: str
    amount: int = 1
    winners: int = 1


def create_draw(
    session: Session,
    brand_id: UUID,
    slug: str,
    item: str,
    campaign_id: UUID,
    title: Mapping[str, str],
    prizes: Sequence[Prize],
    closes_at: datetime,
    entropy: str | None = None,
) -> Draw:
    """Open a draw; from now on its commitment is public. `entropy`: the words that say which public value will count.

    Raises `BadInput`: slug, draw_prizes, draw_entropy, draw_title, unknown_asset; `NotFound("item")`; `Refused`:
    not_tickets, draw_over; `Conflict`: draw_exists, draw_running.
    """
    if not SLUG.fullmatch(slug):
        raise BadInput("slug", slug=slug[:60])
    owner = find_item(session, brand_id, item)
    if owner.kind != "ticket":
        raise Refused("not_tickets", slug=item)
    if closes_at <= clock.now():
        raise Refused("draw_over")
    # It becomes the reason of each prize: one that cannot be read there would let nobody reveal the draw.
    if not title or not all(words.isprintable() and 0 < len(words) <= TITLE_LENGTH for words in title.values()):
        raise BadInput("draw_title")
    if entropy is not None and not 0 < len(entropy.strip()) <= ENTROPY_LENGTH:
        raise BadInput("draw_entropy", limit=ENTROPY_LENGTH)
    _check_prizes(session, brand_id, prizes)
    if session.scalar(select(col(Draw.id)).where(col(Draw.brand_id) == brand_id, col(Draw.slug) == slug)):
        raise Conflict("draw_exists", slug=slug)
    session.refresh(owner, with_for_update=True)  # of two draws of one item made at once the second waits, and is told
    if open_draw(session, owner) is not None:
        raise Conflict("draw_running", slug=item)
    seed, draw_id = secrets.token_hex(SEED_BYTES), ids.new()
    draw = Draw(
        brand_id=brand_id,
        id=draw_id,
        slug=slug,
        item_id=owner.id,
        campaign_id=campaign_id,
        title=dict(title),
        commitment=draw_proof.commitment_of(seed),
        sealed=vault.seal({"seed": seed}, bound_to=draw_id),
        entropy=entropy.strip() if entropy else None,
        prizes=[{"asset": prize.asset, "amount": prize.amount, "winners": prize.winners} for prize in prizes],
        opened_at=clock.now(),
        closes_at=closes_at,
    )
    session.add(draw)
    _tell(session, draw)
    return draw


def _check_prizes(session: Session, brand_id: UUID, prizes: Sequence[Prize]) -> None:
    if not prizes or sum(prize.winners for prize in prizes) > MOST_WINNERS:
        raise BadInput("draw_prizes", limit=MOST_WINNERS)
    for prize in prizes:
        if prize.winners < 1 or not 1 <= prize.amount <= LARGEST:
            raise BadInput("draw_prizes", limit=MOST_WINNERS)
        money.decimals(prize.asset)
        if prize.asset.startswith("item:"):
            find_item(session, brand_id, prize.asset.removeprefix("item:"))


def open_draw(session: Session, item: Item) -> Draw | None:
    """The draw that this item's tickets take part in now."""
    return session.scalar(
        select(Draw).where(
            col(Draw.brand_id) == item.brand_id,
            col(Draw.item_id) == item.id,
            col(Draw.state) == "open",
            col(Draw.closes_at) > clock.now(),
        )
    )


def find_draw(session: Session, brand_id: UUID, slug: str) -> Draw:
    """The brand's draw of this slug. Raises `NotFound("draw")`."""
    draw = session.scalar(select(Draw).where(col(Draw.brand_id) == brand_id, col(Draw.slug) == slug))
    if draw is None:
        raise NotFound("draw", slug=slug[:60])
    return draw


def draws_of(session: Session, brand_id: UUID) -> list[Draw]:
    """The brand's draws, the newest first."""
    return list(
        session.scalars(select(Draw).where(col(Draw.brand_id) == brand_id).order_by(col(Draw.opened_at).desc()))
    )


def give(session: Session, item: Item, member_id: UUID, payout_id: UUID, quantity: int) -> None:
    """Give the payout its tickets in the draw that is open. Raises `Refused("no_draw")`."""
    found = open_draw(session, item)
    t = table(Draw)
    last = (
        session.execute(
            update(t)
            .where(t.c.brand_id == found.brand_id, t.c.id == found.id)
            .where(t.c.state == "open", t.c.closes_at > clock.now())
            .values(tickets=t.c.tickets + quantity)
            .returning(t.c.tickets)
        ).scalar_one_or_none()
        if found is not None
        else None
    )
    if found is None or last is None:
        raise Refused("no_draw", slug=item.slug)
    session.expire(found, ["tickets"])
    person = mark_of(found.id, member_id)
    now = clock.now()
    rows = [
        {
            "brand_id": found.brand_id,
            "id": ids.new(),
            "draw_id": found.id,
            "number": number,
            "member_id": member_id,
            "person": person,
            "payout_id": payout_id,
            "created_at": now,
        }
        for number in range(last - quantity + 1, last + 1)
    ]
    insert_all(session, table(Ticket), rows)


def mark_of(draw_id: UUID, member_id: UUID) -> str:
    """What a member is called in the public list: a keyed hash, another one in each draw."""
    return keyed_hash(f"draw/{draw_id}", str(member_id))[:MARK_LENGTH]


def tickets_of(session: Session, brand_id: UUID, payout_id: UUID) -> list[Ticket]:
    """What a payout gave."""
    return list(
        session.scalars(
            select(Ticket)
            .where(col(Ticket.brand_id) == brand_id, col(Ticket.payout_id) == payout_id)
            .order_by(col(Ticket.number))
        )
    )


def close_due(session: Session) -> int:
    """Close the draws whose time has come; how many."""
    due = session.scalars(
        select(Draw)
        .where(col(Draw.state) == "open", col(Draw.closes_at) <= clock.now())
        .with_for_update(skip_locked=True)
    ).all()
    for draw in due:
        close(session, draw)
    return len(due)


def close(session: Session, draw: Draw) -> None:
    """Fix the list of tickets; a repeat changes nothing. Raises `Refused("draw_open")` before its time."""
    session.refresh(draw, with_for_update=True)
    if draw.state != "open":
        return
    if draw.closes_at > clock.now():
        raise Refused("draw_open", slug=draw.slug)
    draw.state, draw.closed_at = "closed", clock.now()
    draw.tickets_digest = draw_proof.tickets_digest(_listed(session, draw))
    session.add(draw)
    _tell(session, draw)


def _listed(session: Session, draw: Draw) -> list[dict[str, Any]]:
    """The tickets in order, as they are published."""
    rows = session.execute(
        select(col(Ticket.number), col(Ticket.person))
        .where(col(Ticket.brand_id) == draw.brand_id, col(Ticket.draw_id) == draw.id)
        .order_by(col(Ticket.number))
    )
    return [{"number": number, "person": person} for number, person in rows]


def reveal(session: Session, draw: Draw, entropy: str | None = None) -> list[PrizeWon]:
    """Make the seed public and name the winners; `rewards.items.prizes` hears of them and pays. Once.

    Raises `Refused`: draw_open, draw_changed (the list is not the one that was fixed); `BadInput`: entropy_needed,
    entropy_not_agreed; `Conflict("draw_revealed")`.
    """
    session.refresh(draw, with_for_update=True)
    if draw.state == "revealed":
        raise Conflict("draw_revealed", slug=draw.slug)
    if draw.state == "open":
        close(session, draw)
    if (draw.entropy is None) != (entropy is None):
        raise BadInput("entropy_needed" if entropy is None else "entropy_not_agreed", slug=draw.slug)
    listed = _listed(session, draw)
    if draw_proof.tickets_digest(listed) != draw.tickets_digest:
        raise Refused("draw_changed", slug=draw.slug)
    seed = str(vault.unseal(draw.sealed, bound_to=draw.id)["seed"])
    value = entropy.strip() if entropy else ""
    winners = draw_proof.winners_of(seed, value, listed, draw.prizes)
    draw.seed, draw.entropy_value, draw.winners = seed, value or None, winners
    draw.state, draw.revealed_at = "revealed", clock.now()
    session.add(draw)
    session.flush()
    owners = _owners(session, draw, [winner["number"] for winner in winners])
    won = [
        PrizeWon(
            draw.brand_id,
            draw.id,
            draw.campaign_id,
            owners[winner["number"]],
            winner["place"],
            winner["number"],
            winner["asset"],
            winner["amount"],
        )
        for winner in winners
    ]
    _tell(session, draw)
    events.emit(session, won)
    return won


def _owners(session: Session, draw: Draw, numbers: Sequence[int]) -> dict[int, UUID]:
    rows = session.execute(
        select(col(Ticket.number), col(Ticket.member_id)).where(
            col(Ticket.brand_id) == draw.brand_id, col(Ticket.draw_id) == draw.id, col(Ticket.number).in_(numbers)
        )
    )
    return dict(rows.all())


def document_of(session: Session, draw: Draw) -> dict[str, Any]:
    """What everybody may read, in the format of `rewards.items.draw_proof`; the seed only once it is revealed."""
    return {
        "format": draw_proof.FORMAT,
        "draw": draw.slug,
        "title": draw.title,
        "state": draw.state,
        "commitment": draw.commitment,
        "prizes": draw.prizes,
        "opened_at": draw.opened_at.isoformat(),
        "closes_at": draw.closes_at.isoformat(),
        "closed_at": draw.closed_at.isoformat() if draw.closed_at else None,
        "entropy": {"source": draw.entropy, "value": draw.entropy_value} if draw.entropy else None,
        "tickets_digest": draw.tickets_digest,
        "tickets": _listed(session, draw),
        "seed": draw.seed,
        "winners": draw.winners,
    }


def _tell(session: Session, draw: Draw) -> None:
    session.flush()
    moved = DrawMoved(draw.brand_id, draw.id, draw.slug, draw.state, draw.commitment, draw.tickets, draw.tickets_digest)
    events.emit(session, [moved])
