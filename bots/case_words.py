"""A case as the chat says it: the words are those of `rewards.case_words`, kept harmless in the markdown subset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from bots.context import Safe, amount_words, say
from bots.markup import clean, escape
from core import i18n
from referral.brands import Brand
from referral.cases import Case
from rewards.case_words import name_in, title_in, when_in


@dataclass(frozen=True, slots=True)
class Telling:
    """A `rewards.case_words.Telling` in a reviewer's turn, or in a message that goes out later."""

    session: Session
    brand: Brand
    locale: str

    def say(self, key: str, /, **params: Any) -> Safe:
        return Safe(say(self.locale, key, **params))

    def quote(self, text: str) -> Safe:
        return Safe(escape(clean(text)))

    def join(self, between: str, parts: Sequence[str]) -> Safe:
        return Safe(between.join(parts))

    def amount(self, amount: int, asset: str) -> Safe:
        return amount_words(self.session, self.brand.id, self.locale, amount, asset)

    def moment(self, at: datetime, timezone: str) -> Safe:
        return Safe(escape(i18n.moment(self.locale, at, timezone)))

    def name(self, member_id: UUID | None) -> str:
        """What to call a member as the person they are now."""
        return name_in(self, member_id)

    def title(self, case: Case) -> str:
        """The campaign's title; the brand's name for what belongs to none."""
        return title_in(self, case)

    def when(self, at: datetime, case: Case) -> Safe:
        """A moment in the time zone of the campaign's people."""
        return Safe(when_in(self, at, case))
