"""Makes the files people asked for: a page at a time into a file of ours, beside everything else this process does.

May be killed anywhere: what is half written has another name than the file, and the lease that nobody renews lets
whoever comes next begin again.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlmodel import Session

from core import claims, i18n, tenants
from core.errors import Unavailable
from core.reader import Reader
from core.writer import Writer
from rewards import books
from rewards.exports import exports
from rewards.exports.exports import TOPIC, Export
from rewards.exports.kinds import KIND_OF
from rewards.exports.reading import AT_ONCE, Page, PageOf, Row
from rewards.statements import files
from rewards.statements.sheets import Book, Sheet

T = TypeVar("T")
log = structlog.get_logger()
PART = ".part"
"""What stands behind the name of a file that is being written, with the number of the attempt."""
OURS = re.compile(r"[0-9a-f]{32}\.(csv|xlsx)(\.part\d+)?")
TELL = 0.5
"""Seconds between two words about how far it is."""
RENEW = 10.0
"""Seconds after which who writes a file says again that it is theirs, when there are no rows to speak of."""
ROUND = 600.0
"""Seconds between two looks whether the house is to be kept."""


class NotWanted(Exception):
    """It was cancelled, or somebody else makes it now."""


def path_of(folder: Path, export: Export) -> Path:
    """Where the finished file is."""
    return folder / export.file


class ExportRunner:
    """Makes one file after another until stopped, lets them go when their time is over, and proves the books once a
    day. `folder`: ours alone, and the same for every process that makes files or hands them out."""

    def __init__(self, writer: Writer, reader: Reader, folder: Path, *, poll: float = 2.0) -> None:
        self._writer = writer
        self._reader = reader
        self._folder = folder
        self._poll = poll
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self._looked: float | None = None
        self._called = False
        writer.on_commit(self._committed)

    async def run(self) -> None:
        """Make what is due until `stop`; a file that is being made then is begun again by whoever comes next."""
        self._loop = asyncio.get_running_loop()
        while not self._stopping:
            self._wake.clear()
            try:
                if await self.run_due():
                    continue
                await self._keep_house()
                await self._let_go()
            except Unavailable as error:
                log.warning("export.put_off", error=error.code)
            try:
                await asyncio.wait_for(self._wake.wait(), self._poll)
            except TimeoutError:
                continue

    async def run_due(self) -> int:
        """Make the file that waited longest; how many were made or failed (1 or 0)."""
        if not await self._reader.run(exports.is_due):
            return 0
        export = await self._writer.run(exports.take)
        if export is None:
            return 0
        await _apart(partial(self._make, export))
        return 1

    def stop(self) -> None:
        """Return from `run`; a file in hand is left."""
        self._stopping = True
        self._wake.set()

    def _committed(self, topics: set[str]) -> None:
        if TOPIC in topics and self._loop is not None and not self._loop.is_closed():
            self._called = True
            self._loop.call_soon_threadsafe(self._wake.set)

    # One file, in a thread of its own.

    def _make(self, export: Export) -> None:
        part = self._folder / f"{export.file}{PART}{export.attempt}"
        try:
            self._write(export, part)
        except NotWanted:
            log.info("export.given_up", export=export.id.hex)
        except OSError as error:
            log.error("export.failed", export=export.id.hex, error=error.strerror)
            self._writer.run_sync(lambda session: exports.fail(session, export, "disk"))
        except Unavailable as error:
            log.warning("export.put_off", export=export.id.hex, error=error.code)
        except Exception:
            log.exception("export.failed", export=export.id.hex)
            self._writer.run_sync(lambda session: exports.fail(session, export, "trouble"))
        finally:
            part.unlink(missing_ok=True)

    def _write(self, export: Export, part: Path) -> None:
        kind = KIND_OF[export.what]
        expected = self._ask(export, kind.count)
        self._progress(export, 0, expected)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = _Written()
        sheet = Sheet(export.what, self._ask(export, kind.columns), self._rows(export, written))
        book = Book((sheet,), export.locale, export.timezone, zoned=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with _Renewed(handle, partial(self._renew, export, written)) as file:
            files.write(book, export.format, file, mark=export.mark)
            file.flush()
            os.fsync(file.fileno())
        size = part.stat().st_size
        # Still ours? Only then the file gets its name.
        self._progress(export, written.rows)
        done = path_of(self._folder, export)
        part.replace(done)
        if not self._writer.run_sync(lambda session: exports.finish(session, export, written.rows, size)):
            done.unlink(missing_ok=True)

    def _rows(self, export: Export, written: _Written) -> Iterator[Row]:
        """All rows, a page in memory at a time; says from time to time how far it is."""
        page, after = KIND_OF[export.what].page, None
        while True:
            rows, after = self._ask(export, partial(_page, page, after))
            for row in rows:
                yield row
                written.rows += 1
            if len(rows) < AT_ONCE:
                return
            if self._stopping:
                raise NotWanted
            if time.monotonic() - written.told >= TELL:
                self._progress(export, written.rows)
                written.told = time.monotonic()

    def _renew(self, export: Export, written: _Written) -> None:
        """Packing a large workbook, after its last row, takes minutes in which the lease must not run out."""
        if time.monotonic() - written.told >= RENEW:
            written.told = time.monotonic()
            self._writer.run_sync(lambda session: exports.progress(session, export, written.rows))

    def _ask(self, export: Export, query: Callable[[Session, Export], T]) -> T:
        def asked(session: Session) -> T:
            with tenants.only(session, export.brand_id):
                return query(session, export)

        return self._reader.run_sync(asked)

    def _progress(self, export: Export, rows: int, expected: int | None = None) -> None:
        if not self._writer.run_sync(lambda session: exports.progress(session, export, rows, expected)):
            raise NotWanted

    # What comes round.

    async def _let_go(self) -> None:
        """Files that somebody has just done away with do not wait for the hour."""
        if self._called:
            self._called = False
            await self._sweep()

    async def _sweep(self) -> None:
        # In this order: what another process began after our look at the folder is not ours to judge.
        there = await asyncio.to_thread(files_in, self._folder)
        known = await self._reader.run(exports.kept)
        await asyncio.to_thread(sweep, there, known)

    async def _keep_house(self) -> None:
        """Once an hour, in one process: files whose time is over go, and files nobody knows of. Once a day the books
        are proved."""
        if self._looked is not None and time.monotonic() - self._looked < ROUND:
            return
        self._looked, hour = time.monotonic(), timedelta(hours=1)
        if await self._writer.run(lambda session: claims.claim(session, "exports", hour)):
            await self._writer.run(exports.expire)
            await self._sweep()
        if await self._writer.run(lambda session: claims.claim(session, "books", books.EVERY)):
            await _apart(partial(books.check, self._reader, self._writer))


async def _apart(work: Callable[[], object]) -> None:
    """Run something long in a thread that no end of the process waits for: all of it may be killed."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def tell(error: BaseException | None) -> None:
        if not done.done():
            done.set_exception(error) if error is not None else done.set_result(None)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except Exception as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, error)

    threading.Thread(target=run, name="exports", daemon=True).start()
    await done


def _page(page: PageOf, after: Any, session: Session, export: Export) -> Page:
    return page(session, export, after)


@dataclass(slots=True)
class _Written:
    rows: int = 0
    told: float = field(default_factory=time.monotonic)


class _Renewed(io.BufferedWriter):
    """A file that says now and then that it is still being written."""

    def __init__(self, handle: int, renew: Callable[[], None]) -> None:
        super().__init__(io.FileIO(handle, "wb"))
        self._renew = renew

    def write(self, given: Any) -> int:
        self._renew()
        return super().write(given)


def files_in(folder: Path) -> list[Path]:
    """The files in the folder that are ours."""
    return [path for path in folder.iterdir() if OURS.fullmatch(path.name)] if folder.is_dir() else []


def sweep(files: Sequence[Path], known: set[str]) -> None:
    """Remove those of these files that nobody knows of."""
    for path in files:
        if path.name.partition(PART)[0] not in known:
            path.unlink(missing_ok=True)


def file_name(export: Export, brand: str, campaign: str | None, day: str) -> str:
    """What the file is called where it is saved: `acme-orders-spring-2026-11-23.xlsx`."""
    what = i18n.text(export.locale, f"statement.sheet.{export.what}")
    return "-".join(filter(None, (brand, what, campaign, day))) + f".{export.format}"
