"""People who sign in: what they may do, links that open once, and what is left when one goes. On both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from uuid import UUID

import pytest
from sqlmodel import Session, select

from core import clock
from core.errors import BadInput, Conflict, DaixinError, NotFound, Refused
from daixin import actions_users
from referral import audit, linking, members, privacy, staff
from referral.brands import create_brand
from referral.users import accounts, links, passkeys, passwords, roles, sessions
from referral.users.accounts import User, UserRole
from referral.users.links import DoorLink
from tests.house import House, later, person


@pytest.fixture
def brand(house: House) -> UUID:
    return house.do(lambda session: create_brand(session, "Acme", slug="acme").id)


def member(house: House, brand: UUID, name: str, platform: str = "telegram") -> UUID:
    one = person(name, platform)
    return house.do(lambda session: members.meet(session, brand, [one], [clock.now()], "message")[0].member_id)


def user(house: House, brand: UUID, name: str, role: str | None) -> UUID:
    def unit(session: Session) -> UUID:
        made = accounts.create_user(session, name, f"{name.lower()}@example.com")
        if role is not None:
            roles.give(session, brand, made.id, role, "operator")
        return made.id

    return house.do(unit)


def refused(house: House, unit: Callable[[Session], object]) -> str:
    """Why a unit is refused."""
    with pytest.raises(DaixinError) as error:
        house.do(unit)
    return error.value.code


def test_one_address_is_one_user(house: House, brand: UUID) -> None:
    user(house, brand, "Mei", None)
    with pytest.raises(Conflict, match="user_email_taken"):
        house.do(lambda session: accounts.create_user(session, "Other", " MEI@Example.COM "))
    for wrong in (
        "",
        "mei",
        "@x.com",
        "a b@x.com",
        "a@b",
        "a@b.c",
        "x" * 300 + "@x.com",
        "a\u202e@x.com",
        "a\nb@x.com",
    ):
        with pytest.raises(BadInput, match="user_email"):
            accounts.read_email(wrong)
    assert accounts.read_email("\uff2d\uff45\uff49@x.com") == "mei@x.com"


def test_a_link_opens_once_though_two_press_at_once(house: House, brand: UUID) -> None:
    token = house.do(lambda session: links.invitation(session, brand, "manager", "operator"))
    outcomes: list[str] = []

    def press() -> None:
        try:
            house.do(lambda session: links.use(session, token))
            outcomes.append("in")
        except Refused as error:
            outcomes.append(error.code)

    threads = [Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["door_closed"] * 7 + ["in"]
    kept = house.ask(lambda session: session.exec(select(DoorLink)).one())
    assert token not in str(kept.model_dump())


def test_a_unit_that_fails_leaves_its_link_open(house: House, brand: UUID) -> None:
    token = house.do(lambda session: links.invitation(session, brand, "manager", "operator"))

    def breaks(session: Session) -> None:
        links.use(session, token)
        raise BadInput("password_short", least=10)

    assert refused(house, breaks) == "password_short"
    assert house.do(lambda session: links.use(session, token)).role == "manager"


def test_what_works_once_works_once(house: House) -> None:
    house.do(lambda session: links.spend(session, "challenge"))
    assert refused(house, lambda session: links.spend(session, "challenge")) == "door_closed"


def test_the_role_in_the_chat_counts_as_it_is_now(house: House, brand: UUID) -> None:
    alice, mei = member(house, brand, "Alice"), user(house, brand, "Mei", "owner")
    came = house.do(lambda session: roles.come_as(session, brand, alice, "Alice", "en").id)
    assert house.do(lambda session: roles.come_as(session, brand, alice, "Alice", "en").id) == came

    def seats() -> list[str]:
        return house.ask(lambda session: [one.role for one in roles.seats_of(session, came)])

    assert seats() == []
    house.do(lambda session: staff.give(session, brand, alice, "reviewer", "operator"))
    assert seats() == ["reviewer"]
    house.do(lambda session: roles.give(session, brand, came, "manager", "operator"))
    assert seats() == ["manager"]
    house.do(lambda session: staff.give(session, brand, alice, "owner", "operator"))
    assert seats() == ["owner"]
    house.do(lambda session: roles.remove(session, brand, came, None, f"user:{mei}"))
    assert seats() == []
    assert house.ask(lambda session: staff.role_of(session, brand, alice)) is None
    operators = frozenset({"telegram:alice"})
    again = house.do(lambda session: roles.come_as(session, brand, alice, "Alice", "en").id)
    assert house.ask(lambda session: roles.role_of(session, brand, again, operators)) == "owner"
    assert house.ask(lambda session: roles.role_of(session, brand, again)) is None


def test_who_is_linked_keeps_the_role_of_the_account_they_came_with(house: House, brand: UUID) -> None:
    phone, desk = member(house, brand, "Alice"), member(house, brand, "Alice", "discord")
    house.do(lambda session: staff.give(session, brand, desk, "manager", "operator"))
    came = house.do(lambda session: roles.come_as(session, brand, desk, "Alice", "en").id)
    house.do(lambda session: linking.link(session, brand, phone, desk))
    assert house.ask(lambda session: roles.role_of(session, brand, came)) == "manager"
    assert [one.role for one in house.ask(lambda session: roles.team_of(session, brand))] == ["manager"]


def test_somebody_owns_the_brand_always(house: House, brand: UUID) -> None:
    mei = user(house, brand, "Mei", "owner")
    alice = member(house, brand, "Alice")
    assert refused(house, lambda session: roles.take(session, brand, mei, "x")) == "staff_last_owner"
    assert refused(house, lambda session: roles.give(session, brand, mei, "manager", "x")) == "staff_last_owner"
    assert refused(house, lambda session: actions_users.delete(session, "mei@example.com")) == "staff_last_owner"
    house.do(lambda session: staff.give(session, brand, alice, "owner", "operator"))
    house.do(lambda session: staff.take(session, brand, alice, "operator"))
    assert refused(house, lambda session: roles.give(session, brand, mei, "king", "x")) == "staff_role"
    house.do(lambda session: accounts.set_disabled(session, mei, True))
    house.do(lambda session: staff.give(session, brand, alice, "owner", "operator"))
    assert refused(house, lambda session: staff.take(session, brand, alice, "operator")) == "staff_last_owner"


def test_an_operator_shuts_out_and_forgets(house: House, brand: UUID) -> None:
    mei, _ = user(house, brand, "Mei", "manager"), user(house, brand, "Ann", "owner")
    token = house.do(lambda session: sessions.open_session(session, mei, "Firefox", "password"))
    house.do(lambda session: passkeys.add_passkey(session, mei, "key", b"public", 0, "Phone"))
    assert house.ask(lambda session: sessions.signed_in(session, token)) is not None
    told = house.do(lambda session: actions_users.disable(session, "mei@example.com", True))
    assert told["sessions_ended"] == 1
    assert house.ask(lambda session: sessions.signed_in(session, token)) is None
    house.do(lambda session: actions_users.disable(session, "mei@example.com", False))
    assert house.ask(lambda session: sessions.signed_in(session, token)) is None
    listed = house.ask(lambda session: actions_users.listed(session, "acme"))
    assert [(one["name"], one["roles"]) for one in listed] == [("Mei", {"acme": "manager"}), ("Ann", {"acme": "owner"})]
    reset = house.do(lambda session: actions_users.reset(session, str(mei), "https://tea.example"))
    assert reset["link"].startswith("https://tea.example/door/")
    house.do(lambda session: actions_users.delete(session, "mei@example.com"))
    left = house.ask(lambda session: (session.exec(select(User.name)).all(), session.exec(select(UserRole)).all()))
    assert (left[0], len(left[1])) == (["Ann"], 1)
    assert refused(house, lambda session: actions_users.reset(session, str(mei), "")) == "user"
    acts = house.ask(lambda session: [one.act for one in audit.entries_of(session, brand, most=9)])
    assert acts[:4] == ["user.delete", "user.reset", "user.enable", "user.disable"]
    assert house.ask(lambda session: audit.verify_chain(session, brand)) == []


GOES: dict[str, Callable[[Session, UUID, UUID, UUID], object]] = {
    "taken": lambda s, brand, mei, alice: roles.take(s, brand, mei, "operator"),
    "lowered": lambda s, brand, mei, alice: roles.give(s, brand, mei, "reviewer", "operator"),
    "shut out": lambda s, brand, mei, alice: accounts.set_disabled(s, mei, True),
    "deleted": lambda s, brand, mei, alice: actions_users.delete(s, str(mei)),
    "taken in the chat": lambda s, brand, mei, alice: staff.take(s, brand, alice, "operator"),
    "forgotten": lambda s, brand, mei, alice: privacy.forget_member(s, brand, alice),
}


@pytest.mark.parametrize("how", GOES)
def test_a_code_made_on_the_web_ends_with_the_role_it_was_made_by(house: House, brand: UUID, how: str) -> None:
    user(house, brand, "Boss", "owner")
    alice = member(house, brand, "Alice")
    house.do(lambda session: staff.give(session, brand, alice, "manager", "operator"))
    mei = house.do(lambda session: roles.come_as(session, brand, alice, "Mei", "en").id)
    house.do(lambda session: roles.give(session, brand, mei, "owner", "operator"))
    code = house.do(lambda session: staff.new_code(session, brand, "connect", f"user:{mei}"))
    others = house.do(lambda session: staff.new_code(session, brand, "connect", "operator"))
    house.do(lambda session: GOES[how](session, brand, mei, alice))
    assert refused(house, lambda session: staff.use_code(session, code, ["connect"])) == "staff_code_wrong"
    assert house.do(lambda session: staff.use_code(session, others, ["connect"]).what) == "connect"


def test_a_known_user_joins_another_brand_at_once(house: House, brand: UUID) -> None:
    house.do(lambda session: create_brand(session, "Second", slug="second"))
    mei = user(house, brand, "Mei", "owner")
    told = house.do(lambda session: actions_users.invite(session, "second", "manager", "MEI@example.com", "http://x"))
    assert (told["user"], told["role"]) == (str(mei), "manager")
    seats = house.ask(lambda session: [(one.brand.slug, one.role) for one in roles.seats_of(session, mei)])
    assert seats == [("acme", "owner"), ("second", "manager")]


def test_sessions_are_cleared_away_in_time(house: House, brand: UUID) -> None:
    mei = user(house, brand, "Mei", "owner")
    house.do(lambda session: sessions.open_session(session, mei, "Firefox", "password"))
    with later(days=61):
        token = house.do(lambda session: sessions.open_session(session, mei, "Safari", "passkey"))
        found = house.ask(lambda session: sessions.sessions_of(session, mei))
        assert [one.device for one in found] == ["Safari"]
        assert house.ask(lambda session: len(session.exec(select(sessions.UserSession)).all())) == 1
        with pytest.raises(NotFound):
            house.do(lambda session: sessions.end_session(session, brand, found[0].id))
        house.do(lambda session: sessions.end_session(session, mei, found[0].id))
        assert house.ask(lambda session: sessions.signed_in(session, token)) is None


def test_passwords() -> None:
    kept = passwords.hash_password("seven green kettles")
    assert passwords.verify_password("seven green kettles", kept) == (True, None)
    assert passwords.verify_password("seven green kettle", kept) == (False, None)
    assert passwords.verify_password("seven green kettles", None) == (False, None)
    assert passwords.verify_password("\uff53even green kettles", kept)[0], "the same letters of another width"
    assert passwords.verify_password("x" * 100_000, kept) == (False, None)
    for easy in ("aaaaaaaaaa", "1234567890", "mei@example.com", "mei2026!!!!", "qwertyuiop"):
        with pytest.raises(BadInput, match="password_easy"):
            passwords.check_password(easy, "mei@example.com", "Mei")
    with pytest.raises(BadInput, match="password_long"):
        passwords.check_password("ab cd ef gh " * 20)
    assert timedelta(0) < sessions.IDLE < sessions.LONGEST
