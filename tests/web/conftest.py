"""What all tests of pages share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from referral.users import passwords

QUICK = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),))


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Costly on purpose, hashes are tested where they are made. No setting can make them cheap: this reaches no
    program but the one that runs the tests."""
    monkeypatch.setattr(passwords, "_hasher", lambda: QUICK)
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()
