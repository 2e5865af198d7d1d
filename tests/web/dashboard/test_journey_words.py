"""A journey never runs out of words: whatever it can be told of has a sentence, and says only what is known."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from string import Formatter

import pytest

from core import i18n
from referral.journeys import orders, telling
from referral.journeys.verdicts import OF_FRIENDS, OF_ORDERS
from referral.refunds import REFUNDED
from referral.rules import REFUSALS
from web.dashboard.journey_words import DETAILS, NAMES, PAID, clean

ROOT = Path(__file__).resolve().parents[3]
TOLD = ("referral/journeys/telling.py", "referral/journeys/orders.py", "rewards/journeys.py")
BUILT = {
    "touch": ("click", "start", "code", "invite", "join"),
    "referral": ("expired", "rejected", "reversed"),
    "order": ("attributed", "unattributed", "rejected"),
    "refund": ("applied", "cut", "waiting", "rejected"),
    "reward": ("void", "clawback"),
    "payout": ("completed", "failed", "unknown"),
}
"""Steps whose names the code puts together."""


def steps() -> set[str]:
    """Every step that is named whole."""
    text = "\n".join((ROOT / path).read_text() for path in TOLD)
    return set(re.findall(r'(?:Step|tell)\([^"\n]*?, "([a-z_.]+)"', text))


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_answer_has_a_sentence_and_a_letter(locale: str) -> None:
    known = i18n.catalogue(locale).keys()
    answers = (*OF_ORDERS, *OF_FRIENDS)
    wanted = {f"journey.{where}.{reason}" for where in ("verdict", "letter.said") for reason in answers}
    wanted |= {f"journey.reason.{reason}" for reason in (*REFUSALS, *orders.AGAINST, "no_referral", REFUNDED)}
    wanted |= {f"journey.asked.{rule}" for rule in (*telling.RULES, *orders.RULES)}
    wanted |= {f"journey.letter.money.{state}" for state in PAID.values()}
    wanted |= {f"journey.fact.{name}" for name in chain.from_iterable(DETAILS.values())}
    wanted |= {f"journey.step.{kind}.{name}" for kind, names in BUILT.items() for name in names}
    wanted |= {f"journey.step.{name}" for name in steps()}
    assert len(steps()) > 10
    assert wanted - known == set()


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_a_sentence_asks_for_nothing_a_journey_cannot_say(locale: str) -> None:
    for key, text in i18n.catalogue(locale).items():
        if key.startswith(("journey.verdict.", "journey.step.", "journey.letter.said.", "journey.because.")):
            asked = {name for _, name, _, _ in Formatter().parse(str(text)) if name}
            assert asked <= set(NAMES), key


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_no_letter_can_name_a_friend_or_what_they_spent(locale: str) -> None:
    for key, text in i18n.catalogue(locale).items():
        if key.startswith("journey.letter."):
            asked = {name for _, name, _, _ in Formatter().parse(str(text)) if name}
            assert not asked & {"friend", "earlier", "other", "net", "gross", "left", "code", "shares"}, key


def test_a_name_stays_on_its_line_and_reads_the_way_it_is_written() -> None:
    assert clean("Eve\u202egnp\u200b\n\x00 <b>") == "Evegnp <b>"
    assert len(clean("字" * 5000)) == 200
