"""Tells whoever started a broadcast that it is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session

from bots.message import Button, Reply
from bots.news import News, Voice, tell
from core import i18n
from core.events import Bus
from referral.linking import person_of
from referral.outreach.broadcasts import BroadcastDone
from referral.outreach.messages import BROADCAST, tally


def listen(bus: Bus) -> None:
    """Hear that broadcasts are done."""
    bus.on(BroadcastDone, _on_done)


def _on_done(session: Session, happened: Sequence[BroadcastDone]) -> None:
    tell(
        session,
        [
            News(
                event.brand_id,
                person_of(session, event.brand_id, event.created_by),
                "broadcast_done",
                f"broadcast/{event.broadcast_id}/done",
                {"broadcast": str(event.broadcast_id)},
            )
            for event in happened
        ],
    )


def _words(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    counts = tally(voice.session, voice.brand.id, f"{BROADCAST}{UUID(facts['broadcast'])}")
    sent = counts.get("sent", 0)
    text = voice.say("broadcast.done", n=sent, sent=sent)
    look = Button(i18n.text(voice.locale, "broadcast.details"), action="do:broadcast")
    return Reply(text, buttons=((look,),), private=True)


KINDS = {"broadcast_done": _words}
