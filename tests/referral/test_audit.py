"""Every act of the staff stands in a chain that gives away whatever is changed in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from core import ids
from referral.audit import START, entries_of, record, verify_chain
from referral.brands import create_brand
from tests.house import House, later


def _brand(house: House) -> UUID:
    return house.do(lambda session: create_brand(session, "Acme")).id


def _execute(session: Session, statement: str) -> None:
    session.execute(text(statement))


def test_acts_follow_one_another_and_the_chain_holds(house: House) -> None:
    brand_id = _brand(house)
    member = ids.new()
    house.do(lambda s: record(s, brand_id, "telegram:7", "campaign.launch", "春茶", budget=500, who=member))
    with later(hours=1):
        house.do(lambda s: record(s, brand_id, "telegram:7", "campaign.pause", "春茶", half=0.5, odd="a\x00b", no=None))
    latest, first = house.ask(lambda s: entries_of(s, brand_id))
    assert (first.number, first.before, latest.number, latest.before) == (1, START, 2, first.hash)
    assert first.details == {"budget": 500, "who": str(member)}
    assert latest.details == {"half": "0.5", "odd": "ab", "no": None}
    assert house.ask(lambda s: verify_chain(s, brand_id)) == []
    assert [one.act for one in house.ask(lambda s: entries_of(s, brand_id, acts=["campaign.pause"]))] == [
        "campaign.pause"
    ]


def test_what_fails_leaves_no_entry(house: House) -> None:
    brand_id = _brand(house)

    def fails(session: Session) -> None:
        record(session, brand_id, "operator", "campaign.launch", "spring")
        raise ValueError

    with pytest.raises(ValueError):
        house.do(fails)
    house.do(lambda s: record(s, brand_id, "operator", "campaign.launch", "autumn"))
    assert [(one.number, one.subject) for one in house.ask(lambda s: entries_of(s, brand_id))] == [(1, "autumn")]


def test_two_processes_never_fork_the_chain(house: House) -> None:
    brand_id = _brand(house)
    other = House(house.url)

    def write(which: House, name: str) -> None:
        for number in range(10):
            which.do(partial(record, brand_id=brand_id, actor=name, act="campaign.edit", subject=str(number)))

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(write, house, "one"), pool.submit(write, other, "two")]:
            done.result(timeout=60)
    other.close()
    assert house.ask(lambda s: verify_chain(s, brand_id)) == []
    assert len(house.ask(lambda s: entries_of(s, brand_id))) == 20


def test_the_database_refuses_to_change_it_and_the_chain_tells_who_did_it_anyhow(house: House) -> None:
    brand_id = _brand(house)
    for number in range(5):
        house.do(partial(record, brand_id=brand_id, actor="operator", act="campaign.edit", subject=str(number)))
    for forbidden in ("UPDATE audit_entry SET actor = 'nobody'", "DELETE FROM audit_entry"):
        with pytest.raises(DBAPIError):
            house.do(partial(_execute, statement=forbidden))
    table = " ON audit_entry" if "postgresql" in house.url else ""
    names = ["audit_entry_not_changed", *([] if table else ["audit_entry_not_deleted"])]
    for name in names:
        house.do(partial(_execute, statement=f"DROP TRIGGER {name}{table}"))

    def tamper(statement: str) -> list[tuple[int, str]]:
        house.do(lambda s: s.execute(text(statement)))
        return [(one.number, one.what) for one in house.ask(lambda s: verify_chain(s, brand_id))]

    assert tamper("UPDATE audit_entry SET actor = 'nobody' WHERE number = 2") == [(2, "content")]
    assert tamper("UPDATE audit_entry SET actor = 'operator' WHERE number = 2") == []
    assert tamper("DELETE FROM audit_entry WHERE number = 5") == [(4, "head")]
    assert tamper("DELETE FROM audit_entry WHERE number = 3") == [(3, "missing"), (4, "head")]
    assert tamper("DELETE FROM audit_entry") == [(0, "head")]


def test_each_brand_has_its_own_chain(house: House) -> None:
    one, other = _brand(house), house.do(lambda s: create_brand(s, "Other")).id
    house.do(lambda s: record(s, one, "operator", "campaign.end", "spring"))
    assert house.ask(lambda s: entries_of(s, other)) == []
    assert house.ask(lambda s: verify_chain(s, other)) == []
