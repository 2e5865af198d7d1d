"""The settings that let an installation be repointed: their names are a promise, in the environment and as files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bots.adapter import Adapter
from bots.command import Menu
from core import clock
from core.errors import BadInput
from core.settings import Settings
from daixin import bootstrap, console, platforms
from daixin.environment import read_environment
from tests.bots.harness import MemoryStore


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine, no `.env` of the checkout."""

    for name in [name for name in os.environ if name.startswith("DAIXIN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=["environment", "files", "dotenv"])
def configure(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Sets `DAIXIN_…` in one of the ways an operator may: every one of them must do."""

    def apply(**settings: str) -> None:
        lines = []
        for name, value in settings.items():
            match request.param:
                case "environment":
                    monkeypatch.setenv(f"DAIXIN_{name}", value)
                case "dotenv":
                    lines.append(f"DAIXIN_{name}={value}\n")
                case _:
                    (tmp_path / name).write_text(value + "\n")
                    monkeypatch.setenv(f"DAIXIN_{name}_FILE", str(tmp_path / name))
        if lines:
            (tmp_path / ".env").write_text("".join(lines))

    return apply


def settings_of(adapter: Adapter | None) -> Any:
    """What the adapter was made with."""
    assert adapter is not None
    return adapter._settings  # type: ignore[attr-defined]  # the promise ends where it arrives


def test_the_programs_own(configure: Callable[..., None]) -> None:
    configure(
        DATABASE_URL="postgresql://daixin@db/daixin",
        PUBLIC_URL="https://tea.example",
        SECRET_KEY="k" * 40,
        WEB_HOST="0.0.0.0",
        WEB_PORT="9000",
    )
    read = read_environment(Settings)
    assert read.database_url == "postgresql://daixin@db/daixin"
    assert read.sqlalchemy_url == "postgresql+psycopg://daixin@db/daixin"
    assert (read.public_url, read.web_host, read.web_port) == ("https://tea.example", "0.0.0.0", 9000)
    assert bootstrap.secret_key(read) == "k" * 40


async def test_telegrams(configure: Callable[..., None]) -> None:
    configure(
        TELEGRAM_TOKEN="42:TEST",
        TELEGRAM_API_URL="http://127.0.0.1:8081",
        TELEGRAM_WEBHOOK_URL="https://tea.example/hooks/telegram",
        TELEGRAM_WEBHOOK_SECRET="whisper",
        TELEGRAM_POLL_INTERVAL="0.5",
    )
    made = settings_of(platforms.telegram(Menu(()), MemoryStore(), clock.now))
    assert (made.token, made.api_url) == ("42:TEST", "http://127.0.0.1:8081")
    assert (made.webhook_url, made.webhook_secret) == ("https://tea.example/hooks/telegram", "whisper")
    assert made.poll_interval == 0.5


async def test_discords(configure: Callable[..., None]) -> None:
    configure(DISCORD_TOKEN="a.b.c", DISCORD_API_URL="http://127.0.0.1:1/api", DISCORD_GATEWAY_URL="ws://127.0.0.1:2")
    made = settings_of(platforms.discord(Menu(()), MemoryStore(), clock.now))
    assert (made.token, made.api_url, made.gateway_url) == ("a.b.c", "http://127.0.0.1:1/api", "ws://127.0.0.1:2")


async def test_wechats(configure: Callable[..., None]) -> None:
    configure(WECHAT_ENDPOINT="gateway:8788", WECHAT_TOKEN="puppet_token", WECHAT_TLS="true")
    made = settings_of(platforms.wechat(Menu(()), MemoryStore(), clock.now))
    assert (made.endpoint, made.token, made.tls) == ("gateway:8788", "puppet_token", True)


@pytest.mark.parametrize("platform", ["telegram", "discord", "wechat"])
def test_a_platform_that_is_not_set_up_is_left_out(platform: str) -> None:
    assert platforms.BUILDERS[platform](Menu(()), MemoryStore(), clock.now) is None


@pytest.mark.parametrize(
    ("platform", "settings", "said"),
    [
        ("telegram", {"TELEGRAM_TOKEN": "1:x", "TELEGRAM_WEBHOOK_URL": "https://x.example"}, "needs a secret"),
        ("wechat", {"WECHAT_ENDPOINT": "gateway"}, "host:port"),
        ("wechat", {"WECHAT_ENDPOINT": "gateway:8788"}, "needs a token"),
        ("wechat", {"WECHAT_ENDPOINT": "gateway:8788", "WECHAT_TLS": "perhaps"}, "boolean"),
        ("telegram", {"TELEGRAM_TOKEN": "1:x", "TELEGRAM_POLL_INTERVAL": "soon"}, "number"),
    ],
)
def test_what_cannot_work_is_refused_in_words(
    platform: str, settings: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"DAIXIN_{name}", value)
    with pytest.raises(BadInput) as refused:
        platforms.BUILDERS[platform](Menu(()), MemoryStore(), clock.now)
    assert said in str(console.explain(refused.value))
    assert "1:x" not in str(console.explain(refused.value))


def test_links_point_to_our_own_port_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.log.configure", lambda **how: None)
    monkeypatch.setenv("DAIXIN_WEB_PORT", "8123")
    monkeypatch.setenv("DAIXIN_WEB_HOST", "0.0.0.0")
    assert console.read_settings().public_url == "http://127.0.0.1:8123"
    monkeypatch.setenv("DAIXIN_PUBLIC_URL", "https://tea.example")
    assert console.read_settings().public_url == "https://tea.example"


def test_on_sqlite_a_secret_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'daixin.db'}"
    first = bootstrap.secret_key(Settings(database_url=url))
    assert len(first) >= 32
    assert bootstrap.secret_key(Settings(database_url=url)) == first
    assert (tmp_path / "daixin.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("key", "code"), [("short", "secret_key_short"), ("", "secret_key_missing")])
def test_a_shared_database_needs_a_secret_of_some_length(key: str, code: str) -> None:
    with pytest.raises(BadInput, match=code):
        bootstrap.secret_key(Settings(database_url="postgresql://db/daixin", secret_key=key))


def test_operators_name_admins_by_platform_and_account() -> None:
    named = "telegram:42, webchat:stage:Carol ,webchat:, discord:7"
    assert platforms.admins_of("webchat", named) == {"stage:Carol"}
    assert platforms.admins_of("wechat", named) == frozenset()
