"""Imported by the server that forks the runs of `mortal`: one life led to its end, so that each of them begins warm."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import tests.warm  # noqa: F401  # before anything is asked
from tests.house import fresh_sqlite
from tests.rewards.mortal import lead

with tempfile.TemporaryDirectory(prefix="daixin-warm-") as folder:
    lead(fresh_sqlite(Path(folder)), Path(folder) / "wall", timedelta(), 0)
