"""Files of a brand's records: whole, safe to open, made once, and gone in time, whatever happens on the way."""

from __future__ import annotations

import asyncio
import csv
import io
import stat
import tempfile
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import Session, col, select

from core import clock
from core.errors import BadInput, NotFound, Refused
from referral import audit, brands
from referral.members import Member
from referral.privacy import forget_member
from rewards import books, privacy
from rewards.exports import exports, reading, runner
from rewards.exports.exports import Export, Wish
from rewards.exports.runner import ExportRunner, files_in, sweep
from tests.house import House, later
from tests.rewards.arena import Arena
from tests.rewards.shop import Shop, open_shop
from tests.web.site import until

MEI = "user:mei"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files are."""
    made = tmp_path / "exports"
    made.mkdir()
    return made


def asked(shop: Shop, what: str = "friends", format: str = "csv", **more: Any) -> Export:
    wish = Wish(what, format, **more)
    return shop.house.do(lambda session: exports.ask(session, shop.brand.id, wish, "en", MEI))


def worker(shop: Shop | Arena, folder: Path) -> ExportRunner:
    return ExportRunner(shop.house.writer, shop.house.reader, folder)


def work(shop: Shop | Arena, folder: Path) -> int:
    return asyncio.run(worker(shop, folder).run_due())


def now(shop: Shop, export: Export) -> Export:
    return shop.house.ask(lambda session: exports.export_of(session, shop.brand.id, export.id))


def lines(folder: Path, export: Export) -> list[dict[str, str]]:
    text = (folder / export.file).read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def swept(house: House, folder: Path) -> None:
    sweep(files_in(folder), house.ask(exports.kept))


def with_friends(house: House, *names: str) -> Shop:
    shop = open_shop(house)
    for name in names:
        shop.brings(name)
    return shop


def test_every_row_stands_in_the_file_once_however_many_pages(
    house: House, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (reading, runner):
        monkeypatch.setattr(module, "AT_ONCE", 2)
    shop = with_friends(house, "Bob", "Carol", "Dave", "Eve", "=2+3")
    export = asked(shop)
    assert work(shop, folder) == 1
    done = now(shop, export)
    assert (done.state, done.rows, done.expected) == ("done", 5, 5)
    found = lines(folder, export)
    assert [one["Friend"] for one in found] == ["Bob", "Carol", "Dave", "Eve", "'=2+3"]
    assert (folder / export.file).stat().st_size == done.size
    assert stat.S_IMODE((folder / export.file).stat().st_mode) == 0o600
    assert work(shop, folder) == 0


def test_every_kind_is_written_on_every_database(house: House, folder: Path) -> None:
    shop = with_friends(house, "Bob", "Carol")
    with later(days=8):
        shop.stays()
        shop.buys("Bob", "1")
        made = {}
        for what in exports.KINDS:
            made[what] = asked(shop, what, campaign=shop.campaign.slug)
            assert work(shop, folder) == 1
        counts = {what: now(shop, export).rows for what, export in made.items()}
        assert counts == {
            "orders": 1, "friends": 2, "rewards": 4, "transfers": counts["transfers"],
            "leaderboard": 1, "advocates": 1, "applications": 0,
        }  # fmt: skip
        [alice] = lines(folder, made["advocates"])
        assert (alice["Member"], alice["Friends qualified"], alice["Earned"]) == ("Alice", "2", "200 points")
        [first] = lines(folder, made["leaderboard"])
        assert (first["Rank"], first["Qualified friends"]) == ("1", "2")
        moved = lines(folder, made["transfers"])
        assert {one["To"] for one in moved} >= {"Alice · on hold", "Bob · on hold"}


def test_a_period_is_half_open_and_within_the_past(house: House, folder: Path) -> None:
    shop = with_friends(house, "Bob")
    middle = clock.now()
    with later(hours=1):
        shop.brings("Carol")
        before = asked(shop, until=middle)
        after = asked(shop, since=middle)
        for _ in range(2):
            work(shop, folder)
        assert [one["Friend"] for one in lines(folder, before)] == ["Bob"]
        assert [one["Friend"] for one in lines(folder, after)] == ["Carol"]
        with pytest.raises(BadInput, match="export_period"):
            asked(shop, since=clock.now(), until=middle)


def test_what_cannot_be_is_refused(house: House) -> None:
    shop = open_shop(house)
    with pytest.raises(Refused, match="export_campaign"):
        asked(shop, "leaderboard")
    with pytest.raises(NotFound, match="campaign"):
        asked(shop, campaign="summer")
    for wish in (("secrets", "csv"), ("orders", "exe")):
        with pytest.raises(BadInput, match="export_kind"):
            asked(shop, *wish)
    for _ in range(exports.MOST_OPEN):
        asked(shop)
    with pytest.raises(Refused, match="export_busy"):
        asked(shop)
    entries = house.ask(lambda session: audit.entries_of(session, shop.brand.id, acts=["export.ask"]))
    assert len(entries) == exports.MOST_OPEN


def test_who_dies_on_the_way_leaves_it_to_whoever_comes_next(house: House, folder: Path) -> None:
    shop = with_friends(house, "Bob")
    export = asked(shop)
    dead = house.do(exports.take)
    assert dead is not None
    (folder / f"{export.file}.part1").write_text("half a fi")
    assert work(shop, folder) == 0  # the lease still runs
    with later(minutes=3):
        assert work(shop, folder) == 1
        assert [one["Friend"] for one in lines(folder, export)] == ["Bob"]
        # The dead one was only slow: what it says now is nobody's any more.
        assert not house.do(lambda session: exports.progress(session, dead, 999))
        assert not house.do(lambda session: exports.finish(session, dead, 999, 9))
        assert now(shop, export).rows == 1
        swept(house, folder)
        assert [path.name for path in folder.iterdir() if path.suffix.startswith(".part")] != []
    with later(days=8):
        house.do(exports.expire)
        swept(house, folder)
        assert not [path for path in folder.iterdir() if path.name.startswith(export.id.hex)]


def test_what_kills_every_process_that_makes_it_is_given_up(house: House, folder: Path) -> None:
    shop = with_friends(house, "Bob")
    export = asked(shop)
    for attempt in range(exports.ATTEMPTS):
        with later(minutes=3 * attempt):
            assert house.do(exports.take) is not None
    with later(minutes=3 * exports.ATTEMPTS):
        assert work(shop, folder) == 0
        assert (now(shop, export).state, now(shop, export).reason) == ("failed", "trouble")


async def test_what_another_process_begins_meanwhile_is_not_swept_away(
    house: House, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = with_friends(house, "Bob")
    known = exports.kept

    def kept_while_another_begins(session: Session) -> set[str]:
        found = known(session)
        (folder / f"{uuid4().hex}.csv.part1").write_text("the first rows")
        return found

    monkeypatch.setattr(exports, "kept", kept_while_another_begins)
    (folder / f"{uuid4().hex}.csv").write_text("nobody's")
    await worker(shop, folder)._sweep()
    assert [path.suffix for path in files_in(folder)] == [".part1"]


@pytest.mark.parametrize("format", exports.FORMATS)
def test_cancelled_on_the_way_it_leaves_no_file(
    house: House, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setattr(runner, "TELL", 0.0)
    for module in (reading, runner):
        monkeypatch.setattr(module, "AT_ONCE", 1)
    shop = with_friends(house, "Bob", "Carol", "Dave")
    export = asked(shop, format=format)
    told = exports.progress

    def cancelled_meanwhile(session: Session, one: Export, rows: int, expected: int | None = None) -> bool:
        if rows == 1:
            exports.cancel(session, shop.brand.id, export.id, MEI)
        return told(session, one, rows, expected)

    monkeypatch.setattr(exports, "progress", cancelled_meanwhile)
    work(shop, folder)
    assert now(shop, export).state == "cancelled"
    assert [*folder.iterdir(), *scratch.iterdir()] == []


def test_a_workbook_stays_ours_while_it_is_packed(house: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "RENEW", 0.0)
    shop = with_friends(house, "Bob")
    export = asked(shop, format="xlsx")
    told, renewed = exports.progress, list[int]()

    def noted(session: Session, one: Export, rows: int, expected: int | None = None) -> bool:
        renewed.append(rows)
        return told(session, one, rows, expected)

    monkeypatch.setattr(exports, "progress", noted)
    work(shop, folder)
    assert now(shop, export).state == "done"
    assert renewed.count(1) > 2  # not only when all of it is there


def test_a_full_disk_is_said(house: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = with_friends(house, "Bob")
    export = asked(shop)

    def full(*given: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rewards.statements.files.write", full)
    work(shop, folder)
    assert (now(shop, export).state, now(shop, export).reason) == ("failed", "disk")
    assert list(folder.iterdir()) == []


def test_after_a_week_it_cannot_be_taken_away(house: House, folder: Path) -> None:
    shop = with_friends(house, "Bob")
    export = asked(shop)
    work(shop, folder)
    house.do(lambda session: exports.downloaded(session, shop.brand.id, export.id, MEI))
    with later(days=7, minutes=1), pytest.raises(NotFound, match="export"):
        house.do(lambda session: exports.downloaded(session, shop.brand.id, export.id, MEI))
    with pytest.raises(NotFound, match="export"):
        house.do(lambda session: exports.downloaded(session, uuid4(), export.id, MEI))
    stranger = house.do(lambda session: brands.create_brand(session, "Stranger", slug="stranger"))
    with pytest.raises(NotFound, match="export"):
        house.do(lambda session: exports.cancel(session, stranger.id, export.id, MEI))


def test_only_so_many_files_are_kept(house: House, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MOST_KEPT", 2)
    shop = with_friends(house, "Bob")
    made = []
    for minute in range(3):
        with later(minutes=minute):
            made.append(asked(shop))
            work(shop, folder)
    assert [now(shop, one).state for one in made] == ["expired", "done", "done"]


def test_two_processes_make_it_once(house: House, folder: Path) -> None:
    shop = with_friends(house, "Bob")
    asked(shop)
    taken: list[Export | None] = []
    several = [threading.Thread(target=lambda: taken.append(house.do(exports.take))) for _ in range(4)]
    for one in several:
        one.start()
    for one in several:
        one.join()
    assert len([one for one in taken if one is not None]) == 1


async def test_whoever_is_forgotten_is_in_no_file_any_more(house: House, folder: Path) -> None:
    shop = with_friends(house, "Bob")
    export = asked(shop)
    exporter = worker(shop, folder)
    running = asyncio.create_task(exporter.run())
    await until(lambda: now(shop, export).state == "done")
    assert (folder / export.file).exists()
    bob = house.ask(lambda session: session.scalars(select(col(Member.id)).where(col(Member.name) == "Bob")).one())
    await house.writer.run(lambda session: privacy.forget_rewards(session, shop.brand.id, bob))
    await house.writer.run(lambda session: forget_member(session, shop.brand.id, bob))
    assert (now(shop, export).state, now(shop, export).reason) == ("expired", "forgotten")
    await until(lambda: not (folder / export.file).exists())
    again = asked(shop)
    await until(lambda: now(shop, again).state == "done")
    assert [one["Friend"] for one in lines(folder, again)] == ["a friend"]
    exporter.stop()
    await asyncio.wait_for(running, 10)


def test_the_last_proof_of_the_books_is_kept(house: House) -> None:
    shop = with_friends(house, "Bob")
    assert house.ask(books.last_check) is None
    books.check(house.reader, house.writer)
    with later(hours=1):
        shop.brings("Carol")
        books.check(house.reader, house.writer)
        found = house.ask(books.last_check)
        assert found is not None
        assert (found.problems, found.kinds) == (0, {})
        assert found.checked_at > clock.now() - exports.LEASE
