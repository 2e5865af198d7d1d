"""The places of a trial in the books: what is tried is given from the campaign's budget of that item, once a place.

A place that is taken is goodwill of one item (`rewards.adjustments`, key `trial/<application>/<round>`): the existing
delivery of items hands it over, and what becomes of that moves the application on. The quota is thus held twice, by the
trial's count of places and by the budget of the item.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock, i18n, vault
from core.db import table
from core.errors import NotFound, Refused
from core.events import Bus
from core.money import ITEM
from referral.campaigns import Campaign
from referral.members import Member, identities_of, keyed_hash
from referral.trials import applications, line, opening, timing
from referral.trials.places import (
    ApplicationMoved,
    Trial,
    TrialApplication,
    answering,
    campaign_of,
    lock,
    locked,
    step,
    terms_of,
    trial_of,
)
from referral.trials.terms import TrialTerms
from rewards.adjustments import CAUSE, Adjustment, adjust
from rewards.corrections import take_back
from rewards.items import draw_proof, shipments, vouchers
from rewards.items.draws import MARK_LENGTH, SEED_BYTES
from rewards.items.items import Item
from rewards.items.shipments import ShipmentMoved, shipment_of
from rewards.payouts.payouts import Payout, PayoutCompleted, PayoutFailed
from rewards.plan_check import Finding
from rewards.rewards import Reward

ACTOR = "trial"
KEY = "trial/"
"""How the key of a place's adjustment begins; the application and its round follow."""
PASSED_ON = "place_passed_on"
"""Why what was given for a place is taken back that nobody came to have."""
KINDS = ("voucher", "promo_code", "physical")
"""Kinds of item that can be tried."""


def listen(bus: Bus) -> None:
    """Hear of places that are taken, and of what becomes of their delivery."""
    bus.on(ApplicationMoved, on_moved)
    bus.on(PayoutCompleted, on_completed)
    bus.on(PayoutFailed, on_failed)
    bus.on(ShipmentMoved, on_parcel)


def findings(session: Session, brand_id: UUID, terms: TrialTerms) -> Iterator[Finding]:
    """What the catalogue has against a trial of this item."""
    item = session.scalar(select(Item).where(col(Item.brand_id) == brand_id, col(Item.slug) == terms.item))
    if item is None or not item.active:
        yield Finding("refuse", "unknown_item", "trial.item", {"item": terms.item})
        return
    if item.kind not in KINDS:
        yield Finding("refuse", "trial_kind", "trial.item", {"item": item.slug, "kinds": ", ".join(KINDS)})
    left = None if item.stock is None else item.stock - item.given
    if item.kind == "voucher":
        left = vouchers.available(session, brand_id, item.id, terms.quota)
    if left is not None and left < terms.quota:
        yield Finding("warn", "trial_short", "trial.quota", {"item": item.slug, "left": left, "quota": terms.quota})


def prepare(session: Session, campaign: Campaign, terms: TrialTerms | None) -> None:
    """Lay out the places of a campaign's version; of a draw, the commitment, before anybody applies. `terms`: None for
    a campaign that is no trial. Raises as `opening.open_places`.
    """
    if terms is None:
        before = trial_of(session, campaign.brand_id, campaign.id)
        if before is not None:  # a draft that became something else: nobody can have applied
            session.delete(before)
            session.flush()
        return
    trial = opening.open_places(session, campaign, terms)
    if trial.approve == "draw" and trial.commitment is None:
        seed = secrets.token_hex(SEED_BYTES)
        trial.commitment = draw_proof.commitment_of(seed)
        trial.sealed = vault.seal({"seed": seed}, bound_to=campaign.id)
        session.add(trial)
        session.flush()


def on_moved(session: Session, happened: Sequence[ApplicationMoved]) -> None:
    """A place is taken: what is tried is theirs. Raises `Refused("trial_sold_out")` where the budget has none left."""
    for event in happened:
        if event.after == "taken":
            _hand_over(session, event)


def _hand_over(session: Session, event: ApplicationMoved) -> None:
    row = session.get_one(TrialApplication, (event.brand_id, event.application_id))
    campaign = campaign_of(session, row)
    title = i18n.pick(campaign.title, _locale(session, row))
    try:
        adjust(
            session,
            row.brand_id,
            row.member_id,
            campaign.id,
            ITEM + terms_of(session, campaign).item,
            1,
            reason=title,
            actor=ACTOR,
            key=KEY + row.case_key,
        )
    except Refused as refused:
        if refused.code == "adjustment_budget":
            raise Refused("trial_sold_out") from None
        raise


def _locale(session: Session, row: TrialApplication) -> str:
    member = session.get_one(Member, (row.brand_id, row.member_id))
    spoken = max(identities_of(session, row.brand_id, [row.member_id]), key=lambda one: one.seen_at, default=None)
    return member.locale or (spoken.locale if spoken else None) or i18n.DEFAULT


def place_behind(session: Session, brand_id: UUID, payout_id: UUID) -> UUID | None:
    """The application whose place a payout hands over; None for any other payout."""
    p, r = table(Payout), table(Reward)
    cause = session.scalar(
        select(r.c.cause)
        .join(p, (p.c.brand_id == r.c.brand_id) & (p.c.reward_id == r.c.id))
        .where(p.c.brand_id == brand_id, p.c.id == payout_id)
    )
    if cause is None or not cause.startswith(CAUSE):
        return None
    decided = session.get(Adjustment, (brand_id, UUID(cause.removeprefix(CAUSE))))
    if decided is None or not decided.key.startswith(KEY) or decided.actor != ACTOR:
        return None
    return UUID(decided.key.split("/")[1])


def payout_behind(session: Session, row: TrialApplication) -> Payout | None:
    """The latest payout that hands an application's place over."""
    reward = _reward(session, row)
    if reward is None:
        return None
    return session.scalar(
        select(Payout)
        .where(col(Payout.brand_id) == row.brand_id, col(Payout.reward_id) == reward.id)
        .order_by(col(Payout.created_at).desc(), col(Payout.id).desc())
        .limit(1)
    )


def _reward(session: Session, row: TrialApplication) -> Reward | None:
    a, r = table(Adjustment), col(Reward.cause)
    decided = session.scalar(select(a.c.id).where(a.c.brand_id == row.brand_id, a.c.key == KEY + row.case_key))
    if decided is None:
        return None
    return session.scalar(select(Reward).where(col(Reward.brand_id) == row.brand_id, r == f"{CAUSE}{decided}"))


def on_completed(session: Session, happened: Sequence[PayoutCompleted]) -> None:
    """A code was handed over. A parcel that was shipped has yet to arrive."""
    for event in happened:
        application_id = _place_of(session, event)
        if application_id is not None and shipment_of(session, event.brand_id, event.payout_id) is None:
            applications.claim(session, event.brand_id, application_id)
            applications.deliver(session, event.brand_id, application_id)


def on_failed(session: Session, happened: Sequence[PayoutFailed]) -> None:
    """It was called off: the place passes on, and the item is back in the budget."""
    for event in happened:
        application_id = _place_of(session, event)
        if application_id is not None:
            pass_on(session, event.brand_id, application_id, "withdrawn", "called_off")


def on_parcel(session: Session, happened: Sequence[ShipmentMoved]) -> None:
    """A parcel waits for its address, has it, or has arrived."""
    for event in happened:
        if event.state not in ("asked", "ready", "delivered"):
            continue
        application_id = place_behind(session, event.brand_id, event.payout_id)
        if application_id is None:
            continue
        if event.state == "asked":
            applications.await_address(session, event.brand_id, application_id)
        elif event.state == "ready":
            applications.claim(session, event.brand_id, application_id)
        else:
            applications.deliver(session, event.brand_id, application_id)


def _place_of(session: Session, event: PayoutCompleted | PayoutFailed) -> UUID | None:
    """The application behind a payout; most payouts are of no item, and cost no question."""
    return place_behind(session, event.brand_id, event.payout_id) if event.item_id is not None else None


def pass_on(session: Session, brand_id: UUID, application_id: UUID, after: str, reason: str) -> None:
    """A place that was taken goes to the next in line, and what was set aside for it back into the budget."""
    _, row = locked(session, brand_id, application_id)
    if row.state != "taken":
        return
    reward = _reward(session, row)
    applications.give_up(session, brand_id, application_id, after, reason)
    if reward is not None:
        take_back(session, [reward], PASSED_ON)


def arrived(session: Session, brand_id: UUID, application_id: UUID) -> None:
    """Whoever waited for it says that it came. Raises `Refused("trial_not_delivered")` before it was shipped."""
    _, row = locked(session, brand_id, application_id)
    if row.state in ("delivered", "reviewed", "no_show"):
        return
    payout = payout_behind(session, row) if row.state == "taken" else None
    parcel = shipment_of(session, brand_id, payout.id) if payout is not None else None
    if parcel is None or parcel.state != "shipped":
        raise Refused("trial_not_delivered", state=row.state)
    with answering(session, row.id):
        shipments.arrive(session, parcel)


def follow_clock(session: Session) -> int:
    """Everything that is due in trials but the draws; how much was done. One unit of the job."""
    return _lapse_unaddressed(session) + timing.follow_clock(session)


def _lapse_unaddressed(session: Session) -> int:
    """Places that were taken by people who never said where to send it pass on."""
    found = timing.due(session, ("taken",))
    for brand_id, _, application_id in found:
        _, row = locked(session, brand_id, application_id)
        if row.state == "taken" and row.due_at is not None and row.due_at <= clock.now():
            pass_on(session, brand_id, application_id, "lapsed", "no_address")
    return len(found)


def draw_due(session: Session) -> int:
    """Hold the draws whose time has come; how many. A job of its own: without the vault's key there is no draw, and
    that must hold up nothing else.
    """
    t, c = table(Trial), table(Campaign)
    keys = session.execute(
        select(t.c.brand_id, t.c.campaign_id)
        .join(c, (c.c.brand_id == t.c.brand_id) & (c.c.id == t.c.campaign_id))
        .where(
            t.c.approve == "draw",
            t.c.drawn_at.is_(None),
            t.c.draw_at <= clock.now(),
            t.c.commitment.is_not(None),
            c.c.state.in_(("running", "ended")),
        )
        .order_by(t.c.brand_id, t.c.campaign_id)
        .limit(timing.AT_ONCE)
    ).all()
    for brand_id, campaign_id in keys:
        draw(session, brand_id, campaign_id)
    return len(keys)


def draw(session: Session, brand_id: UUID, campaign_id: UUID) -> dict[str, Any]:
    """Hold the draw, once: winners get a place each, the others stand in line. The document anybody can check.

    Raises `NotFound("trial")`, `Refused("trial_no_draw")` before its time and where there is none.
    """
    trial = lock(session, brand_id, campaign_id)
    if trial.document is not None:
        return trial.document
    if trial.draw_at is None or trial.draw_at > clock.now() or trial.sealed is None:
        raise Refused("trial_no_draw")
    campaign = campaign_of(session, trial)
    terms = terms_of(session, campaign)
    rows = session.scalars(
        select(TrialApplication)
        .where(
            col(TrialApplication.brand_id) == brand_id,
            col(TrialApplication.campaign_id) == campaign_id,
            col(TrialApplication.state) == "applied",
        )
        .order_by(col(TrialApplication.applied_at), col(TrialApplication.id))
        .execution_options(populate_existing=True)
    ).all()
    trial.document = _document(trial, campaign, terms, rows)
    trial.drawn_at = trial.closed_at = clock.now()
    session.add(trial)
    session.flush()
    won = [rows[winner["number"] - 1] for winner in trial.document["winners"]]
    for row in won:
        line.keep_place(session, trial, row, terms)
    lucky = {row.id for row in won}
    for row in rows:
        if row.id not in lucky:
            step(session, trial, row, "waiting", reason=applications.NOT_DRAWN)
    line.fill(session, trial, campaign)
    return trial.document


def _document(trial: Trial, campaign: Campaign, terms: TrialTerms, rows: Sequence[TrialApplication]) -> dict[str, Any]:
    """As `rewards.items.draw_proof` reads it; each application is a ticket, in the order they came."""
    seed = str(vault.unseal(trial.sealed or "", bound_to=campaign.id)["seed"])
    tickets = [
        {"number": number, "person": mark_of(campaign.id, row.member_id)} for number, row in enumerate(rows, start=1)
    ]
    prizes = [{"asset": ITEM + terms.item, "amount": 1, "winners": trial.free}]
    now = clock.now().isoformat()
    return {
        "format": draw_proof.FORMAT,
        "draw": campaign.slug,
        "title": dict(campaign.title),
        "state": "revealed",
        "commitment": trial.commitment,
        "prizes": prizes,
        "opened_at": campaign.created_at.isoformat(),
        "closes_at": trial.closes_at.isoformat(),
        "closed_at": now,
        "entropy": None,
        "tickets_digest": draw_proof.tickets_digest(tickets),
        "tickets": tickets,
        "seed": seed,
        "winners": draw_proof.winners_of(seed, "", tickets, prizes),
    }


def mark_of(campaign_id: UUID, member_id: UUID) -> str:
    """What an applicant is called in the public list of the draw: a keyed hash that names nobody."""
    return keyed_hash(f"trial/{campaign_id}", str(member_id))[:MARK_LENGTH]


def draw_of(session: Session, campaign: Campaign) -> dict[str, Any]:
    """The draw that was held, for anybody to check. Raises `NotFound("draw")` before it."""
    trial = session.get(Trial, (campaign.brand_id, campaign.id))
    if trial is None or trial.document is None:
        raise NotFound("draw", slug=campaign.slug)
    return trial.document
