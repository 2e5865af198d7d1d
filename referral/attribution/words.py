"""Policies and decisions in words."""

from __future__ import annotations

from core import i18n
from referral.attribution.policy import USUAL, Policy, read_policy


def describe(policy: Policy | str | None, locale: str) -> str:
    """A policy in one or two sentences; `Policy.text` will do, too."""
    if policy is None or policy == USUAL:
        return i18n.text(locale, "attribution.policy.usual")
    found = read_policy(policy) if isinstance(policy, str) else policy
    facts = {"validity": found.validity.days, "protect": found.protect.days, "half_life": found.half_life.days}
    rule = i18n.text(locale, f"attribution.policy.{found.model}", **facts)
    precedence = i18n.text(locale, f"attribution.precedence.{found.precedence}")
    return f"{rule}{precedence}" if locale == "zh_Hans" else f"{rule} {precedence}"


def explain(reason: str, locale: str) -> str:
    """Why an order is whose it is, or nobody's (`Attribution.reason`)."""
    for key in (f"attribution.reason.{reason}", f"api.reason.{reason}"):
        if key in i18n.catalogue(locale):
            return i18n.text(locale, key)
    return i18n.text(locale, "attribution.reason.nobody")
