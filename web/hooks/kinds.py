"""The four kinds of shops, each with its own signature, its own words and its own idea of an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from web.hooks import shopify, stripe, woocommerce, youzan
from web.hooks.news import Told

Headers = Mapping[str, str]
Secrets = Mapping[str, str]


def _never(body: bytes) -> bool:
    return False


async def _as_it_is(data: Any, secrets: Secrets) -> Any:
    return data


@dataclass(frozen=True, slots=True)
class Kind:
    """`verify(raw body, headers, secrets)` → what was signed; `decode(data, headers, options)`, pure; `enquire`: asks
    the shop for what its message is about; `is_ping`: a greeting that nobody signs; `thanks`: the answer it wants."""

    verify: Callable[[bytes, Headers, Secrets], bytes]
    decode: Callable[[Any, Headers, Mapping[str, Any]], Told]
    enquire: Callable[[Any, Secrets], Awaitable[Any]] = _as_it_is
    is_ping: Callable[[bytes], bool] = _never
    thanks: Mapping[str, Any] = field(default_factory=lambda: {"ok": True})


def kinds(youzan_url: str) -> dict[str, Kind]:
    """By the names of `referral.shops.KINDS`."""
    return {
        "shopify": Kind(shopify.verify, shopify.decode),
        "woocommerce": Kind(woocommerce.verify, woocommerce.decode, is_ping=woocommerce.is_ping),
        "stripe": Kind(stripe.verify, stripe.decode),
        "youzan": Kind(
            youzan.verify,
            youzan.decode,
            enquire=youzan.YouzanApi(youzan_url).enquire,
            thanks={"code": 0, "msg": "success"},
        ),
    }
