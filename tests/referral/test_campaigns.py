"""Campaigns: their states, their clock, and the codes of those who take part."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, SQLModel

from core import clock
from core.errors import NotFound, Refused
from referral.campaigns import (
    MOVES,
    STATES,
    Campaign,
    CampaignMoved,
    Enrollment,
    InviteCode,
    code_of_invite,
    current_campaign,
    enroll,
    find_campaign,
    invites_of,
    keep_invite,
    move,
)
from referral.lifecycle import follow_clock
from tests.house import House, later
from tests.referral.town import Town, at, build_town, open_campaign


def state(town: Town, campaign: Campaign) -> str:
    return town.house.ask(lambda session: session.get_one(Campaign, (town.brand.id, campaign.id)).state)


@pytest.mark.parametrize("before", STATES)
def test_a_campaign_moves_only_as_the_table_says(town: Town, before: str) -> None:
    for what, ways in MOVES.items():
        campaign = town.house.do(partial(open_campaign, brand=town.brand, slug=f"{before}-{what}", state=before))
        if before in ways:
            town.does(what, campaign)
            assert state(town, campaign) == ways[before]
        else:
            with pytest.raises(Refused, match="campaign_state"):
                town.does(what, campaign)
            assert state(town, campaign) == before


def test_a_campaign_ends_once_however_many_end_it(town: Town) -> None:
    heard: list[CampaignMoved] = []
    second = House(town.house.url)
    for house in (town.house, second):
        house.bus.on(CampaignMoved, lambda session, moved: heard.extend(moved))
    refused: list[str] = []
    start = threading.Barrier(2)

    def end(house: House) -> None:
        def act(session: Session) -> None:
            move(session, session.get_one(Campaign, (town.brand.id, town.campaign.id)), "end")

        start.wait(20)
        try:
            house.do(act)
        except Refused as error:
            refused.append(error.code)

    try:
        threads = [threading.Thread(target=end, args=(house,)) for house in (town.house, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        second.close()
    assert refused == ["campaign_state"]
    assert [(moved.before, moved.after) for moved in heard] == [("running", "ended")]


def test_the_clock_starts_and_ends_campaigns(house: House) -> None:
    starts, ends = clock.now() + timedelta(days=1), clock.now() + timedelta(days=2)
    town = build_town(house, state="scheduled", starts_at=starts, ends_at=ends)
    for moment, expected in (
        (starts - timedelta(minutes=1), "scheduled"),
        (starts, "running"),
        (ends - timedelta(minutes=1), "running"),
        (ends, "ended"),
    ):
        with clock.moved(at(moment)):
            house.do(follow_clock)
            assert state(town, town.campaign) == expected


def test_a_campaign_that_ends_by_the_clock_keeps_its_end(town: Town) -> None:
    with later(days=61):
        town.house.do(follow_clock)
    kept = town.house.ask(lambda session: session.get_one(Campaign, (town.brand.id, town.campaign.id)))
    assert (kept.state, kept.ends_at) == ("ended", town.campaign.ends_at)


def test_a_paused_campaign_takes_nobody_and_goes_on_later(town: Town) -> None:
    code = town.invites("Alice")
    town.brings("Alice", "Early")
    town.does("pause")
    assert town.comes("Bob", code).outcome == "campaign_paused"
    with pytest.raises(Refused, match="campaign_not_running"):
        town.invites("Carol")
    assert town.invites("Alice") == code, "who takes part keeps the code"
    town.does("resume")
    assert town.comes("Dora", code).outcome == "referred"
    with later(days=8):
        assert town.night() == (1, 0)


def test_one_code_for_one_advocate_however_many_ask_at_once(town: Town) -> None:
    town.talks("Alice")
    second = House(town.house.url)
    start = threading.Barrier(4)
    given: list[str] = []
    alice = town.who("Alice")

    def ask(house: House) -> None:
        start.wait(20)
        given.append(house.do(lambda session: enroll(session, town.campaign, alice)))

    try:
        threads = [threading.Thread(target=ask, args=(house,)) for house in (town.house, second) * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        second.close()
    assert len(given) == 4
    assert len(set(given)) == 1
    for model in (Enrollment, InviteCode):
        assert town.house.ask(partial(_count, model=model)) == 1


def _count(session: Session, model: type[SQLModel]) -> int | None:
    return session.scalar(select(func.count()).select_from(model))


def test_the_campaign_people_mean_is_the_newest_running_one(town: Town) -> None:
    def add(slug: str, days: int, state: str) -> Campaign:
        begins = clock.now() - timedelta(days=days)
        return town.house.do(lambda s: open_campaign(s, town.brand, slug, state=state, starts_at=begins))

    def meant() -> str | None:
        found = town.house.ask(lambda session: current_campaign(session, town.brand.id))
        return found.slug if found else None

    add("over", 0, "ended")
    add("planned", -5, "scheduled")
    assert meant() == "spring"
    newer = add("newer", 0, "running")
    assert meant() == "newer"
    town.does("pause", newer)
    assert meant() == "spring"
    town.does("end")
    assert meant() == "newer"


def test_a_campaign_is_found_by_its_name_in_its_brand_only(town: Town) -> None:
    other = build_town(town.house, "Other brand")
    assert town.house.ask(lambda s: find_campaign(s, town.brand.id, "spring")).id == town.campaign.id
    assert town.house.ask(lambda s: find_campaign(s, other.brand.id, "spring")).id == other.campaign.id
    with pytest.raises(NotFound):
        town.house.ask(lambda s: find_campaign(s, town.brand.id, "autumn"))


def test_a_platforms_invite_is_kept_once(town: Town) -> None:
    code = town.invites("Alice")
    for url in ("https://t.me/+first", "https://t.me/+second"):
        town.house.do(partial(keep_invite, brand_id=town.brand.id, community_id=town.group.id, code=code, url=url))
    kept = town.house.ask(lambda s: invites_of(s, town.brand.id, code))
    assert kept == {town.group.id: "https://t.me/+first"}
    assert town.house.ask(lambda s: code_of_invite(s, town.brand.id, town.group.id, "https://t.me/+first")) == code
    assert town.house.ask(lambda s: code_of_invite(s, town.brand.id, town.guild.id, "https://t.me/+first")) is None
