"""The server that forks the runs tests kill. A worker has one, which loads only what the first to ask wants loaded: all
ask here, so every run begins warm."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext

LOADED = ["pytest", "tests.warm", "tests.rewards.warmed", "tests.rewards.payouts.warmed", "tests.bots.mortal_crier"]


def forks() -> ForkServerContext:
    """Where such a run is started."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    return context
