"""Points become items, and item rewards are handed over: both are payouts, delivered by the item's kind.

Vouchers, promo codes and tickets are given in the same unit of work. Platform goods go through the outbox
(`goods.<platform>`), gifts through the payouts' runner, parcels wait for an address and somebody who ships them. What
cannot be delivered fails as any payout does: the points come back and the person is told why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import exists, select
from sqlmodel import Session, col

from core import clock
from core.db import table
from core.errors import BadInput, Refused
from core.events import Bus
from core.money import ITEM
from core.outbox import Message, put
from core.writer import announce
from referral.members import Identity, Member
from rewards.items import badges, draws, promo_codes, shipments, vouchers
from rewards.items.items import AT_ONCE, Item, find_item, items_of, put_back, take, taken_by
from rewards.items.kinds import LOCAL, ONE_AT_ONCE, PLATFORM_OF
from rewards.ledger import Purpose, balances_of
from rewards.payouts import opening
from rewards.payouts.opening import asked_before, deliver_item, lock_payable, lock_rewards, same
from rewards.payouts.payouts import Payout, PayoutFailed, payout_of
from rewards.payouts.port import Answer
from rewards.payouts.settling import conclude, note
from rewards.rewards import RewardReleased

log = structlog.get_logger()
POINTS = "PTS"
WAITING = ("sold_out", "no_draw", "needs_account", "no_group")
"""Why an item reward may have to wait; it is tried again until it can be given."""
TRIED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Offer:
    """An item as a member sees it. `left`: how many there are, None without a limit. `refusal`: the code of the reason
    why they cannot have it now (`error.<code>`), None if they can."""

    item: Item
    price: int
    left: int | None
    mine: int
    refusal: str | None


def listen(bus: Bus) -> None:
    """Hear of item rewards that are released, and of payouts that failed."""
    bus.on(RewardReleased, _on_released)
    bus.on(PayoutFailed, _on_failed)


def catalogue(session: Session, brand_id: UUID, member_id: UUID | None = None) -> list[Offer]:
    """What the brand gives for points now, cheapest first; for a member with what they may have."""
    taken = taken_by(session, brand_id, member_id) if member_id else {}
    have = balances_of(session, brand_id, member_id).get((Purpose.PAYABLE, POINTS), 0) if member_id else None
    offers = []
    for item in items_of(session, brand_id):
        if not item.active or item.price is None:
            continue
        left = _left(session, item)
        mine = taken.get(item.id, 0)
        refusal = _refusal(session, item, member_id, left, mine, have)
        if refusal != "no_group":  # nobody can have it until somebody connects the group
            offers.append(Offer(item, item.price, left, mine, refusal))
    return sorted(offers, key=lambda offer: (offer.price, offer.item.slug))


def _left(session: Session, item: Item, most: int | None = None) -> int | None:
    """How many there are, counted no further than to `most`; None without a limit."""
    if item.kind == "voucher":
        return vouchers.available(session, item.brand_id, item.id, most)
    return None if item.stock is None else item.stock - item.given


def _refusal(
    session: Session, item: Item, member_id: UUID | None, left: int | None, mine: int, have: int | None
) -> str | None:
    if left == 0:
        return "sold_out"
    if item.kind == "ticket" and draws.open_draw(session, item) is None:
        return "no_draw"
    if member_id is None or have is None:
        return None
    if item.per_member is not None and mine >= item.per_member:
        return "limit_reached"
    try:
        _check_platform(session, item, member_id)
    except Refused as refused:
        return refused.code
    return "too_few_points" if have < (item.price or 0) else None


def redeem(session: Session, brand_id: UUID, member_id: UUID, slug: str, key: str, quantity: int = 1) -> Payout:
    """A member's points become an item. Idempotent by the member's `key`: asking again gives the first payout.

    Raises `NotFound("item")`, `BadInput("item_quantity")`, `Conflict("payout_differs")`, `Refused`: not_for_sale,
    sold_out, limit_reached, too_few_points, needs_account, no_group, no_draw.
    """
    item = find_item(session, brand_id, slug)
    name = f"redeem/{member_id}/{key}"
    known = asked_before(session, brand_id, name)
    if known is not None:  # what it cost then counts: the price may have changed since
        return same(known, member_id, item.kind, POINTS, known.amount, item.id)
    if not item.active or item.price is None:
        raise Refused("not_for_sale", slug=slug)
    most = 1 if item.kind in ONE_AT_ONCE else AT_ONCE
    if not 1 <= quantity <= most:
        raise BadInput("item_quantity", most=most)
    _check_platform(session, item, member_id)
    left = _left(session, item, quantity)
    if left is not None and left < quantity:
        raise Refused("sold_out", slug=slug)  # said early, at the price of a look; what is given is decided below
    price = item.price * quantity
    try:
        payout = deliver_item(
            session,
            brand_id,
            member_id,
            provider=item.kind,
            asset=POINTS,
            amount=price,
            item_id=item.id,
            key=name,
            quantity=quantity,
            detail={"item": _shown(item)},
        )
    except Refused as refused:
        if refused.code == "above_available":
            raise Refused("too_few_points", price=price, have=refused.params["available"].minor) from None
        raise
    if payout.detail.get("taken"):  # by another process, which held the locks until now
        return payout
    return _fulfil(session, payout, item)


def _shown(item: Item) -> dict[str, object]:
    """What a provider sees of an item."""
    return {"slug": item.slug, "kind": item.kind, "settings": dict(item.settings)}


def _fulfil(session: Session, payout: Payout, item: Item) -> Payout:
    """Give what was paid for, or set the delivery going. Raises `Refused`: sold_out, limit_reached, no_draw,
    needs_account, no_group."""
    bought = payout.reward_id is None
    _check_platform(session, item, payout.member_id)
    take(session, item, payout.member_id, payout.quantity, limited=bought)
    payout.detail = {**payout.detail, "taken": payout.quantity}
    payout.reason = payout.due_at = None  # the runner has nothing to do with most of them
    session.add(payout)
    session.flush()
    match item.kind:
        case "voucher":
            vouchers.claim(session, item, payout.id, payout.quantity)
        case "promo_code":
            promo_codes.give(session, item, payout.member_id, payout.id, payout.quantity)
        case "ticket":
            draws.give(session, item, payout.member_id, payout.id, payout.quantity)
        case "physical":
            shipments.ask(session, item, payout.member_id, payout.id)
        case "telegram_gift":
            payout.due_at = clock.now()  # the payouts' runner sends it
            announce(session, opening.TOPIC)
        case _:
            order = {"do": "give", "brand": str(payout.brand_id), "payout": str(payout.id)}
            message = Message(badges.TOPIC + PLATFORM_OF[item.kind], f"goods/{payout.id}", order, payout.brand_id)
            put(session, [message])
    if item.kind in LOCAL:
        return conclude(session, payout.brand_id, payout.id, Answer("completed"), "start")
    return payout


def _check_platform(session: Session, item: Item, member_id: UUID) -> None:
    """Raises `Refused`: needs_account, no_group (the bot gives nothing in another brand's group)."""
    if item.kind not in PLATFORM_OF:
        return
    platform = PLATFORM_OF[item.kind]
    if account_of(session, item.brand_id, member_id, platform) is None:
        raise Refused("needs_account", platform=platform.title())
    if item.kind in badges.WORN and not badges.is_ours(session, item.brand_id, platform, item.settings["group"]):
        raise Refused("no_group")


def account_of(session: Session, brand_id: UUID, member_id: UUID, platform: str) -> str | None:
    """The member's account on a platform, the one last heard if there are several."""
    return session.scalar(
        select(col(Identity.account))
        .where(
            col(Identity.brand_id) == brand_id, col(Identity.member_id) == member_id, col(Identity.platform) == platform
        )
        .order_by(col(Identity.seen_at).desc())
        .limit(1)
    )


def _on_released(session: Session, happened: Sequence[RewardReleased]) -> None:
    for event in happened:
        if event.asset.startswith(ITEM):
            _hand_over(session, event)


def _hand_over(session: Session, event: RewardReleased) -> None:
    """An item reward is the member's now: its payout makes itself. What is owed of the item is settled first."""
    item = find_item(session, event.brand_id, event.asset.removeprefix(ITEM))
    lock_rewards(session, event.brand_id, event.member_id, event.asset, reward_id=event.reward_id)
    if _is_erased(session, event.brand_id, event.member_id):
        return
    due = min(event.amount, lock_payable(session, event.brand_id, event.member_id, event.asset))
    parts = [1] * due if item.kind in ONE_AT_ONCE else [due] * (due > 0)
    for number, amount in enumerate(parts):
        wanted = (event.brand_id, event.member_id, item, event.reward_id, amount)
        _give_reward(session, *wanted, f"reward/{event.reward_id}/{number}")


def _give_reward(
    session: Session, brand_id: UUID, member_id: UUID, item: Item, reward_id: UUID, amount: int, key: str
) -> Payout:
    payout = deliver_item(
        session,
        brand_id,
        member_id,
        provider=item.kind,
        asset=ITEM + item.slug,
        amount=amount,
        item_id=item.id,
        key=key,
        quantity=amount,
        reward_id=reward_id,
        detail={"item": _shown(item)},
    )
    _try(session, payout, item)
    return payout


def give_again(session: Session, brand_id: UUID, payout_id: UUID, actor: str) -> Payout:
    """Hand over an item reward whose payout failed, by a payout of its own: the new one.

    Asked again for the same failed payout it returns the same new one. Raises `Refused("payout_settled", state)` when
    nothing is owed: it did not fail or was no reward, was taken back since, another payout gives it, or its member was
    erased.
    """
    failed = payout_of(session, brand_id, payout_id, lock=True)
    if failed.state != "failed" or failed.reward_id is None:
        raise Refused("payout_settled", state=failed.state)
    key = f"{failed.key}/again"
    known = asked_before(session, brand_id, key)
    if known is not None:
        return known
    if _is_erased(session, brand_id, failed.member_id):
        raise Refused("payout_settled", state=failed.state)
    rewards = lock_rewards(session, brand_id, failed.member_id, failed.asset, reward_id=failed.reward_id)
    owed = sum(one.amount - one.taken_back - one.paid_out for one in rewards)
    amount = min(failed.amount, owed, lock_payable(session, brand_id, failed.member_id, failed.asset))
    if amount <= 0:
        raise Refused("payout_settled", state=failed.state)
    note(session, failed, "retry", Answer("failed", reason=failed.reason), actor)
    item = session.get_one(Item, (brand_id, failed.item_id))
    return _give_reward(session, brand_id, failed.member_id, item, failed.reward_id, amount, key)


def _is_erased(session: Session, brand_id: UUID, member_id: UUID) -> bool:
    """Whether the member was erased: nobody could ever see what they are given."""
    return session.get_one(Member, (brand_id, member_id)).erased_at is not None


def _try(session: Session, payout: Payout, item: Item) -> str | None:
    """Fulfil it, or let it wait; why it waits."""
    try:
        with session.begin_nested():
            _fulfil(session, payout, item)
    except Refused as error:
        payout.reason, payout.due_at = error.code, None
        session.add(payout)
        session.flush()
        return error.code
    return None


def deliver_waiting(session: Session) -> None:
    """Try again to hand over item rewards that wait for stock, a draw or an account, oldest first."""
    rows = session.execute(
        select(col(Payout.brand_id), col(Payout.item_id))
        .where(col(Payout.state) == "pending", col(Payout.reason).in_(WAITING), col(Payout.item_id).is_not(None))
        .distinct()
    ).all()
    for brand_id, item_id in rows:
        item = session.get(Item, (brand_id, item_id))
        assert item is not None
        for payout in _waiting(session, item):
            if _try(session, payout, item) in ("sold_out", "no_draw"):
                break


def _waiting(session: Session, item: Item) -> Sequence[Payout]:
    chosen = (
        select(Payout)
        .where(
            col(Payout.brand_id) == item.brand_id,
            col(Payout.item_id) == item.id,
            col(Payout.state) == "pending",
            col(Payout.reason).in_(WAITING),
        )
        .order_by(col(Payout.created_at), col(Payout.id))
        .limit(TRIED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    if item.kind in PLATFORM_OF:
        i = table(Identity)
        known = exists().where(
            i.c.brand_id == col(Payout.brand_id),
            i.c.member_id == col(Payout.member_id),
            i.c.platform == PLATFORM_OF[item.kind],
        )
        chosen = chosen.where(known)
    return session.scalars(chosen).all()


def _on_failed(session: Session, happened: Sequence[PayoutFailed]) -> None:
    """What was not delivered after all is there for others again."""
    for event in happened:
        if event.item_id is None:
            continue
        item = session.get(Item, (event.brand_id, event.item_id))
        payout = session.get(Payout, (event.brand_id, event.payout_id))
        assert item is not None
        assert payout is not None
        if payout.detail.get("taken"):
            put_back(session, item, payout.member_id, payout.quantity, limited=payout.reward_id is None)
        if item.kind == "physical":
            shipment = shipments.shipment_of(session, event.brand_id, event.payout_id)
            if shipment is not None and shipment.state in ("asked", "ready"):
                shipments.cancel(session, shipment)
