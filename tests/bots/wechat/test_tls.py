"""A gateway that is reached over an open network."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bots.message import Reply, Said
from tests.bots.wechat.harness import WeChatHarness, eventually
from tests.bots.wechat.process import GatewayProcess

pytestmark = pytest.mark.needs("node")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for gateway.example, signed by itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl: apt-get install openssl")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=gateway.example"
    )
    names = ["-addext", "subjectAltName=DNS:gateway.example", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return certificate, key


@pytest.fixture
def gateway(certificate: tuple[Path, Path]) -> Iterator[GatewayProcess]:
    gateway = GatewayProcess(tls=certificate)
    gateway.start()
    yield gateway
    gateway.kill()


async def test_alice_is_answered_over_tls(gateway: GatewayProcess, certificate: tuple[Path, Path]) -> None:
    wechat = WeChatHarness(gateway, tls=True, tls_ca=str(certificate[0]), tls_name="gateway.example")
    wechat.script.answer = lambda heard: [Reply("你好")] if isinstance(heard, Said) else []
    async with wechat.running():
        await wechat.ready()
        await wechat.say("alice", "邀请")
        assert [seen.text for seen in await wechat.seen("alice", 1)] == ["你好"]


async def test_a_gateway_nobody_vouches_for_is_not_talked_to(gateway: GatewayProcess) -> None:
    wechat = WeChatHarness(gateway, tls=True)
    async with wechat.running():
        await eventually(lambda: wechat.adapter.status.state == "down")
        assert "CERTIFICATE_VERIFY_FAILED" in wechat.adapter.status.detail
    assert await gateway.do("calls") == []
