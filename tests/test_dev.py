"""`./dev` and the rules about skipping: what a newcomer and CI rely on."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

from tests.conftest import Postgres

ROOT = Path(__file__).resolve().parent.parent


def load() -> ModuleType:
    """The script as a module."""
    loader = importlib.machinery.SourceFileLoader("dev_script", str(ROOT / "dev"))
    spec = importlib.util.spec_from_loader("dev_script", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, standing in an empty folder that has only a lock and a project file."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = load()
    for name in ("ROOT", "VENV", "BIN", "PYTHON", "STAMP", "LOCK", "REQUIREMENTS"):
        monkeypatch.setattr(module, name, tmp_path / getattr(module, name).relative_to(ROOT))
    (tmp_path / "uv.lock").write_text("lock 1")
    (tmp_path / "pyproject.toml").write_text("project 1")
    return module


class Machine:
    """Stands in for the programs that `dev` starts: keeps what was asked, fails what `broken` names."""

    def __init__(self, dev: ModuleType, *broken: str) -> None:
        self.dev, self.broken = dev, broken
        self.asked: list[str] = []

    def __call__(self, words: Sequence[str | Path], *, quiet: bool = False) -> int:
        line = " ".join(Path(word).name if str(word).startswith("/") else str(word) for word in words)
        self.asked.append(line)
        if " -m venv " in f" {line} ":
            self.dev.BIN.mkdir(parents=True)
            self.dev.PYTHON.touch()
        return int(any(part in line for part in self.broken))

    def did(self, part: str) -> bool:
        return any(part in line for line in self.asked)


def on(dev: ModuleType, monkeypatch: pytest.MonkeyPatch, *broken: str) -> Machine:
    machine = Machine(dev, *broken)
    monkeypatch.setattr(dev, "call", machine)
    return machine


def test_a_bare_machine_gets_an_environment_with_uv_and_the_locked_versions(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = on(dev, monkeypatch)
    dev.set_up()
    assert machine.did("-m venv")
    assert machine.did(f"pip install -q --disable-pip-version-check {dev.UV}")
    assert machine.did("uv sync -q --locked --all-extras")
    assert not machine.did("--require-hashes")


def test_the_second_run_starts_at_once_until_the_lock_changes(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    on(dev, monkeypatch)
    dev.set_up()
    second = on(dev, monkeypatch)
    dev.set_up()
    assert second.asked == []
    dev.LOCK.write_text("lock 2")
    dev.set_up()
    assert second.did("uv sync")
    assert not second.did("-m venv")


@pytest.mark.parametrize("broken", ["uv sync", "pip install -q --disable-pip-version-check uv"])
def test_without_the_locks_registry_pip_installs_the_same_hashes(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    machine = on(dev, monkeypatch, broken)
    dev.set_up()
    assert machine.did("pip install -q --require-hashes -r requirements.txt")
    assert machine.did("pip install -q --no-deps --editable")


def test_a_failed_set_up_is_tried_again(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    on(dev, monkeypatch, "uv sync", "--require-hashes")
    with pytest.raises(SystemExit):
        dev.set_up()
    assert not dev.STAMP.exists()
    machine = on(dev, monkeypatch)
    dev.set_up()
    assert machine.did("uv sync")


def test_a_stale_lock_is_said_and_not_worked_around(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = on(dev, monkeypatch, "uv lock --check")
    with pytest.raises(SystemExit):
        dev.set_up()
    assert "./dev lock" in capsys.readouterr().err
    assert not machine.did("--require-hashes")


def test_an_environment_made_without_pip_is_mended(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = on(dev, monkeypatch, "import pip")
    dev.set_up()
    assert machine.did("-m ensurepip")


def test_an_old_python_is_told_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with monkeypatch.context() as old:
        old.setattr(sys, "version_info", (3, 9, 2, "final", 0))
        with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer; \S+ is 3\.9\.2"):
            load()


def test_every_tool_checks_even_after_one_failed(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = on(dev, monkeypatch, "mypy", "deptry")
    assert dev.check() == 1
    assert [line.split()[0] for line in machine.asked] == ["ruff", "ruff", "mypy", "lint-imports", "deptry"]
    assert "mypy, deptry" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["demo", "serve", "migrate", "test", "bench"])
def test_it_becomes_the_program_with_the_arguments_given(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    became: list[Any] = []
    monkeypatch.setattr(os, "environ", os.environ.copy())  # `test` changes it
    monkeypatch.chdir(tmp_path)  # main goes to the project's folder; this brings the other tests back
    monkeypatch.setattr(dev, "set_up", lambda: None)
    monkeypatch.setattr(dev.os, "execv", lambda path, words: became.extend((path, words)))
    monkeypatch.setattr(dev, "PROGRAMS", {name: [sys.executable, *words[1:]] for name, words in dev.PROGRAMS.items()})
    dev.main([command, "--only", "web"])
    assert became == [sys.executable, [sys.executable, *dev.PROGRAMS[command][1:], "--only", "web"]]


@pytest.mark.parametrize(
    ("place", "room", "chosen", "where"),
    [
        ("there", 0, None, "there"),
        ("there", 0, "/mine", "/mine"),
        ("there", 2**62, None, None),
        ("nowhere", 0, None, None),
    ],
    ids=["room", "another place was chosen", "too little room", "no such place"],
)
def test_tests_write_in_memory_where_there_is_room(
    dev: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    place: str,
    room: int,
    chosen: str | None,
    where: str | None,
) -> None:
    (tmp_path / "there").mkdir()
    monkeypatch.setattr(dev, "MEMORY", tmp_path / place)
    monkeypatch.setattr(dev, "ROOM", room)
    monkeypatch.setattr(os, "environ", {} if chosen is None else {"TMPDIR": chosen})
    dev.write_in_memory()
    assert os.environ.get("TMPDIR") == (where if where != "there" else str(tmp_path / "there"))


def test_it_imports_only_the_standard_library() -> None:
    imported = re.findall(r"(?m)^(?:import|from) ([\w.]+)", (ROOT / "dev").read_text())
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_an_unknown_command_names_the_known_ones() -> None:
    done = subprocess.run([sys.executable, ROOT / "dev", "tests"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "does not know 'tests'; it knows demo" in done.stderr


def test_without_arguments_it_explains_itself() -> None:
    done = subprocess.run([sys.executable, ROOT / "dev"], capture_output=True, text=True, check=True)
    assert "./dev demo" in done.stdout


STORY = """
import pytest

def test_runs(): pass

@pytest.mark.needs("unicorn")
def test_unknown(): pass

@pytest.mark.needs("chromium")
def test_browser(): pass

@pytest.mark.needs("botapi")
def test_compare(): pass

@pytest.mark.xfail(reason="known")
def test_known(): assert False
"""


def a_run(folder: Path, *, ci: str) -> tuple[int, str]:
    """A little suite under the real conftest, on a machine with an empty PATH (so, no Chromium)."""
    (folder / "tests").mkdir()
    shutil.copy(ROOT / "tests/conftest.py", folder / "tests/conftest.py")
    (folder / "tests/test_story.py").write_text(STORY)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = needs(what): a need\n")
    environment = {**os.environ, "PATH": str(folder), "CI": ci}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--no-header", "tests"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_what_is_missing_is_skipped_and_listed_with_the_line_that_installs_it(tmp_path: Path) -> None:
    code, output = a_run(tmp_path, ci="")
    assert "not run on this machine" in output
    assert "1 skipped, needs chromium: apt-get install chromium" in output
    assert "1 left out: the Bot API's description is not at hand" in output
    assert "nobody knows the need 'unicorn'" in output
    assert "1 passed, 1 skipped, 1 deselected, 1 xfailed, 1 error" in output
    assert code == 1


def test_in_ci_nothing_may_skip(tmp_path: Path) -> None:
    code, output = a_run(tmp_path, ci="true")
    assert "skipped, which CI may not: needs chromium" in output
    assert "1 passed, 1 deselected, 1 xfailed, 2 errors" in output
    assert code == 1


def make_table(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE thing (id INTEGER PRIMARY KEY)"))
    engine.dispose()


def tables(url: str) -> list[str]:
    engine = create_engine(url)
    found = inspect(engine).get_table_names()
    engine.dispose()
    return found


@pytest.mark.parametrize("time", ["first", "second"])
def test_every_test_gets_an_empty_database_of_each_kind(database_url: str, time: str) -> None:
    assert tables(database_url) == []
    make_table(database_url)


def test_a_prepared_postgres_database_is_copied(postgres_database: Postgres) -> None:
    prepared = postgres_database.create()
    make_table(prepared)
    copy = postgres_database.create(template=prepared)
    assert tables(copy) == ["thing"]
    for url in (prepared, copy):
        postgres_database.drop(url)
