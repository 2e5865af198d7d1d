"""Whose credit an order is, as pure functions over touches. No database here.

`binding`: a friend belongs to one advocate. A touch binds for the validity; the advocate's own further touches renew
it; another's touch takes over once the protection (保护期) since the last touch is over; when the validity is over
nobody has the friend until the next touch. `first_touch` and `last_touch`: of the touches that are valid at the order.
A split model shares the order among all valid touches. Windows are half-open: `touch <= order < touch + validity`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import BadInput
from referral.attribution.split import OCCASION, WHOLE, Model, millionths, weights

Days = Annotated[int, Field(ge=1, le=365)]
HALF_LIFE_DAYS = 7
MODELS = ("binding", "first_touch", "last_touch")
SPLITS = ("single", "linear", "position", "time_decay", "shapley")
DECAYING = ("time_decay", "shapley")
USUAL = "usual"
"""The policy of a campaign that says nothing: bound to the first advocate for the campaign's window."""


class AttributionTerms(BaseModel):
    """`[attribution]` of a campaign file. `validity_days`: without it the campaign's window; `protect_days`: without it
    as long as the validity; `precedence`: whether a code given with the order beats the links touched before it;
    `half_life_days`: for `time_decay` and `shapley`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    model: Literal["binding", "first_touch", "last_touch"] = "binding"
    validity_days: Days | None = None
    protect_days: Annotated[int, Field(ge=0, le=365)] | None = None
    precedence: Literal["code", "link"] = "code"
    split: Literal["single", "linear", "position", "time_decay", "shapley"] = "single"
    half_life_days: Days | None = None


def misfits(terms: AttributionTerms, window_days: int) -> list[tuple[str, str, dict[str, Any]]]:
    """(code, field, parameters) of what does not fit together in these terms."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    validity = terms.validity_days or window_days
    if terms.split != "single" and terms.model != "binding":
        found.append(("attribution_model", "model", {"split": terms.split}))
    if terms.protect_days is not None and (terms.model != "binding" or terms.split != "single"):
        found.append(("attribution_protect", "protect_days", {}))
    elif terms.protect_days is not None and terms.protect_days > validity:
        found.append(("attribution_protect_long", "protect_days", {"validity": validity}))
    if terms.half_life_days is not None and terms.split not in DECAYING:
        found.append(("attribution_half_life", "half_life_days", {}))
    return found


def terms_from(said: Mapping[str, Any], window_days: int) -> Policy:
    """The policy of what was typed, without what is None. Raises `BadInput("attribution")` with the `field`."""
    try:
        terms = AttributionTerms.model_validate({name: value for name, value in said.items() if value is not None})
    except ValidationError as error:
        raise BadInput("attribution", field=str(error.errors()[0]["loc"][0])) from None
    if wrong := misfits(terms, window_days):
        raise BadInput("attribution", field=wrong[0][1])
    return resolve(terms, window_days)


@dataclass(frozen=True, slots=True)
class Policy:
    """The terms with every default filled in. `model`: one of `MODELS`, or the way of splitting."""

    model: str
    validity: timedelta
    protect: timedelta
    precedence: str
    half_life: timedelta

    @property
    def splits(self) -> bool:
        """Whether an order may have several advocates."""
        return self.model not in MODELS

    @property
    def text(self) -> str:
        """As it is kept with each decision: `binding validity=30 protect=7 precedence=code`, in days."""
        said = [self.model, f"validity={self.validity.days}"]
        if self.model == "binding":
            said.append(f"protect={self.protect.days}")
        if self.model in DECAYING:
            said.append(f"half_life={self.half_life.days}")
        return " ".join([*said, f"precedence={self.precedence}"])


def resolve(terms: AttributionTerms, window_days: int) -> Policy:
    """The policy of a campaign with this window."""
    validity = terms.validity_days or window_days
    protect = validity if terms.protect_days is None else terms.protect_days
    return Policy(
        terms.model if terms.split == "single" else terms.split,
        timedelta(days=validity),
        timedelta(days=protect),
        terms.precedence,
        timedelta(days=terms.half_life_days or HALF_LIFE_DAYS),
    )


def read_policy(text: str) -> Policy:
    """The policy of a decision's text (`Policy.text`). Raises `ValueError` for what is none, as `USUAL` is."""
    model, *said = text.split()
    days = {name: int(value) for name, _, value in (one.partition("=") for one in said) if name != "precedence"}
    precedence = next(one.partition("=")[2] for one in said if one.startswith("precedence="))
    if model not in (*MODELS, *SPLITS[1:]) or "validity" not in days:
        raise ValueError(text)
    validity = timedelta(days=days["validity"])
    protect = timedelta(days=days.get("protect", validity.days))
    return Policy(model, validity, protect, precedence, timedelta(days=days.get("half_life", HALF_LIFE_DAYS)))


@dataclass(frozen=True, slots=True)
class Seen:
    """A touch as the policy sees it: through whose code, and when."""

    id: UUID
    advocate_id: UUID
    at: datetime

    @property
    def when(self) -> tuple[datetime, UUID]:
        """What touches are ordered by: of two at the same moment the one that was written first."""
        return self.at, self.id


@dataclass(frozen=True, slots=True)
class Share:
    """A touch's part of an order, in millionths."""

    touch_id: UUID
    advocate_id: UUID
    share: int


@dataclass(frozen=True, slots=True)
class Credit:
    """Who has an order and why (a code of `attribution.reason.*`). No shares: nobody.

    `until`: when the touches that decided it are valid no more.
    """

    reason: str
    shares: tuple[Share, ...] = ()
    until: datetime | None = None


def by_advocate(shares: Sequence[Share]) -> dict[UUID, int]:
    """The share of each advocate, in millionths."""
    found: dict[UUID, int] = {}
    for one in shares:
        found[one.advocate_id] = found.get(one.advocate_id, 0) + one.share
    return found


def credit(policy: Policy, touches: Sequence[Seen], at: datetime, till: Seen | None = None) -> Credit:
    """Whose an order made at `at` is. `till`: the code that was given with the order, which is no touch before it."""
    seen = sorted((one for one in touches if one.at <= at and one != till), key=lambda one: one.when)
    if policy.model == "binding":
        return _bound(policy, seen, at, till)
    valid = [one for one in seen if at < one.at + policy.validity]
    if till is not None and (policy.precedence == "code" or not valid):
        return _whole(policy, till, "till_code")
    if not valid:
        return Credit("lapsed" if seen else "no_touch")
    if not policy.splits:
        return _whole(policy, valid[0 if policy.model == "first_touch" else -1], policy.model)
    return _split(policy, occasions(valid))


def _whole(policy: Policy, touch: Seen, reason: str) -> Credit:
    return Credit(reason, (Share(touch.id, touch.advocate_id, WHOLE),), touch.at + policy.validity)


def _bound(policy: Policy, seen: Sequence[Seen], at: datetime, till: Seen | None) -> Credit:
    holder: Seen | None = None
    reason = "bound"
    for touch in seen:
        holder, reason = _take(policy, holder, reason, touch)
    live = holder is not None and at < holder.at + policy.validity
    if till is not None and (policy.precedence == "code" or not live):
        before = holder
        holder, reason = _take(policy, holder, reason, till)
        if before is not None and holder is before and before.advocate_id != till.advocate_id:
            reason = "protected"
        elif holder is till:
            reason = "till_code"
        live = True
    if holder is None:
        return Credit("no_touch")
    return _whole(policy, holder, reason) if live else Credit("lapsed")


def _take(policy: Policy, holder: Seen | None, reason: str, touch: Seen) -> tuple[Seen, str]:
    """Who has the friend after this touch (by which touch of theirs), and why."""
    if holder is None:
        return touch, "bound"
    if touch.at >= holder.at + policy.validity:
        return touch, "bound" if touch.advocate_id == holder.advocate_id else "bound_anew"
    if touch.advocate_id == holder.advocate_id:
        return touch, reason
    return (touch, "taken_over") if touch.at >= holder.at + policy.protect else (holder, reason)


def occasions(touches: Sequence[Seen]) -> list[Seen]:
    """The last touch of each clock hour (UTC), whoever made it; in the order of time."""
    hours = {int(one.at.timestamp() // OCCASION.total_seconds()): one for one in touches}
    return list(hours.values())


def _split(policy: Policy, valid: Sequence[Seen]) -> Credit:
    model: Model = cast(Model, policy.model)
    parts = millionths(weights(model, [one.at for one in valid], policy.half_life))
    shares = tuple(Share(touch.id, touch.advocate_id, part) for touch, part in zip(valid, parts, strict=True) if part)
    return Credit(policy.model, shares, max(one.at for one in valid) + policy.validity)
