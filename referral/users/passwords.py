"""Passwords: which are taken, and how they are kept (Argon2id, RFC 9106, with the library's recommended costs).

Hashing takes some fifty milliseconds and as many megabytes on purpose: never in the writer's thread.
"""

from __future__ import annotations

import unicodedata
from functools import cache

from pwdlib import PasswordHash

from core.errors import BadInput

SHORTEST, LONGEST = 10, 200
DIFFERENT = 5
"""How many different characters there are at least: `aaaaaaaaaa` is no password."""
_SEQUENCES = "abcdefghijklmnopqrstuvwxyz 01234567890123456789 qwertyuiop asdfghjkl zxcvbnm password"


def check_password(password: str, *about: str | None) -> str:
    """The password as it is hashed. `about`: what others know of the person, which it may not consist of.

    Length decides, not which kinds of characters there are (NIST SP 800-63B, 5.1.1.2).
    Raises `BadInput`: password_short (least), password_long (most), password_easy.
    """
    text = folded(password)
    if len(text) < SHORTEST:
        raise BadInput("password_short", least=SHORTEST)
    if len(text) > LONGEST:
        raise BadInput("password_long", most=LONGEST)
    known = {one.lower() for one in about if one} | {one.partition("@")[0].lower() for one in about if one}
    lower = text.lower()
    easy = lower in _SEQUENCES or any(lower.replace(word, "").strip("0123456789!@#. ") == "" for word in known if word)
    if len(set(lower)) < DIFFERENT or easy:
        raise BadInput("password_easy")
    return text


def folded(password: str) -> str:
    """The same password typed on another keyboard is the same text (NFKC, as NIST SP 800-63B has it)."""
    return unicodedata.normalize("NFKC", password[: 4 * LONGEST])


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobodys() -> str:
    return _hasher().hash("a password that nobody has")


def hash_password(password: str) -> str:
    """What is kept of a password."""
    return _hasher().hash(folded(password))


def verify_password(password: str, kept: str | None) -> tuple[bool, str | None]:
    """Whether this is the password of which `kept` is kept, and what to keep instead where costs have risen since.
    Takes the same time where nothing is kept, so that nobody learns by the clock who has an account."""
    right, better = _hasher().verify_and_update(folded(password), kept or _nobodys())
    return (True, better) if right and kept is not None else (False, None)
