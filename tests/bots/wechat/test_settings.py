"""What the account needs before anything is tried, and what loading it costs."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bots.command import Menu
from bots.wechat.adapter import WeChatAdapter
from bots.wechat.compat import WeChatNotInstalled
from bots.wechat.settings import WeChatSettings
from tests.bots.harness import MemoryStore, Script

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("endpoint", ["", "gateway", "gateway:", ":8788", "gateway:http", "gateway:0", "gateway:70000"])
def test_without_an_endpoint_nothing_is_asked_of_anybody(endpoint: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        WeChatSettings(endpoint, "token")


def test_without_a_token_there_is_no_account() -> None:
    with pytest.raises(ValueError, match="token"):
        WeChatSettings("gateway:8788", " ")


def test_an_account_without_a_pace_is_refused() -> None:
    with pytest.raises(ValueError, match="above zero"):
        WeChatSettings("gateway:8788", "t", messages_per_minute=0)


def test_the_endpoint_is_taken_apart() -> None:
    assert (WeChatSettings("[::1]:8788", "t").host, WeChatSettings("[::1]:8788", "t").port) == ("::1", 8788)


def test_the_token_is_not_shown() -> None:
    assert "hush" not in repr(WeChatSettings("gateway:8788", "hush"))


def test_importing_the_adapter_is_light_and_leaves_nothing_behind(tmp_path: Path) -> None:
    code = (
        "import sys, bots.wechat.adapter as a\n"
        "assert not {'wechaty', 'wechaty_puppet_service', 'grpclib'} & set(sys.modules)\n"
        "from bots.wechat.settings import WeChatSettings\n"
        "a.wechaty(WeChatSettings('127.0.0.1:1', 't'))\n"
        "assert 'wechaty_puppet_service' in sys.modules and 'wechaty' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=True)
    assert list(tmp_path.iterdir()) == []


def test_it_loads_where_python_has_no_telnet_any_more() -> None:
    code = (
        "import importlib.util as u, sys\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'telnetlib' else find(name, package)\n"
        "from bots.wechat import compat\n"
        "compat.prepare()\n"
        "compat.prepare()\n"
        "assert sys.modules['telnetlib'].Telnet is object\n"
        "import bots.wechat.connection\n"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT)}, check=True)


async def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wechaty_puppet_service", None)
    adapter = WeChatAdapter(WeChatSettings("127.0.0.1:1", "t"), Menu(), MemoryStore(), lambda: datetime.now(UTC))
    with pytest.raises(WeChatNotInstalled, match=r"daixin\[wechat\]"):
        await adapter.run(Script())
    assert adapter.status.state == "down"
