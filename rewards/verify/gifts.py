"""What items gave: as many vouchers, promo codes and tickets as a payout was for, each by a payout of its own item."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import and_, exists, func, or_, select
from sqlmodel import Session, SQLModel

from core.db import table
from rewards.items.draws import Draw, Ticket
from rewards.items.items import Item
from rewards.items.promo_codes import PromoCode
from rewards.items.vouchers import Voucher
from rewards.payouts.payouts import Payout
from rewards.verify.linked import Linked
from rewards.verify.problem import Problem, stream

GIVEN: dict[str, type[SQLModel]] = {"voucher": Voucher, "promo_code": PromoCode, "ticket": Ticket}
"""What an item of each local kind gives, in the unit of work that takes its price."""


def counted(session: Session) -> Iterator[Problem]:
    """Payouts that gave more or less than they were for; what did not complete gave nothing."""
    payout, item = table(Payout), table(Item)
    for kind, model in GIVEN.items():
        given = table(model)
        # Codes are numbered within their payout; tickets within their draw.
        last = func.max(given.c.number) if kind != "ticket" else func.count()
        sums = (
            select(given.c.brand_id, given.c.payout_id, func.count().label("given"), last.label("last"))
            .where(given.c.payout_id.is_not(None))
            .group_by(given.c.brand_id, given.c.payout_id)
            .subquery("sums")
        )
        many = func.coalesce(sums.c.given, 0)
        found = (
            select(payout.c.id, payout.c.state, payout.c.quantity, many.label("given"))
            .join(item, and_(item.c.brand_id == payout.c.brand_id, item.c.id == payout.c.item_id))
            .outerjoin(sums, and_(sums.c.brand_id == payout.c.brand_id, sums.c.payout_id == payout.c.id))
            .where(
                item.c.kind == kind,
                or_(
                    and_(payout.c.state == "completed", many != payout.c.quantity),
                    sums.c.last != many,
                    and_(payout.c.state != "completed", many != 0),
                ),
            )
        )
        for row in stream(session, found):
            detail = f"is {row.state}, for {row.quantity} of its item, and gave {row.given}"
            yield Problem("given", "payout", str(row.id), detail)


def theirs(session: Session) -> Iterator[Problem]:
    """Vouchers, promo codes and tickets of another item or of nobody's payout, or that somebody else has."""
    payout, draw, linked = table(Payout), table(Draw), Linked(session)
    for model in GIVEN.values():
        given = table(model)
        owner = given.c.member_id if "member_id" in given.c else payout.c.member_id
        found = select(given.c.brand_id, given.c.id, owner.label("owner"), payout.c.member_id, payout.c.item_id)
        if model is Ticket:
            found = found.add_columns(draw.c.item_id.label("own_item"))
            found = found.outerjoin(draw, and_(draw.c.brand_id == given.c.brand_id, draw.c.id == given.c.draw_id))
            own = draw.c.item_id
        else:
            own = given.c.item_id
            found = found.add_columns(own.label("own_item"))
        found = found.outerjoin(
            payout, and_(payout.c.brand_id == given.c.brand_id, payout.c.id == given.c.payout_id)
        ).where(
            given.c.payout_id.is_not(None),
            or_(payout.c.id.is_(None), own.is_(None), payout.c.item_id != own, payout.c.member_id != owner),
        )
        for row in stream(session, found):
            if row.own_item is None or row.item_id != row.own_item:
                yield Problem("item", given.name, str(row.id), "was given by a payout of another item, or of none")
            elif not linked.are(row.brand_id, row.member_id, row.owner):
                yield Problem("owner", given.name, str(row.id), "does not belong to the member of its payout")


def states(session: Session) -> Iterator[Problem]:
    """Vouchers that are given to nobody, or not given and somebody's, or in no pool."""
    t, item = table(Voucher), table(Item)
    pool = exists().where(item.c.brand_id == t.c.brand_id, item.c.id == t.c.item_id, item.c.kind == "voucher")
    found = select(t.c.id, t.c.state).where(
        or_(
            ~pool,
            (t.c.state == "given") != t.c.payout_id.is_not(None),
            t.c.payout_id.is_(None) != t.c.number.is_(None),
            t.c.state.not_in(("available", "given", "expired")),
        )
    )
    for row in stream(session, found):
        yield Problem("state", "voucher", str(row.id), f"is {row.state}, which is not what its payout or its pool says")


CHECKS = (counted, theirs, states)
