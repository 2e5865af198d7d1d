"""To let a campaign end later, to give it more, to run it once more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from bots.commands.campaign.acting import (
    amount,
    asks,
    begin_with,
    campaign_of,
    carry_out,
    confirm,
    moment,
    read_amount,
    talk_with,
    unit,
)
from bots.commands.campaign.overview import budgets_of, campaign_page
from bots.context import Context, Safe
from bots.message import Reply
from bots.questions import Choice, Question, Talk
from core import clock, i18n
from core.errors import BadInput
from core.moments import in_full, read_days, read_moment
from referral.campaigns import Campaign
from rewards import campaign_edits
from rewards.campaign_format import LONGEST

LONGER = (7, 14, 30)
"""Days that are offered for a campaign to go on."""

# ---------------------------------------------------------------- to end later


def _read_end(ctx: Context, talk: Talk, text: str) -> str:
    """A moment, or how many days more."""
    campaign = campaign_of(ctx, talk.facts)
    try:
        ends = moment(text)
    except BadInput:
        try:
            ends = campaign.ends_at + timedelta(days=read_days(text))
        except BadInput:
            ends = read_moment(text, ctx.now, campaign.timezone, ctx.locale)
    if ends <= campaign.ends_at:
        raise BadInput("extend_not_later")
    if ends - campaign.starts_at > LONGEST:
        raise BadInput("campaign_too_long")
    return ends.isoformat()


def _later(ctx: Context, talk: Talk) -> list[Choice]:
    ends = campaign_of(ctx, talk.facts).ends_at
    return [
        (i18n.text(ctx.locale, "button.days_more", n=days), (ends + timedelta(days=days)).isoformat())
        for days in LONGER
    ]


def _until(name: str) -> Callable[[Context, Talk], str]:
    return lambda ctx, talk: in_full(ctx.locale, moment(talk.answers[name]), campaign_of(ctx, talk.facts).timezone)


def _now_until(ctx: Context, talk: Talk) -> str:
    campaign = campaign_of(ctx, talk.facts)
    return in_full(ctx.locale, campaign.ends_at, campaign.timezone)


def _extend(ctx: Context, given: dict[str, Any]) -> Reply:
    return carry_out(
        ctx,
        given,
        lambda one: campaign_edits.extend(ctx.session, ctx.brand, one, given["version"], given["ends"], ctx.actor),
        lambda one: ctx.say("campaign.done.extend", ends=in_full(ctx.locale, one.ends_at, one.timezone)),
    )


EXTEND = talk_with(
    "campaign_extend",
    (
        Question(
            "ends",
            "campaign.extend.ask",
            moment,
            ask=asks("campaign.extend.ask", ends=_now_until),
            choices=_later,
            read=_read_end,
            longest=60,
        ),
        confirm("sure", asks("campaign.extend.sure", ends=_until("ends"))),
    ),
    _extend,
)


def extend(ctx: Context, campaign: Campaign) -> Reply:
    """Ask until when it is to go on."""
    return begin_with(ctx, EXTEND, campaign)


# ---------------------------------------------------------------- more budget


def _read_more(ctx: Context, talk: Talk, text: str) -> str:
    return read_amount(talk.facts["asset"], text)


def _asset(ctx: Context, talk: Talk) -> str:
    return unit(ctx, talk.facts["asset"])


def _budget_now(ctx: Context, talk: Talk) -> Safe:
    budgets = campaign_edits.budgets_of(ctx.session, campaign_of(ctx, talk.facts))
    return ctx.points(budgets.get(talk.facts["asset"], 0), talk.facts["asset"])


def _budget_then(ctx: Context, talk: Talk) -> Safe:
    budgets = campaign_edits.budgets_of(ctx.session, campaign_of(ctx, talk.facts))
    return ctx.points(budgets.get(talk.facts["asset"], 0) + int(talk.answers["more"]), talk.facts["asset"])


def _raise(ctx: Context, given: dict[str, Any]) -> Reply:
    asset, more = given["asset"], given["more"]
    return carry_out(
        ctx,
        given,
        lambda one: campaign_edits.raise_budget(ctx.session, ctx.brand, one, given["version"], asset, more, ctx.actor),
        lambda one: ctx.say("campaign.done.budget", more=ctx.points(more, asset)),
    )


BUDGET = talk_with(
    "campaign_budget",
    (
        Question(
            "more",
            "campaign.budget.ask",
            amount,
            ask=asks("campaign.budget.ask", now=_budget_now, unit=_asset),
            read=_read_more,
            longest=20,
        ),
        confirm("sure", asks("campaign.budget.sure", now=_budget_now, then=_budget_then)),
    ),
    _raise,
)


def budget(ctx: Context, campaign: Campaign, which: str = "") -> Reply:
    """Ask how much more; before that of what, where there are several budgets. `which`: its number."""
    assets = budgets_of(ctx, campaign)
    if not assets:
        return campaign_page(ctx, campaign, ctx.say("campaign.no_budget"))
    chosen = int(which) if which.isdecimal() and len(which) < 4 else 0
    if len(assets) > 1 and not 1 <= chosen <= len(assets):
        rows = tuple(
            (ctx.button("button.budget_of", f"do:campaign budget {campaign.slug} {number}", unit=unit(ctx, asset)),)
            for number, asset in enumerate(assets, 1)
        )
        return ctx.reply("campaign.budget.which", title=ctx.title(campaign), buttons=rows)
    return begin_with(ctx, BUDGET, campaign, asset=assets[chosen - 1] if len(assets) > 1 else assets[0])


# ---------------------------------------------------------------- once more


def _read_start(ctx: Context, talk: Talk, text: str) -> str:
    if text.strip().lower() in ("now", "现在", "立即", "马上"):
        return "now"
    try:
        return moment(text).isoformat()
    except BadInput:
        return read_moment(text, ctx.now, ctx.brand.timezone, ctx.locale).isoformat()


def _start(text: str) -> datetime:
    return clock.now() if text == "now" else moment(text)


def _twin_facts(ctx: Context, talk: Talk) -> Safe:
    """From when to when the twin runs, and what it sets aside."""
    campaign = campaign_of(ctx, talk.facts)
    file = campaign_edits.twin(ctx.session, ctx.brand, campaign, _start(talk.answers["start"]))
    about, plan = file.campaign, file.plan
    budgets = [ctx.points(plan.budget_of(asset), asset) for asset in plan.assets if plan.budget_of(asset)]
    lines = [
        ctx.say("campaign.duplicate.starts", at=in_full(ctx.locale, about.starts_at, about.timezone)),
        ctx.say("campaign.duplicate.ends", at=in_full(ctx.locale, about.ends_at, about.timezone)),
        *([ctx.say("campaign.duplicate.budget", budgets=Safe(" + ".join(budgets)))] if budgets else []),
    ]
    return Safe("\n".join(f"- {one}" for one in lines))


def _duplicate(ctx: Context, given: dict[str, Any]) -> Reply:
    return carry_out(
        ctx,
        given,
        lambda one: campaign_edits.duplicate(ctx.session, ctx.brand, one, given["start"], ctx.actor),
        lambda one: ctx.say("campaign.done.duplicate", title=ctx.title(one), slug=Safe(one.slug)),
    )


DUPLICATE = talk_with(
    "campaign_duplicate",
    (
        Question(
            "start",
            "campaign.duplicate.ask",
            _start,
            ask=asks("campaign.duplicate.ask"),
            choices=lambda ctx, talk: [(i18n.text(ctx.locale, "button.now"), "now")],
            read=_read_start,
            longest=60,
        ),
        confirm("sure", asks("campaign.duplicate.sure", facts=_twin_facts)),
    ),
    _duplicate,
)


def duplicate(ctx: Context, campaign: Campaign) -> Reply:
    """Ask when one like it is to start."""
    return begin_with(ctx, DUPLICATE, campaign, again=True)


DIALOGS = (EXTEND, BUDGET, DUPLICATE)
