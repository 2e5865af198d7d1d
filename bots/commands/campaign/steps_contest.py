"""What a contest (拉新大赛) is asked: who competes, for what, what counts, and how long."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import Any

from bots.commands.campaign.steps_common import (
    END_SURE,
    EVENT,
    MONEY,
    OTHER,
    PICTURE,
    PLACES,
    POINTS_MAX,
    START,
    START_SURE,
    STAY,
    TITLE,
    end_question,
    named,
    offered,
    one_of,
    points,
    said,
    usual,
    whole,
)
from bots.commands.campaign.steps_referral import FRIENDS
from bots.context import Context
from bots.message import Reply
from bots.questions import Question, Talk
from core import i18n
from core.errors import BadInput
from rewards.plans import REACH_WINNERS

PRIZES_MOST = 20
RANK_MAX = 1000
PRESETS = ("1:1000,2-3:500,4-10:100", "1:500,2:300,3:200", "10+:200")
_GIVES = r"\s*[:=]\s*(?P<amount>\d{1,3}(?:,\d{3})+|\d+)\s*(?:积分|分|点|points?|pts)?"
_RANKS = re.compile(
    r"(?P<top>前|top\s*)?(?:第|no\.?\s*)?(?P<first>\d{1,4})(?:\s*[-~–到至]\s*(?:第)?(?P<last>\d{1,4}))?(?:名|位)?"
    + _GIVES,
    re.IGNORECASE,
)
_REACH = re.compile(r"(?P<sign>满|>=|≥)?\s*(?P<reach>\d{1,6})\s*(?:人|位|friends?)?\s*(?P<plus>\+)?" + _GIVES)


def prizes_of(text: str) -> list[dict[str, Any]]:
    """Prizes by rank (`1: 1000, 2-3: 500`) or by what is reached (`10+: 200`, 满10人: 200). Raises `BadInput`."""
    said = unicodedata.normalize("NFKC", text).replace("，", ",").replace("、", ",").strip()
    parts = [one.strip() for one in re.split(r"[;\n]|,(?!\d{3}(?:[,;\s]|$))", said) if one.strip()]
    if MONEY.search(said):
        raise BadInput("points_only")
    if not parts or len(parts) > PRIZES_MOST:
        raise BadInput("prizes_unreadable")
    prizes = [_prize(part) for part in parts]
    taken: set[int] = set()
    for prize in prizes:
        ranks = range(prize["first"], prize["last"] + 1) if "first" in prize else range(0)
        if taken.intersection(ranks):
            raise BadInput("prizes_overlap")
        taken.update(ranks)
    return prizes


def _prize(part: str) -> dict[str, Any]:
    reached = _REACH.fullmatch(part)
    if reached is not None and (reached["sign"] or reached["plus"]):
        return {"reach": max(1, int(reached["reach"])), "amount": _amount(reached["amount"])}
    found = _RANKS.fullmatch(part)
    if found is None:
        raise BadInput("prizes_unreadable")
    first = 1 if found["top"] else int(found["first"])
    last = int(found["last"] or found["first"])
    if not 1 <= first <= last <= RANK_MAX:
        raise BadInput("prizes_unreadable")
    return {"first": first, "last": last, "amount": _amount(found["amount"])}


def _amount(text: str) -> int:
    amount = int(text.replace(",", ""))
    if not 1 <= amount <= POINTS_MAX:
        raise BadInput("number_range", least=1, most=POINTS_MAX)
    return amount


def prize_words(ctx: Context, text: str) -> str:
    """Prizes as people read them."""
    said = []
    for prize in prizes_of(text):
        points = ctx.points(prize["amount"])
        if "reach" in prize:
            said.append(ctx.say("wizard.prize.reach", reach=prize["reach"], points=points, most=REACH_WINNERS))
        elif prize["first"] == prize["last"]:
            said.append(ctx.say("wizard.prize.one", rank=prize["first"], points=points))
        else:
            said.append(ctx.say("wizard.prize.some", first=prize["first"], last=prize["last"], points=points))
    return i18n.text(ctx.locale, "wizard.comma").join(said)


def _ask_prizes(ctx: Context, talk: Talk) -> Reply:
    usual_ones = "\n".join(f"{number}. {prize_words(ctx, one)}" for number, one in enumerate(PRESETS, 1))
    return Reply(ctx.say("wizard.ask.prizes") + "\n" + usual_ones)


MODES = ("single", "teams")
STEPS = (
    TITLE,
    OTHER,
    Question(
        "mode",
        "wizard.ask.mode",
        one_of(*MODES),
        choices=named("wizard.mode", *MODES),
        default=usual("single"),
        closed=True,
    ),
    Question(
        "team",
        "wizard.ask.team",
        whole(2, 500),
        choices=offered("wizard.n.people", 5, 10, 20),
        default=usual("10"),
        when=said("mode", "teams"),
    ),
    EVENT,
    replace(STAY, choices=offered("wizard.n.days", 1, 3, 7), default=usual("3")),
    Question(
        "prizes",
        "wizard.ask.prizes",
        prizes_of,
        ask=_ask_prizes,
        choices=lambda ctx, talk: [
            (i18n.text(ctx.locale, "wizard.prize.preset", n=number), one) for number, one in enumerate(PRESETS, 1)
        ],
        default=usual(PRESETS[0]),
        longest=300,
    ),
    Question(
        "advocate",
        "wizard.ask.contest_advocate",
        points(0, POINTS_MAX),
        choices=offered("wizard.n.points", 0, 10, 20),
        default=usual("0"),
    ),
    replace(FRIENDS, when=lambda talk: talk.answers.get("advocate", "0") not in ("", "0")),
    START,
    START_SURE,
    end_question("wizard.ask.end", 7, 14, 30, default=14),
    END_SURE,
    PLACES,
    PICTURE,
)
