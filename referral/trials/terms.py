"""`[trial]` of a campaign file: how many places there are, of what, and how one comes to have one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, Strict, StringConstraints
from pydantic_core import PydanticCustomError

from core import i18n

QUESTIONS_MOST = 8
ANSWER_LENGTH = 200
"""Characters of an answer: what one line of a dialog holds on every platform."""
PASS_ON_DAYS = 14
"""How long after the end of a campaign its places still pass on to those who wait."""
PARCEL_DAYS = 60
"""How long a place that was taken may need to be in somebody's hands: a parcel of which nobody hears counts as
delivered a month after it left."""


def _in_all_languages(words: dict[str, str]) -> dict[str, str]:
    if set(words) != set(i18n.LOCALES):
        raise PydanticCustomError("both_languages", "wants both languages")
    return words


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=160, pattern=r"^[^\x00-\x1f\x7f\u2028\u2029]*$"),
]
Words = Annotated[dict[str, Text], AfterValidator(_in_all_languages)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TrialQuestion(_Part):
    """Something the brand asks who applies. With `choices` one of them is the answer, else a line of text."""

    key: Slug
    text: Words
    choices: Annotated[tuple[Words, ...], Field(max_length=10)] = ()
    optional: Annotated[bool, Strict()] = False


class TrialTerms(_Part):
    """`[trial]`. `item`: the slug of what is tried, in the brand's catalogue.

    `approve`: a person decides (`hand`), a rule (`rule`) or a draw (`draw`). `friends`: for the rule, how many friends
    who applied themselves give a place at once; 0 is first come, first served. `apply_until`: None for the campaign's
    end; `draw_at`: None for the moment applications close. `take_hours`: how long a place is kept for whoever got it;
    `feedback_days`: how long after delivery feedback is waited for.
    """

    quota: Annotated[int, Strict(), Field(ge=1, le=100_000)]
    item: Slug
    approve: Literal["hand", "rule", "draw"] = "hand"
    friends: Annotated[int, Strict(), Field(ge=0, le=100)] = 0
    questions: Annotated[tuple[TrialQuestion, ...], Field(max_length=QUESTIONS_MOST)] = ()
    apply_until: Moment | None = None
    draw_at: Moment | None = None
    take_hours: Annotated[int, Strict(), Field(ge=1, le=720)] = 72
    feedback_days: Annotated[int, Strict(), Field(ge=1, le=90)] = 14
    purchase_url: Annotated[str, StringConstraints(pattern=r"^https://[^\s<>\"]+$", max_length=300)] | None = None

    def closes_at(self, ends_at: datetime) -> datetime:
        """When applications close, in a campaign that ends then."""
        return min(self.apply_until or ends_at, ends_at)

    def drawn_at(self, ends_at: datetime) -> datetime | None:
        """When the draw is held; None where there is none."""
        if self.approve != "draw":
            return None
        return self.draw_at or self.closes_at(ends_at)

    def waits_until(self, ends_at: datetime) -> datetime:
        """Until when places pass on to those who wait."""
        return max(ends_at, self.drawn_at(ends_at) or ends_at) + timedelta(days=PASS_ON_DAYS)

    def counts_until(self, ends_at: datetime) -> datetime:
        """Until when what follows from an application may come and still count for the friend's advocate."""
        follows = timedelta(hours=2 * self.take_hours, days=PARCEL_DAYS + self.feedback_days)
        return self.waits_until(ends_at) + follows


def misfits(terms: TrialTerms, starts_at: datetime, ends_at: datetime) -> list[tuple[str, str]]:
    """What no single field shows: (code of `campaign_file.<code>`, field within `trial`)."""
    found = []
    closes = terms.apply_until or ends_at
    if not starts_at < closes <= ends_at:
        found.append(("apply_until_outside", "apply_until"))
    if terms.draw_at is not None and terms.approve != "draw":
        found.append(("draw_at_unwanted", "draw_at"))
    elif terms.draw_at is not None and not closes <= terms.draw_at <= ends_at + timedelta(days=31):
        found.append(("draw_at_outside", "draw_at"))
    if terms.friends and terms.approve != "rule":
        found.append(("friends_unwanted", "friends"))
    seen: set[str] = set()
    for index, question in enumerate(terms.questions):
        if question.key in seen:
            found.append(("question_twice", f"questions.{index}.key"))
        seen.add(question.key)
        if len(question.choices) == 1:
            found.append(("one_choice", f"questions.{index}.choices"))
    return found
