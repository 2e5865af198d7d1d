"""The line every bench prints, and what several of them need to measure."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal, TypeVar

T = TypeVar("T")
Better = Literal["higher", "lower"]
Line = dict[str, Any]


def line(name: str, ratio: float, bound: float, better: Better, **measured: Any) -> Line:
    """A result. `measured` carries its units in its names; `ratio` is ours against the limit."""
    return {"name": name, "ratio": round(ratio, 3), "bound": bound, "better": better, **measured}


def skipped(name: str, bound: float, better: Better, what: str, install: str) -> Line:
    """A bench this machine cannot run, with the one line that brings what it needs."""
    return {"name": name, "ratio": None, "bound": bound, "better": better, "skipped": f"needs {what}: {install}"}


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds of the real clock, and the result."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result
