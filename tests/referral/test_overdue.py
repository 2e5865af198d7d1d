"""What waits too long is brought to mind: after two days, after a week, and each week from then on."""

from __future__ import annotations

from sqlmodel import Session

from referral import cases, overdue, reviewing
from referral.cases import Case
from referral.overdue import CasesOverdue
from tests.house import later
from tests.referral.town import Town


def opens(town: Town, key: str) -> Case:
    return town.house.do(lambda session: cases.open_case(session, town.brand.id, "application", key))


def test_an_open_case_is_brought_to_mind_again_and_again(town: Town) -> None:
    heard: list[CasesOverdue] = []
    town.house.bus.on(CasesOverdue, lambda session, happened: heard.extend(happened))
    case = opens(town, "a")
    told = []
    for day in range(30):
        with later(days=day, minutes=1):
            while town.house.do(overdue.remind_due):
                continue
        told += [(day, one.escalated, one.count) for one in heard]
        heard.clear()
    assert told == [(2, False, 1), (7, True, 1), (14, True, 1), (21, True, 1), (28, True, 1)]

    def decide(session: Session) -> None:
        reviewing.decide(session, town.brand.id, case.id, "approve", "fits", "operator")

    town.house.do(decide)
    with later(days=40):
        assert town.house.do(overdue.remind_due) == 0


def test_after_a_long_silence_everything_is_told_once(town: Town) -> None:
    heard: list[CasesOverdue] = []
    town.house.bus.on(CasesOverdue, lambda session, happened: heard.extend(happened))
    first = opens(town, "a")
    with later(days=10):
        opens(town, "b")
    with later(days=13):
        while town.house.do(overdue.remind_due):
            continue
        assert sorted((one.escalated, one.count, one.oldest) for one in heard) == [
            (False, 2, first.opened_at),
            (True, 1, first.opened_at),
        ]
        heard.clear()
        assert town.house.do(overdue.remind_due) == 0
