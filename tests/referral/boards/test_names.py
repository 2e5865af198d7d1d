"""What strangers read of a name, and whose choice that is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral.boards.names import choices_of, choose, mask, public_name, tidy
from referral.privacy import export_member, forget_member
from tests.referral.town import Town


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王小明", "王**"),
        ("王", "王**"),
        ("欧阳修远", "欧**"),
        ("Alice", "A***e"),
        ("Al", "A***"),
        ("A", "A***"),
        ("Alice Wong", "A***g"),
        ("Zoë", "Z***ë"),
        ("Zoe\u0308", "Z***e\u0308"),
        ("👩‍👩‍👧 family", "👩‍👩‍👧***y"),
        ("👍🏽", "👍🏽***"),
        ("🇨🇳🇫🇷🇩🇪", "🇨🇳***🇩🇪"),
        ("さくら", "さ**"),
        ("김민수", "김**"),
        ("  \u202eevil\u0000 ", "e***l"),
        ("", ""),
        ("\u200b\n", ""),
    ],
)
def test_a_mask_keeps_a_letter_and_hides_how_many_there_were(name: str, shown: str) -> None:
    assert mask(name) == shown


@given(st.text(max_size=80))
def test_whatever_somebody_is_called_a_board_shows_one_plain_line(name: str) -> None:
    for shown in (tidy(name), mask(name)):
        assert shown.isprintable() or all(one in "\u200d\ufe0f" for one in shown if not one.isprintable())
        assert "\n" not in shown
        assert len(shown) <= 400
    assert public_name(name, "hidden") is None
    letters = [one for one in tidy(name) if one.isalnum()]
    if len(letters) > 4:
        assert tidy(name) not in mask(name)


def shown(town: Town, name: str, platform: str = "telegram") -> str:
    who = town.who(name, platform)
    return town.house.ask(lambda session: choices_of(session, town.brand.id, [who])[who])


def chooses(town: Town, name: str, choice: str, platform: str = "telegram") -> None:
    who = town.talks(name, platform)
    town.house.do(lambda session: choose(session, town.brand.id, who, choice))


def test_nobody_is_named_who_has_not_said_so(town: Town) -> None:
    town.talks("Alice")
    assert shown(town, "Alice") == "masked"
    chooses(town, "Alice", "full")
    chooses(town, "Alice", "full")
    assert shown(town, "Alice") == "full"


@pytest.mark.parametrize(
    ("here", "there", "after"),
    [
        (None, None, "masked"),
        (None, "full", "full"),
        (None, "hidden", "hidden"),
        ("full", None, "full"),
        ("full", "hidden", "hidden"),
        ("hidden", "full", "hidden"),
        ("masked", "full", "masked"),
    ],
)
def test_one_person_of_two_accounts_gets_the_more_private_choice_and_it_goes_with_the_link(
    town: Town, here: str | None, there: str | None, after: str
) -> None:
    town.talks("Alice")
    for choice, platform in ((here, "telegram"), (there, "discord")):
        if choice is not None:
            chooses(town, "Alice", choice, platform)
    link = town.links("Alice", "Alice")
    assert shown(town, "Alice") == after
    town.undoes(link)
    assert shown(town, "Alice") == (here or "masked")
    assert shown(town, "Alice", "discord") == (there or "masked")


def test_what_somebody_chose_after_the_link_stays_theirs(town: Town) -> None:
    town.talks("Alice")
    chooses(town, "Alice", "hidden", "discord")
    link = town.links("Alice", "Alice")
    chooses(town, "Alice", "full")
    town.undoes(link)
    assert shown(town, "Alice") == "full"


def test_a_choice_is_told_and_forgotten_with_the_person(town: Town) -> None:
    chooses(town, "Alice", "full")
    who = town.who("Alice")
    told = town.house.ask(lambda session: export_member(session, town.brand.id, who))
    assert told["boards"] == {"shown": "full"}
    town.house.do(lambda session: forget_member(session, town.brand.id, who))
    assert town.house.ask(lambda session: choices_of(session, town.brand.id, [who])) == {who: "masked"}
