"""A house for tests: a migrated database with its writer and reader, a brand, people, and a clock one can move."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

from sqlmodel import Session

from core import clock, events, migrations, vault
from core.db import make_engine
from core.reader import Reader
from core.writer import Writer
from daixin.bootstrap import join_parts
from referral import members
from referral.arrivals import Arrive, Arrived, arrive
from referral.members import Account

T = TypeVar("T")


@cache
def template() -> Path:
    """A migrated empty SQLite file, made once per test run and copied for each test."""
    folder = Path(tempfile.mkdtemp(prefix="daixin-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    migrations.migrate(f"sqlite:///{folder / 'template.db'}")
    return folder / "template.db"


def fresh_sqlite(folder: Path) -> str:
    """The address of a new migrated database in `folder`."""
    path = folder / "daixin.db"
    shutil.copy(template(), path)
    return f"sqlite:///{path}"


class House:
    """Everything a domain test needs; `do` runs a unit of work, `ask` a query."""

    def __init__(self, url: str) -> None:
        members.set_fingerprint_key("test-secret")
        vault.set_keys("", "test-secret")
        self.url = url
        self.bus = events.Bus()
        join_parts(self.bus)
        self.engine = make_engine(url, writer=True)
        self.writer = Writer(self.engine, self.bus).start()
        self.reader = Reader(make_engine(url, writer=False))

    def do(self, unit: Callable[[Session], T]) -> T:
        return self.writer.run_sync(unit)

    def ask(self, query: Callable[[Session], T]) -> T:
        return self.reader.run_sync(query)

    def comes(self, name: str, code: str, platform: str = "telegram", **more: object) -> Arrived:
        """The person of this name comes with a code, now."""
        command = Arrive(code, person(name, platform), clock.now(), **more)  # type: ignore[arg-type]
        return self.do(lambda session: arrive(session, [command]))[0]

    def runs(self, many: int) -> int:
        """How many stories a machine makes up: on PostgreSQL, which only has to keep the same rules, a third."""
        return many if self.engine.dialect.name == "sqlite" else -(-many // 3)

    def close(self) -> None:
        self.writer.close()
        self.reader.close()


def person(name: str, platform: str = "telegram") -> Account:
    """A platform account whose id is the lower-case name."""
    return Account(platform, name.lower(), name, chat=name.lower())


@contextmanager
def later(**by: float) -> Iterator[None]:
    """The clock, moved on: `with later(days=7): …`."""
    with clock.moved(timedelta(**by)):
        yield
