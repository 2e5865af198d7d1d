"""The vault: sealed with the newest key, readable with any, closed to everybody else."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import vault
from core.errors import BadInput, Unavailable

SECRET = "an installation's secret"
DETAILS = {"name": "王爱丽", "account": "6222021234567894"}


@pytest.fixture(autouse=True)
def _again_as_others_want_it() -> Iterator[None]:
    yield
    vault.set_keys("", "test-secret")


@given(st.dictionaries(st.text(), st.text()), st.text())
def test_what_is_sealed_comes_back(details: dict[str, str], row: str) -> None:
    vault.set_keys("", SECRET)
    assert vault.unseal(vault.seal(details, bound_to=row), bound_to=row) == details


def test_the_same_twice_looks_different() -> None:
    vault.set_keys("", SECRET)
    assert vault.seal(DETAILS) != vault.seal(DETAILS)


def test_keys_change_and_old_seals_stay_readable() -> None:
    vault.set_keys("", SECRET)
    first = vault.seal(DETAILS)
    old, new = vault.new_key(), vault.new_key()
    vault.set_keys(old, SECRET)
    second = vault.seal(DETAILS)
    vault.set_keys(f" {new} , {old} ", SECRET)
    assert vault.unseal(first) == vault.unseal(second) == DETAILS
    vault.set_keys(new, SECRET)
    with pytest.raises(Unavailable, match="sealed"):
        vault.unseal(second)
    assert vault.unseal(first) == DETAILS


@pytest.mark.parametrize("damage", [lambda s: s[:-4], lambda s: "", lambda s: "gAAAA", lambda s: s[:30] + "A" + s[31:]])
def test_what_was_changed_is_refused_and_not_shown(damage: object, caplog: pytest.LogCaptureFixture) -> None:
    assert callable(damage)
    vault.set_keys("", SECRET)
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Unavailable) as refused:
        vault.unseal(damage(vault.seal(DETAILS)))
    told = "".join(traceback.format_exception(refused.value)) + caplog.text
    assert not any(value in told for value in DETAILS.values())


def test_what_was_moved_to_another_row_is_refused() -> None:
    vault.set_keys("", SECRET)
    sealed = vault.seal(DETAILS, bound_to="mallory")
    with pytest.raises(Unavailable, match="sealed"):
        vault.unseal(sealed, bound_to="alice")


def test_a_key_that_is_none_is_named_by_its_place() -> None:
    with pytest.raises(BadInput) as refused:
        vault.set_keys(f"{vault.new_key()},short", SECRET)
    assert (refused.value.code, refused.value.params) == ("vault_key_unreadable", {"place": 2})
