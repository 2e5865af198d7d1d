"""Where we may send: addresses of the public internet only, looked up by us and connected to as looked up.

An address a brand types is a request that our own machine will make, from inside the operator's network. So a host is
resolved before it is kept and again before every use, every address it has must be public, and the connection goes to
the very address that was looked at: a name that answers differently the next moment gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from core.errors import BadInput

LONGEST = 500
"""Characters of an address."""
RESOLVE_SECONDS = 5.0
_ASKING = ThreadPoolExecutor(32, thread_name_prefix="names")
"""Threads of its own: a name that nobody answers for keeps one for as long as the system likes, and a brand may give
many of them; passwords are checked and cards drawn in the others."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""(host, port) → the addresses it has. Raises `OSError`."""

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_NUMERIC = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)\.?")
"""A last label that browsers and `inet_aton` take for a number: 2130706433, 0x7f.1, 0177.0.0.1."""
_PATH = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")
"""What RFC 3986 lets stand in a path and a query."""
_CLOSED = [
    ipaddress.ip_network(text)
    for text in (
        "168.63.129.16/32",  # Azure's platform speaks from a public address
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "64:ff9b:1::/48",  # local-use NAT64, RFC 8215
    )
]
_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart. `path` with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and, unless it is the usual one, port: what a request names in `Host`."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == _USUAL[self.scheme] else f"{shown}:{self.port}"

    def at(self, address: str) -> str:
        """The URL with one of its host's addresses in the place of the name."""
        shown = f"[{address}]" if ":" in address else address
        return f"{self.scheme}://{shown}:{self.port}{self.path}"


_USUAL = {"https": 443, "http": 80}


def read_allowed(setting: str) -> list[Network]:
    """`DAIXIN_WEBHOOK_ALLOW`: addresses and networks, by commas. Raises `BadInput("webhook_allow")`."""
    try:
        return [ipaddress.ip_network(part.strip(), strict=False) for part in setting.split(",") if part.strip()]
    except ValueError as error:
        raise BadInput("webhook_allow", said=str(error)) from None


def read_target(url: str) -> Target:
    """What an address names, without asking anybody.

    Raises `BadInput`: webhook_url (it is none), webhook_scheme, webhook_userinfo, webhook_port.
    """
    if len(url) > LONGEST or not url.isprintable() or url != url.strip():
        raise BadInput("webhook_url")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode() if ":" not in (parts.hostname or "") else parts.hostname
    except (ValueError, UnicodeError):
        raise BadInput("webhook_url") from None
    if parts.scheme not in _USUAL:
        raise BadInput("webhook_scheme")
    if "@" in parts.netloc:
        raise BadInput("webhook_userinfo")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not host or parts.fragment or not _PATH.fullmatch(path) or not _is_host(host):
        raise BadInput("webhook_url")
    port = port if port is not None else _USUAL[parts.scheme]
    if port not in _USUAL.values() and port < 1024:
        raise BadInput("webhook_port", port=port)
    return Target(parts.scheme, host.lower().rstrip("."), port, path)


def _is_host(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host)) and "%" not in host
    except ValueError:
        host = host.lower()
        return len(host) <= 253 and bool(_NAME.fullmatch(host)) and not _NUMERIC.fullmatch(host)


async def resolve(host: str, port: int) -> list[str]:
    """The machine's own answer."""
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    answer = asyncio.get_running_loop().run_in_executor(_ASKING, ask)
    return [str(entry[4][0]) for entry in await asyncio.wait_for(answer, RESOLVE_SECONDS)]


async def addresses_of(target: Target, allowed: Sequence[Network], ask: Resolve = resolve) -> list[str]:
    """The addresses we may connect to, IPv4 first: what the host has, if all of it is public or allowed.

    Raises `BadInput`: webhook_unknown_host, webhook_private, and webhook_scheme for http to anywhere not allowed.
    """
    if target.scheme == "http" and not allowed:
        raise BadInput("webhook_scheme")
    try:
        found = [ipaddress.ip_address(one.partition("%")[0]) for one in await ask(target.host, target.port)]
    except (OSError, TimeoutError, ValueError):
        found = []
    if not found:
        raise BadInput("webhook_unknown_host", host=target.host)
    inside = [any(_in(one, network) for network in allowed) for one in found]
    if not all(known or is_public(one) for one, known in zip(found, inside, strict=True)):
        raise BadInput("webhook_private", host=target.host)
    if target.scheme == "http" and not all(inside):
        raise BadInput("webhook_scheme")
    return [str(one) for one in sorted(dict.fromkeys(found), key=lambda one: one.version)]


async def check_url(url: str, allowed: Sequence[Network], ask: Resolve = resolve) -> str:
    """The URL as we keep it. Raises what `read_target` and `addresses_of` raise."""
    target = read_target(url.strip())
    await addresses_of(target, allowed, ask)
    return f"{target.scheme}://{target.authority}{target.path}"


def is_public(address: Address) -> bool:
    """Whether this is an address of the open internet, also looked at through the ways to write an IPv4 address as an
    IPv6 one (mapped, compatible, NAT64, 6to4, Teredo)."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = _inside(address)
        if inner:
            return all(is_public(one) for one in inner)
        if address not in _UNICAST:
            return False
    shut = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    return address.is_global and not shut and not any(_in(address, network) for network in _CLOSED)


def _inside(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses that an IPv6 one stands for."""
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address.sixtofour is not None:
        return [address.sixtofour]
    if address.teredo is not None:
        return list(address.teredo)
    if address in _NAT64 or address in _COMPATIBLE:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return []


def _in(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network
