"""Which platforms are set up, and their adapters, imported only when they are (some take a second to import)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from bots.adapter import Adapter, Store
from bots.command import Menu
from core import log
from core.errors import BadInput
from core.settings import EnvSettings, Settings
from daixin.environment import read_environment

Clock = Callable[[], datetime]


class TelegramEnv(EnvSettings):
    """`DAIXIN_TELEGRAM_…`"""

    model_config = SettingsConfigDict(env_prefix="DAIXIN_TELEGRAM_")
    token: SecretStr | None = None
    api_url: str = "https://api.telegram.org"
    webhook_url: str | None = None
    webhook_secret: SecretStr | None = None
    poll_interval: float = 0.0


class DiscordEnv(EnvSettings):
    """`DAIXIN_DISCORD_…`"""

    model_config = SettingsConfigDict(env_prefix="DAIXIN_DISCORD_")
    token: SecretStr | None = None
    api_url: str | None = None
    gateway_url: str | None = None
    shard_count: int | None = None
    announce_channel: str = ""


class WeChatEnv(EnvSettings):
    """`DAIXIN_WECHAT_…`"""

    model_config = SettingsConfigDict(env_prefix="DAIXIN_WECHAT_")
    endpoint: str | None = None
    token: SecretStr | None = None
    tls: bool = False
    tls_ca: str | None = None
    tls_name: str | None = None


@contextmanager
def named(platform: str) -> Iterator[None]:
    """What a platform refuses in its settings becomes `BadInput("platform_settings")`."""
    try:
        yield
    except ValueError as error:
        raise BadInput("platform_settings", platform=platform, said=str(error)) from None


class WebChatEnv(EnvSettings):
    """`DAIXIN_WEBCHAT_…`"""

    model_config = SettingsConfigDict(env_prefix="DAIXIN_WEBCHAT_")
    allowed_origins: str = ""
    cross_site_cookie: bool = False


def telegram(menu: Menu, store: Store, now: Clock) -> Adapter | None:
    """The Telegram adapter, if a token is set."""
    env = read_environment(TelegramEnv)
    if env.token is None:
        return None
    from bots.telegram.adapter import TelegramAdapter
    from bots.telegram.settings import TelegramSettings

    secret = env.webhook_secret.get_secret_value() if env.webhook_secret else None
    log.hide(env.token.get_secret_value())
    log.hide(secret)
    with named("telegram"):
        settings = TelegramSettings(
            token=env.token.get_secret_value(),
            api_url=env.api_url,
            webhook_url=env.webhook_url,
            webhook_secret=secret,
            poll_interval=env.poll_interval,
        )
    return TelegramAdapter(settings, menu, store, now)


def telegram_token() -> str:
    """The bot's token, for web pages that are opened inside Telegram; empty if none is set. The process that serves
    them need not run the bot."""
    token = read_environment(TelegramEnv).token
    log.hide(token.get_secret_value() if token is not None else None)
    return token.get_secret_value() if token is not None else ""


def discord(menu: Menu, store: Store, now: Clock) -> Adapter | None:
    """The Discord adapter, if a token is set."""
    env = read_environment(DiscordEnv)
    if env.token is None:
        return None
    from bots.discord.adapter import DiscordAdapter
    from bots.discord.settings import DiscordSettings

    log.hide(env.token.get_secret_value())
    settings = DiscordSettings(
        token=env.token.get_secret_value(),
        api_url=env.api_url,
        gateway_url=env.gateway_url,
        shard_count=env.shard_count,
        announce_channel=env.announce_channel,
    )
    return DiscordAdapter(settings, menu, store, now)


def wechat(menu: Menu, store: Store, now: Clock) -> Adapter | None:
    """The WeChat adapter, if a gateway's endpoint is set."""
    env = read_environment(WeChatEnv)
    if env.endpoint is None:
        return None
    from bots.wechat.adapter import WeChatAdapter
    from bots.wechat.settings import WeChatSettings

    token = env.token.get_secret_value() if env.token else ""
    log.hide(token)
    with named("wechat"):
        settings = WeChatSettings(
            endpoint=env.endpoint, token=token, tls=env.tls, tls_ca=env.tls_ca, tls_name=env.tls_name
        )
    return WeChatAdapter(settings, menu, store, now)


def admins_of(platform: str, named_admins: str) -> frozenset[str]:
    """The accounts on one platform among the operator's `platform:account`, by commas."""
    pairs = (entry.strip().partition(":") for entry in named_admins.split(","))
    return frozenset(account for name, _, account in pairs if name == platform and account)


def webchat(settings: Settings, menu: Menu, store: Store, now: Clock, *, stage: bool) -> Adapter:
    """The web chat, which needs no token."""
    from bots.webchat.adapter import WebChatAdapter
    from bots.webchat.settings import WebChatSettings

    env = read_environment(WebChatEnv)
    with named("webchat"):
        chat = WebChatSettings(
            secret_key=settings.secret_key.get_secret_value(),
            public_url=settings.public_url.rstrip("/"),
            stage=stage,
            admins=admins_of("webchat", settings.admins),
            allowed_origins=tuple(origin.strip() for origin in env.allowed_origins.split(",") if origin.strip()),
            cross_site_cookie=env.cross_site_cookie,
        )
    return WebChatAdapter(chat, menu, store, now)


BUILDERS = {"telegram": telegram, "discord": discord, "wechat": wechat}
