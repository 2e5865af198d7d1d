"""Somebody types a few letters, and whoever is meant is found; nobody else, and nobody who was forgotten."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from core.db import make_engine
from referral import linking, members, search
from referral.members import Account
from referral.privacy import forget_member
from referral.search import MemberTerm, fold, terms_of, tokens_of
from tests.house import House, later
from tests.referral.town import Town, build_town


@pytest.fixture
def town(house: House) -> Town:
    return build_town(house)


def comes(town: Town, *people: tuple[str, str, str | None]) -> list[UUID]:
    """(name, account, handle) of people who write to the bot."""
    accounts = [Account("telegram", account, name, handle=handle, chat=account) for name, account, handle in people]
    at = [clock.now()] * len(accounts)
    met = town.house.do(lambda session: members.meet(session, town.brand.id, accounts, at, "message"))
    return [one.member_id for one in met]


def finds(town: Town, text: str) -> list[UUID]:
    return list(town.house.ask(lambda session: search.find(session, town.brand.id, text)).members)


def folds(town: Town) -> None:
    """The job runs, later than anybody came."""
    with later(minutes=5):
        while town.house.do(search.fold_due):
            pass


PEOPLE: Sequence[tuple[str, str, str | None]] = (
    ("王小明", "8101", "xiaoming"),
    ("李明珠 Pearl", "8102", None),
    ("José García", "jg-900", "joselito"),
    ("🌸花花", "8104", None),
    ("Anna-Lena Wang", "8105", "lena_w"),
)
TYPED = [
    ("明", {0, 1}),
    ("小明", {0}),
    ("明珠", {1}),
    ("pea", {1}),
    ("李 pearl", {1}),
    ("jose", {2}),
    ("GARC", {2}),
    ("José G", {2}),
    ("🌸", {3}),
    ("花", {3}),
    ("wang", {4}),
    ("lena w", {4}),
    ("@joselito", {2}),
    ("8105", {4}),
    ("81", {0, 1, 3, 4}),
    ("jg-900", {2}),
    ("nobody", set()),
    ("小明明", set()),
    ("%", set()),
    ("'; DROP", set()),
    ("\x00", set()),
]


def test_people_are_found_as_one_types_before_the_job_has_seen_them_and_after(town: Town) -> None:
    people = comes(town, *PEOPLE)
    for _ in range(2):
        for text, wanted in TYPED:
            assert set(finds(town, text)) == {people[number] for number in wanted}, text
        folds(town)


def test_the_job_writes_each_term_once_however_often_it_runs(town: Town) -> None:
    comes(town, *PEOPLE)
    folds(town)
    count = town.house.ask(lambda session: session.scalar(select(func.count()).select_from(MemberTerm)))
    folds(town)
    assert count == town.house.ask(lambda session: session.scalar(select(func.count()).select_from(MemberTerm)))
    assert count is not None
    assert count > len(PEOPLE) * 2


def test_two_processes_may_write_the_same_terms_at_the_same_time(town: Town, migrated_url: str) -> None:
    came = comes(town, *PEOPLE)
    first, second = (make_engine(migrated_url, writer=True) for _ in range(2))

    def folds_too() -> None:
        with Session(second) as session:
            search.refold(session, town.brand.id, came)
            session.commit()

    with Session(first) as session, ThreadPoolExecutor(1) as other:
        search.refold(session, town.brand.id, came)
        session.execute(select(1))  # the terms have arrived
        running = other.submit(folds_too)
        time.sleep(0.5)  # it has looked, and waits for what we say
        session.commit()
        running.result(30)
    first.dispose()
    second.dispose()
    assert finds(town, "xiaoming") == came[:1]


def test_somebody_is_found_by_their_code_in_any_spelling_and_by_their_number(town: Town) -> None:
    code = town.invites("Alice")
    who = town.who("Alice")
    for text in (
        code,
        code.lower(),
        f"{code[:4]}-{code[4:8]}-{code[8:]}",
        f"https://x.example/r/{code}",
        str(who),
        who.hex,
    ):
        assert finds(town, text) == [who], text


def test_another_brands_people_are_not_found(house: House, town: Town) -> None:
    other = build_town(house, "Otherworld")
    comes(other, ("王小明", "1", None))
    theirs = other.invites("Zoe")
    folds(other)
    assert finds(town, "王") == []
    assert finds(town, theirs) == []
    assert finds(town, str(other.who("Zoe"))) == []


def test_whoever_asked_to_be_forgotten_is_found_by_nothing_and_leaves_no_terms(town: Town) -> None:
    (who,) = comes(town, ("王小明", "8101", "xiaoming"))
    folds(town)
    town.house.do(lambda session: forget_member(session, town.brand.id, who))
    assert finds(town, "王") == finds(town, "8101") == []
    kept = select(func.count()).select_from(MemberTerm).where(col(MemberTerm.member_id) == who)
    assert town.house.ask(lambda session: session.scalar(kept)) == 0
    folds(town)
    assert town.house.ask(lambda session: session.scalar(kept)) == 0


def test_linked_accounts_find_the_one_person_until_they_part(town: Town) -> None:
    one = town.talks("Alice")
    with later(seconds=1):
        other = town.talks("Lisette", "discord")
    folds(town)
    link = town.house.do(lambda session: linking.link(session, town.brand.id, one, other))
    assert finds(town, "lisette") == [one]
    town.undoes(link)
    assert finds(town, "lisette") == [other]


def test_a_new_handle_is_found_once_the_sweep_has_come_round(town: Town) -> None:
    (who,) = comes(town, ("王小明", "8101", "xiaoming"))
    folds(town)
    renamed = Account("telegram", "8101", "王小明", handle="mingming", chat="8101")
    town.house.do(lambda session: members.heard(session, town.brand.id, renamed, clock.now()))
    assert finds(town, "mingming") == []
    town.house.do(search.sweep_due)
    assert finds(town, "mingming") == [who]
    assert finds(town, "xiaoming") == []
    for _ in range(3):
        town.house.do(search.sweep_due)
    assert finds(town, "mingming") == [who]


def test_with_too_many_who_fit_it_says_so(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MANY", 20)
    monkeypatch.setattr(search, "FRESH", 0)
    people = comes(town, *((f"王{number:02}号", f"9{number:03}", None) for number in range(40)))
    folds(town)
    found = town.house.ask(lambda session: search.find(session, town.brand.id, "王"))
    assert found.many
    assert len(found.members) == 20
    # A rarer word beside it is looked for first.
    assert finds(town, "王 9007") == [people[7]]


def test_folding_is_the_same_however_it_is_written() -> None:
    assert fold("Ｊｏｓé") == fold("jose") == "jose"
    assert tokens_of("王小明Tom-2 🌸x") == ["王小明", "tom", "2", "🌸", "x"]
    assert terms_of(["王小明"]) == {"王小明", "小明", "明"}
    assert len(terms_of(["x " * 500, "字" * 500])) <= search.TERMS
