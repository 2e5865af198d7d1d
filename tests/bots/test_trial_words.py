"""Every word of trials that is put together exists, in both languages, and every one that exists is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bots.trial_words import STARS
from core import i18n
from referral.campaigns import QUALIFYING

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ("trial_claimed", "feedback_given")
ASKED_BY_CODE = {
    *(f"trial.way.{way}" for way in ("hand", "rule")),
    *(f"trial.line.{which}" for which in ("both", "more", "earlier", "first", "only")),
    *(f"trial.lapsed.{why}" for why in ("not_taken", "no_address")),
    *(f"trial.figures.{step}" for step in ("applied", "approved", "taken", "delivered", "reviewed", "purchased")),
    *(f"button.trial_consent_{answer}" for answer in ("yes", "no")),
    *(f"{part}.{event}" for part in ("join.step_in", "join.find_group", "invite.ready") for event in EVENTS),
    *(
        f"{part}.{event}"
        for part in ("why.qualified", "why.expired.window_over", "statement.event")
        for event in EVENTS
    ),
    *(f"news.held.{side}.{event}" for side in ("advocate", "friend", "admin") for event in EVENTS),
    "reason.place_passed_on",
    *(
        f"{whose}.trying.{step}"
        for whose in ("me.friend", "why", "why.own")
        for step in ("not_yet", "applied", "out", *(f"place.{event}" for event in EVENTS))
    ),
}


def of_trials(locale: str) -> set[str]:
    text = (ROOT / f"core/locales/{locale}/LC_MESSAGES/trial.po").read_text()
    return set(re.findall(r'^msgid "(.+)"$', text, re.MULTILINE))


def codes_raised() -> set[str]:
    """What our code refuses, and finds wrong with files, by the first word it is named with."""
    files = [path for part in ("referral", "rewards", "bots") for path in ROOT.glob(f"{part}/**/*.py")]
    named = {name for path in files for name in re.findall(r'"([a-z][a-z_]+)"', path.read_text())}
    return {f"{kind}.{name}" for kind in ("error", "campaign_file", "plan") for name in named}


def said() -> set[str]:
    files = [path for part in ("bots", "daixin", "referral", "rewards") for path in ROOT.glob(f"{part}/**/*.py")]
    return {key for path in files for key in re.findall(r'"([a-z_]+(?:\.[a-z_]+)+)"', path.read_text())}


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_word_of_trials_is_there_and_said(locale: str) -> None:
    assert ASKED_BY_CODE - i18n.catalogue(locale).keys() == set()
    assert of_trials(locale) - ASKED_BY_CODE - said() - codes_raised() == set()


def test_stars_are_as_many_as_the_rating() -> None:
    assert [STARS[rating].count("★") for rating in range(1, 6)] == [1, 2, 3, 4, 5]
    assert set(QUALIFYING) >= set(EVENTS)
