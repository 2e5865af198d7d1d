"""Whether a notice is PayPal's: its signature, by a certificate that comes from PayPal's own host.

Signed is `id|time|webhook id|CRC-32 of the body`, with SHA-256 and RSA (PKCS#1 v1.5). Source: developer.paypal.com,
webhooks, “verify the message yourself”.
"""

from __future__ import annotations

import asyncio
import base64
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx2
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from rewards.payouts.notices import NoticeRefused

PATH = "/v1/notifications/certs/"
OLDEST = timedelta(days=4)
"""PayPal tries for three days to bring a notice."""
AHEAD = timedelta(minutes=5)
"""How far PayPal's clock may be ahead of ours."""
KEPT = 8
REFRESH = 1.0
"""Seconds between two fetches of certificates: forged notices must not make us ask PayPal as often as they come."""


class Seals:
    """Checks the notices of one webhook. `hosts`: the origins that certificates may come from."""

    def __init__(
        self, client: httpx2.AsyncClient, webhook_id: str, hosts: Sequence[str], now: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._webhook_id = webhook_id
        self._hosts = hosts
        self._now = now
        self._known: dict[str, x509.Certificate] = {}
        self._fetched = -REFRESH
        self._turn = asyncio.Lock()

    async def check(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raises `NoticeRefused` unless PayPal signed this body for our webhook, not too long ago.

        headers: with lower-case names.
        """
        sent = headers.get("paypal-transmission-time", "")
        self._check_age(sent)
        if not self._webhook_id or headers.get("paypal-auth-algo") != "SHA256withRSA":
            raise NoticeRefused("the notice is not signed as expected")
        key = (await self._certificate(headers.get("paypal-cert-url", ""))).public_key()
        if not isinstance(key, RSAPublicKey):
            raise NoticeRefused("the notice's certificate is not for RSA")
        signed = "|".join(
            (headers.get("paypal-transmission-id", ""), sent, self._webhook_id, str(zlib.crc32(body)))
        ).encode()
        try:
            given = base64.b64decode(headers.get("paypal-transmission-sig", ""), validate=True)
            key.verify(given, signed, PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError):
            raise NoticeRefused("the notice is not signed by PayPal") from None

    def _check_age(self, text: str) -> None:
        try:
            old = self._now() - datetime.fromisoformat(text)
        except (ValueError, TypeError):
            raise NoticeRefused("the notice does not say when it was sent") from None
        if not -AHEAD <= old <= OLDEST:
            raise NoticeRefused("the notice is not of now")

    async def _certificate(self, url: str) -> x509.Certificate:
        """The certificate at this address, kept once seen."""
        async with self._turn:  # notices that come together wait for one fetch
            known = self._known.get(url)
            if known is None:
                known = await self._fetch(url)
                if len(self._known) >= KEPT:
                    self._known.clear()
                self._known[url] = known
        if not known.not_valid_before_utc <= self._now() <= known.not_valid_after_utc:
            raise NoticeRefused("the notice's certificate is not valid now")
        return known

    async def _fetch(self, url: str) -> x509.Certificate:
        if not self._is_theirs(url):
            raise NoticeRefused("the notice names a certificate that is not PayPal's")
        if time.monotonic() - self._fetched < REFRESH:
            raise NoticeRefused("another certificate was asked for a moment ago", 503)
        self._fetched = time.monotonic()
        told = await self._client.get(url)
        try:
            told.raise_for_status()
            return x509.load_pem_x509_certificate(told.content)
        except (httpx2.HTTPStatusError, ValueError):
            raise NoticeRefused("the notice's certificate could not be had", 503) from None

    def _is_theirs(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        plain = not (parts.query or parts.fragment or ".." in parts.path or "%" in parts.path)
        return plain and f"{parts.scheme}://{parts.netloc}" in self._hosts and parts.path.startswith(PATH)
