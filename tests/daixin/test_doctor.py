"""What the doctor finds with a platform, without disturbing the bot that runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlmodel import Session

from core.settings import Settings
from daixin.doctor import Finding, examine
from referral import brands
from tests.bots.telegram.botapi import BotApi
from tests.daixin.program import SECRET, closed_port
from tests.house import House


@pytest.fixture
def settings(tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation whose folder holds a database and nothing else."""
    shutil.copy(migrated_sqlite, tmp_path / "daixin.db")
    monkeypatch.chdir(tmp_path)
    return Settings(
        database_url=f"sqlite:///{tmp_path / 'daixin.db'}",
        secret_key=SECRET,
        web_port=closed_port(),
        public_url="http://127.0.0.1",
    )


def brand_with_groups(settings: Settings, *groups: tuple[str, str]) -> None:
    def unit(session: Session) -> None:
        brand = brands.create_brand(session, "Tea")
        for group, title in groups:
            brands.connect(session, brand.id, "telegram", group, title, None)

    house = House(settings.database_url)
    house.do(unit)
    house.close()


def about(findings: list[Finding], what: str) -> Finding:
    return next(one for one in findings if what in one.what)


async def test_a_bot_and_its_rights_in_each_group(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with BotApi() as api:
        good, poor = api.group("Tea lovers"), api.group("Coffee lovers", bot_status="member")
        groups = [(str(good.id), "Tea lovers"), (str(poor.id), "Coffee lovers"), ("-100999", "Long gone")]
        brand_with_groups(settings, *groups)
        monkeypatch.setenv("DAIXIN_TELEGRAM_TOKEN", api.token)
        monkeypatch.setenv("DAIXIN_TELEGRAM_API_URL", api.url)
        someone = api.person("Alice")
        api.say(someone, "/start")
        findings = await examine(settings)
        assert about(findings, "knows us").what == "telegram knows us as daixin_bot"
        assert about(findings, "Tea lovers").ok
        assert not about(findings, "Coffee lovers").ok
        assert about(findings, "Coffee lovers").todo.startswith("⚠️ To count invitations I still need here:")
        assert not about(findings, "Long gone").ok
        assert "still in this group" in about(findings, "Long gone").todo
        assert api.unheard == 1, "what people say is left for the bot that runs"


async def test_a_token_that_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    brand_with_groups(settings)
    async with BotApi() as api:
        monkeypatch.setenv("DAIXIN_TELEGRAM_TOKEN", "43:WRONG")
        monkeypatch.setenv("DAIXIN_TELEGRAM_API_URL", api.url)
        found = about(await examine(settings), "telegram")
        assert (found.ok, "refuses the token" in found.todo) == (False, True)


async def test_a_gateway_that_nobody_runs(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daixin.doctor.CONNECT_WITHIN", 1.0)
    brand_with_groups(settings)
    monkeypatch.setenv("DAIXIN_WECHAT_ENDPOINT", f"127.0.0.1:{closed_port()}")
    monkeypatch.setenv("DAIXIN_WECHAT_TOKEN", "a-token")
    found = about(await examine(settings), "wechat")
    assert not found.ok
    assert found.todo
