"""The kinds of item, and what each needs to be told when it is made."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from core.errors import BadInput

PLATFORM_OF = {
    "discord_role": "discord",
    "telegram_tag": "telegram",
    "telegram_gift": "telegram",
    "telegram_premium": "telegram",
}
"""Kinds that a platform gives: which one. The member needs an account there."""
LOCAL = ("voucher", "promo_code", "ticket")
"""Kinds that are given in the unit of work that asks for them."""
ONE_AT_ONCE = ("telegram_gift", "telegram_premium")
"""Kinds that are paid for one by one, so that each has a payout of its own to be looked up by."""
KINDS = (*LOCAL, *PLATFORM_OF, "physical")
LEAST_RANDOM = 8
"""Random symbols of a promo code: 40 bits, as an invite code has."""
PATTERN_LENGTH = 40
_LITERAL = re.compile(r"[A-Z0-9?#-]+")


def _pattern(text: str) -> str:
    if not _LITERAL.fullmatch(text):
        raise ValueError("capital letters, digits, dashes, ? for a random symbol and # for the check symbol only")
    if text.count("?") < LEAST_RANDOM:
        raise ValueError(f"at least {LEAST_RANDOM} random symbols (?), or the codes could be guessed")
    if text.count("#") > 1:
        raise ValueError("one check symbol (#) is enough")
    return text


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class VoucherSettings(_Settings):
    """Codes from an uploaded pool. `expiring_days`: how long before a code's end its owner is reminded."""

    expiring_days: int = Field(3, ge=0, le=90)


class PromoCodeSettings(_Settings):
    """Codes made on demand. `pattern`: `?` becomes a random symbol, `#` the check symbol, the rest stays."""

    pattern: Annotated[str, StringConstraints(max_length=PATTERN_LENGTH), AfterValidator(_pattern)] = "????-????-#"
    days: int | None = Field(None, ge=1, le=3650)


class DiscordRoleSettings(_Settings):
    """A role by id or name, in the guild `group`, for `days` (None: for good)."""

    role: Word
    group: Word
    days: int | None = Field(None, ge=1, le=3650)


class TelegramTagSettings(_Settings):
    """A tag beside the member's name in the group, for `days` (None: for good). Telegram allows 16 characters."""

    tag: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=16)]
    group: Word
    days: int | None = Field(None, ge=1, le=3650)


class TelegramGiftSettings(_Settings):
    """A gift of Telegram's shop, by its id there, paid with the bot's Stars."""

    gift_id: Word
    text: Annotated[str, StringConstraints(max_length=128)] = ""


class TelegramPremiumSettings(_Settings):
    """Telegram Premium for 3, 6 or 12 months, paid with the bot's Stars (1000, 1500 or 2500)."""

    months: Literal[3, 6, 12]
    text: Annotated[str, StringConstraints(max_length=128)] = ""


class PhysicalSettings(_Settings):
    """Something that is posted. `countries`: where to (ISO 3166, empty: anywhere). `keep_days`: how long after
    delivery the address is kept."""

    countries: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")], ...] = ()
    keep_days: int = Field(30, ge=0, le=365)


class TicketSettings(_Settings):
    """Tickets of the draws that name this item; see `rewards.items.draws`."""


SETTINGS: dict[str, type[_Settings]] = {
    "voucher": VoucherSettings,
    "promo_code": PromoCodeSettings,
    "discord_role": DiscordRoleSettings,
    "telegram_tag": TelegramTagSettings,
    "telegram_gift": TelegramGiftSettings,
    "telegram_premium": TelegramPremiumSettings,
    "physical": PhysicalSettings,
    "ticket": TicketSettings,
}


def read_settings(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """The settings of an item of this kind, complete. Raises `BadInput`: item_kind, item_settings."""
    if kind not in SETTINGS:
        raise BadInput("item_kind", kind=kind[:40], kinds=", ".join(KINDS))
    try:
        return SETTINGS[kind].model_validate(given).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "settings"
        raise BadInput("item_settings", place=place, problem=first["msg"].removeprefix("Value error, ")) from None
