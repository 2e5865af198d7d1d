"""Reading all that is kept about oneself, and being forgotten while the books stay whole."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel

from core import clock, ids
from core.db import table
from core.errors import NotFound
from daixin.models import TABLES
from referral import leaderboard, linking
from referral.arrivals import Arrive, arrive
from referral.privacy import export_member, forget_member
from referral.touches import Touch
from rewards import rewards as books
from rewards.privacy import export_rewards
from tests.house import later, person
from tests.referral.town import Town


def export(town: Town, name: str) -> dict[str, Any]:
    who = town.who(name)
    told = town.house.ask(
        lambda session: export_member(session, town.brand.id, who) | export_rewards(session, town.brand.id, who)
    )
    read: dict[str, Any] = json.loads(json.dumps(told))
    return read


def forgets(town: Town, name: str, platform: str = "telegram") -> None:
    who = town.who(name, platform)
    town.house.do(lambda session: forget_member(session, town.brand.id, who))


def everything(town: Town, *but: type[SQLModel]) -> str:
    """Every row of every table as text."""
    models = [model for model in TABLES if model not in but]
    return town.house.ask(
        lambda session: "\n".join(
            str(dict(row)) for m in models for row in session.execute(select(table(m))).mappings()
        )
    )


def click(town: Town, code: str) -> Touch:
    """Somebody opens the landing page."""
    seen = Touch(
        brand_id=town.brand.id,
        id=ids.new(),
        campaign_id=town.campaign.id,
        code=code,
        kind="click",
        touched_at=clock.now(),
        device="phone",
        referrer="weixin.qq.com",
        address_hash="0123456789abcdef",
        address_expires_at=clock.now() + timedelta(days=30),
    )
    town.house.do(lambda session: session.add(seen))
    return seen


def test_alice_reads_all_that_is_kept_about_her(town: Town) -> None:
    town.brings("Alice", "Bob")
    town.joins("Alice")
    town.links("Alice", "Alice_dc")
    with later(days=8):
        town.night()
        told = export(town, "Alice")
    assert told["member"]["name"] == "Alice"
    assert {row["account"] for row in told["accounts"]} == {"alice", "alice_dc"}
    assert [row["title"] for row in told["communities"]] == ["Coffee lovers"]
    assert [row["code"] for row in told["campaigns"]] == [town.invites("Alice")]
    assert [(row["campaign"], row["state"]) for row in told["friends"]] == [("spring", "qualified")]
    assert [(row["campaign"], row["score"]) for row in told["scores"]] == [("spring", 1)]
    assert [(row["role"], row["amount"], row["state"]) for row in told["rewards"]] == [("advocate", 100, "held")]
    assert told["balances"] == [{"purpose": "member.held", "asset": "PTS", "amount": 100}]
    assert [(row["kind"], row["amount"]) for row in told["transfers"]] == [("grant", 100)]
    assert len(told["links"]) == 1


def test_bob_reads_how_he_came_but_not_who_else_is_here(town: Town) -> None:
    code = town.invites("Alice")
    opened = click(town, code)
    town.house.do(
        lambda session: arrive(session, [Arrive(code, person("Bob"), clock.now(), kind="start", click_id=opened.id)])
    )
    told = export(town, "Bob")
    assert [(row["code"], row["state"]) for row in told["invited_by"]] == [(code, "started")]
    assert [(row["kind"], row["device"]) for row in told["touches"]] == [("click", "phone"), ("start", None)]
    assert "lice" not in json.dumps(told)


def test_nobody_reads_about_nobody(town: Town) -> None:
    with pytest.raises(NotFound):
        town.house.ask(lambda session: export_member(session, town.brand.id, ids.new()))
    with pytest.raises(NotFound):
        town.house.do(lambda session: forget_member(session, town.brand.id, ids.new()))


def test_the_forgotten_leave_no_trace_but_numbers(town: Town) -> None:
    code = town.invites("Alice")
    opened = click(town, code)
    town.house.do(
        lambda session: arrive(session, [Arrive(code, person("Bobby"), clock.now(), kind="start", click_id=opened.id)])
    )
    town.joins("Bobby")
    town.links("Bobby", "Bobby_dc")
    town.house.do(lambda session: linking.start_link(session, town.brand.id, town.who("Bobby")))
    forgets(town, "Bobby")
    left = everything(town)
    for trace in ("bobby", "Bobby", "phone", "weixin.qq.com", "0123456789abcdef", str(opened.id) + "'}"):
        assert trace not in left


def test_what_was_under_way_with_the_forgotten_ends(town: Town) -> None:
    code = town.brings("Alice", "Bob")
    town.comes("Carol", code)
    forgets(town, "Bob")
    assert [(row.state, row.reason) for row in town.referrals()] == [("expired", "erased"), ("started", None)]
    forgets(town, "Alice")
    assert [(row.state, row.reason) for row in town.referrals()][1] == ("expired", "advocate_gone")
    with later(days=40):
        assert town.night() == (0, 0)


def test_the_code_of_a_forgotten_advocate_counts_no_longer(town: Town) -> None:
    code = town.invites("Alice")
    forgets(town, "Alice")
    assert town.comes("Bob", code).outcome == "advocate_gone"
    assert town.referrals() == []


@pytest.mark.parametrize("joined_first", [True, False])
def test_who_was_forgotten_is_never_new_again(town: Town, joined_first: bool) -> None:
    code = town.invites("Alice")
    if joined_first:
        town.joins("Bob")
    town.comes("Bob", code)
    forgets(town, "Bob")
    with later(minutes=1):
        again = town.comes("Bob", code)
        assert (again.outcome, again.created) == ("not_new", True)
        town.joins("Bob")
        assert town.comes("Bob", town.invites("Carol")).outcome == "not_new"


def test_boards_drop_the_forgotten_for_good(town: Town) -> None:
    town.brings("Alice", "Bob")
    town.brings("Alice", "Carol")
    town.brings("Dora", "Emil")
    with later(days=8):
        town.night()
        assert town.score("Alice") == 2
        forgets(town, "Alice")
        town.leaves("Bob")  # her reward for Bob falls; that does not bring her back
        board = town.house.ask(lambda session: leaderboard.top(session, town.brand.id, town.campaign.id))
        assert [place.member_id for place in board] == [town.who("Dora")]
        standing = town.standing("Dora")
        assert standing is not None
        assert (standing.rank, standing.of, standing.gap) == (1, 1, None)


def test_the_books_stay_whole(town: Town) -> None:
    town.brings("Alice", "Bob")
    alice, bob = town.talks("Alice"), town.who("Bob")
    with later(days=8):
        town.night()
        for name in ("Alice", "Bob"):
            forgets(town, name)
        town.has_whole_books()
    with later(days=12):
        town.house.do(books.release_due)
        assert (town.purse(alice), town.purse(bob)) == ((0, 100), (0, 50)), "owed to a number, claimed by nobody"
        town.has_whole_books()


def test_forgetting_twice_is_forgetting_once(town: Town) -> None:
    alice = town.talks("Alice")
    for _ in range(2):
        town.house.do(lambda session: forget_member(session, town.brand.id, alice))
    with pytest.raises(NotFound):
        town.house.do(lambda session: linking.undo_link(session, town.brand.id, alice))


def test_a_link_of_the_forgotten_cannot_be_undone(town: Town) -> None:
    link = town.links("Alice", "Alice_dc")
    forgets(town, "Alice")
    with pytest.raises(NotFound):
        town.undoes(link)
