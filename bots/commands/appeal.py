"""`/appeal`: asks that a decision be looked at again by another person, once for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from bots import dialog
from bots.case_words import Telling
from bots.command import Argument, CommandSpec
from bots.context import Command, Context
from bots.message import Button, Reply
from bots.questions import Dialog, Question, Talk
from core import i18n
from core.errors import BadInput, NotFound, Refused
from referral import cases, rejection, reviewing
from referral.campaigns import Campaign
from referral.referrals import Referral
from rewards.case_words import friend_name

SHOWN = 6
"""Decisions offered at once, the latest first."""
LABEL = 60
WORDS = reviewing.WORDS


def appeal(ctx: Context) -> Reply:
    if not ctx.private:
        return ctx.reply("appeal.in_private")
    which = ctx.argument.strip()
    if not which:
        return _list(ctx)
    about = _about(ctx, which)
    if about is None:
        return ctx.reply("error.button_old")
    again = reviewing.appealed(ctx.session, ctx.brand.id, ctx.member.id, *_target(which))
    if again is not None:
        return ctx.reply(f"appeal.again.{again.state}")
    return dialog.begin(ctx, APPEAL, which=which, about=about)


def appealable(session: Session, brand_id: UUID, member_id: UUID, friends: Sequence[Referral]) -> list[Referral]:
    """Those of these referrals that the member may still appeal for."""
    return [
        one
        for one in friends
        if rejection.may_reinstate(one) and reviewing.appealed(session, brand_id, member_id, one.id, None) is None
    ]


def buttons(ctx: Context, friends: Sequence[Referral]) -> list[tuple[Button, ...]]:
    """A button for each of these friends who fell by a judgement one may appeal against."""
    telling = Telling(ctx.session, ctx.brand, ctx.locale)
    found: list[tuple[Button, ...]] = []
    for one in appealable(ctx.session, ctx.brand.id, ctx.member.id, friends)[:SHOWN]:
        label = i18n.text(ctx.locale, "button.appeal")
        if one.advocate_id == ctx.member.id:
            label = i18n.text(ctx.locale, "button.appeal.about", name=telling.name(one.friend_id))
        found.append((Button(label[:LABEL], action=f"do:appeal r{one.id.hex}"),))
    return found


def _target(which: str) -> tuple[UUID | None, UUID | None]:
    """(referral, case) that an argument names. Raises `ValueError`."""
    found = UUID(hex=which[1:])
    return (found, None) if which.startswith("r") else (None, found)


def _about(ctx: Context, which: str) -> str | None:
    """What the appeal is about, in words; None for what is nothing to this person, or cannot be appealed against."""
    try:
        referral_id, case_id = _target(which)
        if referral_id is not None:
            return _about_referral(ctx, referral_id)
        assert case_id is not None
        case = cases.find_case(ctx.session, ctx.brand.id, case_id)
    except (ValueError, NotFound):
        return None
    if not reviewing.may_appeal(ctx.session, case) or ctx.member.id not in reviewing.concerned(ctx.session, case):
        return None
    if case.kind == "referral" and case.referral_id is not None:
        return _about_referral(ctx, case.referral_id)
    telling = Telling(ctx.session, ctx.brand, ctx.locale)
    friend = friend_name(telling, case) if case.kind == "attribution" else ""
    return i18n.text(ctx.locale, f"appeal.about.{case.kind}", friend=friend, title=telling.title(case))


def _about_referral(ctx: Context, referral_id: UUID) -> str | None:
    referral = ctx.session.get(Referral, (ctx.brand.id, referral_id), populate_existing=True)
    if referral is None or not rejection.may_reinstate(referral):
        return None
    if ctx.member.id not in (referral.advocate_id, referral.friend_id):
        return None
    campaign = ctx.session.get_one(Campaign, (ctx.brand.id, referral.campaign_id))
    mine = referral.advocate_id == ctx.member.id
    other = Telling(ctx.session, ctx.brand, ctx.locale).name(referral.friend_id if mine else referral.advocate_id)
    key = "appeal.about.referral" if mine else "appeal.about.own"
    return i18n.text(ctx.locale, key, friend=other, title=ctx.title(campaign))


def _list(ctx: Context) -> Reply:
    """Everything this person may appeal against now."""
    session, me = ctx.session, ctx.member.id
    mine = session.scalars(
        select(Referral)
        .where(
            col(Referral.brand_id) == ctx.brand.id,
            (col(Referral.advocate_id) == me) | (col(Referral.friend_id) == me),
            col(Referral.state).in_(reviewing.FALLEN),
        )
        .order_by(col(Referral.started_at).desc(), col(Referral.id))
        .limit(SHOWN)
    ).all()
    rows = [*buttons(ctx, mine), *_case_buttons(ctx)]
    if not rows:
        return ctx.reply("appeal.nothing", buttons=((ctx.button("button.why", "do:why"),),))
    return ctx.reply("appeal.list", buttons=rows[:SHOWN])


def _case_buttons(ctx: Context) -> list[tuple[Button, ...]]:
    found: list[tuple[Button, ...]] = []
    for case in reversed(reviewing.cases_about(ctx.session, ctx.brand.id, [ctx.member.id])):
        which = f"c{case.id.hex}"
        if case.kind not in reviewing.APPEALED or (about := _about(ctx, which)) is None:
            continue
        if reviewing.appealed(ctx.session, ctx.brand.id, ctx.member.id, None, case.id) is None:
            found.append((Button(about[:LABEL], action=f"do:appeal {which}"),))
    return found


# What they say.


def _ask(ctx: Context, talk: Talk) -> Reply:
    return Reply(ctx.say("appeal.ask", about=talk.facts["about"]))


def _check(text: str) -> str:
    said = " ".join(text.split())
    if not said or len(said) > WORDS:
        raise BadInput("appeal_words", most=WORDS)
    return said


def _send(ctx: Context, given: dict[str, Any]) -> Reply:
    referral_id, case_id = _target(given["which"])
    session, brand_id, me = ctx.session, ctx.brand.id, ctx.member.id
    try:
        if referral_id is not None:
            reviewing.appeal_referral(session, brand_id, me, referral_id, given["words"])
        elif case_id is not None:
            reviewing.appeal_case(session, brand_id, me, case_id, given["words"])
    except Refused as error:
        return Reply(ctx.refusal(error), private=True)
    return ctx.reply("appeal.sent")


APPEAL = Dialog(
    "appeal",
    None,
    (Question("words", "appeal.ask", _check, ask=_ask, any_word=True, multiline=True, longest=WORDS),),
    _send,
)
APPEAL_COMMAND = Command(
    CommandSpec(
        "appeal",
        ("申诉",),
        {"en": "Ask that a decision be looked at again", "zh_Hans": "对决定提出申诉"},
        Argument("what", {"en": "what it is about", "zh_Hans": "申诉的事项"}),
    ),
    appeal,
)
