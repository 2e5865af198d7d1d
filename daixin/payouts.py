"""Which payout providers are set up; each is imported only when it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bots.adapter import Adapter
from core.reader import Reader
from core.settings import Settings
from daixin import providers
from rewards.payouts.port import Provider

Builder = Callable[[Settings, Reader, Mapping[str, Adapter]], Provider | None]
BUILDERS: dict[str, Builder] = {
    "wechatpay": providers.wechatpay,
    "paypal": providers.paypal,
    "telegram_gift": providers.telegram_gift,
}
"""Provider → how it is made from the settings and this process's platforms; None where it is not set up."""


def providers_of(settings: Settings, reader: Reader, adapters: Mapping[str, Adapter]) -> dict[str, Provider]:
    """The providers that are set up. Raises `BadInput` for settings that do not fit together."""
    made = {name: build(settings, reader, adapters) for name, build in BUILDERS.items()}
    return {name: provider for name, provider in made.items() if provider is not None}
