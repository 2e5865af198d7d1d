"""Identifiers: UUID version 7 (RFC 9562), so that rows written together lie together."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7


def new() -> UUID:
    """A fresh identifier, ordered by time."""
    return uuid7()
