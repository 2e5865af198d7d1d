"""The ways to run it for real: the image, the services, the unit and the example of all settings fit together."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
DOCKER = ROOT / "docker"
TOOLS = Path(sys.prefix) / "bin"
NAMES = [
    *("DATABASE_URL", "PUBLIC_URL", "SECRET_KEY", "WEB_HOST", "WEB_PORT"),
    *("VAULT_KEYS", "PAYOUT_APPROVE_ABOVE"),
    *("TELEGRAM_TOKEN", "TELEGRAM_API_URL", "TELEGRAM_WEBHOOK_URL", "TELEGRAM_WEBHOOK_SECRET"),
    *("TELEGRAM_POLL_INTERVAL", "DISCORD_TOKEN", "DISCORD_API_URL", "DISCORD_GATEWAY_URL"),
    *("WECHAT_ENDPOINT", "WECHAT_TOKEN", "WECHAT_TLS", "WECHAT_TLS_CA", "WECHAT_TLS_NAME", "DISCORD_SHARD_COUNT"),
    *("WECHATPAY_MCHID", "WECHATPAY_APPID", "WECHATPAY_CERT_SERIAL_NO", "WECHATPAY_PRIVATE_KEY", "WECHATPAY_APIV3_KEY"),
    *("WECHATPAY_PUBLIC_KEY", "WECHATPAY_PUBLIC_KEY_ID", "WECHATPAY_SCENE_ID", "WECHATPAY_SCENE_INFOS"),
    *("WECHATPAY_PERCEPTION", "WECHATPAY_REMARK", "WECHATPAY_API_URL"),
    *("PAYPAL_CLIENT_ID", "PAYPAL_CLIENT_SECRET", "PAYPAL_SANDBOX", "PAYPAL_WEBHOOK_ID", "PAYPAL_SUBJECT"),
    *("PAYPAL_API_URL", "DISCORD_ANNOUNCE_CHANNEL", "OPEN_TO_BRANDS", "API_RATE", "WEBHOOK_ALLOW"),
    "YOUZAN_URL",
    *("ADMINS", "TRUSTED_PROXIES", "LOG_JSON", "DATA_FOLDER", "WEBCHAT_ALLOWED_ORIGINS", "WEBCHAT_CROSS_SITE_COOKIE"),
]
SECRETS = [
    *("SECRET_KEY", "VAULT_KEYS", "TELEGRAM_TOKEN", "TELEGRAM_WEBHOOK_SECRET", "DISCORD_TOKEN", "WECHAT_TOKEN"),
    *("WECHATPAY_PRIVATE_KEY", "WECHATPAY_APIV3_KEY", "PAYPAL_CLIENT_SECRET"),
]


def compose() -> dict[str, Any]:
    """The services, with YAML's anchors and merges resolved."""
    found = YAML(typ="safe", pure=True).load(DOCKER / "compose.yaml")
    assert isinstance(found, dict)
    return found


def run(*words: str | Path) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_dockerfile_is_clean() -> None:
    run(TOOLS / "hadolint", "--failure-threshold", "info", DOCKER / "Dockerfile")


def test_the_image_brings_the_uv_that_dev_brings() -> None:
    pins = [set(re.findall(r"uv==[\d.]+", path.read_text())) for path in (DOCKER / "Dockerfile", ROOT / "dev")]
    assert pins[0] == pins[1]
    assert len(pins[0]) == 1


def test_the_image_gets_every_package_of_the_wheel() -> None:
    let_in = set(re.findall(r"(?m)^!(\w+)$", (DOCKER / "Dockerfile.dockerignore").read_text()))
    packages = re.search(r"(?m)^packages = \[(.*)\]$", (ROOT / "pyproject.toml").read_text())
    assert packages is not None
    assert set(re.findall(r'"(\w+)"', packages[1])) <= let_in


def test_compose_follows_the_specification() -> None:
    run(TOOLS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DOCKER / "compose.yaml")


def test_nobody_serves_before_the_migration_is_through() -> None:
    services = compose()["services"]
    assert services["daixin"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert services["migrate"]["restart"] == "no"
    assert services["postgres"]["image"] == "postgres:17"


def test_secrets_come_as_files_and_ports_stay_on_this_machine() -> None:
    found = compose()
    for service in found["services"].values():
        assert set(service["secrets"]) <= set(found["secrets"])
        for name, value in service["environment"].items():
            if name.endswith("_FILE"):
                assert Path(value).name in service["secrets"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert found["services"]["daixin"]["environment"]["DAIXIN_DATABASE_URL"] == ""  # or it would win over the file


def test_what_compose_passes_on_is_a_setting() -> None:
    passed = set(compose()["services"]["daixin"]["environment"])
    known = {f"DAIXIN_{name}{suffix}" for name in NAMES for suffix in ("", "_FILE")}
    assert passed <= known


@pytest.mark.needs("systemd")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = (DOCKER / "daixin.service").read_text()
    assert "ExecStart=/opt/daixin/bin/daixin serve" in unit
    here = tmp_path / "daixin.service"
    here.write_text(unit.replace("/opt/daixin/bin/daixin", "/bin/true"))  # verify asks whether the program exists
    assert "daixin.service" not in run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", here)


def test_the_example_names_every_setting_and_no_other() -> None:
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"(?m)^(?:# )?DAIXIN_(\w+)=", example))
    wanted = {*NAMES, *(f"{name}_FILE" for name in SECRETS), "DATABASE_URL_FILE"}
    assert named == wanted


def test_the_example_gives_no_secret_away() -> None:
    example = (ROOT / ".env.example").read_text()
    assert not re.findall(rf"(?m)^(?:# )?DAIXIN_(?:{'|'.join(SECRETS)})=.+$", example)
