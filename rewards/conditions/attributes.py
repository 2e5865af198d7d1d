"""Gathers the values of attributes (`rewards.conditions.dictionary`) for the events that are about to be rewarded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from rewards.conditions.dictionary import ATTRIBUTES, Attribute
from rewards.conditions.facts import campaign, counts, event, history, orders, paths, people
from rewards.conditions.facts.subject import Subject

__all__ = ["ATTRIBUTES", "Attribute", "Subject", "as_json", "gather"]

Loader = Callable[[Session, Sequence[Subject]], list[dict[str, Any]]]

LOADERS: Mapping[str, Loader] = {
    "moment": event.moment,
    "calendar": event.calendar,
    "course": event.course,
    "order": orders.order,
    "purchases": orders.purchases,
    "profiles": people.profiles,
    "accounts": people.accounts,
    "stays": people.stays,
    "friend_history": people.friend_history,
    "enrollment": people.enrollment,
    "touch": paths.touch,
    "trail": paths.trail,
    "community": paths.community,
    "terms": campaign.terms,
    "totals": campaign.totals,
    "budget": campaign.budget,
    "brought": counts.brought,
    "brought_lately": counts.brought_lately,
    "clicks": counts.clicks,
    "revenue": counts.revenue,
    "rewarded": history.rewarded,
    "rewarded_lately": history.rewarded_lately,
    "purse": history.purse,
}
"""Who loads each part of the dictionary: given the subjects, one dictionary for each of them."""


def gather(session: Session, subjects: Sequence[Subject], names: frozenset[str]) -> list[dict[str, Any]]:
    """The values of these attributes for each subject; what does not exist is left out.

    Set-based: a fixed number of statements for each part asked for, whatever the number of subjects. Raises `KeyError`
    for a name that is none.
    """
    found: list[dict[str, Any]] = [{} for _ in subjects]
    if not subjects:
        return found
    for part in dict.fromkeys(ATTRIBUTES[name].part for name in sorted(names)):
        for values, loaded in zip(found, LOADERS[part](session, subjects), strict=True):
            values.update((name, value) for name, value in loaded.items() if name in names and value is not None)
    return found


def as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are kept with a decision: moments in ISO 8601, durations in seconds."""
    return {name: _plain(value) for name, value in sorted(values.items())}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    return value
