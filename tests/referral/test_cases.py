"""What no rule could decide waits for a person, is decided once, and is told of."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlmodel import Session

from core.errors import BadInput, Refused
from referral import audit, cases, reviewing
from referral.cases import Case, CaseDecided, CaseOpened
from tests.house import House
from tests.referral.town import Town


def opened(town: Town, key: str = "serum/1", kind: str = "application", **more: Any) -> Case:
    return town.house.do(lambda session: cases.open_case(session, town.brand.id, kind, key, **more))


def decide(
    town: Town, case: Case, verdict: str = "approve", reason: str = "looks good", actor: str = "webchat:carol"
) -> Case:
    def act(session: Session) -> Case:
        return cases.decide(session, cases.find_case(session, town.brand.id, case.id), verdict, reason, actor)

    return town.house.do(act)


def hearing(town: Town, kind: type) -> list[Any]:
    heard: list[Any] = []
    town.house.bus.on(kind, lambda session, happened: heard.extend(happened))
    return heard


def test_the_same_thing_is_asked_once(town: Town) -> None:
    heard = hearing(town, CaseOpened)
    first, again = opened(town), opened(town)
    assert first.id == again.id
    assert [event.case_id for event in heard] == [first.id]
    assert opened(town, kind="referral").id != first.id


def test_a_decision_is_told_with_its_reason(town: Town) -> None:
    heard: list[CaseDecided] = hearing(town, CaseDecided)
    alice = town.talks("Alice")
    case = decide(town, opened(town, member_id=alice, campaign_id=town.campaign.id), "decline", "no photo")
    assert (case.state, case.verdict, case.reason, case.decided_by) == (
        "decided",
        "decline",
        "no photo",
        "webchat:carol",
    )
    assert [(one.member_id, one.verdict, one.reason) for one in heard] == [(alice, "decline", "no photo")]


def test_the_second_to_press_is_told_who_was_faster(town: Town) -> None:
    case = decide(town, opened(town), "approve", actor="webchat:carol")
    with pytest.raises(Refused, match="case_decided") as refused:
        decide(town, case, "decline", actor="telegram:7")
    assert refused.value.params == {"state": "decided", "verdict": "approve", "by": "webchat:carol"}


def test_of_many_who_press_at_once_one_decides(town: Town) -> None:
    case, heard = opened(town), hearing(town, CaseDecided)

    def press(number: int) -> bool:
        try:
            decide(town, case, ("approve", "decline")[number % 2], actor=f"webchat:{number}")
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won: Sequence[bool] = list(pool.map(press, range(8)))
    assert won.count(True) == 1
    assert [event.actor for event in heard] == [f"webchat:{won.index(True)}"]


def test_two_processes_decide_once(town: Town) -> None:
    """Each has its own writer, so that only the database can tell who was first."""
    rounds = [opened(town, f"serum/{number}") for number in range(6)]
    other = House(town.house.url)

    def press(house: House, case: Case) -> bool:
        def act(session: Session) -> None:
            reviewing.decide(session, town.brand.id, case.id, "approve", "fits", "operator")

        try:
            house.do(act)
        except Refused:
            return False
        return True

    try:
        with ThreadPoolExecutor(2) as pool:
            for case in rounds:
                assert sorted(pool.map(lambda house, one=case: press(house, one), (town.house, other))) == [False, True]
    finally:
        other.close()
    chain = town.house.do(lambda session: audit.entries_of(session, town.brand.id, acts=["case.decide"]))
    assert sorted(entry.subject for entry in chain) == sorted(str(case.id) for case in rounds)
    assert town.house.do(lambda session: audit.verify_chain(session, town.brand.id)) == []


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201, "one\ntwo"])
def test_a_decision_needs_a_reason_one_can_read(town: Town, reason: str) -> None:
    case = opened(town)
    with pytest.raises(BadInput, match="case_reason"):
        decide(town, case, reason=reason)


def test_what_is_moot_can_be_decided_no_more(town: Town) -> None:
    case = opened(town)

    def close(session: Session) -> int:
        return cases.close_cases(session, town.brand.id, "application", ["serum/1", "serum/2"], "over")

    assert town.house.do(close) == 1
    assert town.house.do(close) == 0
    with pytest.raises(Refused, match="case_decided"):
        decide(town, case)


def test_the_oldest_waits_first(town: Town) -> None:
    first, second = opened(town, "a"), opened(town, "b", kind="referral")
    queue = town.house.do(lambda session: cases.open_cases(session, town.brand.id))
    assert [case.id for case in queue] == [first.id, second.id]
    counts = town.house.do(lambda session: cases.open_counts(session, town.brand.id))
    assert counts == {"application": 1, "referral": 1}
