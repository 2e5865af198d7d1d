"""Pools of vouchers: what a file may look like, and that each code is given exactly once."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, timedelta
from functools import partial
from subprocess import PIPE, Popen
from uuid import UUID

import pytest
from sqlmodel import Session, select

from core import clock, vault
from core.db import table
from core.errors import BadInput, Refused
from rewards.items import redeem, vouchers
from rewards.items.items import find_item
from rewards.items.voucher_files import Problem, explain, read_codes
from rewards.items.vouchers import Voucher, VoucherExpiring, VoucherLow, code_of
from tests.house import House, later
from tests.rewards.items.counter import buy, check_books, codes, fill, offer, open_counter, rich_people
from tests.rewards.shop import Shop


def problems(raw: bytes) -> list[Problem]:
    with pytest.raises(BadInput) as caught:
        read_codes(raw, "Asia/Shanghai")
    found = caught.value.params.get("problems", [])
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    "raw",
    [
        "code\nTEA-1\n奶茶-2\n".encode(),
        "code\r\nTEA-1\r\n奶茶-2\r\n\r\n".encode("utf-8-sig"),
        "code\nTEA-1\n奶茶-2\n".encode("gb18030"),
        "code\nTEA-1\n奶茶-2\n".encode("utf-16"),
        'Code,Expires_At\n" TEA-1 ",\n奶茶-2,2030-01-31\n'.encode(),
    ],
)
def test_a_file_is_read_however_it_was_saved(raw: bytes) -> None:
    assert [code.text for code in read_codes(raw, "Asia/Shanghai")] == ["TEA-1", "奶茶-2"]


def test_a_day_ends_where_the_brand_is() -> None:
    [day, moment] = read_codes(b"code,expires_at\na,2030-01-31\nb,2030-01-31T08:00:00+00:00\n", "Asia/Shanghai")
    assert day.expires_at is not None
    assert moment.expires_at is not None
    assert day.expires_at.astimezone(UTC).isoformat() == "2030-01-31T16:00:00+00:00"
    assert moment.expires_at.isoformat() == "2030-01-31T08:00:00+00:00"


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"voucher\nA\n", [Problem(1, "header")]),
        (b"code\nA\nB\nA\n", [Problem(4, "duplicate", 2)]),
        (b'code\nA\n"  "\n', [Problem(3, "empty")]),
        (b"code\n" + b"x" * 201 + b"\n", [Problem(2, "long")]),
        ("code\nA\u200b\n".encode(), [Problem(2, "control")]),
        (b"code\nA\x07B\n", [Problem(2, "control")]),
        (b"code,expires_at\nA\n", [Problem(2, "columns")]),
        (b"code\nA,B\n", [Problem(2, "columns")]),
        (b"code,expires_at\nA,soon\nB,2030-02-30\n", [Problem(2, "moment"), Problem(3, "moment")]),
        (b'code\n"A\n', [Problem(2, "columns")]),
    ],
)
def test_what_is_wrong_is_named_with_its_line(raw: bytes, found: list[Problem]) -> None:
    assert problems(raw) == found
    assert "line" in explain(found, "en")
    assert "行" in explain(found, "zh_Hans")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"code\n", "voucher_file_empty"),
        (b"", "voucher_file"),
        (b"\xff\xfe\x00", "not_text"),
        (b"code\nA\x00B\n", "not_text"),
    ],
)
def test_a_file_without_codes_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_codes(raw, "Asia/Shanghai")
    assert caught.value.code == code


def test_an_import_is_all_or_nothing_and_harmless_twice(house: House) -> None:
    shop = open_counter(house)
    offer(shop)
    assert fill(shop, ["A", "B"]) == vouchers.Imported(2, 0, 2)
    assert fill(shop, ["A", "B"]) == vouchers.Imported(0, 2, 2)
    with pytest.raises(BadInput) as mixed:
        fill(shop, ["C", "B"])
    assert mixed.value.params["problems"] == [Problem(3, "known")]
    with pytest.raises(BadInput) as over:
        fill(shop, ["D,2030-01-01", "E,2020-01-01"])
    assert over.value.params["problems"] == [Problem(3, "over")]
    assert house.ask(lambda s: vouchers.available(s, shop.brand.id, item_id(s, shop))) == 2
    buy(shop)
    assert fill(shop, ["A", "B"]) == vouchers.Imported(0, 2, 1)


def item_id(session: Session, shop: Shop) -> UUID:
    return find_item(session, shop.brand.id, "coffee").id


def test_codes_are_sealed_where_they_lie(house: House) -> None:
    shop = open_counter(house)
    offer(shop)
    fill(shop, ["SECRET-TEA"])
    [row] = house.ask(lambda s: s.exec(select(Voucher)).all())
    assert "SECRET-TEA" not in repr(row.model_dump())
    assert code_of(row) == "SECRET-TEA"
    vault.set_keys(vault.new_key(), "test-secret")
    done, _ = house.do(lambda s: vault.rotate(s, table(Voucher), "sealed"))
    assert done == 1
    assert codes(shop, buy(shop)) == ["SECRET-TEA"]


def test_what_ends_first_is_given_first_and_what_is_over_never(house: House) -> None:
    shop = open_counter(house)
    offer(shop, price=10)
    soon, over = clock.now() + timedelta(days=2), clock.now() + timedelta(hours=1)
    fill(shop, ["never,", f"soon,{soon.isoformat()}", f"over,{over.isoformat()}"])
    with later(hours=2):
        assert codes(shop, buy(shop, key="1")) == ["soon"]
        assert codes(shop, buy(shop, key="2")) == ["never"]
        with pytest.raises(Refused):
            buy(shop, key="3")
        house.do(vouchers.watch_pools)
        states = house.ask(lambda s: sorted(row.state for row in s.exec(select(Voucher)).all()))
    assert states == ["expired", "given", "given"]


def test_the_owner_is_reminded_once(house: House) -> None:
    told: list[VoucherExpiring] = []
    house.bus.on(VoucherExpiring, lambda session, events: told.extend(events))
    shop = open_counter(house)
    offer(shop, settings={"expiring_days": 3})
    fill(shop, [f"soon,{(clock.now() + timedelta(days=10)).isoformat()}"])
    payout = buy(shop)
    house.do(vouchers.remind)
    assert told == []
    with later(days=8):
        house.do(vouchers.remind)
        house.do(vouchers.remind)
    assert [event.payout_id for event in told] == [payout.id]


def test_a_low_pool_is_told_of_once_for_each_level_and_refill(house: House) -> None:
    told: list[tuple[int, int]] = []
    house.bus.on(VoucherLow, lambda session, events: told.extend((one.level, one.left) for one in events))
    shop = open_counter(house)
    offer(shop, price=1)
    fill(shop, [f"A{number}" for number in range(10)])

    def spend(key: str, quantity: int) -> None:
        buy(shop, key=key, quantity=quantity)
        house.do(vouchers.watch_pools)
        house.do(vouchers.watch_pools)

    spend("1", 7)
    assert told == []
    spend("2", 1)
    assert told == [(20, 2)]
    spend("3", 1)
    spend("4", 1)
    assert told == [(20, 2), (0, 0)]
    fill(shop, [f"B{number}" for number in range(5)])
    spend("5", 4)
    assert told == [(20, 2), (0, 0), (20, 1)]


def test_the_last_voucher_goes_to_one_of_a_hundred(house: House) -> None:
    shop = open_counter(house)
    offer(shop)
    fill(shop, ["LAST"])
    people = rich_people(shop, 100)
    second = House(house.url)
    start = threading.Barrier(10)
    won: list[UUID] = []
    refused: list[str] = []

    def claim(where: House, mine: list[UUID]) -> None:
        start.wait()
        for member in mine:
            try:
                where.do(partial(redeem.redeem, brand_id=shop.brand.id, member_id=member, slug="coffee", key="1"))
                won.append(member)
            except Refused as error:
                refused.append(error.code)

    threads = [
        threading.Thread(target=claim, args=((house, second)[number % 2], people[number::10])) for number in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.close()
    assert len(won) == 1
    assert refused == ["sold_out"] * 99
    assert shop.purse(won[0]) == {}
    check_books(shop)


PROCESS = """
import sys
from uuid import UUID

import daixin.models
from core import vault
from core.db import make_engine
from core.db import table
from core.errors import Refused
from core.events import Bus
from core.writer import Writer
from rewards.items import redeem

url, brand, *people = sys.argv[1:]
vault.set_keys("", "test-secret")
bus = Bus()
redeem.listen(bus)
writer = Writer(make_engine(url, writer=True), bus).start()
print("ready", flush=True)
sys.stdin.readline()
for member in people:
    try:
        writer.run_sync(lambda session: redeem.redeem(session, UUID(brand), UUID(member), "coffee", "1"))
        print("won", flush=True)
    except Refused as error:
        print(error.code, flush=True)
writer.close()
"""


def test_processes_never_give_a_code_twice(house: House) -> None:
    shop = open_counter(house)
    offer(shop)
    fill(shop, [f"TEA-{number}" for number in range(10)])
    people = rich_people(shop, 30)
    processes = []
    for part in range(3):
        keys = [str(member) for member in people[part::3]]
        arguments = [sys.executable, "-c", PROCESS, house.url, str(shop.brand.id), *keys]
        processes.append(Popen(arguments, stdin=PIPE, stdout=PIPE, text=True))
    said: list[str] = []
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        said += process.communicate(timeout=60)[0].split()
        assert process.returncode == 0
    assert sorted(said) == ["sold_out"] * 20 + ["won"] * 10
    rows = house.ask(lambda s: s.exec(select(Voucher)).all())
    assert len({row.payout_id for row in rows}) == 10
    check_books(shop)
