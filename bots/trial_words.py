"""A trial in words: what it is, how one comes to a place, and where an application stands. For one person at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from bots.context import Safe, as_code, item_title, say
from bots.gains import Rows, gain
from bots.markup import escape
from bots.message import Button
from core import clock, i18n
from core.money import ITEM
from referral import reviewing
from referral.brands import Brand
from referral.campaigns import Campaign
from referral.trials.applications import NO_PLACE, NOT_DRAWN, case_of
from referral.trials.line import standing
from referral.trials.places import IN_LINE, Trial, TrialApplication, application_of, terms_of, trial_of
from referral.trials.terms import TrialTerms
from rewards.items.shipments import Shipment, shipment_of
from rewards.trials import payout_behind

STARS = {rating: "★" * rating + "☆" * (5 - rating) for rating in range(1, 6)}


@dataclass(frozen=True, slots=True)
class Telling:
    """Who is told about which trial, in which language."""

    session: Session
    brand: Brand
    campaign: Campaign
    locale: str

    def say(self, key: str, **params: Any) -> str:
        """The message in the person's language."""
        return say(self.locale, key, **params)

    def when(self, moment: datetime | None) -> Safe:
        """A moment by the clock of the campaign's people."""
        zone = self.campaign.timezone
        return Safe(escape(i18n.moment(self.locale, moment, zone))) if moment is not None else Safe("")

    def button(self, key: str, action: str) -> Button:
        """A button about this trial: `do:trial <action> <slug>`."""
        return Button(i18n.text(self.locale, key), action=f"do:trial {action} {self.campaign.slug}")

    @property
    def title(self) -> str:
        return i18n.pick(self.campaign.title, self.locale)

    @property
    def terms(self) -> TrialTerms:
        return terms_of(self.session, self.campaign)

    @property
    def trial(self) -> Trial:
        found = trial_of(self.session, self.brand.id, self.campaign.id)
        assert found is not None
        return found

    @property
    def item(self) -> str:
        """What is tried, by its title."""
        return item_title(self.session, self.brand.id, self.locale, ITEM + self.terms.item)


def about(telling: Telling) -> str:
    """What the trial is, how many places there are, and the rules by which they are given."""
    trial, benefit = telling.trial, i18n.pick(telling.campaign.benefit, telling.locale)
    lines = [telling.say("trial.heading", title=telling.title, benefit=benefit), ""]
    if telling.campaign.state == "running" and clock.now() < trial.closes_at:
        key = "trial.places" if trial.free else "trial.places_gone"
        lines.append(telling.say(key, n=trial.quota, free=trial.free, until=telling.when(trial.closes_at)))
    elif telling.campaign.state == "scheduled":
        lines.append(telling.say("trial.starts", n=trial.quota, starts=telling.when(telling.campaign.starts_at)))
    elif telling.campaign.state == "paused":
        lines.append(telling.say("trial.paused"))
    else:
        lines.append(telling.say("trial.closed"))
        if trial.document is not None:
            seed = as_code(str(trial.document["seed"]))
            lines.append(telling.say("trial.drawn", at=telling.when(trial.drawn_at), seed=seed))
        return "\n".join(lines)
    return "\n".join([*lines, rules(telling)])


def rules(telling: Telling) -> str:
    """How one comes to a place, and the order of the line."""
    trial = telling.trial
    if trial.approve == "draw":
        way = telling.say("trial.way.draw", at=telling.when(trial.draw_at), proof=as_code(trial.commitment or ""))
    elif trial.approve == "rule" and trial.friends:
        way = telling.say("trial.way.friends", friends=trial.friends)
    else:
        way = telling.say(f"trial.way.{trial.approve}", brand=telling.brand.name)
    return "\n".join([way, telling.say("trial.order")])


def _place_in_line(telling: Telling, row: TrialApplication) -> str:
    """The honest position, and what moves it."""
    found = standing(telling.session, row)
    ahead = {"more": found.more_friends, "earlier": found.earlier}
    which = "both" if all(ahead.values()) else next((name for name, count in ahead.items() if count), "first")
    if found.of == 1:
        which = "only"
    place = telling.say(f"trial.line.{which}", number=found.number, of=found.of, **ahead)
    return place + "\n" + telling.say("trial.line.friends", friends=row.friends)


def stands(telling: Telling, row: TrialApplication) -> tuple[str, Rows]:
    """Where an application stands, and what its owner can do about it now."""
    if row.state == "approved" and row.due_at is not None and clock.now() >= row.due_at:
        return telling.say("trial.late", title=telling.title), ()
    match row.state:
        case "applied" | "waiting":
            return _in_line(telling, row)
        case "approved":
            words = telling.say("trial.approved", title=telling.title, item=telling.item, due=telling.when(row.due_at))
            words = "\n".join([words, *_said(telling, row)])
            return words, ((telling.button("button.trial_take", "take"),), (telling.button("button.trial_no", "out"),))
        case "taken":
            return _taken(telling, row)
        case "delivered":
            return _delivered(telling, row)
        case "reviewed":
            return telling.say("trial.reviewed", brand=telling.brand.name, title=telling.title), _shop(telling)
    return _ended(telling, row)


def _in_line(telling: Telling, row: TrialApplication) -> tuple[str, Rows]:
    invite = Button(i18n.text(telling.locale, "button.trial_invite"), action=f"do:invite {telling.campaign.slug}")
    rows = ((invite,), (telling.button("button.trial_withdraw", "out"),))
    if telling.trial.approve == "draw" and row.state == "applied":
        return telling.say("trial.in_draw", title=telling.title, at=telling.when(telling.trial.draw_at)), rows
    key = "trial.applied" if row.state == "applied" else "trial.waiting"
    words = telling.say(key, title=telling.title, brand=telling.brand.name)
    if row.reason == NOT_DRAWN:
        words = telling.say("trial.not_drawn", title=telling.title) + "\n" + words
    return "\n".join([words, *_said(telling, row), _place_in_line(telling, row)]), rows


def _said(telling: Telling, row: TrialApplication) -> list[str]:
    """What the person said who approved it."""
    if telling.trial.approve != "hand" or row.decided_by is None or not row.reason:
        return []
    return [telling.say("trial.said", brand=telling.brand.name, reason=row.reason)]


def parcel_of(telling: Telling, row: TrialApplication) -> Shipment | None:
    """The parcel of a place, where it is posted."""
    payout = payout_behind(telling.session, row)
    return shipment_of(telling.session, telling.brand.id, payout.id) if payout is not None else None


def _taken(telling: Telling, row: TrialApplication) -> tuple[str, Rows]:
    payout, parcel = payout_behind(telling.session, row), parcel_of(telling, row)
    if payout is None:
        return telling.say("trial.taken", title=telling.title), ()
    words, rows = gain(telling.session, telling.locale, payout)
    if parcel is not None and parcel.state == "asked":
        words = telling.say("trial.address", item=telling.item, due=telling.when(row.due_at))
    elif parcel is not None and parcel.state == "shipped":
        rows = (*rows, (telling.button("button.trial_arrived", "came"),))
    return words, rows


def _delivered(telling: Telling, row: TrialApplication) -> tuple[str, Rows]:
    payout = payout_behind(telling.session, row)
    lines = []
    if payout is not None and shipment_of(telling.session, telling.brand.id, payout.id) is None:
        lines.append(gain(telling.session, telling.locale, payout)[0])
    lines.append(
        telling.say("trial.delivered", item=telling.item, brand=telling.brand.name, due=telling.when(row.due_at))
    )
    return "\n\n".join(lines), ((telling.button("button.trial_review", "review"),), *_shop(telling))


def _shop(telling: Telling) -> Rows:
    url = telling.terms.purchase_url
    return ((Button(i18n.text(telling.locale, "button.trial_buy"), url=url),),) if url else ()


def _ended(telling: Telling, row: TrialApplication) -> tuple[str, Rows]:
    facts = {"title": telling.title, "brand": telling.brand.name, "reason": row.reason or ""}
    if row.state == "declined":
        key = "trial.declined.no_place" if row.reason == NO_PLACE else "trial.declined"
        return telling.say(key, **facts), _appeal(telling, row)
    if row.state == "withdrawn":
        own = row.reason == "own"
        again = (telling.button("button.trial_again", "apply"),)
        words = telling.say("trial.withdrawn" if own else "trial.withdrawn.called_off", **facts)
        return words, ((again,) if own and may_apply(telling) else ())
    if row.state == "lapsed":
        return telling.say(f"trial.lapsed.{row.reason}", **facts), ()
    return telling.say("trial.no_show", **facts), ((telling.button("button.trial_review", "review"),),)


def _appeal(telling: Telling, row: TrialApplication) -> Rows:
    """The way to another person's eye, where a person said no and nobody has looked again."""
    case = case_of(telling.session, row)
    if case is None or row.reason == NO_PLACE or not reviewing.may_appeal(telling.session, case):
        return ()
    if reviewing.appealed(telling.session, row.brand_id, row.member_id, None, case.id) is not None:
        return ()
    return ((Button(i18n.text(telling.locale, "button.trial_appeal"), action=f"do:appeal c{case.id.hex}"),),)


def trying(session: Session, campaign: Campaign, member_id: UUID) -> str:
    """How far somebody came whose place, or feedback, a campaign waits for: the end of `me.friend.trying.<…>`."""
    row = application_of(session, campaign.brand_id, campaign.id, member_id)
    if row is None or (row.state, row.reason) == ("withdrawn", "own"):
        return "not_yet"
    if row.state in IN_LINE:
        return "applied"
    return f"place.{campaign.event}" if row.state in ("approved", "taken", "delivered") else "out"


def may_apply(telling: Telling) -> bool:
    """Whether applications are taken now."""
    trial = telling.trial
    return telling.campaign.state == "running" and clock.now() < trial.closes_at and trial.drawn_at is None


def moved_up(telling: Telling, row: TrialApplication, friend: str) -> str | None:
    """A friend applied, which moves their advocate up; None where the advocate waits no more."""
    if row.state not in IN_LINE or (telling.trial.approve == "draw" and row.state == "applied"):
        return None
    words = telling.say("trial.moved_up", friend=friend, title=telling.title)
    return words + "\n" + _place_in_line(telling, row)
