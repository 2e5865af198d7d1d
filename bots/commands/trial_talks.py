"""The two dialogs of a trial: what the brand asks who applies, and what it hears from who tried."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bots.context import Context
from bots.dialog import Choice, Dialog, Question, Talk, begin
from bots.message import Reply
from bots.questions import SKIP_WORDS, plain
from bots.trial_words import STARS, Telling, stands
from core import i18n
from core.errors import BadInput, Refused
from referral.campaigns import Campaign, find_campaign
from referral.pictures import is_kept, read_name
from referral.trials import applications
from referral.trials.feedback import TEXT_LENGTH, give_feedback
from referral.trials.places import application_of, terms_of
from referral.trials.terms import QUESTIONS_MOST, TrialQuestion

_CHOICE = re.compile(r"c(\d+)")


def ask_questions(ctx: Context, campaign: Campaign, count: int) -> Reply:
    """Begin to ask what the brand asks."""
    return begin(ctx, APPLY, slug=campaign.slug, version=campaign.version, count=count)


def _asked(ctx: Context, talk: Talk, number: int) -> TrialQuestion:
    """The question as it was when the dialog began, whatever became of the campaign since."""
    campaign = find_campaign(ctx.session, ctx.brand.id, talk.facts["slug"])
    return terms_of(ctx.session, campaign, talk.facts["version"]).questions[number]


def _ask(ctx: Context, talk: Talk, number: int) -> Reply:
    question = _asked(ctx, talk, number)
    skip = talk.button(i18n.text(ctx.locale, "button.skip"), "-")
    return Reply(
        ctx.say("trial.question", text=question.text[ctx.locale]),
        buttons=((skip,),) if question.optional and not question.choices else (),
    )


def _choices(ctx: Context, talk: Talk, number: int) -> Sequence[Choice]:
    question = _asked(ctx, talk, number)
    offered = [(words[ctx.locale], f"c{index}") for index, words in enumerate(question.choices)]
    if question.optional and offered:
        offered.append((i18n.text(ctx.locale, "button.skip"), "-"))
    return offered


def _read(ctx: Context, talk: Talk, text: str, number: int) -> str:
    question = _asked(ctx, talk, number)
    if question.optional and plain(text) in SKIP_WORDS:
        return "-"
    chosen = _CHOICE.fullmatch(text.strip())
    if question.choices and chosen:
        text = str(int(chosen[1]) + 1)
    try:
        kept = applications.read_answer(question, text)
    except BadInput:
        raise BadInput("trial_choice_again" if question.choices else "trial_answer_again") from None
    return f"c{kept}" if question.choices else kept


def _applied(ctx: Context, given: dict[str, Any]) -> Reply:
    """Apply with these answers; what the campaign asks otherwise by now is asked anew."""
    campaign = find_campaign(ctx.session, ctx.brand.id, given["slug"])
    answers = {}
    for number, question in enumerate(terms_of(ctx.session, campaign, given["version"]).questions):
        said = str(given.get(f"a{number + 1}", "-"))
        chosen = _CHOICE.fullmatch(said) if question.choices else None
        answers[question.key] = "" if said == "-" else str(int(chosen[1]) + 1) if chosen else said
    try:
        with ctx.session.begin_nested():
            applications.apply(ctx.session, campaign, ctx.member.id, answers)
    except BadInput:
        again = ask_questions(ctx, campaign, len(terms_of(ctx.session, campaign).questions))
        return replace(again, text=ctx.say("trial.questions_changed") + "\n\n" + again.text)
    except Refused as error:
        return _as_it_is(ctx, campaign, ctx.refusal(error))
    return _as_it_is(ctx, campaign)


def _as_it_is(ctx: Context, campaign: Campaign, note: str = "") -> Reply:
    """Where the person's application stands now, after what is to be said first."""
    row = application_of(ctx.session, ctx.brand.id, campaign.id, ctx.member.id)
    text, rows = stands(Telling(ctx.session, ctx.brand, campaign, ctx.locale), row) if row is not None else ("", ())
    words = "\n\n".join(part for part in (note, text) if part)
    return Reply(words, buttons=rows, private=True, brief=ctx.say("group.brief"))


def _has(talk: Talk, number: int) -> bool:
    return number < int(talk.facts["count"])


APPLY = Dialog(
    "trial_apply",
    None,
    tuple(
        Question(
            f"a{number + 1}",
            "trial.question",
            str,
            ask=partial(_ask, number=number),
            choices=partial(_choices, number=number),
            read=partial(_read, number=number),
            when=partial(_has, number=number),
            any_word=True,
        )
        for number in range(QUESTIONS_MOST)
    ),
    _applied,
    sealed=True,
)
"""Each campaign asks its own, up to eight; what is answered is about the person and kept sealed."""


def ask_feedback(ctx: Context, campaign: Campaign) -> Reply:
    """Begin to ask how it was."""
    telling = Telling(ctx.session, ctx.brand, campaign, ctx.locale)
    return begin(ctx, FEEDBACK, slug=campaign.slug, item=telling.item, brand=ctx.brand.name)


def _rating(text: str) -> int:
    said = plain(text)
    stars = said.count("★") or said.count("⭐")
    if not stars and not (said.isdecimal() and 1 <= int(said) <= 5):
        raise BadInput("trial_rating")
    return stars or int(said)


def _ratings(ctx: Context, talk: Talk) -> Sequence[Choice]:
    return [(STARS[rating], str(rating)) for rating in sorted(STARS, reverse=True)]


def _text(text: str) -> str:
    if len(text) > TEXT_LENGTH:
        raise BadInput("trial_feedback_text", most=TEXT_LENGTH)
    return text.strip()


def _name(text: str) -> str:
    return read_name(text) if text else ""


def _read_picture(ctx: Context, talk: Talk, text: str) -> str:
    name = read_name(text)
    if not is_kept(ctx.session, ctx.brand.id, name):
        raise BadInput("picture_wanted")
    return name


YES = {"yes": True, "ok": True, "可以": True, "同意": True, "好": True, "是": True, "行": True}
NO = {"no": False, "不可以": False, "不同意": False, "不": False, "否": False, "不行": False}


def _consent(text: str) -> bool:
    found = (YES | NO).get(plain(text))
    if found is None:
        raise BadInput("trial_consent_again")
    return found


def _consents(ctx: Context, talk: Talk) -> Sequence[Choice]:
    return [(i18n.text(ctx.locale, f"button.trial_consent_{one}"), one) for one in ("yes", "no")]


def _said(ctx: Context, given: dict[str, Any]) -> Reply:
    campaign = find_campaign(ctx.session, ctx.brand.id, given["slug"])
    row = application_of(ctx.session, ctx.brand.id, campaign.id, ctx.member.id)
    if row is None:
        return _as_it_is(ctx, campaign, ctx.say("error.application"))
    said, picture = (given["rating"], given["text"]), given["picture"] or None
    try:
        with ctx.session.begin_nested():
            give_feedback(ctx.session, ctx.brand.id, row.id, *said, consent=given["consent"], picture=picture)
    except Refused as error:
        return _as_it_is(ctx, campaign, ctx.refusal(error))
    return _as_it_is(ctx, campaign)


FEEDBACK = Dialog(
    "trial_feedback",
    None,
    (
        Question("rating", "trial.ask.rating", _rating, choices=_ratings, closed=True),
        Question("text", "trial.ask.text", _text, optional=True, any_word=True, multiline=True, longest=TEXT_LENGTH),
        Question("picture", "trial.ask.picture", _name, optional=True, read=_read_picture, picture=True),
        Question("consent", "trial.ask.consent", _consent, choices=_consents, closed=True),
    ),
    _said,
)
DIALOGS = (APPLY, FEEDBACK)
