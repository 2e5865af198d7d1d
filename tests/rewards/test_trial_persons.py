"""Applications follow the persons they belong to: linked, parted, forgotten; and the windows of those who came."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from core.errors import Refused
from referral import linking
from referral.linking import MemberLink
from referral.privacy import export_member, forget_member
from referral.referrals import referral_of
from referral.rejection import reject
from referral.trials import applications
from referral.trials.places import Trial
from rewards import trials
from rewards.items import parcels
from rewards.items.shipments import shipment_of
from rewards.privacy import forget_rewards
from tests.house import House, later
from tests.rewards.tasting import Tasting, open_tasting


def links(town: Tasting, one: str, other: str) -> MemberLink:
    """Two accounts, on Telegram and on Discord, turn out to be one person."""
    kept, absorbed = town.who(one), town.who(other, "discord")
    return town.house.do(lambda session: linking.link(session, town.brand.id, kept, absorbed))


def forgets(town: Tasting, name: str) -> None:
    member = town.who(name)

    def forget(session: Session) -> None:
        forget_rewards(session, town.brand.id, member)
        forget_member(session, town.brand.id, member)

    town.house.do(forget)


def test_a_person_who_applied_on_two_platforms_has_one_place_and_the_other_passes_on(house: House) -> None:
    town = open_tasting(house)
    town.who("Ann")
    assert town.applies("Ann") == "approved"
    assert town.applies("Ann", "discord") == "approved"
    assert town.applies("Bob") == "waiting"
    link = links(town, "Ann", "Ann")
    assert town.trial().given == 2
    assert town.states("Ann", "Bob") == "approved approved"
    house.do(lambda session: linking.undo_link(session, town.brand.id, link.id))
    assert town.states("Ann", "Bob") == "approved approved"
    assert town.row("Ann", "discord").state == "waiting"  # where they stood, if the place is not free any more
    assert town.problems() == []


def test_of_two_applications_of_one_person_the_further_one_stays(house: House) -> None:
    town = open_tasting(house, trial__approve="hand")
    town.applies("Ann")
    town.applies("Ann", "discord")
    second = town.row("Ann", "discord").id
    house.do(lambda session: _approve(session, town, second))
    link = links(town, "Ann", "Ann")
    assert (town.row("Ann").id, town.state("Ann")) == (second, "approved")
    house.do(lambda session: linking.undo_link(session, town.brand.id, link.id))
    assert (town.state("Ann"), town.row("Ann", "discord").id) == ("applied", second)
    assert sorted(case.state for case in town.cases()) == ["closed", "decided", "open"]


def _approve(session: Session, town: Tasting, application_id: UUID) -> None:
    applications.decide(session, town.brand.id, application_id, "approve", "fits", "telegram:mei")


def test_an_application_on_the_absorbed_account_goes_over_with_its_delivery(house: House) -> None:
    town = open_tasting(house)
    town.who("Ann")
    town.applies("Ann", "discord")
    link = links(town, "Ann", "Ann")
    town.gets("Ann")
    town.reviews("Ann")
    house.do(lambda session: linking.undo_link(session, town.brand.id, link.id))
    assert town.row("Ann", "discord").state == "reviewed"
    assert town.problems() == []


def test_friends_of_both_accounts_count_together(house: House) -> None:
    town = open_tasting(house, trial__quota=1)
    town.applies("Zoe")
    town.applies("Ann")
    town.brings("Ann", "Bob")
    town.applies("Bob")
    assert town.row("Ann").friends == 1
    links(town, "Ann", "Ann")
    assert town.row("Ann").friends == 1


def test_who_is_forgotten_leaves_the_line_and_what_they_said_goes(house: House) -> None:
    town = open_tasting(house, trial__quota=1)
    town.applies("Ann")
    town.applies("Bob")
    forgets(town, "Ann")
    assert town.state("Bob") == "approved"
    town.gets("Bob")
    town.reviews("Bob", 2, "Made my skin burn.", consent=True)
    bob = town.who("Bob")
    told = house.ask(lambda session: export_member(session, town.brand.id, bob))["trials"]
    assert told[0]["feedback"]["text"] == "Made my skin burn."
    forgets(town, "Bob")
    told = house.ask(lambda session: export_member(session, town.brand.id, bob))["trials"]
    assert (told[0]["feedback"]["text"], told[0]["feedback"]["consent"]) == ("", False)
    found = town.funnel()
    assert (found.reviewed, found.consented, found.rating) == (1, 0, 2.0)
    assert town.problems() == []


def test_who_is_forgotten_before_the_parcel_left_gives_the_place_back(house: House) -> None:
    town = open_tasting(house, trial__quota=1)
    town.applies("Ann")
    town.takes("Ann")
    town.says_where("Ann")
    town.applies("Bob")
    forgets(town, "Ann")
    assert town.state("Bob") == "approved"
    town.gets("Bob")
    assert town.boxes() == 0
    assert town.problems() == []


def test_a_friend_who_turns_out_to_be_false_moves_nobody_up(house: House) -> None:
    town = open_tasting(house, trial__quota=1)
    town.applies("Zoe")
    town.applies("Ann")
    town.brings("Ann", "Bob")
    town.applies("Bob")
    bob = town.who("Bob")

    def fall(session: Session) -> None:
        way = referral_of(session, town.brand.id, bob, town.campaign.id)
        assert way is not None
        reject(session, town.brand.id, way.id, reason="two accounts of one person", actor="telegram:mei")

    house.do(fall)
    assert town.row("Ann").friends == 0


def test_a_window_stays_open_for_an_application_and_closes_with_it(house: House) -> None:
    town = open_tasting(house, trial__approve="hand")
    town.brings("Lan", "Bob")
    bob = town.who("Bob")

    def window(session: Session) -> datetime:
        way = referral_of(session, town.brand.id, bob, town.campaign.id)
        assert way is not None
        return way.expires_at

    before = house.ask(window)
    town.applies("Bob")
    assert house.ask(window) > before
    town.withdraws("Bob")
    assert house.ask(window) == before


def test_who_applies_after_the_window_counts_for_nobody(house: House) -> None:
    town = open_tasting(house)
    town.brings("Lan", "Bob")
    with later(days=11):
        town.applies("Bob")
        town.gets("Bob")
        assert town.state("Bob") == "delivered"
        assert town.rewards("Lan") == []


def test_an_operator_who_calls_a_parcel_off_lets_the_place_pass_on(house: House) -> None:
    town = open_tasting(house, trial__quota=1)
    town.applies("Ann")
    town.takes("Ann")
    town.says_where("Ann")
    town.applies("Bob")
    row = town.row("Ann")

    def call_off(session: Session) -> None:
        payout = trials.payout_behind(session, row)
        assert payout is not None
        parcel = shipment_of(session, town.brand.id, payout.id)
        assert parcel is not None
        parcels.cancel(session, parcel, "telegram:mei")

    house.do(call_off)
    assert town.states("Ann", "Bob") == "withdrawn approved"
    with pytest.raises(Refused, match="trial_applied"):
        town.applies("Ann")
    town.gets("Bob")
    assert town.boxes() == 0
    assert town.problems() == []


def test_the_database_refuses_more_places_than_the_quota(house: House) -> None:
    town = open_tasting(house)

    def cheat(session: Session) -> None:
        trial = session.get_one(Trial, (town.brand.id, town.campaign.id))
        trial.given = 3
        session.add(trial)
        session.flush()

    with pytest.raises(IntegrityError):
        house.do(cheat)
