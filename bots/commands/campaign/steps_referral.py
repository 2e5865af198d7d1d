"""What a referral campaign (老带新) is asked: what counts, what each of the two gets, and how much there is of it."""

from __future__ import annotations

from collections.abc import Sequence

from bots.commands.campaign.steps_common import (
    BENEFIT_LENGTH,
    END_SURE,
    EVENT,
    HOLD,
    OTHER,
    PEOPLE_MAX,
    PICTURE,
    PLACES,
    POINTS_MAX,
    START,
    START_SURE,
    STAY,
    TITLE,
    end_question,
    line,
    maybe,
    offered,
    points,
    usual,
    whole,
)
from bots.context import Context
from bots.questions import Choice, Question, Talk
from core import i18n

FRIENDS = Question(
    "friends",
    "wizard.ask.friends",
    whole(1, PEOPLE_MAX),
    choices=offered("wizard.n.people", 50, 100, 500),
    default=usual("100"),
)


def _friend_choices(ctx: Context, talk: Talk) -> Sequence[Choice]:
    """As much as the advocate, half of it, or nothing."""
    given = points(1, POINTS_MAX)(talk.answers.get("advocate", "50"))
    amounts = dict.fromkeys((given, max(1, given // 2)))
    return [
        *((i18n.text(ctx.locale, "wizard.n.points", n=one), str(one)) for one in amounts),
        (i18n.text(ctx.locale, "wizard.nothing"), "0"),
    ]


def _same_as_advocate(ctx: Context, talk: Talk) -> str:
    return talk.answers.get("advocate", "50")


ADVOCATE = Question(
    "advocate",
    "wizard.ask.advocate",
    points(1, POINTS_MAX),
    choices=offered("wizard.n.points", 20, 50, 100),
    default=usual("50"),
)
FRIEND = Question(
    "friend", "wizard.ask.friend", points(0, POINTS_MAX), choices=_friend_choices, default=_same_as_advocate
)
CAP = Question(
    "cap",
    "wizard.ask.cap",
    whole(1, PEOPLE_MAX),
    choices=offered("wizard.n.people", 5, 10, 20),
    default=usual("20"),
)
BENEFIT = Question(
    "benefit",
    "wizard.ask.benefit",
    maybe(line(BENEFIT_LENGTH)),
    optional=True,
    any_word=True,
    longest=BENEFIT_LENGTH,
)

STEPS = (
    TITLE,
    OTHER,
    EVENT,
    STAY,
    ADVOCATE,
    FRIEND,
    CAP,
    FRIENDS,
    HOLD,
    BENEFIT,
    START,
    START_SURE,
    end_question("wizard.ask.end", 7, 14, 30, default=30),
    END_SURE,
    PLACES,
    PICTURE,
)
