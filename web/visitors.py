"""What a request tells of who sent it: a person or a program, which device, from where, in which language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from crawlerdetect import CrawlerDetect
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.types import Scope
from ua_parser import parse_os

from core import i18n

Network = IPv4Network | IPv6Network

_AGENT_LENGTH = 320
_LONG_WORD = re.compile(r"[^\s();/]{48,}")
"""No browser writes such words, and matching robots' names in them takes quadratic time."""
_BROWSERS = ("Mozilla/", "Opera/")
_PREVIEWS = re.compile(
    r"WhatsApp|TelegramBot|Discordbot|Slack(?:bot|-ImgProxy)|facebookexternalhit|Twitterbot|LinkedInBot|"
    r"SkypeUriPreview|WeChat(?:Bot|ShareExtension)|wechatdevtools|WxWork.*(?:bot|spider)|Iframely|Mastodon|Bluesky",
    re.IGNORECASE,
)
"""Programs of the chat platforms that fetch a link to draw its preview."""
_DESKTOPS = frozenset({"Windows", "Mac OS X", "Linux", "Ubuntu", "Fedora", "Debian", "Chrome OS", "FreeBSD"})

_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([\d.]+):\d+")


@dataclass(frozen=True, slots=True)
class Agent:
    """device: mobile, tablet, desktop or None (cannot be told). robot: not a person who looks at the page."""

    device: str | None
    robot: bool
    wechat: bool


def told_by(scope: Scope) -> dict[str, str]:
    """The request's headers as a plain dict, read once: the hot path asks for several."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def agent_of(headers: Mapping[str, str]) -> Agent:
    """Who asks, by the `User-Agent` header; a page fetched ahead of a person's click is a robot's too."""
    agent = read_agent(headers.get("user-agent", "")[:_AGENT_LENGTH])
    if "prefetch" in headers.get("sec-purpose", headers.get("purpose", "")):
        return Agent(agent.device, True, agent.wechat)
    return agent


@lru_cache(maxsize=4096)
def read_agent(text: str) -> Agent:
    """Who names itself so. Kept, because reading one takes about a millisecond and most visitors share a few."""
    text = _LONG_WORD.sub("x", text)
    if not text.startswith(_BROWSERS) or _PREVIEWS.search(text) or _crawlers().isCrawler(text):
        return Agent(None, True, False)
    return Agent(_device(text), False, "MicroMessenger" in text)


def warm_up() -> None:
    """Compile the thousand patterns now (a third of a second), or the first visitor would hold up all others."""
    read_agent("Mozilla/5.0 (unheard of)")


@cache
def _crawlers() -> CrawlerDetect:
    return CrawlerDetect()


def _device(text: str) -> str | None:
    system = parse_os(text)
    family = system.family if system else ""
    if "iPad" in text or (family == "Android" and "Mobile" not in text) or "Tablet" in text:
        return "tablet"
    if "Mobi" in text or family in ("iOS", "Android"):
        return "mobile"
    return "desktop" if family in _DESKTOPS else None


def referrer_host(headers: Mapping[str, str]) -> str | None:
    """The host of the page that led here; never its path, which may tell more than we want to know."""
    referrer = headers.get("referer")
    if not referrer:
        return None
    try:
        return (urlsplit(referrer[:2000]).hostname or "")[:100] or None
    except ValueError:
        return None


def read_networks(text: str) -> tuple[Network, ...]:
    """The networks in a list separated by commas. Raises ValueError."""
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def address_of(scope: Scope, headers: Mapping[str, str], proxies: Sequence[Network]) -> str | None:
    """The visitor's address. What `X-Forwarded-For` says counts only as far as our own proxies wrote it."""
    here = scope["client"][0] if scope.get("client") else ""
    if not proxies:
        return here or None
    told = [part.strip() for part in headers.get("x-forwarded-for", "").split(",") if part.strip()]
    for hop in reversed(told):
        if not _within(here, proxies):
            break
        here = _without_port(hop)
    return here[:45] or None


def _without_port(hop: str) -> str:
    """The address alone of what some proxies write with the connection's port, which is another each time."""
    found = _WITH_PORT.fullmatch(hop)
    return (found[1] or found[2]) if found else hop


def visitor_of(request: Request) -> str:
    """Whom a limit counts as one visitor: an address, of IPv6 the network of one household."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(ip_network((address, 64), strict=False))
    return str(getattr(address, "ipv4_mapped", None) or address)


def _within(address: str, networks: Sequence[Network]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def locale_of(request: Request, default: str = i18n.DEFAULT) -> str:
    """Our locale for `?lang=`, else for the browser's languages, else `default`."""
    return locale_by(request.scope, request.headers, default)


def locale_by(scope: Scope, headers: Mapping[str, str], default: str = i18n.DEFAULT) -> str:
    """`locale_of` where the headers were read already."""
    # Made ready only where something is asked: on the way of an order this is felt.
    asked = QueryParams(scope["query_string"]).get("lang") if scope.get("query_string") else None
    if asked and asked.lower().startswith(("zh", "en")):
        return i18n.negotiate(asked, default)
    return i18n.negotiate_header(headers.get("accept-language"), default)
