"""Units of work behind `POST`: orders and refunds taken in together with the answers that are kept for repeats."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from core.db import among_keys, table
from core.errors import BadInput, Conflict
from referral.conversions import Order, RefundOrder
from referral.orders import record_orders
from referral.refunds import record_refunds
from referral.touches import Touch
from web.api import shown
from web.api.answers import Answer, given, keep

T = TypeVar("T", Order, RefundOrder)


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """What one request tells. `key`: its `Idempotency-Key`, with the digest of the request; `click_id`: of an order."""

    what: T
    locale: str
    key: str | None = None
    digest: str = ""
    click_id: UUID | None = None


def take_orders(session: Session, told: Sequence[Told[Order]]) -> list[Answer]:
    """Record these orders; a batch function of `core.writer`. Raises as `record_orders`, and what `_once` raises."""
    return _once(session, told, _record_orders)


def take_many(session: Session, told: Sequence[Sequence[Told[Order]]]) -> list[list[Answer]]:
    """`take_orders` of those that came together, all of each or none; a batch function of `core.writer`."""
    return [take_orders(session, one) for one in told]


def take_refunds(session: Session, told: Sequence[Told[RefundOrder]]) -> list[Answer]:
    """Record these refunds; a batch function of `core.writer`. Raises as `record_refunds`, and what `_once` raises."""
    return _once(session, told, _record_refunds)


def _once(
    session: Session, told: Sequence[Told[T]], record: Callable[[Session, Sequence[Told[T]]], list[Answer]]
) -> list[Answer]:
    """Do what was not done under the same key before. Raises `Conflict("idempotency_key")` for another request under
    a key that was used."""
    before = given(session, {(one.what.brand_id, one.key) for one in told if one.key})
    fresh: list[Told[T]] = []
    asked: dict[tuple[UUID, str], Told[T]] = {}
    for one in told:
        name = (one.what.brand_id, one.key or "")
        known = before[name][0] if name in before else asked[name].digest if name in asked else None
        if one.key and known is not None:
            if known != one.digest:
                raise Conflict("idempotency_key", given=one.key[:60])
            continue
        fresh.append(one)
        if one.key:
            asked[name] = one
    made = dict(zip(map(id, fresh), record(session, fresh), strict=True))
    keep(session, {name: (one.digest, made[id(one)]) for name, one in asked.items()})
    answers = []
    for one in told:
        name = (one.what.brand_id, one.key or "")
        if id(one) in made:
            answers.append(made[id(one)])
        elif name in before:
            answers.append(before[name][1])
        else:
            answers.append(replace(made[id(asked[name])], repeated=True))
    return answers


def _record_orders(session: Session, told: Sequence[Told[Order]]) -> list[Answer]:
    if not told:
        return []
    codes = _codes_of(session, {(one.what.brand_id, one.click_id) for one in told if one.click_id})
    orders = [_with_code(one, codes) for one in told]
    made = record_orders(session, orders)
    return [
        Answer(200 if result.repeated else 201, shown.conversion(line, one.locale))
        for one, result, line in zip(told, made, shown.recorded(session, orders, made), strict=True)
    ]


def _codes_of(session: Session, clicks: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], str]:
    """The invite code that each (brand, click) was made with."""
    if not clicks:
        return {}
    t = table(Touch)
    rows = session.execute(
        select(t.c.brand_id, t.c.id, t.c.code).where(
            among_keys(session, (t.c.brand_id, t.c.id), clicks), t.c.code.is_not(None)
        )
    )
    return {(brand_id, touch_id): code for brand_id, touch_id, code in rows}


def _with_code(one: Told[Order], codes: Mapping[tuple[UUID, UUID], str]) -> Order:
    """The order with the code its click was made with. Raises `BadInput("click_and_code")` where the two differ."""
    if one.click_id is None:
        return one.what
    clicked = codes.get((one.what.brand_id, one.click_id))
    if clicked is None:
        return one.what
    if one.what.code is not None and one.what.code != clicked:
        raise BadInput("click_and_code")
    return replace(one.what, code=clicked, click_id=one.click_id if one.what.code is None else None)


def _record_refunds(session: Session, told: Sequence[Told[RefundOrder]]) -> list[Answer]:
    if not told:
        return []
    recorded = record_refunds(session, [one.what for one in told])
    rows = shown.refunds(session, [one.refund_id for one in recorded], [one.what.brand_id for one in told])
    return [
        Answer(200 if result.repeated else 201, shown.refund(rows[result.refund_id], one.locale))
        for one, result in zip(told, recorded, strict=True)
    ]
