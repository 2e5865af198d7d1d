"""Which members are one person: their rewards and balances went over by transfers when they were linked."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import Session

from core.db import table
from referral.linking import MemberLink

KNOWN = 100_000
"""Members whose links are remembered at once."""


class Linked:
    """Which members are, or were for a time, one person; each member is looked up once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[UUID, UUID], frozenset[UUID]] = {}

    def are(self, brand_id: UUID, one: UUID, other: UUID) -> bool:
        """Whether two members are one person."""
        key = (brand_id, one)
        if key not in self._known:
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[key] = frozenset(self._all(brand_id, one))
        return other in self._known[key]

    def _all(self, brand_id: UUID, one: UUID) -> set[UUID]:
        link = table(MemberLink)
        seen: set[UUID] = set()
        level = {one}
        while level:
            seen |= level
            pairs = self._session.execute(
                select(link.c.kept_id, link.c.absorbed_id).where(
                    link.c.brand_id == brand_id, or_(link.c.kept_id.in_(level), link.c.absorbed_id.in_(level))
                )
            )
            level = {member for pair in pairs for member in pair} - seen
        return seen
