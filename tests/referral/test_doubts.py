"""Nobody can say for certain who brought somebody: a person decides, and the friend counts as of the day they came."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from bots import happenings
from bots.message import Address, Joined, Person, Place
from core import clock
from core.errors import BadInput, Refused
from referral import cases, doubts, reviewing
from referral.brands import Community
from referral.campaigns import keep_invite
from referral.cases import Case
from referral.privacy import export_member, forget_member
from tests.house import later
from tests.referral.town import Town

CAROL = "webchat:carol"


def joins(town: Town, name: str, place: Community | None = None, **how: Any) -> None:
    """The platform tells of a join, as far as it knows."""
    where = place or town.group
    there = Place(Address(where.platform, where.group_id), where.group_id)
    event = Joined(Person(name.lower(), name), there, clock.now(), **how)
    town.house.do(lambda session: happenings.record(session, where.platform, event))


def added_by(town: Town, name: str, inviter: str) -> None:
    joins(town, name, inviter=inviter.lower(), certainty="inviter_hint")


def waiting(town: Town) -> list[Case]:
    return town.house.do(lambda session: cases.open_cases(session, town.brand.id))


def decide(town: Town, case: Case, verdict: str = "approve", choice: str | None = None, actor: str = CAROL) -> Case:
    return town.house.do(
        lambda session: reviewing.decide(session, town.brand.id, case.id, verdict, "asked both", actor, choice=choice)
    )


def with_links(town: Town, *names: str) -> list[str]:
    """These people have invite links of their own into the guild; the links."""

    links = {code: f"https://discord.gg/{code}" for code in map(town.invites, names)}

    def keep(session: Session) -> None:
        for code, url in links.items():
            keep_invite(session, town.brand.id, town.guild.id, code, url)

    town.house.do(keep)
    return list(links.values())


def test_who_was_added_by_a_member_waits_for_a_decision(town: Town) -> None:
    code = town.invites("Alice")
    added_by(town, "Bob", "Alice")
    (case,) = waiting(town)
    assert (case.kind, case.facts["codes"], case.facts["certainty"]) == ("attribution", [code], "inviter_hint")
    assert town.referrals() == [], "until then nobody is paid"
    with later(days=3):
        decide(town, case)
        referral = town.referral("Bob")
        assert (referral.state, referral.certainty, referral.code) == ("joined", "review", code)
        assert referral.started_at.isoformat() == case.facts["at"], (
            "they came when they joined, not when somebody decided"
        )
    with later(days=7, minutes=1):
        assert town.night() == (1, 0)
        assert town.score("Alice") == 1
        town.has_whole_books()
        town.has_true_counters()


def test_a_candidate_must_be_named_where_there_are_several(town: Town) -> None:
    links = with_links(town, "Alice", "Carl")
    joins(town, "Bob", town.guild, candidates=tuple(links), certainty="ambiguous")
    (case,) = waiting(town)
    with pytest.raises(BadInput, match="case_choice"):
        decide(town, case)
    with pytest.raises(BadInput, match="case_choice"):
        decide(town, case, choice="ANOTHER")
    decided = decide(town, case, choice=town.invites("Carl"))
    assert decided.choice == town.invites("Carl")
    assert town.referral("Bob", "discord").advocate_id == town.who("Carl")


def test_declining_pays_nobody(town: Town) -> None:
    town.invites("Alice")
    added_by(town, "Bob", "Alice")
    decide(town, waiting(town)[0], "decline")
    assert town.referrals() == []
    assert waiting(town) == []


@pytest.mark.parametrize(
    "how",
    [
        {"inviter": "nobody", "certainty": "inviter_hint"},
        {"candidates": ("https://discord.gg/foreign",), "certainty": "ambiguous"},
        {"certainty": "unknown"},
    ],
)
def test_where_there_is_no_candidate_nothing_is_asked(town: Town, how: dict[str, Any]) -> None:
    town.invites("Alice")
    joins(town, "Bob", **how)
    assert waiting(town) == []


def test_who_was_seen_before_is_no_question(town: Town) -> None:
    town.invites("Alice")
    town.talks("Bob")
    with later(days=1):
        added_by(town, "Bob", "Alice")
    assert waiting(town) == []


def test_who_came_alone_left_and_was_added_later_is_asked_about_with_the_day_they_were_first_seen(town: Town) -> None:
    town.invites("Alice")
    joins(town, "Bob")
    with later(days=1):
        town.leaves("Bob")
    with later(days=2):
        added_by(town, "Bob", "Alice")
        (case,) = waiting(town)
        assert case.facts["seen_at"] < case.facts["at"]


def test_who_had_come_before_the_campaign_is_no_question(town: Town) -> None:
    with later(days=-5):
        joins(town, "Bob")
    town.invites("Alice")
    town.leaves("Bob")
    added_by(town, "Bob", "Alice")
    assert waiting(town) == []


def test_a_friend_who_names_a_code_has_answered(town: Town) -> None:
    town.invites("Alice")
    added_by(town, "Bob", "Alice")
    (case,) = waiting(town)
    with later(hours=1):
        town.comes("Bob", town.invites("Carl"))
        closed = decide(town, case)
    assert (closed.state, closed.reason, closed.verdict) == ("closed", "came_by_code", None)
    assert [one.advocate_id for one in town.referrals()] == [town.who("Carl")]


def test_who_left_meanwhile_does_not_come_back_by_a_decision(town: Town) -> None:
    town.invites("Alice")
    added_by(town, "Bob", "Alice")
    with later(days=1):
        town.leaves("Bob")
        decide(town, waiting(town)[0])
        assert town.referral("Bob").state == "started"
    with later(days=2):
        town.joins("Bob")
        assert town.referral("Bob").state == "joined"


def test_who_left_and_came_back_is_one_question_about_the_later_join(town: Town) -> None:
    town.invites("Alice")
    added_by(town, "Bob", "Alice")
    with later(days=1):
        town.leaves("Bob")
    with later(days=2):
        added_by(town, "Bob", "Alice")
        (case,) = waiting(town)
        decide(town, case)
        stay = town.referral("Bob").stay_since
        assert stay is not None
        assert (stay - case.opened_at).days == 2


def test_a_decision_after_the_end_counts_for_who_came_in_time(town: Town) -> None:
    town.invites("Alice")
    added_by(town, "Bob", "Alice")
    with later(days=8):
        town.does("end")
        decide(town, waiting(town)[0])
        assert town.night()[0] == 1
        assert town.score("Alice") == 1
        town.has_whole_books()


def test_a_rule_stands_above_a_decision(town: Town) -> None:
    """Bob, who was added by Alice, has brought her before: together they would make a ring."""
    town.invites("Alice")
    added_by(town, "Bob", "Alice")
    (case,) = waiting(town)
    town.comes("Dora", town.invites("Bob"))
    town.comes("Alice2", town.invites("Dora"))
    town.links("Alice", "Alice2", on="telegram", and_on="telegram")
    with pytest.raises(Refused, match="case_cannot") as refused:
        decide(town, case)
    assert refused.value.params["reason"] == "loop"
    assert waiting(town) != []


def test_linked_accounts_are_one_candidate(town: Town) -> None:
    links = with_links(town, "Alice", "Ally")
    joins(town, "Bob", town.guild, candidates=tuple(links), certainty="ambiguous")
    town.links("Alice", "Ally", and_on="telegram")
    decide(town, waiting(town)[0])
    assert town.referral("Bob", "discord").advocate_id == town.who("Alice")


def test_a_candidate_stays_the_same_one_whoever_is_forgotten_or_linked_meanwhile(town: Town) -> None:
    links = with_links(town, "Alice", "Carl", "Cara")
    joins(town, "Bob", town.guild, candidates=tuple(links), certainty="ambiguous")
    (case,) = waiting(town)
    cara = town.invites("Cara")
    alice = town.who("Alice")
    town.house.do(lambda session: forget_member(session, town.brand.id, alice))
    town.links("Carl", "Cara", and_on="telegram")
    decide(town, case, choice=cara)
    assert town.referral("Bob", "discord").advocate_id == town.who("Carl") == town.who("Cara")


def test_those_somebody_added_are_alike_and_nobody_else(town: Town) -> None:
    town.invites("Alice")
    town.invites("Carl")
    for friend, inviter in (("Bob", "Alice"), ("Dan", "Alice"), ("Eve", "Carl"), ("Fay", "Alice")):
        added_by(town, friend, inviter)
    first, *_, last = waiting(town)

    def names(until: datetime | None = None) -> list[str]:
        alike = town.house.do(lambda session: doubts.alike(session, first, until))
        return [case.facts["person"]["name"] for case in alike]

    assert names() == ["Dan", "Fay"]
    assert names(until=last.opened_at - timedelta(microseconds=1)) == ["Dan"]


def test_nothing_personal_stays_of_who_is_forgotten(town: Town) -> None:
    town.invites("Alice")
    added_by(town, "Bob", "Alice")
    (case,) = waiting(town)
    bob = town.talks("Bob")
    told = town.house.do(lambda session: export_member(session, town.brand.id, bob))
    assert [one["kind"] for one in told["reviews"]] == ["attribution"]
    town.house.do(lambda session: forget_member(session, town.brand.id, bob))
    assert waiting(town) == []
    kept = town.house.do(lambda session: cases.find_case(session, town.brand.id, case.id))
    assert "bob" not in str(kept.facts).lower()
    with pytest.raises(Refused, match="case_decided"):
        decide(town, case)


def test_a_candidate_who_was_forgotten_is_none(town: Town) -> None:
    town.invites("Alice")
    added_by(town, "Bob", "Alice")
    (case,) = waiting(town)
    alice = town.who("Alice")
    town.house.do(lambda session: forget_member(session, town.brand.id, alice))
    assert decide(town, case).state == "closed"
    assert town.referrals() == []
