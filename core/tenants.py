"""Keeps a session to one brand: what it asks of a tenant's table names that brand, or it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlmodel import Session


@contextmanager
def only(session: Session, brand_id: UUID) -> Iterator[None]:
    """Within this, the session refuses statements about any other brand."""
    session.info["tenant"] = brand_id
    try:
        yield
    finally:
        del session.info["tenant"]
