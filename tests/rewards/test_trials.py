"""A trial from the first application to the last word about it, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from core.errors import Refused
from referral import reviewing
from referral.campaigns import Campaign
from referral.trials.places import application_of
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from rewards.items.draw_proof import check_document
from rewards.settlement import settle
from tests.house import House, later
from tests.rewards.tasting import open_tasting, trial_file


def test_a_box_goes_from_application_to_feedback(house: House) -> None:
    town = open_tasting(house)
    town.brings("Lan", "Bob")
    assert town.applies("Bob") == "approved"
    assert town.boxes() == 2
    assert town.takes("Bob") == "taken"
    assert town.boxes() == 1
    assert town.rewards("Lan") == []  # nobody knows yet where to send it
    town.says_where("Bob")
    assert town.rewards("Lan") == [("trial_claimed", "PTS", 100, "payable")]
    with pytest.raises(Refused, match="trial_not_delivered"):
        town.receives("Bob")
    town.is_sent("Bob")
    with pytest.raises(Refused, match="trial_not_delivered"):
        town.reviews("Bob")
    town.receives("Bob")
    town.receives("Bob")
    town.reviews("Bob", 4, "Sinks in fast.", consent=True)
    assert town.state("Bob") == "reviewed"
    assert [line[0] for line in town.rewards("Lan")] == ["feedback_given", "trial_claimed"]
    with pytest.raises(Refused, match="trial_feedback_given"):
        town.reviews("Bob")
    found = town.funnel()
    steps = (found.applied, found.approved, found.taken, found.delivered, found.reviewed, found.consented)
    assert steps == (1, 1, 1, 1, 1, 1)
    assert (found.rating, found.referred, found.given) == (4.0, 1, 1)
    assert town.problems() == []


def test_a_code_is_in_hand_at_once(house: House) -> None:
    town = open_tasting(house, "promo_code")
    assert town.applies("Bob") == "approved"
    assert town.takes("Bob") == "delivered"
    assert town.takes("Bob") == "delivered"
    assert town.boxes() == 1
    assert town.problems() == []


def test_whoever_brings_friends_who_apply_stands_before_others(house: House) -> None:
    town = open_tasting(house, trial__quota=1)
    assert town.applies("Ann") == "approved"
    for name in ("Bob", "Cem", "Dan"):
        assert town.applies(name) == "waiting"
    assert town.standing("Dan").number == 3
    town.brings("Dan", "Eve")
    assert town.standing("Dan").number == 3  # who only came does not count
    assert town.applies("Eve") == "waiting"
    found = town.standing("Dan")
    assert (found.number, found.of, found.more_friends, found.earlier) == (1, 4, 0, 0)
    found = town.standing("Cem")
    assert (found.number, found.of, found.more_friends, found.earlier) == (3, 4, 1, 1)
    town.withdraws("Ann")
    assert town.states("Ann", "Bob", "Dan") == "withdrawn waiting approved"
    town.withdraws("Eve")
    assert town.row("Dan").friends == 0


def test_a_friend_who_names_the_inviter_later_moves_them_up(house: House) -> None:
    town = open_tasting(house, trial__quota=1)
    town.applies("Ann")
    town.applies("Bob")
    town.brings("Bob", "Cem")
    town.applies("Cem")
    assert town.row("Bob").friends == 1


def test_a_place_not_taken_in_time_passes_on(house: House) -> None:
    town = open_tasting(house, trial__quota=1, trial__take_hours=24)
    town.applies("Ann")
    town.applies("Bob")
    with later(hours=23):
        town.night()
        assert town.states("Ann", "Bob") == "approved waiting"
    with later(hours=24):
        with pytest.raises(Refused, match="trial_no_place"):
            town.takes("Ann")  # a late press, before the job has looked
        town.night()
        assert town.states("Ann", "Bob") == "lapsed approved"
        with pytest.raises(Refused, match="trial_applied"):
            town.applies("Ann")


def test_a_taken_place_without_an_address_passes_on_and_its_box_with_it(house: House) -> None:
    town = open_tasting(house, trial__quota=1)
    town.brings("Lan", "Ann")
    town.applies("Ann")
    town.takes("Ann")
    town.applies("Bob")
    assert town.boxes() == 0
    with later(hours=73):
        town.night()
        assert town.states("Ann", "Bob") == "lapsed approved"
        assert town.boxes() == 1
        town.gets("Bob")
        assert (town.boxes(), town.state("Bob")) == (0, "delivered")
    assert town.rewards("Lan") == []
    assert town.problems() == []


def test_who_gives_no_feedback_is_a_no_show_and_may_still_say_it_late(house: House) -> None:
    town = open_tasting(house)
    town.applies("Ann")
    town.gets("Ann")
    with later(days=14, minutes=1):
        town.night()
        assert town.state("Ann") == "no_show"
        assert town.funnel().given == 1  # the box is with them
        town.reviews("Ann")
        assert town.state("Ann") == "reviewed"


def test_a_person_decides_and_two_who_decide_the_same_decide_once(house: House) -> None:
    town = open_tasting(house, trial__approve="hand", trial__quota=1)
    assert town.applies("Ann") == "applied"
    assert town.applies("Bob") == "applied"
    town.decides("Ann")
    with pytest.raises(Refused, match="case_decided"):
        town.decides("Ann", actor="telegram:carol")
    town.decides("Bob")
    assert town.states("Ann", "Bob") == "approved waiting"
    town.withdraws("Ann")
    assert town.state("Bob") == "approved"


def test_who_is_declined_is_out_and_who_withdraws_may_apply_again(house: House) -> None:
    town = open_tasting(house, trial__approve="hand", trial__quota=1)
    town.applies("Ann")
    town.applies("Bob")
    town.decides("Ann", "decline", "We look for dry skin this time.")
    assert (town.state("Ann"), town.row("Ann").reason) == ("declined", "We look for dry skin this time.")
    with pytest.raises(Refused, match="trial_applied"):
        town.applies("Ann")
    town.withdraws("Bob")
    assert town.applies("Bob") == "applied"
    assert [case.state for case in town.cases()] == ["decided", "closed", "open"]
    town.decides("Bob")
    assert town.state("Bob") == "approved"


def test_enough_friends_give_a_place_at_once_and_the_rest_goes_down_the_line(house: House) -> None:
    town = open_tasting(house, trial__friends=1)
    assert town.applies("Ann") == "waiting"
    assert town.applies("Bob") == "waiting"
    town.brings("Bob", "Cem")
    town.applies("Cem")
    assert town.states("Ann", "Bob", "Cem") == "waiting approved waiting"
    with later(days=14, minutes=1):
        town.does("end")
        town.night()
        assert town.states("Ann", "Bob", "Cem") == "approved lapsed approved"


def test_a_draw_was_promised_before_and_can_be_checked_after(house: House) -> None:
    town = open_tasting(house, trial__approve="draw")
    commitment = town.trial().commitment
    for name in ("Ann", "Bob", "Cem", "Dan"):
        assert town.applies(name) == "applied"
    town.withdraws("Dan")
    with later(days=14, minutes=1):
        town.does("end")
        town.night()
        states = [town.state(name) for name in ("Ann", "Bob", "Cem")]
        assert sorted(states) == ["approved", "approved", "waiting"]
        document = town.trial().document
        assert document is not None
        assert document["commitment"] == commitment
        assert check_document(document) == []
        town.night()
        assert town.trial().document == document


def test_what_follows_an_application_counts_after_the_campaign_too(house: House) -> None:
    town = open_tasting(house, trial__approve="hand")
    town.brings("Lan", "Bob")
    town.brings("Lan", "Cem")
    town.applies("Bob")
    with later(days=15):
        town.does("end")
        town.night()
        town.decides("Bob")
        town.gets("Bob")
        assert [line[:3] for line in town.rewards("Lan")] == [("trial_claimed", "PTS", 100)]
    with later(days=20):
        town.reviews("Bob")
        assert town.rewards("Lan")[0][:3] == ("feedback_given", "PTS", 50)
    assert town.problems() == []


def test_when_the_campaign_is_over_and_all_places_are_gone_those_who_wait_are_told(house: House) -> None:
    town = open_tasting(house, trial__quota=1)
    town.applies("Ann")
    town.applies("Bob")
    with later(days=2):
        town.gets("Ann")
        town.does("end")
        town.night()
        assert (town.states("Ann", "Bob"), town.row("Bob").reason) == ("delivered declined", "no_place")
        with pytest.raises(Refused, match="trial_not_running"):
            town.applies("Cem")


def test_nothing_is_given_while_the_campaign_pauses(house: House) -> None:
    town = open_tasting(house, trial__quota=1)
    town.applies("Ann")
    town.applies("Bob")
    town.does("pause")
    town.withdraws("Ann")
    assert town.state("Bob") == "waiting"
    town.does("resume")
    assert town.state("Bob") == "approved"


def test_a_campaign_is_not_settled_while_a_place_is_with_somebody(house: House) -> None:
    town = open_tasting(house)
    town.applies("Ann")
    town.does("end")
    with pytest.raises(Refused, match="trial_unfinished"):
        house.do(lambda session: settle(session, session.get_one(Campaign, (town.brand.id, town.campaign.id))))
    with later(days=30):
        town.night()
        returned = house.do(
            lambda session: settle(session, session.get_one(Campaign, (town.brand.id, town.campaign.id)))
        )
        assert returned["item:serum"] == 2


def test_an_appeal_after_the_books_are_closed_keeps_nobody_waiting(house: House) -> None:
    town = open_tasting(house, trial__approve="hand")
    town.applies("Ann")
    town.decides("Ann", "decline", "We look for dry skin this time.")
    town.does("end")
    key = (town.brand.id, town.campaign.id)
    house.do(lambda session: settle(session, session.get_one(Campaign, key)))
    [first] = town.cases()

    ann = town.who("Ann")

    def hears(session: Session) -> None:
        appeal = reviewing.appeal_case(session, key[0], ann, first.id, "But it is dry.")
        reviewing.decide(session, key[0], appeal.id, "approve", "It is.", "telegram:lin")

    house.do(hears)
    town.night()
    assert (town.state("Ann"), town.row("Ann").reason) == ("declined", "no_place")
    assert town.problems() == []


def test_more_places_go_to_who_waits_and_fewer_than_given_are_refused(house: House) -> None:
    town = open_tasting(house)
    for name in ("Ann", "Bob", "Cem"):
        town.applies(name)
    assert town.state("Cem") == "waiting"
    town.takes("Ann")
    more, fewer, drawn = (
        build_campaign(trial_file(**changes))
        for changes in ({"trial__quota": 3}, {"trial__quota": 1}, {"trial__approve": "draw", "trial__quota": 3})
    )
    house.do(lambda session: apply_campaign(session, town.brand, more))
    assert (town.state("Cem"), town.boxes()) == ("approved", 2)
    with pytest.raises(Refused, match="quota_below_given"):
        house.do(lambda session: apply_campaign(session, town.brand, fewer))
    with pytest.raises(Refused, match="trial_approve_fixed"):
        house.do(lambda session: apply_campaign(session, town.brand, drawn))
    kept = town.row("Cem")
    assert kept.due_at is not None
    assert kept.approved_at is not None
    assert timedelta(hours=72) <= kept.due_at - kept.approved_at + timedelta(seconds=1)


def test_a_draft_of_a_trial_may_become_something_else(house: House) -> None:
    town = open_tasting(house)
    raw = trial_file(campaign__slug="draft")
    house.do(lambda session: apply_campaign(session, town.brand, build_campaign(raw), launch=False))
    raw["campaign"]["kind"], raw["qualify"]["event"] = "referral", "retained"
    raw["rewards"] = {"budget": 1000, "rules": [{"to": "advocate", "amount": 100}]}
    del raw["trial"]
    house.do(lambda session: apply_campaign(session, town.brand, build_campaign(raw)))
    town.night()
    assert town.problems() == []


def test_the_proof_of_the_books_finds_places_that_do_not_fit(house: House) -> None:
    town = open_tasting(house)
    town.applies("Ann")
    town.applies("Bob")
    town.gets("Ann")
    assert town.problems() == []

    def bend(session: Session, name: str, state: str) -> None:
        row = application_of(session, town.brand.id, town.campaign.id, members[name])
        assert row is not None
        row.state = state
        session.add(row)

    members = {name: town.who(name) for name in ("Ann", "Bob")}
    house.do(lambda session: bend(session, "Bob", "reviewed"))
    assert [(one.kind, one.table) for one in town.problems()] == [("place", "trial_application")]
    house.do(lambda session: bend(session, "Bob", "waiting"))
    assert [(one.kind, one.table) for one in town.problems()] == [("count", "trial")]
    house.do(lambda session: bend(session, "Ann", "lapsed"))
    assert {one.kind for one in town.problems()} == {"count", "place"}
