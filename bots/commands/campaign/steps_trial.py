"""What a trial (新品试用) is asked: what is tried and how it is handed over, how many places there are, how people come
to one, and what an advocate gets for a friend."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bots.commands.campaign.steps_common import (
    END_SURE,
    OTHER,
    PICTURE,
    PLACES,
    POINTS_MAX,
    START,
    START_SURE,
    TITLE,
    TITLE_LENGTH,
    UNSEEN,
    days,
    end_question,
    line,
    named,
    offered,
    one_of,
    points,
    said,
    usual,
    whole,
)
from bots.commands.campaign.steps_referral import CAP
from bots.context import Context
from bots.questions import Choice, Question, Talk, plain
from core import i18n
from core.errors import BadInput
from referral.trials.terms import QUESTIONS_MOST
from rewards.items.items import Item, items_of

QUOTA_MAX = 100_000
PARCEL = "parcel"
POOLS = ("voucher", "promo_code")
"""Kinds of item that hand themselves over as a code."""
POOLS_SHOWN = 8
QUESTION_LENGTH = 160
CHOICES_MOST = 10
AS_TITLE = "="
NONE, USUAL = "none", "usual"
_OPTIONAL = re.compile(r"\s*[(（](?:optional|选填|可不填)[)）]\s*$", re.IGNORECASE)
_CHOICES = re.compile(r"(.+?[?？:：])\s*(\S.*)")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question for those who apply, as somebody typed it."""

    text: str
    choices: tuple[str, ...] = ()
    optional: bool = False


def pools_of(ctx: Context) -> list[Item]:
    """The brand's items that can be given as a code."""
    found = [one for one in items_of(ctx.session, ctx.brand.id) if one.active and one.kind in POOLS]
    return found[:POOLS_SHOWN]


def _deliveries(ctx: Context, talk: Talk) -> Sequence[Choice]:
    parcel = (i18n.text(ctx.locale, "wizard.by.parcel"), PARCEL)
    return [parcel, *((i18n.pick(item.title, ctx.locale), "=" + item.slug) for item in pools_of(ctx))]


def _read_delivery(text: str) -> str:
    if text != PARCEL and not text.startswith("="):
        raise BadInput("choose_one")
    return text


def questions_of(text: str) -> list[Asked] | str:
    """The brand's questions, one a line: `Your skin? dry / oily` offers choices, `(optional)` may be left out."""
    if plain(text) in (NONE, USUAL):
        return plain(text)
    lines = [tidy for one in text.splitlines() if (tidy := " ".join(UNSEEN.sub("", one).split()))]
    if not lines:
        raise BadInput("choose_one")
    if len(lines) > QUESTIONS_MOST:
        raise BadInput("too_many_questions", limit=QUESTIONS_MOST)
    return [_question(one) for one in lines]


def _question(text: str) -> Asked:
    bare = _OPTIONAL.sub("", text)
    found = _CHOICES.fullmatch(bare)
    listed = re.split(r"\s*[/、|]\s*", unicodedata.normalize("NFC", found[2])) if found else []
    choices = tuple(dict.fromkeys(one for one in listed if one))
    asked = found[1].rstrip(":：") if found and len(choices) > 1 else bare
    choices = choices if len(choices) > 1 else ()
    if len(asked) > QUESTION_LENGTH or len(choices) > CHOICES_MOST or any(len(one) > 60 for one in choices):
        raise BadInput("question_too_long", limit=QUESTION_LENGTH, choices=CHOICES_MOST)
    return Asked(asked, choices, bare != text)


def document_of(asked: list[Asked] | str) -> list[dict[str, Any]]:
    """The questions as a campaign file has them."""
    if asked == NONE:
        return []
    if asked == USUAL:
        both = [{locale: i18n.text(locale, f"wizard.usual.{n}") for locale in i18n.LOCALES} for n in (1, 2)]
        return [{"key": "q1", "text": both[0]}, {"key": "q2", "text": both[1], "optional": True}]
    return [
        {
            "key": f"q{number}",
            "text": dict.fromkeys(i18n.LOCALES, one.text),
            "choices": [dict.fromkeys(i18n.LOCALES, choice) for choice in one.choices],
            "optional": one.optional,
        }
        for number, one in enumerate(asked, 1)
        if isinstance(one, Asked)
    ]


APPROVALS = ("hand", "rule", "draw")
EARN = ("feedback_given", "trial_claimed", "purchased")
STEPS = (
    TITLE,
    OTHER,
    Question(
        "by",
        "wizard.ask.by",
        _read_delivery,
        choices=_deliveries,
        default=usual(PARCEL),
        when=lambda talk: talk.facts.get("pools", 0) > 0,
        closed=True,
    ),
    Question(
        "item",
        "wizard.ask.item",
        line(TITLE_LENGTH),
        choices=lambda ctx, talk: [(i18n.text(ctx.locale, "wizard.item.as_title"), AS_TITLE)],
        read=lambda ctx, talk, text: talk.answers["title"] if text == AS_TITLE else text,
        default=usual(AS_TITLE),
        any_word=True,
        when=lambda talk: talk.answers.get("by", PARCEL) == PARCEL,
        longest=TITLE_LENGTH,
    ),
    Question(
        "quota",
        "wizard.ask.quota",
        whole(1, QUOTA_MAX),
        choices=offered("wizard.n.places", 20, 50, 100),
        default=usual("50"),
    ),
    Question(
        "approve",
        "wizard.ask.approve",
        one_of(*APPROVALS),
        choices=named("wizard.approve", *APPROVALS),
        default=usual("hand"),
        closed=True,
    ),
    Question(
        "ahead",
        "wizard.ask.ahead",
        whole(0, 100),
        choices=offered("wizard.n.ahead", 0, 1, 3, zero="wizard.ahead.nobody"),
        default=usual("1"),
        when=said("approve", "rule"),
    ),
    Question(
        "questions",
        "wizard.ask.questions",
        questions_of,
        choices=named("wizard.questions", NONE, USUAL),
        default=usual(USUAL),
        multiline=True,
        longest=1000,
    ),
    Question(
        "earn",
        "wizard.ask.earn",
        one_of(*EARN),
        choices=named("wizard.earn", *EARN),
        default=usual("feedback_given"),
        closed=True,
    ),
    Question(
        "advocate",
        "wizard.ask.trial_advocate",
        points(0, POINTS_MAX),
        choices=offered("wizard.n.points", 20, 50, 100, 0),
        default=usual("50"),
    ),
    replace(CAP, when=lambda talk: talk.answers.get("advocate") not in ("", "0")),
    Question(
        "take",
        "wizard.ask.take",
        days(1, 30),
        choices=offered("wizard.n.days", 1, 3, 7),
        default=usual("3"),
    ),
    Question(
        "feedback",
        "wizard.ask.feedback",
        days(1, 90),
        choices=offered("wizard.n.days", 7, 14, 30),
        default=usual("14"),
    ),
    START,
    START_SURE,
    end_question("wizard.ask.trial_end", 3, 7, 14, default=7),
    END_SURE,
    PLACES,
    PICTURE,
)
