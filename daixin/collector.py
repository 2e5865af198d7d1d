"""Python's garbage collector, set for a long-running program."""

from __future__ import annotations

import gc

OFTEN = (50_000, 20, 100)
"""Thresholds of the three generations: the default looks through a batch of conversions several times."""


def settle() -> None:
    """Leave what start-up made out of all later collections (worth about a tenth of the conversions a second)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*OFTEN)
