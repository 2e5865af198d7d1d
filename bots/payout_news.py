"""News of what leaves the books: withdrawals, things had for points or as a reward, parcels, draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from bots.context import Safe, as_code
from bots.gains import gain, until
from bots.message import Button, Reply
from bots.news import News, Voice, tell
from bots.receipts import CONFIRM_IN_WECHAT, failure, masked, short_reference
from bots.trial_words import Telling, stands
from core import clock, i18n
from core.events import Bus
from referral.members import identities_of
from referral.trials.places import TrialApplication, campaign_of
from rewards.adjustments import CAUSE as ADJUSTED
from rewards.items.draws import Draw, DrawMoved, Ticket
from rewards.items.items import Item
from rewards.items.kinds import LOCAL
from rewards.items.shipments import ShipmentMoved
from rewards.items.vouchers import Voucher, VoucherExpiring, code_of
from rewards.payouts.payouts import Payout, PayoutCompleted, PayoutFailed, PayoutProgressed, events_of
from rewards.rewards import Reward
from rewards.trials import place_behind

TOLD_STEPS = (CONFIRM_IN_WECHAT, "unclaimed_yet")
"""What a provider may wait for that the member has to do."""


def listen(bus: Bus) -> None:
    """Hear of payouts, parcels, vouchers and draws."""
    bus.on(PayoutProgressed, _on_progressed)
    bus.on(PayoutCompleted, _on_completed)
    bus.on(PayoutFailed, _on_failed)
    bus.on(ShipmentMoved, _on_shipment)
    bus.on(VoucherExpiring, _on_expiring)
    bus.on(DrawMoved, _on_draw)


def _news(event: Any, kind: str, cause: str, **facts: Any) -> News:
    return News(event.brand_id, event.member_id, kind, f"payout/{event.payout_id}/{cause}", _of(event) | facts)


def _of(event: Any) -> dict[str, str]:
    return {"payout": str(event.payout_id)}


def _on_progressed(session: Session, happened: Sequence[PayoutProgressed]) -> None:
    steps = [event for event in happened if event.item_id is None and event.reason in TOLD_STEPS]
    tell(session, [_news(event, "payout_step", event.reason, step=event.reason) for event in steps])


def _on_completed(session: Session, happened: Sequence[PayoutCompleted]) -> None:
    """What was bought and given at once was shown there and then; a parcel is told of by its own way."""
    news = []
    for event in happened:
        if event.item_id is None:
            news.append(_news(event, "paid", "completed"))
        elif _is_news(session, event) and not _is_place(session, event):
            news.append(_news(event, "gained", "completed"))
    tell(session, news)


def _is_news(session: Session, event: PayoutCompleted) -> bool:
    item = session.get_one(Item, (event.brand_id, event.item_id))
    payout = session.get_one(Payout, (event.brand_id, event.payout_id))
    return item.kind != "physical" and (payout.reward_id is not None or item.kind not in LOCAL)


def _on_failed(session: Session, happened: Sequence[PayoutFailed]) -> None:
    told = [event for event in happened if not _is_place(session, event)]
    tell(session, [_news(event, "not_gained" if event.item_id else "not_paid", "failed") for event in told])


def _is_place(session: Session, event: Any) -> bool:
    """Whether it hands over a place in a trial, which is told with the application."""
    return event.item_id is not None and place_behind(session, event.brand_id, event.payout_id) is not None


def _on_shipment(session: Session, happened: Sequence[ShipmentMoved]) -> None:
    news = []
    for event in happened:
        asked = event.state == "asked" and _unasked(session, event)
        if asked or event.state in ("shipped", "delivered"):
            if event.state != "shipped" and _is_place(session, event):
                continue
            news.append(_news(event, "gained", f"parcel/{event.state}/{event.tracking or ''}"))
    tell(session, news)


def _unasked(session: Session, event: ShipmentMoved) -> bool:
    """Whether it is a reward that handed itself over: who buys a parcel is asked for the address at once."""
    return session.get_one(Payout, (event.brand_id, event.payout_id)).reward_id is not None


def _on_expiring(session: Session, happened: Sequence[VoucherExpiring]) -> None:
    tell(
        session,
        [
            News(
                event.brand_id,
                session.get_one(Payout, (event.brand_id, event.payout_id)).member_id,
                "voucher_ends",
                f"voucher/{event.voucher_id}/ends",
                {"voucher": str(event.voucher_id), "at": event.expires_at.isoformat()},
            )
            for event in happened
        ],
    )


def _on_draw(session: Session, happened: Sequence[DrawMoved]) -> None:
    """The result goes to everybody who has a ticket."""
    for event in happened:
        if event.state != "revealed":
            continue
        holders = session.scalars(
            select(col(Ticket.member_id))
            .where(col(Ticket.brand_id) == event.brand_id, col(Ticket.draw_id) == event.draw_id)
            .distinct()
        ).all()
        facts = {"draw": str(event.draw_id)}
        tell(
            session,
            [News(event.brand_id, holder, "drawn", f"draw/{event.draw_id}/{holder}", facts) for holder in holders],
        )


def _payout(voice: Voice, facts: Mapping[str, Any]) -> Payout:
    return voice.session.get_one(Payout, (voice.brand.id, UUID(facts["payout"])))


def _money_facts(voice: Voice, payout: Payout) -> dict[str, Any]:
    way = i18n.text(voice.locale, f"withdraw.way.{payout.provider}")
    return {
        "amount": voice.amount(payout.amount, payout.asset),
        "whole": voice.amount(payout.amount + payout.fee, payout.asset),
        "to": f"{way} {masked(voice.session, payout)}".strip(),
        "reference": Safe(short_reference(payout)),
        "external": as_code(payout.external_id) if payout.external_id else "",
    }


def _step(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    payout = _payout(voice, facts)
    if payout.state != "processing" or payout.reason != facts["step"]:
        return None  # it went on since
    words = voice.say(f"news.payout.{facts['step']}", **_money_facts(voice, payout))
    reply = _with(voice, words, "button.withdrawals", "do:withdraw list")
    page = payout.detail.get("confirm_url")  # where the provider's own question is answered
    if page and payout.reason == CONFIRM_IN_WECHAT:
        confirm = Button(i18n.text(voice.locale, "confirm.button"), url=str(page))
        reply = replace(reply, buttons=((confirm,), *reply.buttons))
    return reply


def _paid(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    payout = _payout(voice, facts)
    key = "news.payout.completed" if payout.external_id else "news.payout.completed_bare"
    words = voice.say(key, **_money_facts(voice, payout))
    return _with(voice, words, "button.rewards", "do:rewards")


def _not_paid(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    payout = _payout(voice, facts)
    if payout.reason == "cancelled" and _by_themselves(voice, payout):
        return None  # who saw it happen
    words = voice.say("news.payout.failed", reason=failure(voice.locale, payout), **_money_facts(voice, payout))
    return _with(voice, words, "button.withdraw", "do:withdraw")


def _by_themselves(voice: Voice, payout: Payout) -> bool:
    """Whether the member called it off in the chat."""
    actors = {event.actor for event in events_of(voice.session, voice.brand.id, payout.id) if event.kind == "cancel"}
    own = identities_of(voice.session, voice.brand.id, [voice.member.id])
    return bool(actors & {f"{identity.platform}:{identity.account}" for identity in own})


def _gained(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    payout = _payout(voice, facts)
    place = place_behind(voice.session, voice.brand.id, payout.id)
    if place is not None:
        row = voice.session.get_one(TrialApplication, (voice.brand.id, place))
        text, rows = stands(Telling(voice.session, voice.brand, campaign_of(voice.session, row), voice.locale), row)
        return Reply(text, buttons=rows, private=True)
    text, rows = gain(voice.session, voice.locale, payout)
    if gift := _gift(voice, payout):
        text = gift + "\n" + text
    mine = Button(i18n.text(voice.locale, "button.mine"), action="do:shop mine")
    return Reply(text, buttons=(*rows, (mine,)), private=True)


def _gift(voice: Voice, payout: Payout) -> str:
    """Who gave it and why, where a person decided that."""
    reward = voice.session.get(Reward, (voice.brand.id, payout.reward_id)) if payout.reward_id else None
    if reward is None or not reward.cause.startswith(ADJUSTED) or payout.state != "completed":
        return ""
    amount = voice.amount(reward.amount, reward.asset)
    reason = str((reward.facts or {}).get("reason", ""))
    return voice.say("news.given", brand=voice.brand.name, amount=amount, reason=reason)


def _voucher_ends(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    voucher = voice.session.get_one(Voucher, (voice.brand.id, UUID(facts["voucher"])))
    item = voice.session.get_one(Item, (voice.brand.id, voucher.item_id))
    words = voice.say(
        "news.voucher_ends",
        title=i18n.pick(item.title, voice.locale),
        code=as_code(code_of(voucher)),
        until=until(voice.locale, voice.brand.timezone, clock.parse(facts["at"])),
    )
    return _with(voice, words, "button.mine", "do:shop mine")


def _drawn(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    draw = voice.session.get_one(Draw, (voice.brand.id, UUID(facts["draw"])))
    numbers = voice.session.scalars(
        select(col(Ticket.number))
        .where(col(Ticket.brand_id) == voice.brand.id, col(Ticket.draw_id) == draw.id)
        .where(col(Ticket.member_id) == voice.member.id)
        .order_by(col(Ticket.number))
    ).all()
    won = [winner for winner in draw.winners or [] if winner["number"] in numbers]
    shown = {
        "draw": i18n.pick(draw.title, voice.locale),
        "tickets": draw.tickets,
        "numbers": ", ".join(map(str, numbers)),
        "seed": Safe(draw.seed or ""),
    }
    if not won:
        return _with(voice, voice.say("news.draw.lost", **shown), "button.shop", "do:shop")
    best = won[0]
    prize = voice.amount(best["amount"], best["asset"])
    words = voice.say("news.draw.won", place=best["place"], number=best["number"], prize=prize, **shown)
    return _with(voice, words, "button.rewards", "do:rewards")


def _with(voice: Voice, words: str, label: str, action: str) -> Reply:
    return Reply(words, buttons=((Button(i18n.text(voice.locale, label), action=action),),), private=True)


KINDS = {
    "payout_step": _step,
    "paid": _paid,
    "not_paid": _not_paid,
    "gained": _gained,
    "not_gained": _gained,
    "voucher_ends": _voucher_ends,
    "drawn": _drawn,
}
