"""One warm process for all commands the tests type."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.daixin.program import Shell


@pytest.fixture(scope="session")
def daixin() -> Iterator[Shell]:
    """Types commands of the program, each a process of its own."""
    shell = Shell()
    yield shell
    shell.close()
