"""Invite codes: 8 symbols without look-alikes plus a check symbol, forgiving to read.

The check symbol is ISO/IEC 7064's hybrid system (the one of MOD 37,36, python-stdnum) over the 32 symbols below: it
catches every single mistyped symbol and nearly every swap of neighbours.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from urllib.parse import parse_qs, urlsplit

from stdnum.iso7064 import mod_37_36

from core.errors import BadInput

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 symbols: no 0/O, no 1/I."""
LENGTH = 8
_NOISE = re.compile(r"[\s\-_.·—–:：'\"“”‘’,，。、]+")
_LINK = re.compile(r"(?:[a-z]+://|[a-z0-9-]+(?:\.[a-z0-9-]+)+[/?])\S+", re.IGNORECASE)
"""A link as apps hand it on, also without its `https://`."""
_PATH = re.compile(r"/r/([0-9A-Z-]+)", re.IGNORECASE)


def new() -> str:
    """A fresh random code: 40 bits and a check symbol. Uniqueness is the database's to say."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return body + check_symbol(body)


def check_symbol(body: str) -> str:
    """The check symbol of eight symbols."""
    return str(mod_37_36.calc_check_digit(body, ALPHABET))


def display(code: str) -> str:
    """The code as people read it: `ABCD-EFGH-J`."""
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


def normalize(text: str) -> str:
    """The code in what a person typed or pasted: any case, spaces, dashes, full width, or a whole link.

    Raises `BadInput("code_mistyped")` when it looks like a code whose check symbol is wrong, and
    `BadInput("code_unreadable")` when it does not look like one at all.
    """
    text = unicodedata.normalize("NFKC", text)[:500]
    link = _LINK.search(text)
    if link:
        text = _from_link(link.group())
    code = re.sub(r"^(CODE|邀请码)", "", _NOISE.sub("", text).upper())
    if len(code) != LENGTH + 1 or not re.fullmatch(r"[0-9A-Z]+", code):
        raise BadInput("code_unreadable")
    if any(symbol not in ALPHABET for symbol in code) or check_symbol(code[:LENGTH]) != code[LENGTH]:
        raise BadInput("code_mistyped", given=display(code))
    return code


def read(text: str) -> str | None:
    """`normalize`, or None for what is no code, which a till may send all the same."""
    try:
        return normalize(text)
    except BadInput:
        return None


def looks_like(text: str) -> bool:
    """Whether a message is probably meant as a code (so that a mistyped one is answered at once)."""
    try:
        normalize(text)
    except BadInput as error:
        return error.code == "code_mistyped" and any(char.isdigit() for char in text)
    return True


def _from_link(link: str) -> str:
    try:
        parts = urlsplit(link)
    except ValueError:  # such as an opened bracket
        return ""
    query = parse_qs(parts.query)
    for name in ("start", "code", "startgroup"):
        if name in query:
            return query[name][0].split("-")[0]
    path = _PATH.search(parts.path)
    return path.group(1) if path else ""
