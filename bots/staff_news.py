"""Tells people of their role for a brand, and the brand's owners whenever somebody else's changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session

from bots.context import name_of
from bots.message import Reply
from bots.news import News, Voice, tell
from core import i18n, ids
from core.events import Bus
from referral import staff
from referral.members import find_identity
from referral.staff import StaffChanged


def listen(bus: Bus) -> None:
    """Hear of roles given and taken."""
    bus.on(StaffChanged, _on)


def _on(session: Session, changes: Sequence[StaffChanged]) -> None:
    news = []
    for change in changes:
        told = {row.member_id for row in staff.staff_of(session, change.brand_id, ("owner",))} - {change.member_id}
        if change.role is None:
            told = (told | {change.member_id}) - {_member_of(session, change.brand_id, change.actor)}
        elif change.actor == staff.OPERATOR:  # who used a code was answered already
            told |= {change.member_id}
        facts = {"member": str(change.member_id), "role": change.role, "before": change.before}
        cause = ids.new()
        news += [
            News(change.brand_id, who, "staff", f"staff/{cause}/{who}", facts) for who in sorted(told - {None}, key=str)
        ]
    tell(session, news)


def _member_of(session: Session, brand_id: UUID, actor: str) -> UUID | None:
    platform, _, account = actor.partition(":")
    found = find_identity(session, brand_id, platform, account)
    return found.member_id if found is not None else None


def _words(voice: Voice, facts: Mapping[str, Any]) -> Reply:
    what = "taken" if facts["role"] is None else "given"
    role = i18n.text(voice.locale, f"staff.role.{facts['role'] or facts['before']}")
    member = UUID(facts["member"])
    if member == voice.member.id:
        return Reply(voice.say(f"staff.you.{what}", brand=voice.brand.name, role=role), private=True)
    name = name_of(voice.session, voice.brand.id, member, voice.locale)
    return Reply(voice.say(f"staff.other.{what}", brand=voice.brand.name, role=role, name=name), private=True)


KINDS = {"staff": _words}
