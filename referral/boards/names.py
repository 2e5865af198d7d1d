"""What stands for a member on boards that strangers see: their name, a mask of it, or nothing, as they chose.

Whoever has chosen nothing is masked: being the best at bringing friends is no consent to be named on a shop's wall.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, delete, select
from sqlmodel import Field, Session

from core import clock
from core.db import Row, UtcDateTime, among, table, upsert
from core.events import Bus
from referral.linking import LinkUndone, MemberLink, MembersLinked

CHOICES = ("full", "masked", "hidden")
"""From the most open to the most private."""
DEFAULT = "masked"
LONGEST = 40
"""Letters of a name that a board shows."""
_JOINERS = ("\u200d", "\ufe0f")
_TONES = range(0x1F3FB, 0x1F400)


class BoardName(Row, table=True):
    """What a member chose. `shown`: one of `CHOICES`."""

    __tablename__ = "board_name"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),
        CheckConstraint("shown IN ('full', 'masked', 'hidden')", name="shown"),
    )

    brand_id: UUID = Field(primary_key=True)
    member_id: UUID = Field(primary_key=True)
    shown: str
    changed_at: datetime = Field(sa_type=UtcDateTime)


def choose(session: Session, brand_id: UUID, member_id: UUID, shown: str) -> None:
    """The member wants to be shown like this (one of `CHOICES`) from now on."""
    row = {"brand_id": brand_id, "member_id": member_id, "shown": shown, "changed_at": clock.now()}
    upsert(session, table(BoardName), [row], ["brand_id", "member_id"], ["shown", "changed_at"])


def choices_of(session: Session, brand_id: UUID, members: Collection[UUID]) -> dict[UUID, str]:
    """What each of these members chose, the default where they chose nothing."""
    t = table(BoardName)
    wanted = list(members)
    found = select(t.c.member_id, t.c.shown).where(t.c.brand_id == brand_id, among(session, t.c.member_id, wanted))
    return dict.fromkeys(wanted, DEFAULT) | (dict(session.execute(found).all()) if wanted else {})


def public_name(name: str, shown: str) -> str | None:
    """What strangers read; None for nothing."""
    if shown == "hidden":
        return None
    return (tidy(name) if shown == "full" else mask(name)) or None


def tidy(name: str) -> str:
    """A name as one line that only has letters one sees: what would break a page or turn its writing round is gone."""
    kept = "".join(one if one in _JOINERS or unicodedata.category(one)[0] != "C" else " " for one in name)
    letters = _letters(" ".join(kept.split()))
    return "".join(letters[:LONGEST]) + ("…" if len(letters) > LONGEST else "")


def mask(name: str) -> str:
    """王小明 → 王**, Alice → A***e. How many letters are hidden is hidden too."""
    letters = _letters(tidy(name))
    if not letters:
        return ""
    if _is_ideographic(letters[0]):
        return letters[0] + "**"
    return letters[0] + "***" + (letters[-1] if len(letters) > 2 else "")


def _is_ideographic(letter: str) -> bool:
    return unicodedata.category(letter[0]) == "Lo" and unicodedata.east_asian_width(letter[0]) == "W"


def _letters(text: str) -> list[str]:
    """What a reader takes for one letter each: accents, skin tones, flags and joined pictures are not cut apart."""
    found: list[str] = []
    for one in text:
        last = found[-1] if found else ""
        joined = last.endswith("\u200d")
        flag = _is_flag(one) and len(last) == 1 and _is_flag(last)
        if found and (joined or flag or one in _JOINERS or unicodedata.combining(one) or ord(one) in _TONES):
            found[-1] += one
        else:
            found.append(one)
    return found


def _is_flag(one: str) -> bool:
    return 0x1F1E6 <= ord(one) <= 0x1F1FF


def listen(bus: Bus) -> None:
    """Follow the linking of members."""
    bus.on(MembersLinked, _on_linked)
    bus.on(LinkUndone, _on_undone)


def _on_linked(session: Session, happened: Sequence[MembersLinked]) -> None:
    """Of two choices the more private holds for the one person; what the kept member had chosen is remembered."""
    for event in happened:
        theirs = session.get(BoardName, (event.brand_id, event.absorbed_id), populate_existing=True)
        own = session.get(BoardName, (event.brand_id, event.kept_id), populate_existing=True)
        before = own.shown if own is not None else None
        if theirs is None or (before is not None and CHOICES.index(before) >= CHOICES.index(theirs.shown)):
            continue
        choose(session, event.brand_id, event.kept_id, theirs.shown)
        link = session.get_one(MemberLink, (event.brand_id, event.link_id))
        link.moved = {**link.moved, "board_name": {"before": before, "at": clock.now().isoformat()}}
        session.add(link)
        session.flush()


def _on_undone(session: Session, happened: Sequence[LinkUndone]) -> None:
    """A choice that came with the link goes with it, if the person has not chosen anew since."""
    for event in happened:
        came = session.get_one(MemberLink, (event.brand_id, event.link_id)).moved.get("board_name")
        own = session.get(BoardName, (event.brand_id, event.kept_id), populate_existing=True)
        if came is None or own is None or own.changed_at > clock.parse(came["at"]):
            continue
        if came["before"] is None:
            forget_names(session, event.brand_id, [event.kept_id])
        else:
            choose(session, event.brand_id, event.kept_id, came["before"])


def export_name(session: Session, brand_id: UUID, member_id: UUID) -> dict[str, Any]:
    """How the member is shown on public boards, ready for JSON."""
    return {"shown": choices_of(session, brand_id, [member_id])[member_id]}


def forget_names(session: Session, brand_id: UUID, members: Sequence[UUID]) -> None:
    """Drop what these members chose."""
    t = table(BoardName)
    session.execute(delete(t).where(t.c.brand_id == brand_id, t.c.member_id.in_(members)))
