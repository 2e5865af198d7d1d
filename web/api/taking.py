"""Units of work behind `POST`: orders and refunds taken in together with the answers that are kept for repeats."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from core.db import among_keys, table
from core.errors import Conflict
from referral import codes
from referral.campaigns import owners_of
from referral.conversions import Order, RefundOrder
from referral.orders import record_checked
from referral.refunds import record_refunds
from referral.touches import Touch
from web.api import shown
from web.api.answers import Answer, given, keep

T = TypeVar("T", Order, RefundOrder)


@dataclass(slots=True)
class Told(Generic[T]):
    """What one request tells. `key`: its `Idempotency-Key`, with the digest of the request; `click_id`: of an order."""

    what: T
    locale: str
    key: str | None = None
    digest: str = ""
    click_id: UUID | None = None


def take_orders(session: Session, told: Sequence[Told[Order]]) -> list[Answer]:
    """Record these orders, which were checked; a batch function of `core.writer`. Raises as `record_checked`, and what
    `_once` raises."""
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
    asking = {(one.what.brand_id, one.key) for one in told if one.key}
    if not asking:
        return record(session, told)
    before = given(session, asking)
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
    clicks = _clicks_of(session, {(one.what.brand_id, one.click_id) for one in told if one.click_id})
    typed = [one.what.code for one in told if one.click_id and one.what.code] if clicks else []
    owned = _brands_of(session, typed) if typed else {}
    orders = [_with_code(one, clicks, owned) for one in told]
    made = record_checked(session, orders)
    return [
        Answer(200 if result.repeated else 201, shown.conversion(line, one.locale))
        for one, result, line in zip(told, made, shown.recorded(session, orders, made), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Click:
    """With which invite code a click was made, and whether by a robot."""

    code: str
    robot: bool


def _clicks_of(session: Session, clicks: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], _Click]:
    """These (brand, click), as far as they were made with an invite code."""
    if not clicks:
        return {}
    t = table(Touch)
    rows = session.execute(
        select(t.c.brand_id, t.c.id, t.c.code, t.c.robot).where(
            among_keys(session, (t.c.brand_id, t.c.id), clicks), t.c.code.is_not(None)
        )
    )
    return {(brand_id, touch_id): _Click(code, robot) for brand_id, touch_id, code, robot in rows}


def _brands_of(session: Session, typed: Sequence[str]) -> dict[str, UUID]:
    """Whose invite codes these are, as they are kept."""
    read = [code for one in typed if (code := codes.read(one)) is not None]
    return {code: owner.brand_id for code, owner in owners_of(session, read).items()} if read else {}


def _with_code(one: Told[Order], clicks: Mapping[tuple[UUID, UUID], _Click], owned: Mapping[str, UUID]) -> Order:
    """The order with the code by which its buyer came: the one typed at the till if it is one of the brand's, else its
    click's. A click of another link than the code typed stays with the order, for the campaign's policy to weigh."""
    order = one.what
    click = clicks.get((order.brand_id, one.click_id)) if one.click_id else None
    if click is None:
        return order
    typed = codes.read(order.code) if order.code else None
    if typed is None or owned.get(typed) != order.brand_id:
        return replace(order, code=click.code, click_id=one.click_id)
    return order if typed == click.code or click.robot else replace(order, click_id=one.click_id)


def _record_refunds(session: Session, told: Sequence[Told[RefundOrder]]) -> list[Answer]:
    if not told:
        return []
    recorded = record_refunds(session, [one.what for one in told])
    rows = shown.refunds(session, [one.refund_id for one in recorded], [one.what.brand_id for one in told])
    return [
        Answer(200 if result.repeated else 201, shown.refund(rows[result.refund_id], one.locale))
        for one, result in zip(told, recorded, strict=True)
    ]
