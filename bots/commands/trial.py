"""`/trial`: what can be tried now, applying for it, and everything about one's own place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bots.command import Argument, CommandSpec
from bots.commands.address import address
from bots.commands.start import home_buttons
from bots.commands.trial_photos import photos
from bots.commands.trial_talks import ask_feedback, ask_questions
from bots.context import Command, Context, Safe
from bots.markup import clean
from bots.message import Button, Reply
from bots.receipts import in_private
from bots.trial_words import STARS, Telling, about, may_apply, stands
from core.errors import NotFound, Refused
from referral.campaigns import Campaign, campaigns_of
from referral.trials import applications
from referral.trials.feedback import all_feedback
from referral.trials.funnel import funnel
from referral.trials.places import IN_LINE, UNFINISHED, TrialApplication, application_of
from rewards.trials import arrived, payout_behind

LISTED, LABEL = 6, 28
VOICES = 10
"""Feedback shown at once, the latest last; all of it is in `daixin trial feedback`."""


def trial(ctx: Context) -> Reply | list[Reply]:
    words = ctx.argument.split()
    act, slug = (words[0], words[1]) if len(words) == 2 else ("", words[0] if len(words) == 1 else "")
    if not ctx.private and act:
        return in_private(ctx)
    try:
        telling = _telling(ctx, slug)
    except NotFound:
        return ctx.reply("trial.unknown", buttons=home_buttons(ctx.locale))
    if telling is None:
        return _several(ctx)
    try:
        with ctx.session.begin_nested():
            return _act(ctx, telling, act)
    except Refused as error:
        shown = _show(ctx, telling)
        return replace(shown, text=ctx.refusal(error) + "\n\n" + shown.text)


def _act(ctx: Context, telling: Telling, act: str) -> Reply | list[Reply]:
    row = _mine(ctx, telling.campaign)
    if act == "apply":
        return _apply(ctx, telling)
    if act in STAFF and ctx.may("campaign"):
        return STAFF[act](ctx, telling)
    if row is None:
        return _show(ctx, telling)
    match act:
        case "take":
            return _take(ctx, telling, row)
        case "out":
            return _sure(ctx, telling, row)
        case "leave":
            applications.withdraw(ctx.session, ctx.brand.id, row.id)
        case "came":
            arrived(ctx.session, ctx.brand.id, row.id)
        case "review" if row.state in ("delivered", "no_show"):
            return ask_feedback(ctx, telling.campaign)
    return _show(ctx, telling)


def _telling(ctx: Context, slug: str) -> Telling | None:
    """The trial of this slug, or the one that is meant where none is named so; None for several.

    Raises `NotFound` where there is none.
    """
    named = [one for one in campaigns_of(ctx.session, ctx.brand.id) if one.slug == slug and one.kind == "trial"]
    several = [one for one in named if one.state != "draft"] or _trials(ctx)
    if not several:
        raise NotFound("trial", slug="")
    return Telling(ctx.session, ctx.brand, several[0], ctx.locale) if len(several) == 1 else None


def _trials(ctx: Context) -> Sequence[Campaign]:
    """Trials that run, and those in which this person has something under way; else the last they had."""
    own = {row.campaign_id: row for row in applications.applications_by(ctx.session, ctx.brand.id, ctx.member.id)}
    known = [one for one in campaigns_of(ctx.session, ctx.brand.id) if one.kind == "trial" and one.state != "draft"]
    live = [
        one
        for one in known
        if one.state in ("running", "paused", "scheduled") or (one.id in own and own[one.id].state in UNFINISHED)
    ]
    return (live or [one for one in known if one.id in own][:1] or known[:1])[:LISTED]


def _several(ctx: Context) -> Reply:
    buttons = [(Button(clean(ctx.title(one), LABEL), action=f"do:trial show {one.slug}"),) for one in _trials(ctx)]
    return ctx.reply("trial.several", buttons=buttons)


def _mine(ctx: Context, campaign: Campaign) -> TrialApplication | None:
    return application_of(ctx.session, ctx.brand.id, campaign.id, ctx.member.id)


def _show(ctx: Context, telling: Telling) -> Reply:
    """What it is, for who has not applied; else where the application stands."""
    row = _mine(ctx, telling.campaign)
    if row is not None:
        text, rows = stands(telling, row)
    else:
        text = about(telling)
        invite = ctx.button("button.trial_invite", f"do:invite {telling.campaign.slug}")
        rows = ((telling.button("button.trial_apply", "apply"),), (invite,)) if may_apply(telling) else ()
    if ctx.may("campaign"):
        rows = (*rows, (telling.button("button.trial_figures", "figures"),))
    return Reply(text, buttons=rows, private=True, brief=ctx.say("group.brief"))


def _apply(ctx: Context, telling: Telling) -> Reply:
    """Ask the brand's questions first, where it has any. Raises as `applications.apply`."""
    row = _mine(ctx, telling.campaign)
    if row is not None and not (row.state == "withdrawn" and row.reason == "own"):
        return _show(ctx, telling)
    applications.check_open(telling.trial, telling.campaign)
    if telling.terms.questions:
        return ask_questions(ctx, telling.campaign, len(telling.terms.questions))
    applications.apply(ctx.session, telling.campaign, ctx.member.id)
    return _show(ctx, telling)


def _take(ctx: Context, telling: Telling, row: TrialApplication) -> Reply:
    """Take the place; of a parcel the address is asked at once. Raises as `applications.take`."""
    taken = applications.take(ctx.session, ctx.brand.id, row.id)
    payout = payout_behind(ctx.session, taken)
    if taken.state == "taken" and taken.claimed_at is None and taken.due_at is not None and payout is not None:
        text, _ = stands(telling, taken)
        asked = address(ctx, payout)
        return replace(asked, text=text + "\n\n" + asked.text)
    return _show(ctx, telling)


def _sure(ctx: Context, telling: Telling, row: TrialApplication) -> Reply:
    if row.state not in (*IN_LINE, "approved"):
        return _show(ctx, telling)
    key = "trial.sure.place" if row.state == "approved" else "trial.sure.line"
    yes, no = telling.button("button.trial_leave", "leave"), telling.button("button.trial_stay", "show")
    return ctx.reply(key, title=telling.title, buttons=((no,), (yes,)))


def figures(ctx: Context, telling: Telling) -> Reply:
    """How many came how far, for whoever runs it."""
    found = funnel(ctx.session, telling.campaign)
    steps = ("applied", "approved", "taken", "delivered", "reviewed", "purchased")
    lines = [ctx.say("trial.figures", title=telling.title, given=found.given, quota=found.quota), ""]
    lines += [f"- {ctx.say(f'trial.figures.{step}', n=getattr(found, step))}" for step in steps]
    lines.append("")
    lines.append(ctx.say("trial.figures.line", waiting=found.states["applied"] + found.states["waiting"]))
    lines.append(ctx.say("trial.figures.referred", referred=found.referred))
    lost = {name: found.states[name] for name in ("lapsed", "no_show", "declined", "withdrawn")}
    lines.append(ctx.say("trial.figures.lost", **lost))
    if found.rating is not None:
        stars = Safe(STARS[round(found.rating)])
        lines.append(ctx.say("trial.figures.rating", mean=f"{found.rating:.1f}", stars=stars, may=found.consented))
    rows = ((telling.button("button.trial_voices", "voices"),),) if found.reviewed else ()
    return Reply("\n".join(lines), buttons=rows, private=True, brief=ctx.say("group.brief"))


def voices(ctx: Context, telling: Telling) -> Reply:
    """What the latest triers said, for whoever runs it; whether it may be shown around stands with each."""
    said = all_feedback(ctx.session, ctx.brand.id, telling.campaign.id, latest=VOICES)
    lines = [ctx.say("trial.voices", title=telling.title), ""]
    for one, _, member in said:
        name = member.name or ctx.say("member.unnamed")
        may = ctx.say("trial.voice.may" if one.consent else "trial.voice.may_not")
        lines.append(ctx.say("trial.voice", stars=Safe(STARS[one.rating]), name=name, may=may))
        if one.text:
            lines.append(ctx.say("trial.voice.text", text=one.text))
    back = [telling.button("button.trial_figures", "figures")]
    if any(one.picture for one, _, _ in said):
        back.append(telling.button("button.trial_photos", "photos"))
    return Reply("\n".join(lines), buttons=(tuple(back),), private=True, brief=ctx.say("group.brief"))


STAFF: dict[str, Callable[[Context, Telling], Reply | list[Reply]]] = {
    "figures": figures,
    "voices": voices,
    "photos": photos,
}
"""What only those see who may run campaigns."""

TRIAL = Command(
    CommandSpec(
        "trial",
        ("试用", "新品试用", "我的试用", "申请试用", "trials"),
        {"en": "Try something new", "zh_Hans": "新品试用"},
        Argument("which", {"en": "Which trial, if there are several", "zh_Hans": "哪个试用（有多个时填）"}),
    ),
    trial,
)
