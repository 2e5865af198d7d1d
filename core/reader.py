"""Reads: read-only sessions in a thread pool, so that they wait neither for the writer nor for each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

T = TypeVar("T")


class Reader:
    """Runs functions that only read."""

    def __init__(self, engine: Engine, *, threads: int = 4) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="reader")

    async def run(self, query: Callable[[Session], T]) -> T:
        """The query's result; the database refuses it if it tries to write."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.run_sync, query)

    def run_sync(self, query: Callable[[Session], T]) -> T:
        """`run` for the command line."""
        with Session(self._engine, expire_on_commit=False) as session:
            return query(session)

    def close(self) -> None:
        """Wait for running queries, then let the connections go."""
        self._pool.shutdown()
        self._engine.dispose()
