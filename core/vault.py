"""Sealed personal details: kept encrypted, readable only with keys that are not in the database.

Fernet tokens (AES-128-CBC and HMAC-SHA-256) of canonical JSON. The newest key seals; every known key unseals, so keys
can be changed while the house runs: put the new one in front, `daixin vault rotate`, take the old one out.
What is sealed appears in no log line, repr or error of this module.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Table, literal, select, tuple_
from sqlmodel import Session

from core import log
from core.db import update_each
from core.errors import BadInput, Unavailable

ROTATED_AT_ONCE = 500
"""Rows re-encrypted in one unit of work."""

_ring: MultiFernet | None = None


def new_key() -> str:
    """A fresh key for `DAIXIN_VAULT_KEYS`."""
    return Fernet.generate_key().decode()


def set_keys(keys: str, secret: str) -> None:
    """Open the vault, once at start: `keys` by commas, the newest first.

    A key derived from the installation's `secret` stands behind them (HKDF-SHA-256, RFC 5869): it seals while no key is
    set, and what it sealed stays readable after. Raises `BadInput("vault_key_unreadable")` with the key's place.
    """
    global _ring
    ring = []
    for place, key in enumerate((part.strip() for part in keys.split(",") if part.strip()), 1):
        log.hide(key)
        try:
            ring.append(Fernet(key))
        except ValueError:
            raise BadInput("vault_key_unreadable", place=place) from None
    _ring = MultiFernet([*ring, Fernet(_derived(secret))])


def _derived(secret: str) -> bytes:
    made = HKDF(SHA256(), 32, salt=None, info=b"daixin vault").derive(secret.encode())
    return base64.urlsafe_b64encode(made)


def _opened() -> MultiFernet:
    if _ring is None:
        raise RuntimeError("the vault is closed: core.vault.set_keys comes first")
    return _ring


def seal(details: Mapping[str, Any], *, bound_to: UUID | str = "") -> str:
    """The details as a token. Bound to a row's id, it opens only there: swapped between rows it is refused."""
    document = json.dumps([str(bound_to), dict(details)], ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return _opened().encrypt(document.encode()).decode()


def unseal(sealed: str, *, bound_to: UUID | str = "") -> dict[str, Any]:
    """What was sealed. Raises `Unavailable("sealed")`: the key is missing, or the token was changed or moved."""
    try:
        bound, details = json.loads(_opened().decrypt(sealed.encode()))
    except InvalidToken:
        raise Unavailable("sealed") from None
    if bound != str(bound_to):
        raise Unavailable("sealed")
    return dict(details)


def rotate(
    session: Session, of: Table, column: str, after: Sequence[Any] | None = None
) -> tuple[int, Sequence[Any] | None]:
    """Seal a page of a column again with the newest key: (how many, the last row's key or None at the end).

    `after`: the key that the page before ended with. Empty and missing values stay as they are.
    Raises `Unavailable("sealed")` with nothing of the page changed when a value cannot be read.
    """
    keys = list(of.primary_key.columns)
    page = select(*keys, of.c[column]).where(of.c[column].is_not(None), of.c[column] != "")
    if after is not None:
        page = page.where(tuple_(*keys) > tuple_(*(literal(v, k.type) for v, k in zip(after, keys, strict=True))))
    rows = session.execute(page.order_by(*keys).limit(ROTATED_AT_ONCE).with_for_update()).all()
    try:
        again = [_opened().rotate(row[-1].encode()).decode() for row in rows]
    except InvalidToken:
        raise Unavailable("sealed") from None
    names = [key.name for key in keys]
    changed = [{column: new} | dict(zip(names, row[:-1], strict=True)) for row, new in zip(rows, again, strict=True)]
    update_each(session, of, changed, names)
    return len(rows), tuple(rows[-1][:-1]) if len(rows) == ROTATED_AT_ONCE else None
