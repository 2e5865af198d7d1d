"""The attribute dictionary: what a condition of a plan may ask about. Pure; `rewards.conditions.attributes` gathers.

An attribute is named `group.name` and has one type for ever. What does not exist at the moment (the order of an event
that is none, say) has no value: comparing it is neither true nor false, and a condition that is not true pays nothing.
`<group>.present` says whether there is one. Counts are as of the decision and include the event that is decided.
Amounts are whole minor units; shares are basis points (1/100 of a percent).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core import i18n
from referral.campaigns import QUALIFYING
from referral.campaigns import STATES as CAMPAIGN_STATES
from referral.referrals import STATES as REFERRAL_STATES
from referral.touches import KINDS as TOUCHES

PARTS: Mapping[str, Mapping[str, str]] = {
    "moment": {
        "event.kind": "string",
        "event.at": "timestamp",
        "event.late_minutes": "int minutes",
        "order.present": "bool",
    },
    "calendar": {
        "time.hour": "int",
        "time.minute": "int",
        "time.weekday": "int",
        "time.weekend": "bool",
        "time.night": "bool",
        "time.day": "int",
        "time.day_of_year": "int",
        "time.week": "int",
        "time.month": "int",
        "time.year": "int",
        "time.date": "string",
        "time.zone": "string",
    },
    "course": {
        "event.kinds": "int",
        "event.qualifies": "bool",
        "event.days_since_start": "int days",
        "event.days_since_join": "int days",
        "event.hours_since_start": "int hours",
        "event.days_left": "int days",
        "referral.state": "string",
        "referral.certainty": "string",
        "referral.started_at": "timestamp",
        "referral.joined_at": "timestamp",
        "referral.qualified_at": "timestamp",
        "referral.stay_since": "timestamp",
        "platform.name": "string",
        "platform.web": "bool",
    },
    "order": {
        "order.id": "string",
        "order.source": "string",
        "order.currency": "string",
        "order.gross": "int minor",
        "order.discount": "int minor",
        "order.shipping": "int minor",
        "order.tax": "int minor",
        "order.net": "int minor",
        "order.refunded": "int minor",
        "order.kept": "int minor",
        "order.discount_share": "int bp",
        "order.at": "timestamp",
        "order.late_minutes": "int minutes",
        "order.coded": "bool",
        "order.code": "string",
        "order.own_code": "bool",
        "order.lines": "lines",
        "order.line_count": "int",
        "order.items": "int",
        "order.skus": "strings",
        "order.categories": "strings",
        "order.largest_line": "int minor",
    },
    "purchases": {
        "order.first": "bool",
        "order.number": "int",
        "friend.orders": "int",
        "friend.spent": "int minor",
        "friend.largest_order": "int minor",
        "friend.refunded_orders": "int",
        "friend.first_order_at": "timestamp",
        "friend.days_since_last_order": "int days",
        "order.customer_is_advocate": "bool",
        "order.customer_is_other": "bool",
    },
    "profiles": {
        "friend.created_at": "timestamp",
        "friend.age": "duration",
        "friend.age_days": "int days",
        "friend.language_chosen": "bool",
        "advocate.created_at": "timestamp",
        "advocate.age": "duration",
        "advocate.age_days": "int days",
        "advocate.language_chosen": "bool",
    },
    "accounts": {
        "friend.language": "string",
        "friend.platforms": "strings",
        "friend.accounts": "int",
        "friend.reachable": "bool",
        "friend.has_handle": "bool",
        "friend.seen_at": "timestamp",
        "friend.linked": "bool",
        "advocate.language": "string",
        "advocate.platforms": "strings",
        "advocate.accounts": "int",
        "advocate.reachable": "bool",
        "advocate.has_handle": "bool",
        "advocate.seen_at": "timestamp",
        "advocate.linked": "bool",
        "platform.shared": "bool",
    },
    "stays": {
        "friend.communities": "int",
        "friend.present": "bool",
        "friend.stay_days": "int days",
        "friend.departures": "int",
        "advocate.communities": "int",
        "advocate.present": "bool",
        "advocate.stay_days": "int days",
        "advocate.departures": "int",
    },
    "friend_history": {
        "friend.first_seen_at": "timestamp",
        "friend.first_seen_via": "string",
        "friend.known_days": "int days",
        "friend.referrals": "int",
        "friend.enrolled": "bool",
        "friend.invited": "int",
    },
    "enrollment": {
        "advocate.enrolled": "bool",
        "advocate.enrolled_at": "timestamp",
        "advocate.enrolled_days": "int days",
        "advocate.terms_version": "int",
        "advocate.was_friend": "bool",
    },
    "touch": {
        "touch.present": "bool",
        "touch.kind": "string",
        "touch.platform": "string",
        "touch.at": "timestamp",
        "touch.age_hours": "int hours",
        "touch.minutes_to_join": "int minutes",
        "touch.certainty": "string",
        "touch.device": "string",
        "touch.referrer": "string",
    },
    "trail": {
        "touch.count": "int",
        "touch.codes": "int",
        "touch.first_at": "timestamp",
        "touch.address_members": "int",
    },
    "community": {
        "community.present": "bool",
        "community.id": "string",
        "community.platform": "string",
        "community.title": "string",
        "community.open": "bool",
        "community.age_days": "int days",
        "community.members": "int",
        "community.friend_days": "int days",
        "community.advocate_present": "bool",
    },
    "terms": {
        "campaign.slug": "string",
        "campaign.state": "string",
        "campaign.event": "string",
        "campaign.stay_days": "int days",
        "campaign.window_days": "int days",
        "campaign.version": "int",
        "campaign.starts_at": "timestamp",
        "campaign.ends_at": "timestamp",
        "campaign.length_days": "int days",
        "campaign.day": "int",
        "campaign.days_left": "int days",
        "campaign.elapsed": "int bp",
        "campaign.everywhere": "bool",
        "campaign.communities": "int",
    },
    "totals": {
        "campaign.advocates": "int",
        "campaign.referrals": "int",
        "campaign.qualified": "int",
        "campaign.reversed": "int",
        "campaign.rate": "int bp",
    },
    "budget": {
        "campaign.asset": "string",
        "campaign.funded": "int minor",
        "campaign.budget_left": "int minor",
        "campaign.budget_used": "int bp",
    },
    "brought": {
        "advocate.friends": "int",
        "advocate.friends_joined": "int",
        "advocate.friends_waiting": "int",
        "advocate.friends_qualified": "int",
        "advocate.friends_rejected": "int",
        "advocate.friends_expired": "int",
        "advocate.friends_reversed": "int",
        "advocate.first_qualified_at": "timestamp",
        "advocate.rate": "int bp",
        "advocate.reversed_share": "int bp",
        "advocate.friends_ever": "int",
        "advocate.qualified_ever": "int",
        "advocate.reversed_ever": "int",
        "advocate.campaigns_ever": "int",
    },
    "brought_lately": {
        "advocate.qualified_today": "int",
        "advocate.qualified_this_week": "int",
    },
    "clicks": {
        "advocate.clicks": "int",
        "advocate.clicks_today": "int",
        "advocate.robot_clicks": "int",
    },
    "revenue": {
        "advocate.orders": "int",
        "advocate.revenue": "int minor",
        "advocate.refunded_orders": "int",
    },
    "rewarded": {
        "history.advocate_rewards": "int",
        "history.advocate_amount": "int minor",
        "history.advocate_capped": "int",
        "history.advocate_taken_back": "int",
        "history.friend_rewards": "int",
        "history.friend_amount": "int minor",
        "history.friend_rewards_ever": "int",
    },
    "rewarded_lately": {
        "history.advocate_amount_today": "int minor",
        "history.advocate_amount_this_week": "int minor",
    },
    "purse": {
        "history.advocate_held": "int minor",
        "history.advocate_payable": "int minor",
        "history.advocate_debt": "int minor",
        "history.friend_payable": "int minor",
    },
}
"""Every attribute as `type` or `type unit`, by the part of `rewards.conditions.facts` that loads it."""

LINE: Mapping[str, str] = {
    "sku": "string",
    "name": "string",
    "category": "string",
    "quantity": "int",
    "amount": "int minor",
}
"""The fields of an order's lines; `has(line.sku)` says whether a line has one."""

CHOICES: Mapping[str, frozenset[str]] = {
    "event.kind": frozenset(QUALIFYING),
    "campaign.event": frozenset(QUALIFYING),
    "campaign.state": frozenset(CAMPAIGN_STATES),
    "referral.state": frozenset(REFERRAL_STATES),
    "touch.kind": frozenset(TOUCHES),
    "friend.language": frozenset(i18n.LOCALES),
    "advocate.language": frozenset(i18n.LOCALES),
}
"""Texts that are one of a few: comparing them with anything else is a mistake."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """`type`: bool, int, string, timestamp, duration, strings (a list) or lines (a list of `LINE`).

    `unit` of an int: minor, bp (basis points), days, hours, minutes, or nothing for a plain number.
    """

    name: str
    type: str
    unit: str
    part: str

    @property
    def group(self) -> str:
        """What it is about: event, order, friend, …"""
        return self.name.partition(".")[0]


def _declare(name: str, declared: str, part: str) -> Attribute:
    kind, _, unit = declared.partition(" ")
    return Attribute(name, kind, unit, part)


ATTRIBUTES: Mapping[str, Attribute] = {
    name: _declare(name, declared, part) for part, entries in PARTS.items() for name, declared in entries.items()
}


def describe(name: str, locale: str) -> str:
    """What an attribute (`order.net`) or a field of a line (`line.sku`) means, in words."""
    return i18n.text(locale, f"attribute.{name}")
