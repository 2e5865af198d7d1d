"""A session kept to one brand: what names that brand goes through, whatever else is refused before it is asked."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Select, and_, exists, func, or_, select, text, tuple_, union_all
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core import clock, tenants
from core.db import among, among_keys, table
from core.tenants import Unbound
from referral.brands import Brand, create_brand
from referral.campaigns import Campaign
from referral.members import Account, Identity, Member, meet
from referral.users.accounts import User, UserRole
from tests.house import House

Query = Callable[[Session, UUID], object]
m, i, b, r = table(Member), table(Identity), table(Brand), table(UserRole)
other = aliased(Member)


def _cte(brand: UUID) -> Select[tuple[UUID]]:
    ours = select(m.c.brand_id, m.c.id).where(m.c.brand_id == brand).cte("ours")
    return select(i.c.account).join(ours, and_(i.c.brand_id == ours.c.brand_id, i.c.member_id == ours.c.id))


GOOD: dict[str, Query] = {
    "a row by its key": lambda s, brand: s.get(Member, (brand, uuid4())),
    "all rows": lambda s, brand: s.scalars(select(Member).where(col(Member.brand_id) == brand)).all(),
    "the brand itself": lambda s, brand: s.get(Brand, brand),
    "a join": lambda s, brand: s.execute(
        select(Member, Identity)
        .join(Identity, and_(col(Identity.brand_id) == col(Member.brand_id), col(Identity.member_id) == col(Member.id)))
        .where(col(Member.brand_id) == brand)
    ).all(),
    "an outer join": lambda s, brand: s.execute(
        select(m.c.id, i.c.account)
        .outerjoin(i, and_(i.c.brand_id == m.c.brand_id, i.c.member_id == m.c.id))
        .where(m.c.brand_id == brand)
    ).all(),
    "a table twice": lambda s, brand: s.execute(
        select(col(Member.id), col(other.id))
        .join(other, col(other.brand_id) == col(Member.brand_id))
        .where(col(Member.brand_id) == brand)
    ).all(),
    "whether there is one": lambda s, brand: s.execute(
        select(m.c.id).where(m.c.brand_id == brand, exists().where(i.c.brand_id == m.c.brand_id))
    ).all(),
    "a figure beside": lambda s, brand: s.execute(
        select(
            m.c.id,
            select(func.count())
            .select_from(i)
            .where(i.c.brand_id == m.c.brand_id, i.c.member_id == m.c.id)
            .scalar_subquery(),
        ).where(m.c.brand_id == brand)
    ).all(),
    "a table made on the way": lambda s, brand: s.execute(
        select(func.count()).select_from(select(m.c.id).where(m.c.brand_id == brand).subquery())
    ).all(),
    "a named one": lambda s, brand: s.execute(_cte(brand)).all(),
    "two together": lambda s, brand: s.execute(
        union_all(*(select(m.c.id).where(m.c.brand_id == brand) for _ in range(2)))
    ).all(),
    "many keys": lambda s, brand: s.execute(
        select(m.c.id).where(among_keys(s, (m.c.brand_id, m.c.id), [(brand, uuid4()), (brand, uuid4())]))
    ).all(),
    "many pairs": lambda s, brand: s.execute(
        select(m.c.id).where(tuple_(m.c.brand_id, m.c.id).in_([(brand, uuid4()), (brand, uuid4())]))
    ).all(),
    "one of a list": lambda s, brand: s.execute(select(m.c.id).where(among(s, m.c.brand_id, [brand]))).all(),
    "past the session": lambda s, brand: s.connection().execute(select(m.c.id).where(m.c.brand_id == brand)).all(),
    "as text": lambda s, brand: (
        s.execute(text("SELECT id FROM member WHERE brand_id = :brand"), {"brand": brand.hex}).all()
        if s.get_bind().dialect.name == "sqlite"
        else s.execute(text("SELECT id FROM member WHERE brand_id = :brand"), {"brand": brand}).all()
    ),
    "people who sign in for it": lambda s, brand: s.execute(
        select(table(User).c.name).join(r, r.c.user_id == table(User).c.id).where(r.c.brand_id == brand)
    ).all(),
    "nothing of anybody": lambda s, brand: s.execute(select(func.now())).all(),
}


def _unheld_join(s: Session, brand: UUID) -> object:
    return s.execute(select(m.c.id, i.c.account).join(i, i.c.member_id == m.c.id).where(m.c.brand_id == brand)).all()


BAD: dict[str, Query] = {
    "no brand": lambda s, brand: s.execute(select(m.c.id)).all(),
    "another brand": lambda s, brand: s.scalars(select(Member).where(col(Member.brand_id) == uuid4())).all(),
    "another brand's row": lambda s, brand: s.get(Member, (uuid4(), uuid4())),
    "all brands": lambda s, brand: s.execute(select(b.c.name)).all(),
    "this brand or any": lambda s, brand: s.execute(
        select(m.c.id).where(or_(m.c.brand_id == brand, m.c.name == "Bob"))
    ).all(),
    "not this brand": lambda s, brand: s.execute(select(m.c.id).where(m.c.brand_id != brand)).all(),
    "a join by another key": _unheld_join,
    "an outer join that holds the wrong side": lambda s, brand: s.execute(
        select(m.c.id, i.c.account).outerjoin(
            i, and_(i.c.brand_id == m.c.brand_id, m.c.brand_id == brand, i.c.brand_id == brand)
        )
    ).all(),
    "a second table without": lambda s, brand: s.execute(
        select(col(Member.id), col(other.id)).where(col(Member.brand_id) == brand)
    ).all(),
    "whether anybody has one": lambda s, brand: s.execute(
        select(m.c.id).where(m.c.brand_id == brand, exists().where(i.c.account == m.c.name))
    ).all(),
    "a figure over all": lambda s, brand: s.execute(
        select(m.c.id, select(func.count()).select_from(i).scalar_subquery()).where(m.c.brand_id == brand)
    ).all(),
    "the same table within": lambda s, brand: s.execute(
        select(m.c.id).where(m.c.brand_id == brand, m.c.name.in_(select(m.c.name)))
    ).all(),
    "a table made of all": lambda s, brand: s.execute(
        select(func.count()).select_from(select(m.c.id, m.c.brand_id).subquery())
    ).all(),
    "a table made of all, held too late": lambda s, brand: s.execute(
        select(func.count()).select_from(sub := select(m.c.id, m.c.brand_id).subquery()).where(sub.c.brand_id == brand)
    ).all(),
    "one of two": lambda s, brand: s.execute(
        union_all(select(m.c.id).where(m.c.brand_id == brand), select(m.c.id))
    ).all(),
    "keys of several": lambda s, brand: s.execute(
        select(m.c.id).where(among_keys(s, (m.c.brand_id, m.c.id), [(brand, uuid4()), (uuid4(), uuid4())]))
    ).all(),
    "pairs of several": lambda s, brand: s.execute(
        select(m.c.id).where(tuple_(m.c.brand_id, m.c.id).in_([(brand, uuid4()), (uuid4(), uuid4())]))
    ).all(),
    "past the session": lambda s, brand: s.connection().execute(select(m.c.id)).all(),
    "as text": lambda s, brand: s.execute(text("SELECT id FROM member")).all(),
    "to the driver": lambda s, brand: s.connection().exec_driver_sql("SELECT id FROM campaign").all(),
    "people who sign in, beside another's roles": lambda s, brand: s.execute(
        select(table(User).c.email).join(r, r.c.user_id != table(User).c.id).where(r.c.brand_id == brand)
    ).all(),
    "people who sign in, and whoever has no role": lambda s, brand: s.execute(
        select(table(User).c.email)
        .join(r, and_(r.c.user_id == table(User).c.id, r.c.brand_id == brand), full=True)
        .where(r.c.brand_id == brand)
    ).all(),
    "people who sign in": lambda s, brand: s.execute(select(table(User).c.email)).all(),
    "a change": lambda s, brand: s.execute(table(Campaign).update().values(state="ended")),
    "a removal": lambda s, brand: s.execute(table(Campaign).delete()),
}


@pytest.fixture
def brand(house: House) -> UUID:
    def unit(session: Session) -> UUID:
        made = create_brand(session, "Acme", slug="acme")
        meet(session, made.id, [Account("telegram", "bob", "Bob")], [clock.now()], "message")
        create_brand(session, "Else", slug="else")
        return made.id

    return house.do(unit)


def test_what_names_the_brand_goes_through(house: House, brand: UUID) -> None:
    def ask(session: Session) -> list[str]:
        refused = []
        for name, query in [*GOOD.items(), *GOOD.items()]:
            try:
                with tenants.only(session, brand):
                    query(session, brand)
            except Unbound:
                refused.append(name)
        return refused

    assert house.ask(ask) == []


def test_whatever_might_be_another_brands_is_refused(house: House, brand: UUID) -> None:
    def ask(session: Session) -> list[str]:
        let_through = []
        for name, query in [*BAD.items(), *BAD.items()]:
            try:
                with tenants.only(session, brand):
                    query(session, brand)
                let_through.append(name)
            except Unbound:
                continue
        return let_through

    assert house.ask(ask) == []


def test_only_this_thread_and_only_as_long_as_it_lasts(house: House, brand: UUID) -> None:
    def ask(session: Session) -> int:
        with tenants.only(session, brand):
            one = len(session.scalars(select(Member).where(col(Member.brand_id) == brand)).all())
            apart = house.ask(lambda other: len(other.scalars(select(Member)).all()))
            assert apart == one, "the same thread is bound whatever session it asks"
        return len(session.scalars(select(Brand)).all())

    with pytest.raises(Unbound):
        house.ask(ask)

    def after(session: Session) -> int:
        with pytest.raises(Unbound), tenants.only(session, brand):
            session.scalars(select(Brand)).all()
        return len(session.scalars(select(Brand)).all())

    assert house.ask(after) == 2


def test_the_values_of_a_statement_that_is_known_are_compared_again(house: House, brand: UUID) -> None:
    def named(session: Session, wanted: UUID) -> int:
        with tenants.only(session, brand):
            return len(session.scalars(select(Member).where(col(Member.brand_id) == wanted)).all())

    assert house.ask(lambda session: named(session, brand)) == 1
    with pytest.raises(Unbound):
        house.ask(lambda session: named(session, uuid4()))
