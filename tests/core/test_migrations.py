"""The schema comes to any database once, whoever starts first, and is what the models say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import daixin.models  # noqa: F401  # every table must be known
from core import log, migrations
from core.db import make_engine
from core.settings import Settings

MIGRATE = "import sys; from core.migrations import migrate; migrate(sys.argv[1])"


def test_the_database_is_what_the_models_say(migrated_url: str) -> None:
    engine = make_engine(migrated_url, writer=True)
    assert migrations.drift(engine) == []
    assert migrations.revision_of(engine) == migrations.head()
    engine.dispose()


def test_two_processes_that_start_at_once_migrate_once(database_url: str) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", MIGRATE, database_url], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in processes:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    engine = make_engine(database_url, writer=True)
    assert migrations.revision_of(engine) == migrations.head()
    engine.dispose()


def test_a_secret_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("s" * 40 + "\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAIXIN_SECRET_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("DAIXIN_DATABASE_URL", "postgres://u@h/d")
    found = Settings()
    assert found.secret_key.get_secret_value() == "s" * 40
    assert found.sqlalchemy_url == "postgresql+psycopg://u@h/d"
    assert "sss" not in repr(found)
    monkeypatch.setenv("DAIXIN_SECRET_KEY", "e" * 40)
    assert Settings().secret_key.get_secret_value() == "e" * 40


def test_tokens_never_reach_the_log() -> None:
    token = "123456789:" + "A" * 35
    assert token not in log.scrub(f"POST https://api.telegram.org/bot{token}/getMe")
    log.hide("a-password-of-ours")
    assert log.scrub("with a-password-of-ours") == "with ***"
