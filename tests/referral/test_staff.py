"""Who runs a brand, what each may do, and the one-time codes that make somebody one of them."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import pytest
from sqlmodel import Session

from core import clock
from core.errors import NotFound, Refused
from referral import audit, connecting, members, staff
from referral.brands import create_brand
from referral.linking import finish_link, start_link
from referral.privacy import export_member, forget_member
from tests.house import House, later, person


class Team:
    """A brand and its people."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.brand = house.do(lambda s: create_brand(s, "Acme"))

    def who(self, name: str, platform: str = "telegram") -> UUID:
        met = self.house.do(
            lambda s: members.meet(s, self.brand.id, [person(name, platform)], [clock.now()], "message")
        )
        return met[0].member_id

    def give(self, name: str, role: str) -> UUID:
        member = self.who(name)
        self.house.do(lambda s: staff.give(s, self.brand.id, member, role, "operator"))
        return member

    def role(self, member: UUID) -> str | None:
        return self.house.ask(lambda s: staff.role_of(s, self.brand.id, member))


@pytest.fixture
def team(house: House) -> Team:
    return Team(house)


def test_roles_say_who_may_do_what() -> None:
    allowed = {role: {act for act in staff.ACTS if staff.may(role, act)} for role in staff.ROLES}
    assert allowed == {
        "owner": {"review", "campaign", "connect", "export", "staff", "money"},
        "manager": {"review", "campaign", "connect", "export"},
        "reviewer": {"review"},
    }
    assert not any(staff.may(None, act) for act in staff.ACTS)
    assert staff.higher("reviewer", "manager") == "manager"
    assert staff.higher(None, None) is None


def test_a_role_is_given_changed_and_taken_and_all_of_it_stands_in_the_log(team: Team) -> None:
    team.give("Mei", "owner")
    ann = team.give("Ann", "reviewer")
    team.give("Ann", "reviewer")
    team.give("Ann", "manager")
    assert team.role(ann) == "manager"
    team.house.do(lambda s: staff.take(s, team.brand.id, ann, "telegram:mei"))
    assert team.role(ann) is None
    with pytest.raises(NotFound):
        team.house.do(lambda s: staff.take(s, team.brand.id, ann, "telegram:mei"))
    log = team.house.ask(lambda s: audit.entries_of(s, team.brand.id, subject=str(ann)))
    assert [(one.act, one.actor, one.details["role"]) for one in reversed(log)] == [
        ("staff.give", "operator", "reviewer"),
        ("staff.give", "operator", "manager"),
        ("staff.take", "telegram:mei", "manager"),
    ]


def test_the_last_owner_stays(team: Team) -> None:
    mei, ann = team.give("Mei", "owner"), team.give("Ann", "owner")
    team.house.do(lambda s: staff.take(s, team.brand.id, ann, "telegram:mei"))
    for leave in (
        lambda s: staff.take(s, team.brand.id, mei, "telegram:mei"),
        lambda s: staff.give(s, team.brand.id, mei, "manager", "telegram:mei"),
    ):
        with pytest.raises(Refused, match="staff_last_owner"):
            team.house.do(leave)
    assert team.role(mei) == "owner"
    assert team.house.ask(lambda s: audit.verify_chain(s, team.brand.id)) == []


def test_an_owner_who_was_forgotten_counts_for_nobody(team: Team) -> None:
    mei, ann = team.give("Mei", "owner"), team.give("Ann", "owner")
    team.house.do(lambda s: forget_member(s, team.brand.id, ann))
    assert [row.member_id for row in team.house.ask(lambda s: staff.staff_of(s, team.brand.id))] == [mei]
    with pytest.raises(Refused, match="staff_last_owner"):
        team.house.do(lambda s: staff.take(s, team.brand.id, mei, "telegram:mei"))


def test_who_is_forgotten_runs_nothing_and_their_codes_work_no_more(team: Team) -> None:
    mei, ann = team.give("Mei", "owner"), team.give("Ann", "manager")
    exported = team.house.ask(lambda s: export_member(s, team.brand.id, ann))
    assert [(one["role"], one["until"]) for one in exported["roles"]] == [("manager", None)]
    code = team.house.do(lambda s: staff.new_code(s, team.brand.id, "connect", "telegram:ann"))
    team.house.do(lambda s: connecting.wait_for_connection(s, "telegram", "-100", "Tea", "ann"))
    team.house.do(lambda s: forget_member(s, team.brand.id, ann))
    with pytest.raises(Refused, match="staff_code_wrong"):
        team.house.do(lambda s: staff.use_code(s, code, ["connect"]).what)
    assert team.house.ask(lambda s: connecting.waiting_groups(s, "telegram", "ann")) == []
    assert team.role(ann) is None
    team.house.do(lambda s: forget_member(s, team.brand.id, mei))
    assert team.house.ask(lambda s: staff.staff_of(s, team.brand.id)) == []
    assert team.house.ask(lambda s: audit.verify_chain(s, team.brand.id)) == []


def test_a_role_holds_on_every_account_of_the_person(team: Team) -> None:
    older = team.who("Mei", "discord")
    with later(hours=1):
        team.give("Boss", "owner")
        mei = team.give("Mei", "manager")
    code = team.house.do(lambda s: start_link(s, team.brand.id, older))
    team.house.do(lambda s: finish_link(s, team.brand.id, mei, code))
    assert team.role(older) == "manager"
    team.house.do(lambda s: staff.take(s, team.brand.id, older, "operator"))
    assert team.role(older) is None


def test_a_code_works_once_for_what_it_is_and_not_for_long(team: Team) -> None:
    def use(session: Session, code: str, *wanted: str) -> str:
        return staff.use_code(session, code, wanted).what

    code = team.house.do(lambda s: staff.new_code(s, team.brand.id, "manager", "operator"))
    assert staff.looks_like_code(code)
    assert not staff.looks_like_code("hello")
    with pytest.raises(Refused, match="staff_code_wrong"):
        team.house.do(lambda s: use(s, code, "connect", "partner"))
    assert team.house.do(lambda s: use(s, code.lower().replace("-", " "), "manager")) == "manager"
    with pytest.raises(Refused, match="staff_code_wrong"):
        team.house.do(lambda s: use(s, code, "manager"))
    late = team.house.do(lambda s: staff.new_code(s, team.brand.id, "connect", "operator"))
    with later(minutes=30), pytest.raises(Refused, match="staff_code_wrong"):
        team.house.do(lambda s: use(s, late, "connect"))


def test_the_codes_of_who_lost_their_role_bring_nobody_back(team: Team) -> None:
    team.give("Mei", "owner")
    taken, lowered = team.give("Ann", "owner"), team.give("Bea", "owner")
    codes = [
        team.house.do(partial(staff.new_code, brand_id=team.brand.id, what="owner", actor=by))
        for by in ("telegram:ann", "telegram:bea")
    ]
    kept = team.house.do(lambda s: staff.new_code(s, team.brand.id, "reviewer", "telegram:mei"))
    team.house.do(lambda s: staff.take(s, team.brand.id, taken, "telegram:mei"))
    team.house.do(lambda s: staff.give(s, team.brand.id, lowered, "reviewer", "telegram:mei"))
    for code in codes:
        with pytest.raises(Refused, match="staff_code_wrong"):
            team.house.do(partial(staff.use_code, code=code, wanted=["owner"]))
    assert team.house.do(lambda s: staff.use_code(s, kept, ["reviewer"]).what) == "reviewer"
