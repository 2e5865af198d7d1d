"""Providers are made of the environment: none without settings, and what cannot work is said before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.db import make_engine
from core.errors import BadInput
from core.reader import Reader
from core.settings import Settings
from daixin import payouts
from rewards.payouts.notices import Notifies
from rewards.payouts.paypal import SANDBOX, PayPal
from rewards.payouts.port import CARRIED, Provider
from tests.rewards.payouts.standins.wechatpay import APIV3_KEY, private_pem

MERCHANT = {
    "DAIXIN_WECHATPAY_MCHID": "1900000001",
    "DAIXIN_WECHATPAY_APPID": "wxd678efh567hg6787",
    "DAIXIN_WECHATPAY_CERT_SERIAL_NO": "5157F09E",
    "DAIXIN_WECHATPAY_APIV3_KEY": APIV3_KEY,
}
APP = {"DAIXIN_PAYPAL_CLIENT_ID": "client", "DAIXIN_PAYPAL_CLIENT_SECRET": "a secret"}


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(make_engine(f"sqlite:///{tmp_path}/x.db", writer=False))
    yield reader
    reader.close()


def made(monkeypatch: pytest.MonkeyPatch, reader: Reader, **given: str) -> dict[str, Provider]:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return payouts.providers_of(Settings(public_url="https://invite.example.com"), reader, {})


def test_without_settings_there_are_none(monkeypatch: pytest.MonkeyPatch, reader: Reader) -> None:
    assert made(monkeypatch, reader) == {}


async def test_each_is_made_of_its_settings(monkeypatch: pytest.MonkeyPatch, reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(private_pem("merchant"))
    more = {
        "DAIXIN_WECHATPAY_PRIVATE_KEY_FILE": str(tmp_path / "key.pem"),
        "DAIXIN_WECHATPAY_SCENE_INFOS": "活动名称=老带新; 奖励说明=推荐奖励",
        "DAIXIN_TELEGRAM_TOKEN": "42:TEST",
    }
    found = made(monkeypatch, reader, **MERCHANT, **APP, **more)
    assert found.keys() == CARRIED.keys() - {"manual"}
    assert {name for name, one in found.items() if isinstance(one, Notifies)} == {"wechatpay", "paypal"}
    assert all(one.name == name for name, one in found.items())
    for one in found.values():
        await one.close()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (MERCHANT, "private key"),
        (MERCHANT | {"DAIXIN_WECHATPAY_PRIVATE_KEY": "nonsense"}, "PEM"),
        (MERCHANT | {"DAIXIN_WECHATPAY_PRIVATE_KEY": private_pem("merchant"), "DAIXIN_WECHATPAY_APIV3_KEY": "x"}, "32"),
        (MERCHANT | {"DAIXIN_WECHATPAY_SCENE_INFOS": "活动名称"}, "type=content"),
        ({"DAIXIN_PAYPAL_CLIENT_ID": "client"}, "secret"),
    ],
    ids=["no key", "no PEM", "short key", "scene", "no secret"],
)
def test_settings_that_cannot_work_are_named(
    monkeypatch: pytest.MonkeyPatch, reader: Reader, given: dict[str, str], said: str
) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        made(monkeypatch, reader, **given)
    assert APIV3_KEY not in str(refused.value)


def test_nobody_pays_real_money_by_accident(monkeypatch: pytest.MonkeyPatch, reader: Reader) -> None:
    (found,) = made(monkeypatch, reader, **APP).values()
    assert isinstance(found, PayPal)
    assert found._settings.url == SANDBOX
