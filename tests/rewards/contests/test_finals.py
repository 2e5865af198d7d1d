"""A contest from its first friend to the last revision of its final: who wins, what they get, and what is published."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Event
from time import monotonic, sleep

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from core.errors import BadInput, NotFound, Refused
from core.money import Money
from referral import audit, members, rejection, reviewing
from referral.brands import Brand
from referral.campaigns import Campaign, move
from referral.contests import decisions
from referral.contests.results import canonical, sealed
from referral.linking import undo_link
from referral.privacy import forget_member
from referral.referrals import referral_of
from rewards import ledger
from rewards.adjustments import adjust
from rewards.budget import BudgetWarned
from rewards.campaign_files import apply_campaign, write_campaign
from rewards.campaign_format import build_campaign, read_campaign
from rewards.contests import finals, giving
from rewards.items.items import ItemForm, save_item
from rewards.settlement import settle, settle_due
from tests.house import House, later
from tests.rewards.arena import DAYS, Arena, contest_file, open_arena


def finished(arena: Arena) -> dict[str, object]:
    """The latest revision of the final as a document."""
    result = arena.result()
    assert result is not None
    document: dict[str, object] = json.loads(result.document)
    return document


def race(arena: Arena) -> None:
    """Alice brings three, Bob two, Cem two but later than Bob, Dora one."""
    arena.brings("Alice", 3)
    arena.brings("Bob", 2)
    with later(hours=1):
        arena.brings("Cem", 2)
        arena.brings("Dora")


def test_a_contest_from_the_first_friend_to_the_prizes(house: House) -> None:
    arena = open_arena(house)
    race(arena)
    with later(days=DAYS, hours=1):
        arena.clock_strikes()
        assert arena.result() is None  # the time for objections runs
        assert arena.won() == {}
        assert arena.budget() == 600
    with later(days=DAYS, hours=24):
        arena.clock_strikes()
        assert arena.won() == {"Alice": 300, "Bob": 100, "Cem": 100}
        assert arena.budget() == 100
        assert arena.prizes("Alice") == [("contest/1/1", 300, 0, "payable", None)]
        document = finished(arena)
        assert document["revision"] == 1
        assert [line["score"] for line in document["standings"]] == [3, 2, 2, 1]  # type: ignore[attr-defined]
        assert document["friends"] == 8
        arena.clock_strikes()
        assert arena.won() == {"Alice": 300, "Bob": 100, "Cem": 100}
        assert arena.problems() == []
        assert arena.replay().differences == ()


def test_the_published_document_names_nobody_and_proves_itself(house: House) -> None:
    arena = open_arena(house)
    race(arena)
    with later(days=DAYS + 1):
        arena.clock_strikes()
        result = arena.result()
        assert result is not None
        assert not any(name in result.document for name in ("Alice", "Bob", "Friend"))
        assert not any(str(member) in result.document for member in arena.people.values())
        document = json.loads(result.document)
        claimed = document.pop("sha256")
        assert hashlib.sha256(canonical(document).encode()).hexdigest() == claimed == result.sha256
        again = arena.replay()
        assert (again.text, again.sha256) == (result.document, result.sha256)


def test_a_tie_goes_to_whoever_got_there_first(house: House) -> None:
    arena = open_arena(house)
    arena.brings("Bob")
    with later(hours=1):
        arena.brings("Alice", 2)
    with later(hours=2):
        arena.brings("Bob")
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert arena.won() == {"Alice": 300, "Bob": 100}


def test_what_is_taken_back_before_the_final_does_not_count(house: House) -> None:
    arena = open_arena(house)
    friends = arena.brings("Alice", 2)
    arena.brings("Bob")
    with later(days=DAYS, hours=3):
        arena.clock_strikes()
        for friend in friends:
            arena.reverses(friend)
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert arena.won() == {"Bob": 300}


def test_after_the_final_the_records_go_on_living_and_the_final_stays(house: House) -> None:
    arena = open_arena(house)
    friends = arena.brings("Alice", 2)
    arena.brings("Bob")
    arena.talks("Eve")
    with later(days=DAYS + 1):
        arena.clock_strikes()
        before = arena.result()
        arena.reverses(friends[0])
        arena.links("Bob", "Eve")
        house.do(lambda session: forget_member(session, arena.brand.id, arena.people["Alice"]))
        assert arena.result() == before
        again = arena.replay()
        assert again.differences == ()
        assert before is not None
        assert again.text == before.document
        assert arena.problems() == []


def test_a_score_below_the_floor_wins_nothing(house: House) -> None:
    arena = open_arena(house, contest={"floor": 2})
    arena.brings("Alice", 2)
    arena.brings("Bob")
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert arena.won() == {"Alice": 300}
        assert len(finished(arena)["standings"]) == 2  # type: ignore[arg-type]


def test_a_prize_for_a_score_goes_to_the_first_so_many_who_reach_it(house: House) -> None:
    prizes = [{"reach": 2, "winners": 2, "amount": 50}, {"first": 1, "amount": 10, "hold_days": 5}]
    arena = open_arena(house, rewards={"budget": 110, "prizes": prizes})
    race(arena)
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert arena.won() == {"Alice": 60, "Bob": 50}
        assert [prize[3] for prize in arena.prizes("Alice")] == ["payable", "held"]
    with later(days=DAYS + 6):
        arena.clock_strikes()
        assert [prize[3] for prize in arena.prizes("Alice")] == ["payable", "payable"]


def test_a_disqualification_before_the_final_is_in_it(house: House) -> None:
    arena = open_arena(house)
    race(arena)
    arena.disqualifies("Alice", "bought   accounts")
    with pytest.raises(Refused, match="already_out"):
        arena.disqualifies("Alice")
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert arena.won() == {"Bob": 300, "Cem": 100, "Dora": 100}
        document = finished(arena)
        assert document["revision"] == 1
        assert [one["reason"] for one in document["disqualified"]] == ["bought accounts"]  # type: ignore[attr-defined]
    acts = house.ask(lambda session: audit.entries_of(session, arena.brand.id, acts=["contest.disqualify"]))
    assert [(one.actor, one.subject, one.details["reason"]) for one in acts] == [
        ("telegram:1", "race", "bought accounts")
    ]


def test_a_disqualification_after_the_final_takes_the_prize_and_everybody_moves_up(house: House) -> None:
    arena = open_arena(house)
    race(arena)
    with later(days=DAYS + 1):
        arena.clock_strikes()
        first = arena.result()
        assert first is not None
        arena.disqualifies("Alice")
        assert arena.won() == {"Bob": 300, "Cem": 100, "Dora": 100}
        assert arena.prizes("Alice") == [("contest/1/1", 300, 300, "clawed_back", "disqualified")]
        assert arena.prizes("Bob") == [
            ("contest/1/2", 100, 0, "payable", None),
            ("contest/2/1", 200, 0, "payable", None),
        ]
        assert arena.prizes("Dora") == [("contest/2/3", 100, 0, "payable", None)]
        document = finished(arena)
        assert (document["revision"], document["previous"]) == (2, first.sha256)
        assert arena.result(1) == first
        assert arena.problems() == []
        assert arena.replay().differences == ()


def test_somebody_who_is_let_back_in_gets_their_place_back(house: House) -> None:
    arena = open_arena(house)
    race(arena)
    with later(days=DAYS + 1):
        arena.clock_strikes()
        arena.disqualifies("Alice")
        with pytest.raises(Refused, match="not_out"):
            arena.reinstates("Bob")
        arena.reinstates("Alice")
        assert arena.won() == {"Alice": 300, "Bob": 100, "Cem": 100}
        assert finished(arena)["disqualified"] == []
        assert arena.prizes("Bob")[0][4] is None or arena.prizes("Bob")[1][4] == giving.REVISED
        assert arena.problems() == []
        replayed = arena.replay()
        assert (replayed.revision, replayed.differences) == (3, ())


def test_all_accounts_of_a_person_are_out_together(house: House) -> None:
    arena = open_arena(house)
    race(arena)
    with later(days=DAYS + 1):
        arena.clock_strikes()
        arena.links("Alice", "Bob")
        assert arena.won() == {"Alice": 400, "Cem": 100}
        arena.disqualifies("Bob")
        assert arena.won() == {"Cem": 300, "Dora": 100}
        assert arena.problems() == []
        assert arena.replay().differences == ()


def test_two_accounts_of_a_person_have_each_their_prize_after_a_link_is_undone(house: House) -> None:
    arena = open_arena(house)
    race(arena)
    with later(days=DAYS + 1):
        arena.clock_strikes()
        arena.links("Bob", "Cem")
        arena.disqualifies("Alice")
        assert arena.won() == {"Bob": 400, "Dora": 100}
        arena.unlinks("Bob")
        assert arena.won() == {"Bob": 300, "Cem": 100, "Dora": 100}
        assert arena.problems() == []


def test_an_item_that_was_won_is_handed_over(house: House) -> None:
    words = {"en": "A cup of coffee", "zh_Hans": "一杯咖啡"}

    def stock(session: Session, brand: Brand) -> None:
        form = ItemForm("coffee", "promo_code", words, words, settings={"pattern": "TEA-????????"})
        save_item(session, brand.id, form)

    prizes = [{"first": 1, "last": 2, "asset": "item:coffee", "amount": 1}]
    arena = open_arena(house, stock, rewards={"budgets": {"item:coffee": 2}, "prizes": prizes})
    race(arena)
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert arena.budget("item:coffee") == 0
        assert [prize[3] for name in ("Alice", "Bob") for prize in arena.prizes(name)] == ["paid", "paid"]
        assert arena.problems() == []


def test_a_winner_who_was_forgotten_keeps_the_place_and_gets_nothing(house: House) -> None:
    arena = open_arena(house)
    race(arena)
    with later(days=DAYS, hours=2):
        house.do(lambda session: forget_member(session, arena.brand.id, arena.people["Bob"]))
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert arena.won() == {"Alice": 300, "Cem": 100, "Dora": 100}  # forgotten before the final: no place
        house.do(lambda session: forget_member(session, arena.brand.id, arena.people["Alice"]))
        arena.disqualifies("Cem")
        assert [line["score"] for line in finished(arena)["standings"]] == [3, 1]  # type: ignore[attr-defined]
        assert arena.won() == {"Alice": 300, "Dora": 100}
        assert arena.problems() == []


def test_prizes_are_set_aside_from_what_friends_earn(house: House) -> None:
    rules = [{"to": "advocate", "amount": 40}]
    arena = open_arena(house, rewards={"budget": 600, "prizes": [{"first": 1, "amount": 500}], "rules": rules})
    arena.brings("Alice", 4)
    assert arena.won() == {"Alice": 80}  # two of a hundred; the other five hundred are the winner's
    with pytest.raises(Refused, match="adjustment_budget"):
        house.do(
            lambda session: adjust(
                session,
                arena.brand.id,
                arena.people["Alice"],
                arena.campaign.id,
                "PTS",
                100,
                reason="x",
                actor="x",
                key="x",
            )
        )
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert arena.won() == {"Alice": 580}
        assert arena.problems() == []


def test_what_comes_back_takes_nothing_from_the_prizes(house: House) -> None:
    rules = [{"to": "advocate", "amount": 40}]
    arena = open_arena(house, rewards={"budget": 580, "prizes": [{"first": 1, "amount": 500}], "rules": rules})
    fallen = arena.brings("Alice", 2)[0]

    def judged(session: Session, campaign: Campaign) -> None:
        friend = members.find_identity(session, arena.brand.id, "telegram", fallen.lower())
        assert friend is not None
        referral = referral_of(session, arena.brand.id, friend.member_id, campaign.id)
        assert referral is not None
        if referral.state == "qualified":
            rejection.reject(session, arena.brand.id, referral.id, reason="two accounts", actor="telegram:1")
        else:
            appeal = reviewing.appeal_referral(session, arena.brand.id, arena.people["Alice"], referral.id, "no")
            reviewing.decide(session, arena.brand.id, appeal.id, "approve", "shown", "telegram:2")

    arena.do(judged)
    arena.brings("Alice")
    assert (arena.won(), arena.budget()) == ({"Alice": 80}, 500)
    arena.do(judged)
    assert (arena.won(), arena.budget()) == ({"Alice": 80}, 500)
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert arena.won() == {"Alice": 580}
        assert arena.problems() == []


def test_what_an_undone_link_gives_back_takes_nothing_from_the_prizes(house: House) -> None:
    rules = [{"to": "advocate", "amount": 40}]
    arena = open_arena(house, rewards={"budget": 540, "prizes": [{"first": 1, "amount": 500}], "rules": rules})
    friend = arena.brings("Alice")[0]
    arena.talks(friend)
    arena.links("Alice", friend)
    assert arena.won() == {}
    arena.brings("Alice")
    assert (arena.won(), arena.budget()) == ({"Alice": 40}, 500)
    arena.unlinks("Alice")
    assert (arena.won(), arena.budget()) == ({"Alice": 40}, 500)
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert arena.won() == {"Alice": 540}
        assert arena.problems() == []


def test_nobody_who_is_out_comes_in_again_by_linking_an_account(house: House) -> None:
    arena = open_arena(house)
    arena.talks("Other")
    race(arena)
    arena.disqualifies("Alice")
    arena.links("Other", "Alice")
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert arena.won() == {"Bob": 300, "Cem": 100, "Dora": 100}
        arena.unlinks("Other")
        assert arena.won() == {"Bob": 300, "Cem": 100, "Dora": 100}
        assert arena.problems() == []
        assert arena.replay().differences == ()


def test_who_was_out_only_by_a_link_is_in_again_when_it_is_undone(house: House) -> None:
    arena = open_arena(house)
    race(arena)
    arena.disqualifies("Dora")
    arena.links("Alice", "Dora")
    arena.unlinks("Alice")
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert arena.won() == {"Alice": 300, "Bob": 100, "Cem": 100}
        assert arena.problems() == []


def test_a_budget_is_not_lowered_below_the_prizes(house: House) -> None:
    rules = [{"to": "advocate", "amount": 40}]
    prizes = [{"first": 1, "amount": 500}]
    arena = open_arena(house, rewards={"budget": 700, "prizes": prizes, "rules": rules})
    arena.brings("Alice", 2)
    smaller = contest_file(rewards={"budget": 570, "prizes": prizes, "rules": rules})
    with pytest.raises(Refused, match="prizes_below_spent") as refused:
        house.do(lambda session: apply_campaign(session, arena.brand, build_campaign(smaller)))
    assert refused.value.params["prizes"] == Money(500, "PTS")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"contest": {"objection_hours": 1}}, "contest_fixed"),
        ({"contest": {"floor": 5}}, "contest_fixed"),
        ({"contest": {"mode": "teams"}}, "contest_fixed"),
        ({"rewards": {"budget": 600, "prizes": [{"first": 1, "amount": 300}]}}, "contest_fixed"),
        ({"campaign__kind": "referral", "contest": None, "rewards": {"budget": 600}}, "kind_fixed"),
        ({"rewards": {"budget": 900, "prizes": [{"first": 1, "last": 3, "amount": 300}]}}, None),
    ],
)
def test_what_was_published_stays_or_gets_better(house: House, changed: dict[str, object], code: str | None) -> None:
    arena = open_arena(house)
    file = {name: value for name, value in contest_file(**changed).items() if value is not None}
    file["campaign"]["starts_at"] = arena.campaign.starts_at

    def apply() -> object:
        return house.do(lambda session: apply_campaign(session, arena.brand, build_campaign(file)))

    if code is None:
        apply()
        return
    with pytest.raises(Refused, match=code):
        apply()


def test_a_budget_that_an_operator_emptied_stops_no_final_and_says_so(house: House) -> None:
    warned: list[BudgetWarned] = []
    house.bus.on(BudgetWarned, lambda _, told: warned.extend(told))
    arena = open_arena(house)
    race(arena)
    cause = (arena.brand.id, arena.campaign.id, "PTS", 450)
    house.do(lambda session: ledger.unfund(session, *cause, f"unfund/{arena.campaign.id}/by-hand"))
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert arena.won() == {"Bob": 100}
        assert [prize[3:] for prize in arena.prizes("Alice")] == [("capped", "budget_empty")]
        assert [(one.asset, one.level, one.left) for one in warned] == [("PTS", 100, 50)]
        assert len(finished(arena)["awards"]) == 3  # type: ignore[arg-type]
        assert arena.replay().differences == ()


def test_a_contest_that_is_ended_early_is_final_after_its_own_hours(house: House) -> None:
    arena = open_arena(house)
    arena.brings("Alice")
    with later(days=1):
        arena.do(lambda session, campaign: move(session, campaign, "end"))
    with later(days=2, minutes=-5):
        arena.clock_strikes()
        assert arena.result() is None
    with later(days=2):
        arena.clock_strikes()
        assert arena.won() == {"Alice": 300}


def test_a_contest_is_settled_after_its_final_and_still_revised(house: House) -> None:
    arena = open_arena(house)
    race(arena)
    with later(days=DAYS, hours=1):
        arena.clock_strikes()
        with pytest.raises(Refused, match="contest_not_final"):
            arena.do(settle)
        house.do(settle_due)
    with later(days=DAYS + 1):
        arena.clock_strikes()
        house.do(settle_due)
        assert (arena.do(lambda _, campaign: campaign.state), arena.budget()) == ("settled", 0)
        arena.disqualifies("Alice")
        assert arena.won() == {"Bob": 300, "Cem": 100, "Dora": 100}
        assert arena.problems() == []


def test_a_contest_nobody_played_has_an_empty_final(house: House) -> None:
    arena = open_arena(house)
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert finished(arena)["standings"] == []
        assert arena.replay().differences == ()
        assert arena.budget() == 600


def test_before_its_final_a_contest_cannot_be_replayed_and_other_campaigns_never(house: House) -> None:
    arena = open_arena(house)
    with pytest.raises(NotFound, match="contest_final"):
        arena.replay()
    with pytest.raises(BadInput, match="contest_reason"):
        arena.disqualifies("Alice", "   ")


@pytest.mark.parametrize("name", ["contest_point", "contest_decision", "contest_result"])
def test_what_decided_a_contest_is_never_changed(house: House, name: str) -> None:
    arena = open_arena(house)
    race(arena)
    arena.disqualifies("Dora")
    with later(days=DAYS + 1):
        arena.clock_strikes()
    for statement in (f"DELETE FROM {name}", f"UPDATE {name} SET campaign_id = campaign_id"):
        with pytest.raises(DBAPIError):
            house.do(partial(Session.execute, statement=text(statement)))


def test_a_replay_names_what_was_tampered_with(house: House) -> None:
    arena = open_arena(house)
    race(arena)
    with later(days=DAYS + 1):
        arena.clock_strikes()
    result = arena.result()
    assert result is not None
    forged = json.loads(result.document)
    forged["standings"][1]["score"] = 9
    words, digest = sealed(forged)
    house.do(lambda session: _without_guards(session, "contest_result"))
    house.do(
        lambda session: session.execute(
            text("UPDATE contest_result SET document = :document, sha256 = :digest"),
            {"document": words, "digest": digest},
        )
    )
    assert set(arena.replay().differences) == {(1, "sha256"), (1, "standings.1")}


def test_a_replay_names_a_friend_nobody_saw_qualify(house: House) -> None:
    arena = open_arena(house)
    race(arena)
    with later(days=DAYS + 1):
        arena.clock_strikes()
    house.do(lambda session: session.execute(text("DELETE FROM qualifying_event")))
    assert [revision for revision, _ in arena.replay().differences] == [0] * 8


def _without_guards(session: Session, name: str) -> None:
    where = "" if session.get_bind().dialect.name == "sqlite" else f" ON {name}"
    session.execute(text(f"DROP TRIGGER {name}_not_changed{where}"))


def test_the_file_of_a_contest_is_written_and_read_again(house: House) -> None:
    prizes = [
        {"first": 1, "last": 1, "amount": 300},
        {"first": 2, "last": 3, "amount": 100, "hold_days": 7},
        {"reach": 10, "winners": 5, "amount": 10},
    ]
    arena = open_arena(house, rewards={"budget": 600, "prizes": prizes}, contest={"mode": "teams", "floor": 3})
    written = arena.do(write_campaign)
    again = house.do(lambda session: apply_campaign(session, arena.brand, read_campaign(written)))
    assert again.changed == "unchanged"
    assert arena.do(lambda _, campaign: campaign.version) == 1
    assert isinstance(arena.campaign, Campaign)


def test_two_processes_freeze_and_judge_at_the_same_moment_and_each_prize_is_given_once(migrated_url: str) -> None:
    houses = [House(migrated_url) for _ in range(2)]
    try:
        arena = open_arena(houses[0])
        race(arena)
        key = (arena.brand.id, arena.campaign.id)
        with later(days=DAYS, hours=1):
            arena.clock_strikes()
        with later(days=DAYS + 1):

            def judge(session: Session) -> None:
                campaign = session.get_one(Campaign, key)
                decisions.disqualify(session, campaign, arena.people["Alice"], reason="fraud", actor="telegram:1")

            units = [finals.freeze_due, judge, finals.freeze_due, judge, finals.freeze_due, finals.freeze_due]

            def run(place: int) -> None:
                with suppress(Refused):  # whoever judged second
                    houses[place % 2].do(units[place])

            with ThreadPoolExecutor(len(units)) as pool:
                list(pool.map(run, range(len(units))))
            arena.clock_strikes()
            assert arena.won() == {"Bob": 300, "Cem": 100, "Dora": 100}
            assert arena.replay().differences == ()
            assert arena.problems() == []
    finally:
        for one in houses:
            one.close()


def test_a_link_is_undone_while_somebody_is_judged_and_the_newest_final_stands(migrated_url: str) -> None:
    houses = [House(migrated_url) for _ in range(2)]
    try:
        arena = open_arena(houses[0])
        race(arena)
        key, judged = (arena.brand.id, arena.campaign.id), Event()
        shared = migrated_url.startswith("postgresql")
        with later(days=DAYS + 1):
            arena.clock_strikes()
            arena.links("Bob", "Dora")

            def judge(session: Session) -> None:
                campaign = session.get_one(Campaign, key)
                decisions.disqualify(session, campaign, arena.people["Alice"], reason="fraud", actor="telegram:1")
                judged.set()
                until = monotonic() + 10
                while shared and monotonic() < until and not session.execute(WAITING).scalar():
                    sleep(0.01)

            with ThreadPoolExecutor(1) as pool:
                decision = pool.submit(houses[0].do, judge)
                assert judged.wait(10)
                houses[1].do(lambda session: undo_link(session, arena.brand.id, arena.people["Bob"]))
                decision.result()
            assert arena.won() == {"Bob": 300, "Cem": 100, "Dora": 100}
            assert arena.problems() == []
    finally:
        for one in houses:
            one.close()


WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
