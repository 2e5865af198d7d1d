"""The payout providers' settings, and how each is made of them; its library is imported only when it is set up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from bots.adapter import Adapter
from bots.commands.all import MENU
from core import clock
from core.reader import Reader
from core.settings import EnvSettings, Settings
from daixin import platforms
from daixin.environment import read_environment
from rewards.payouts.port import Provider

if TYPE_CHECKING:
    from bots.gifts import Giver


class WeChatPayEnv(EnvSettings):
    """`DAIXIN_WECHATPAY_…`"""

    model_config = SettingsConfigDict(env_prefix="DAIXIN_WECHATPAY_")
    mchid: str | None = None
    appid: str = ""
    cert_serial_no: str = ""
    private_key: SecretStr = SecretStr("")
    apiv3_key: SecretStr = SecretStr("")
    public_key: str | None = None
    public_key_id: str | None = None
    scene_id: str = "1000"
    scene_infos: str = ""
    perception: str | None = None
    remark: str = "推荐奖励"
    api_url: str = "https://api.mch.weixin.qq.com"


class PayPalEnv(EnvSettings):
    """`DAIXIN_PAYPAL_…`"""

    model_config = SettingsConfigDict(env_prefix="DAIXIN_PAYPAL_")
    client_id: str | None = None
    client_secret: SecretStr = SecretStr("")
    sandbox: bool = True
    webhook_id: str = ""
    subject: str = ""
    api_url: str = ""


def wechatpay(settings: Settings, reader: Reader, adapters: Mapping[str, Adapter]) -> Provider | None:
    """WeChat Pay, if a merchant is set."""
    env = read_environment(WeChatPayEnv)
    if env.mchid is None:
        return None
    from rewards.payouts.wechatpay import WeChatPay, WeChatPaySettings

    with platforms.named("wechatpay"):
        return WeChatPay(
            WeChatPaySettings(
                mchid=env.mchid,
                appid=env.appid,
                cert_serial_no=env.cert_serial_no,
                notify_url=f"{settings.public_url.rstrip('/')}/hooks/wechatpay",
                private_key=env.private_key.get_secret_value(),
                apiv3_key=env.apiv3_key.get_secret_value(),
                public_key=env.public_key,
                public_key_id=env.public_key_id,
                scene_id=env.scene_id,
                scene_infos=_pairs(env.scene_infos),
                perception=env.perception,
                remark=env.remark,
                confirm_url=f"{settings.public_url.rstrip('/')}/pay/wechat/",
                api_url=env.api_url,
            )
        )


def paypal(settings: Settings, reader: Reader, adapters: Mapping[str, Adapter]) -> Provider | None:
    """PayPal, if an app is set."""
    env = read_environment(PayPalEnv)
    if env.client_id is None:
        return None
    from rewards.payouts.paypal import PayPal, PayPalSettings

    with platforms.named("paypal"):
        return PayPal(
            PayPalSettings(
                client_id=env.client_id,
                client_secret=env.client_secret.get_secret_value(),
                sandbox=env.sandbox,
                webhook_id=env.webhook_id,
                subject=env.subject,
                api_url=env.api_url,
            )
        )


def telegram_gift(settings: Settings, reader: Reader, adapters: Mapping[str, Adapter]) -> Provider | None:
    """Telegram's gifts, if the bot's token is set. Where the bot runs in another process we speak for it."""
    if read_environment(platforms.TelegramEnv).token is None:
        return None
    from bots.gifts import Desk
    from rewards.payouts.telegram_gift import TelegramGift

    running = cast("Giver | None", adapters.get("telegram"))
    return TelegramGift(Desk(running, _mute_bot), reader.run)


def _mute_bot() -> Giver:
    """The bot, to send gifts with and to hear nobody."""
    return cast("Giver", platforms.telegram(MENU, _NoNotes(), clock.now))


class _NoNotes:
    """An adapter that never runs has nothing to remember."""

    async def get(self, key: str) -> Any:
        return None

    async def put(self, key: str, value: Any) -> None:
        pass

    async def quarantine(self, raw: str, error: str) -> None:
        pass


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """`type=content;type=content` as pairs. Raises `ValueError`."""
    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    if not all(sign and kind.strip() and content.strip() for kind, sign, content in pairs):
        raise ValueError("DAIXIN_WECHATPAY_SCENE_INFOS is written type=content;type=content")
    return tuple((kind.strip(), content.strip()) for kind, _, content in pairs)
