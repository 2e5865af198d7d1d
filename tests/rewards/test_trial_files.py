"""What a campaign file says of a trial is read with its mistakes named, in both languages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core import clock, i18n
from core.errors import BadInput, Refused
from rewards.campaign_format import build_campaign, explain
from tests.house import House
from tests.rewards.tasting import open_tasting, trial_file

WORDS = {"en": "Why?", "zh_Hans": "为什么？"}


def mistakes(**changes: Any) -> list[tuple[str, str]]:
    """(code, where) of everything wrong with the usual file changed so."""
    with pytest.raises(BadInput) as refused:
        build_campaign(trial_file(**changes))
    problems = refused.value.params["problems"]
    for locale in i18n.LOCALES:
        assert all(explain(problem, locale) for problem in problems)
    return [(problem.code, problem.where) for problem in problems]


@pytest.mark.parametrize(
    ("changes", "code", "where"),
    [
        ({"trial__quota": 0}, "too_small", "trial.quota"),
        ({"trial__friends": 2, "trial__approve": "hand"}, "friends_unwanted", "trial.friends"),
        ({"trial__apply_until": timedelta(days=20)}, "apply_until_outside", "trial.apply_until"),
        ({"trial__apply_until": timedelta(days=-2)}, "apply_until_outside", "trial.apply_until"),
        ({"trial__draw_at": timedelta(days=3)}, "draw_at_unwanted", "trial.draw_at"),
        ({"trial__approve": "draw", "trial__draw_at": timedelta(days=3)}, "draw_at_outside", "trial.draw_at"),
        ({"trial__questions": [{"key": "a", "text": WORDS}] * 2}, "question_twice", "trial.questions.1.key"),
        (
            {"trial__questions": [{"key": "a", "text": WORDS, "choices": [WORDS]}]},
            "one_choice",
            "trial.questions.0.choices",
        ),
        ({"trial__questions": [{"key": "a", "text": {"en": "Why?"}}]}, "both_languages", "trial.questions.0.text"),
        ({"trial__purchase_url": "http://mei.example"}, "unreadable", "trial.purchase_url"),
        ({"rewards__budgets": {"item:serum": 1}}, "trial_budget", "rewards.budgets"),
        ({"campaign__kind": "referral"}, "trial_event", "qualify.event"),
    ],
)
def test_a_mistake_is_named_with_its_place(changes: dict[str, Any], code: str, where: str) -> None:
    moments = {name: clock.now() + by if isinstance(by, timedelta) else by for name, by in changes.items()}
    assert (code, where) in mistakes(**moments)


def test_a_trial_without_terms_is_none() -> None:
    raw = trial_file()
    del raw["trial"]
    with pytest.raises(BadInput) as refused:
        build_campaign(raw)
    assert [problem.code for problem in refused.value.params["problems"]] == ["trial_missing"]


@pytest.mark.parametrize(("kind", "code"), [("ticket", "trial_kind"), ("telegram_gift", "trial_kind")])
def test_what_cannot_be_tried_is_refused(house: House, kind: str, code: str) -> None:
    with pytest.raises((Refused, BadInput)) as refused:
        open_tasting(house, kind)
    findings = refused.value.params.get("findings", ())
    assert code in {finding.code for finding in findings} or refused.value.code == "item_settings"


def test_too_small_a_pool_is_warned_of_and_an_unknown_item_refused(house: House) -> None:
    town = open_tasting(house, "voucher", trial__quota=5)
    assert town.trial().quota == 5
    with pytest.raises(Refused) as refused:
        open_tasting(house, slug="other", trial__item="nothing")
    assert {finding.code for finding in refused.value.params["findings"]} == {"unknown_item"}
