"""Blocks: every transfer is sealed once, whoever writes and however late it commits, and what is sealed stays."""

from __future__ import annotations

import threading
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from core import clock, events
from core.db import is_sqlite, make_engine, table
from core.outbox import Outbox
from core.writer import Writer
from referral.brands import Brand, create_brand
from rewards.ledger import Account, Move, Purpose, Transfer, transfer
from rewards.proofs import blocks
from rewards.proofs.blocks import Block, PublishedRoot, SealedTransfer, UnsealedTransfer
from rewards.proofs.merkle import START, header_hash, root_of
from tests.house import House, later


@pytest.fixture
def brand(house: House) -> Brand:
    return house.do(lambda session: create_brand(session, "Acme"))


def moves(brand: Brand, first: int, count: int) -> list[Move]:
    outside = Account(brand.id, brand.id, Purpose.EXTERNAL, "PTS")
    return [
        Move(f"fund/{number}", "fund", outside, Account(brand.id, brand.id, Purpose.BUDGET, "PTS"), number + 1)
        for number in range(first, first + count)
    ]


def book(house: House, brand: Brand, first: int, count: int) -> None:
    house.do(lambda session: transfer(session, moves(brand, first, count)))


def seal_all(house: House) -> list[int]:
    """How many transfers each block took."""
    taken = []
    while count := house.do(blocks.seal_due):
        taken.append(count)
    return taken


def chain(house: House, brand: Brand) -> list[Block]:
    t = table(Block)
    return house.ask(
        lambda session: list(session.scalars(select(Block).where(t.c.brand_id == brand.id).order_by(t.c.height)))
    )


def counted(house: House) -> dict[str, int]:
    def count(session: Session) -> dict[str, int]:
        tables: dict[str, type[SQLModel]] = {
            "transfers": Transfer,
            "sealed": SealedTransfer,
            "waiting": UnsealedTransfer,
        }
        return {
            name: session.scalar(select(func.count()).select_from(table(model))) or 0 for name, model in tables.items()
        }

    return house.ask(count)


def test_each_block_carries_the_hash_of_the_one_before_and_the_root_of_its_transfers(
    house: House, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "LARGEST_BLOCK", 5)
    book(house, brand, 0, 12)
    assert seal_all(house) == [5, 5, 2]
    made = chain(house, brand)
    assert [block.height for block in made] == [0, 1, 2]
    assert [block.previous for block in made] == [START, made[0].hash, made[1].hash]
    assert all(block.hash == header_hash(blocks.header(block)) for block in made)
    moved, entry = table(Transfer), table(SealedTransfer)
    for block in made:
        rows = house.ask(
            lambda session, height=block.height: session.execute(  # type: ignore[misc]
                select(moved, entry.c.leaf)
                .join(entry, (entry.c.brand_id == moved.c.brand_id) & (entry.c.id == moved.c.id))
                .where(entry.c.height == height)
                .order_by(entry.c.position)
            ).all()
        )
        assert [row.leaf for row in rows] == [blocks.leaf_of(row) for row in rows]
        assert root_of([row.leaf for row in rows]).hex() == block.root
        assert [row.id for row in rows] == sorted(row.id for row in rows)
    assert counted(house) == {"transfers": 12, "sealed": 12, "waiting": 0}


def test_nothing_to_seal_makes_no_block(house: House, brand: Brand) -> None:
    assert house.do(blocks.seal_due) == 0
    assert chain(house, brand) == []


def test_a_repeated_transfer_is_sealed_once(house: House, brand: Brand) -> None:
    book(house, brand, 0, 3)
    book(house, brand, 0, 4)
    seal_all(house)
    book(house, brand, 0, 4)
    assert seal_all(house) == []
    assert counted(house) == {"transfers": 4, "sealed": 4, "waiting": 0}


def test_each_brand_has_its_own_chain(house: House, brand: Brand) -> None:
    other = house.do(lambda session: create_brand(session, "Bees"))
    book(house, brand, 0, 2)
    book(house, other, 0, 3)
    assert sorted(seal_all(house)) == [2, 3]
    assert [block.height for block in chain(house, brand) + chain(house, other)] == [0, 0]


def test_a_transfer_that_commits_late_lands_in_a_later_block(postgres_house_url: str) -> None:
    """Its identifier is older than the newest sealed one, and nobody waited for anybody."""
    house = House(postgres_house_url)
    brand = house.do(lambda session: create_brand(session, "Acme"))
    book(house, brand, 0, 1)  # the accounts exist: the slow one takes no lock that the quick one needs
    slow_brand = (
        Account(brand.id, brand.id, Purpose.EXTERNAL, "CNY"),
        Account(brand.id, brand.id, Purpose.BUDGET, "CNY"),
    )
    engine = make_engine(postgres_house_url, writer=True)
    with Session(engine) as slow:
        transfer(slow, [Move("slow", "fund", *slow_brand, 7)])
        book(house, brand, 10, 2)
        assert seal_all(house) == [3]
        slow.commit()
    engine.dispose()
    assert seal_all(house) == [1]
    assert counted(house) == {"transfers": 4, "sealed": 4, "waiting": 0}
    t = table(SealedTransfer)
    ids = house.ask(lambda session: list(session.scalars(select(t.c.id).order_by(t.c.height, t.c.position))))
    assert ids != sorted(ids)
    house.close()


def test_with_several_processes_writing_and_sealing_each_transfer_is_sealed_once(
    house: House, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "LARGEST_BLOCK", 7)
    books, rounds, each = 3, 8, 5
    writing = threading.Event()
    writing.set()
    failures: list[Exception] = []

    def write(number: int) -> None:
        writer = Writer(make_engine(house.url, writer=True), events.Bus()).start()
        try:
            for turn in range(rounds):
                first = number * 1000 + turn * each
                writer.run_sync(lambda session, first=first: transfer(session, moves(brand, first, each)))  # type: ignore[misc]
        except Exception as error:
            failures.append(error)
        finally:
            writer.close()

    def seal() -> None:
        writer = Writer(make_engine(house.url, writer=True), events.Bus()).start()
        try:
            while writing.is_set():
                writer.run_sync(blocks.seal_due)
        except Exception as error:
            failures.append(error)
        finally:
            writer.close()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(books)]
    sealers = [threading.Thread(target=seal) for _ in range(2)]
    for thread in [*writers, *sealers]:
        thread.start()
    for thread in writers:
        thread.join(60)
    writing.clear()
    for thread in sealers:
        thread.join(60)
    assert failures == []
    seal_all(house)
    total = books * rounds * each
    assert counted(house) == {"transfers": total, "sealed": total, "waiting": 0}
    made = chain(house, brand)
    assert [block.height for block in made] == list(range(len(made)))
    assert sum(block.count for block in made) == total
    assert [block.previous for block in made[1:]] == [block.hash for block in made[:-1]]


@pytest.mark.parametrize("name", ["block", "sealed_transfer", "published_root"])
def test_what_is_sealed_the_database_never_changes(house: House, brand: Brand, name: str) -> None:
    house.do(lambda session: blocks.publish_on(session, brand.id, [("webchat", "web:acme")]))
    book(house, brand, 0, 2)
    seal_all(house)
    with later(days=1):
        house.do(blocks.publish_due)
    acts = [f"UPDATE {name} SET height = height + 1", f"DELETE FROM {name}"]
    for act in acts if is_sqlite(house.url) else [*acts, f"TRUNCATE {name} CASCADE"]:
        with pytest.raises(DBAPIError, match="never"):
            house.do(lambda session, act=act: session.execute(text(act)))  # type: ignore[misc]


def test_the_days_root_is_that_of_its_last_block_in_the_brands_zone(house: House, brand: Brand) -> None:
    zone = ZoneInfo(brand.timezone)
    here = clock.now().astimezone(zone)
    noon = here.replace(hour=12, minute=0) - here
    with later(seconds=noon.total_seconds()):
        today = clock.now().astimezone(zone).date()
        book(house, brand, 0, 1)
        seal_all(house)
    with later(seconds=noon.total_seconds(), hours=11):
        book(house, brand, 1, 1)
        seal_all(house)
    with later(seconds=noon.total_seconds(), hours=13):
        book(house, brand, 2, 1)
        seal_all(house)
    first, second, third = chain(house, brand)

    def roots(session: Session) -> list[tuple[int, str] | None]:
        return [blocks.day_root(session, brand, today + timedelta(days=days)) for days in (-1, 0, 1, 2)]

    assert house.ask(roots) == [None, (1, second.hash), (2, third.hash), None]
    assert first.sealed_at < second.sealed_at < third.sealed_at


def test_a_clock_that_was_set_back_does_not_seal_in_the_past(house: House, brand: Brand) -> None:
    with later(hours=1):
        book(house, brand, 0, 1)
        seal_all(house)
    book(house, brand, 1, 1)
    seal_all(house)
    first, second = chain(house, brand)
    assert second.sealed_at == first.sealed_at


def test_yesterdays_root_is_made_public_once_to_those_the_brand_chose(house: House, brand: Brand) -> None:
    quiet = house.do(lambda session: create_brand(session, "Quiet"))
    house.do(lambda session: blocks.publish_on(session, brand.id, [("telegram", "-100"), ("discord", "c:5")]))
    book(house, brand, 0, 1)
    book(house, quiet, 0, 1)
    seal_all(house)
    house.do(blocks.publish_due)
    assert posted(house) == []
    with later(days=1):
        for _ in range(2):
            house.do(blocks.publish_due)
    assert posted(house) == ["root:discord", "root:telegram"]
    [kept] = house.ask(lambda session: list(session.scalars(select(PublishedRoot))))
    assert (kept.brand_id, kept.height, kept.root) == (brand.id, 0, chain(house, brand)[0].hash)
    with later(days=2):  # a day without transfers has nothing to say
        house.do(blocks.publish_due)
    assert len(posted(house)) == 2


def posted(house: House) -> list[str]:
    t = table(Outbox)
    return house.ask(lambda session: sorted(session.scalars(select(t.c.topic).where(t.c.topic.like("root:%")))))


def test_a_brand_may_stop_publishing(house: House, brand: Brand) -> None:
    house.do(lambda session: blocks.publish_on(session, brand.id, [("telegram", "-1"), ("telegram", "-1")]))
    assert house.ask(lambda session: blocks.readers_of(session, brand.id)) == [("telegram", "-1")]
    house.do(lambda session: blocks.publish_off(session, brand.id))
    book(house, brand, 0, 1)
    seal_all(house)
    with later(days=1):
        house.do(blocks.publish_due)
    assert posted(house) == []
