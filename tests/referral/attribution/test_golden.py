"""Every policy, line by line as the golden table says."""

from __future__ import annotations

import pytest

from referral.attribution.policy import MODELS, SPLITS, by_advocate, credit, read_policy
from tests.referral.attribution.golden import Golden, lines

GOLDEN = list(lines())


@pytest.mark.parametrize("golden", GOLDEN, ids=[f"line-{one.line}-{one.policy.split()[0]}" for one in GOLDEN])
def test_the_golden_table(golden: Golden) -> None:
    policy = read_policy(golden.policy)
    assert policy.text == golden.policy
    found = credit(policy, golden.touches, golden.at, golden.till)
    assert (by_advocate(found.shares), found.reason) == (golden.shares, golden.reason)
    assert found.until is None or golden.at < found.until


def test_every_policy_has_golden_cases() -> None:
    assert {one.policy.split()[0] for one in GOLDEN} == {*MODELS, *SPLITS[1:]}
