"""What a campaign says in a group: that it begins, that it ends soon, that it is over, and what came of it.

Said in the language of the group, for everybody to read; so it speaks of the product and of what friends get, and never
of a reward for bringing them, which WeChat forbids and which is told in private.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from bots.context import Safe, name_of, say
from bots.markup import escape
from bots.message import Button, Image, Reply
from core import clock, i18n
from core.db import table
from core.errors import NotFound
from referral import leaderboard
from referral.brands import Brand
from referral.campaigns import Campaign
from referral.cards import banner_of
from referral.contests import terms as contest_terms
from referral.contests.results import result_of
from referral.contests.teams import teams_by_id
from referral.leaderboard import Score
from referral.posting import Step
from referral.trials.funnel import funnel
from referral.trials.places import terms_of as trial_terms
from rewards.contests.finals import basis_of

SHOWN = 3
MEDALS = ("🥇", "🥈", "🥉")


def compose(session: Session, step: Step) -> Reply | None:
    """The words of an announcement as things stand now; None where there is nothing to say."""
    locale = step.community.locale or session.get_one(Brand, step.campaign.brand_id).locale
    make = {"start": _start, "reminder": _reminder, "end": _end, "results": _results}[step.announcement.what]
    return make(session, locale, step.campaign, step.announcement.turn)


def opening(session: Session, locale: str, campaign: Campaign) -> Reply:
    """The words with which a campaign begins; also shown before it is launched."""
    return _start(session, locale, campaign, 0)


def _facts(locale: str, campaign: Campaign) -> dict[str, Any]:
    return {
        "title": i18n.pick(campaign.title, locale),
        "benefit": i18n.pick(campaign.benefit, locale),
        "ends": _moment(locale, campaign, campaign.ends_at),
    }


def _moment(locale: str, campaign: Campaign, at: Any) -> Safe:
    return Safe(escape(i18n.moment(locale, at, campaign.timezone)))


def _start(session: Session, locale: str, campaign: Campaign, turn: int) -> Reply:
    facts = _facts(locale, campaign)
    if campaign.kind == "trial":
        terms = trial_terms(session, campaign)
        closes = _moment(locale, campaign, terms.closes_at(campaign.ends_at))
        text = say(locale, "announce.start.trial", n=terms.quota, closes=closes, **facts)
    elif campaign.kind == "contest":
        text = say(locale, "announce.start.contest", **facts)
    else:
        text = say(locale, "announce.start.referral", **facts)
    return Reply(text, buttons=_buttons(locale, campaign), image=_picture(session, campaign, facts["title"]))


def _reminder(session: Session, locale: str, campaign: Campaign, turn: int) -> Reply | None:
    facts = _facts(locale, campaign)
    if campaign.kind == "trial":
        closes = trial_terms(session, campaign).closes_at(campaign.ends_at)
        if closes <= clock.now():
            return None
        text = say(locale, "announce.reminder.trial", closes=_moment(locale, campaign, closes), **facts)
    elif campaign.kind == "contest":
        text = say(locale, "announce.reminder.contest", **facts)
        text = _with(text, _lines(session, locale, campaign, _leaders(session, campaign)))
    else:
        text = say(locale, "announce.reminder.referral", **facts)
    return Reply(text, buttons=_buttons(locale, campaign))


def _end(session: Session, locale: str, campaign: Campaign, turn: int) -> Reply | None:
    facts = _facts(locale, campaign)
    if campaign.kind == "trial":
        return Reply(say(locale, "announce.end.trial", **facts))
    if campaign.kind == "contest":
        final = contest_terms.terms_of(session, campaign).final_at(campaign.ends_at)
        if final <= clock.now():
            return None  # nothing to object to any more: the final says it all
        board = _board(locale, campaign)
        final_at = _moment(locale, campaign, final)
        return Reply(say(locale, "announce.end.contest", final=final_at, **facts), buttons=((board,),))
    return Reply(say(locale, "announce.end.referral", **facts))


def _results(session: Session, locale: str, campaign: Campaign, turn: int) -> Reply | None:
    facts = _facts(locale, campaign)
    if campaign.kind == "contest":
        return _final(session, locale, campaign, turn)
    if campaign.kind == "trial":
        try:
            came = funnel(session, campaign)
        except NotFound:
            return None
        if not came.delivered:
            return None
        return Reply(say(locale, "announce.results.trial", n=came.delivered, reviews=came.reviewed, **facts))
    s = table(Score).c
    mine = (s.brand_id == campaign.brand_id) & (s.campaign_id == campaign.id)
    friends = int(session.scalar(select(func.sum(s.score)).where(mine)) or 0)
    if not friends:
        return None
    text = say(locale, "announce.results.referral", n=friends, **facts)
    return Reply(_with(text, _lines(session, locale, campaign, _leaders(session, campaign))))


def _final(session: Session, locale: str, campaign: Campaign, revision: int) -> Reply | None:
    """The frozen final of a contest; of a later revision also that it is one."""
    result = result_of(session, campaign.brand_id, campaign.id, revision)
    if result is None:
        return None
    basis = basis_of(session, campaign, result)
    best = basis.board()[:SHOWN]
    if not best:
        return None
    names: dict[UUID, str] = {}
    if basis.terms.mode == "teams":
        teams = teams_by_id(session, campaign.brand_id, [one.of.owner for one in best])
        names = {team_id: team.name for team_id, team in teams.items()}
    heading = "announce.results.contest" if revision == 1 else "announce.results.contest_again"
    text = say(locale, heading, **_facts(locale, campaign))
    board = _board(locale, campaign)
    lines = _lines(session, locale, campaign, [(one.of.owner, one.of.score) for one in best], names)
    return Reply(_with(text, lines), buttons=((board,),))


def _leaders(session: Session, campaign: Campaign) -> list[tuple[UUID, int]]:
    """The best of the live board of single people; teams have theirs behind the button."""
    if campaign.kind == "contest" and contest_terms.terms_of(session, campaign).mode == "teams":
        return []
    places = leaderboard.top(session, campaign.brand_id, campaign.id, SHOWN)
    return [(place.member_id, place.score) for place in places]


def _lines(
    session: Session,
    locale: str,
    campaign: Campaign,
    best: Sequence[tuple[UUID, int]],
    names: dict[UUID, str] | None = None,
) -> list[str]:
    return [
        say(
            locale,
            "leaderboard.line",
            place=medal,
            name=names[owner] if names and owner in names else name_of(session, campaign.brand_id, owner, locale),
            n=score,
        )
        for medal, (owner, score) in zip(MEDALS, best, strict=False)
    ]


def _with(text: str, lines: Sequence[str]) -> str:
    return "\n\n".join([text, "\n".join(lines)]) if lines else text


def _board(locale: str, campaign: Campaign) -> Button:
    return Button(i18n.text(locale, "button.leaderboard"), action=f"do:leaderboard {campaign.slug}")


def _buttons(locale: str, campaign: Campaign) -> tuple[tuple[Button, ...], ...]:
    if campaign.kind == "trial":
        return ((Button(i18n.text(locale, "announce.button.apply"), action=f"do:trial {campaign.slug}"),),)
    join = Button(i18n.text(locale, "announce.button.join"), action=f"do:invite {campaign.slug}")
    if campaign.kind == "contest":
        return ((join, _board(locale, campaign)),)
    return ((join,),)


def _picture(session: Session, campaign: Campaign, alt: str) -> Image | None:
    """The campaign's own picture, if it has one that is still there."""
    banner = banner_of(session, campaign)
    return Image(partial(bytes, banner.body), f"{campaign.slug}.jpg", alt) if banner is not None else None
