"""`/review`: what waits for a person's decision, with the evidence, and the decision with its reason."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

from bots import dialog
from bots.case_words import Telling
from bots.command import Argument, CommandSpec
from bots.context import Command, Context, Safe
from bots.message import Button, Reply
from bots.questions import Dialog, Question, Talk
from core import clock, i18n
from core.errors import BadInput, NotFound, Refused
from referral import cases, doubts, reviewing
from referral.cases import LONGEST_REASON, Case
from rewards.case_answers import answer_given, answers, presets, reason_for
from rewards.case_words import actor_name, evidence, question

SHOWN = 8
"""Cases in one list; the counts cover all."""
LABEL = 60
"""Characters of a button's label."""


def review(ctx: Context) -> Reply:
    if not ctx.may("review"):
        return ctx.reply("review.not_yours")
    if not ctx.private:
        return ctx.reply("review.in_private")
    which, _, what = ctx.argument.strip().partition(" ")
    if not which:
        return _queue(ctx)
    try:
        case = cases.find_case(ctx.session, ctx.brand.id, UUID(hex=which))
    except (ValueError, NotFound):
        return ctx.reply("error.button_old", buttons=_to_queue(ctx))
    if case.state != "open" or reviewing.close_if_moot(ctx.session, case):
        return _over(ctx, case)
    return _ask_reason(ctx, case, what) if what else _show(ctx, case)


def _telling(ctx: Context) -> Telling:
    return Telling(ctx.session, ctx.brand, ctx.locale)


def _queue(ctx: Context) -> Reply:
    telling = _telling(ctx)
    waiting = [
        case
        for case in cases.open_cases(ctx.session, ctx.brand.id, limit=SHOWN)
        if not reviewing.close_if_moot(ctx.session, case)
    ]
    counts = cases.open_counts(ctx.session, ctx.brand.id)
    if not counts:
        return ctx.reply("review.empty")
    kinds = ctx.say("review.and").join(
        ctx.say(f"review.kind.{kind}", count=counts[kind]) for kind in cases.KINDS if kind in counts
    )
    lines = [
        "- "
        + ctx.say(
            "review.line",
            question=question(telling, case),
            title=telling.title(case),
            when=telling.when(case.opened_at, case),
        )
        for case in waiting
    ]
    buttons = tuple((Button(question(telling, case)[:LABEL], action=f"do:review {case.id.hex}"),) for case in waiting)
    more = sum(counts.values()) - len(waiting)
    text = "\n".join([ctx.say("review.queue", kinds=Safe(kinds)), *lines])
    if more > 0:
        text += "\n" + ctx.say("review.more", count=more)
    return Reply(text, buttons=buttons, private=True, brief=ctx.say("group.brief"))


def _to_queue(ctx: Context) -> tuple[tuple[Button, ...], ...]:
    return ((ctx.button("button.case.queue", "do:review"),),)


def _show(ctx: Context, case: Case) -> Reply:
    """A case with what can be decided; who may not decide it is told who may."""
    telling = _telling(ctx)
    text = evidence(telling, case)
    why_not = reviewing.why_not_by(ctx.session, case, ctx.actor)
    if why_not is not None:
        return Reply(text + "\n\n" + ctx.say(f"error.{why_not}"), buttons=_to_queue(ctx), private=True)
    buttons = [
        Button(one.label[:LABEL], action=f"do:review {case.id.hex} {one.mark}") for one in answers(telling, case)
    ]
    return Reply(text, buttons=(*dialog.in_rows(buttons), *_to_queue(ctx)), private=True)


def _over(ctx: Context, case: Case) -> Reply:
    """It was decided, perhaps a moment ago by somebody else, or nobody need decide it any more."""
    if case.state != "decided":
        return ctx.reply("review.closed", buttons=_to_queue(ctx))
    return ctx.reply(
        "review.already",
        who=actor_name(_telling(ctx), case.decided_by or ""),
        question=question(_telling(ctx), case),
        when=_telling(ctx).when(case.decided_at or case.opened_at, case),
        answer=answer_given(_telling(ctx), case),
        reason=case.reason or "",
        buttons=_to_queue(ctx),
    )


# The reason.


def _ask_reason(ctx: Context, case: Case, what: str) -> Reply:
    meant = next((one for one in answers(_telling(ctx), case) if one.mark == what), None)
    if meant is None:
        return _show(ctx, case)
    return dialog.begin(
        ctx,
        REASON,
        case=case.id.hex,
        kind=case.kind,
        verdict=meant.verdict,
        choice=meant.choice or "",
        label=meant.label,
        alike=ctx.now.isoformat() if meant.alike else "",
    )


def _ask(ctx: Context, talk: Talk) -> Reply:
    return Reply(ctx.say("review.reason", label=talk.facts["label"]))


def _offered(ctx: Context, talk: Talk) -> list[tuple[str, str]]:
    return presets(ctx.locale, talk.facts["kind"], talk.facts["verdict"])


def _check(text: str) -> str:
    """A reason in words; a bare number is that of an offered one."""
    said = " ".join(text.split())
    if not said or said.isdecimal() or len(said) > LONGEST_REASON or not said.isprintable():
        raise BadInput("case_reason", most=LONGEST_REASON)
    return said


def _decide(ctx: Context, given: dict[str, Any]) -> Reply:
    telling = _telling(ctx)
    case = cases.find_case(ctx.session, ctx.brand.id, UUID(hex=given["case"]))
    verdict = given["verdict"]
    reason = reason_for(telling, case, verdict, given["reason"])
    try:
        with ctx.session.begin_nested():
            case = reviewing.decide(
                ctx.session, ctx.brand.id, case.id, verdict, reason, ctx.actor, choice=given["choice"] or None
            )
    except Refused as error:
        if error.code == "case_decided":
            return _over(ctx, cases.find_case(ctx.session, ctx.brand.id, case.id))
        return ctx.reply("review.cannot", why=Safe(_why_not(ctx, error)), buttons=_to_queue(ctx))
    if case.state != "decided":
        return _over(ctx, case)
    if given.get("alike"):
        return _and_next(ctx, _decide_alike(ctx, case, given, reason))
    return _and_next(ctx, ctx.say("review.done", label=given["label"], reason=reason))


def _decide_alike(ctx: Context, first: Case, given: dict[str, Any], reason: str) -> str:
    """The same decision for everybody the same person had added when it was chosen; what a rule stands against waits
    on by itself."""
    done = 1
    for case in doubts.alike(ctx.session, first, clock.parse(given["alike"])):
        with suppress(Refused), ctx.session.begin_nested():
            decided = reviewing.decide(
                ctx.session, ctx.brand.id, case.id, given["verdict"], reason, ctx.actor, choice=given["choice"]
            )
            done += decided.state == "decided"
    return ctx.say("review.done_many", label=given["label"], reason=reason, count=done)


def _and_next(ctx: Context, done: str) -> Reply:
    """What was done, and below it the next case this person may decide: a queue is worked off without going back."""
    following = next(
        (
            case
            for case in cases.open_cases(ctx.session, ctx.brand.id, limit=SHOWN)
            if not reviewing.close_if_moot(ctx.session, case)
            and reviewing.why_not_by(ctx.session, case, ctx.actor) is None
        ),
        None,
    )
    left = sum(cases.open_counts(ctx.session, ctx.brand.id).values())
    if following is None:
        rest = ctx.say("review.left", count=left) if left else ctx.say("review.empty")
        return Reply(done + "\n" + rest, buttons=_to_queue(ctx) if left else (), private=True)
    shown = _show(ctx, following)
    return replace(shown, text="\n\n".join([done + "\n" + ctx.say("review.left", count=left), shown.text]))


def _why_not(ctx: Context, error: Refused) -> str:
    reason = f"case.cannot.{error.params.get('reason')}"
    return i18n.text(ctx.locale, reason) if reason in i18n.catalogue(ctx.locale) else ctx.refusal(error)


REASON = Dialog(
    "review_reason",
    None,
    (Question("reason", "review.reason", _check, ask=_ask, choices=_offered, any_word=True, longest=LONGEST_REASON),),
    _decide,
    admin=True,
    act="review",
)
REVIEW = Command(
    CommandSpec(
        "review",
        ("审核", "待审核"),
        {"en": "Decide what waits for review (admins)", "zh_Hans": "审核待处理的事项（管理员）"},
        Argument("case", {"en": "the number of a case", "zh_Hans": "事项编号"}),
        admin=True,
        act="review",
    ),
    review,
)
