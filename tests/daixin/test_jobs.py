"""What happens by the clock happens once, whatever number of processes have an alarm clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlmodel import Session

from core import claims, clock
from core.db import make_engine
from core.errors import Unavailable
from core.events import Bus
from core.writer import Writer
from daixin import jobs
from daixin.bootstrap import join_parts
from daixin.jobs import JOBS, alarm_clock, run_job
from referral import brands, leaderboard, members, stays
from referral.campaigns import Campaign, enroll, find_campaign
from rewards.campaign_files import new_campaign
from rewards.ledger import Account, Purpose, balance
from rewards.rewards import Reward
from rewards.verify import verify
from tests.house import House, later, person


def second_writer(house: House) -> Writer:
    """Another process's writer on the same database."""
    bus = Bus()
    join_parts(bus)
    return Writer(make_engine(house.url, writer=True), bus).start()


async def test_each_interval_is_taken_by_one_of_two_processes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now().replace(microsecond=0)
    monkeypatch.setattr(claims, "database_now", lambda session: now)
    done: list[str] = []
    monkeypatch.setitem(JOBS, "count", (timedelta(seconds=10), lambda session: done.append("x")))
    other = second_writer(house)
    try:
        for _ in range(5):
            taken = await asyncio.gather(*(run_job(w, "count") for w in (house.writer, other, house.writer)))
            assert sum(taken) == 1
            now += timedelta(seconds=10)
    finally:
        other.close()
    assert len(done) == 5


async def test_work_is_repeated_until_nothing_is_due(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    left = [3, 2, 1, 0]
    monkeypatch.setitem(JOBS, "count", (timedelta(seconds=10), lambda session: left.pop(0)))
    assert await run_job(house.writer, "count")
    assert left == []


async def test_a_database_that_is_away_costs_one_run_and_no_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(session: Session) -> int:
        raise Unavailable("database_unavailable")

    monkeypatch.setitem(JOBS, "count", (timedelta(seconds=10), away))
    assert await run_job(house.writer, "count")


async def test_the_alarm_clock_rings_for_every_job(house: House) -> None:
    scheduler = alarm_clock(house.writer)
    assert {job.id for job in scheduler.get_jobs()} == JOBS.keys()
    assert all(job.coalesce and job.max_instances == 1 for job in scheduler.get_jobs())


def found_tea(session: Session) -> Campaign:
    brand = brands.create_brand(session, "Tea")
    made = new_campaign(session, brand, "Tea", advocate=100, friend=50, budget=1000, days=30, stay_days=7)
    return made.campaign


async def test_bob_stays_and_alice_is_paid_by_the_jobs_alone(house: House) -> None:
    campaign = house.do(found_tea)

    def invite(session: Session) -> str:
        known = members.meet(session, campaign.brand_id, [person("Alice")], [clock.now()], "message")[0]
        return enroll(session, campaign, known.member_id)

    came = house.comes("Bob", house.do(invite), platform="webchat")
    assert came.member_id is not None
    await jobs.run_all(house.writer)
    assert house.ask(lambda session: session.scalar(select(func.count()).select_from(Reward))) == 0
    house.do(lambda session: stays_in_the_group(session, campaign))
    with later(days=6, hours=23):
        await jobs.run_all(house.writer)
        assert house.ask(lambda session: leaderboard.top(session, campaign.brand_id, campaign.id)) == []
    with later(days=7, hours=1):
        await jobs.run_all(house.writer)
        await jobs.run_all(house.writer)
        board = house.ask(lambda session: leaderboard.top(session, campaign.brand_id, campaign.id))
        assert [place.score for place in board] == [1]
    with later(days=20):
        await jobs.run_all(house.writer)
        alice = Account(campaign.brand_id, board[0].member_id, Purpose.PAYABLE, "PTS")
        assert house.ask(lambda session: balance(session, alice)) == 100
        assert house.ask(verify) == []
    with later(days=31):
        await jobs.run_all(house.writer)
        ended = house.ask(lambda session: find_campaign(session, campaign.brand_id, campaign.slug))
        assert ended.state in ("ended", "settled")


def stays_in_the_group(session: Session, campaign: Campaign) -> None:
    """Bob is in the web chat, the brand's open community."""
    for group in brands.communities_of(session, campaign.brand_id):
        if group.open:
            stays.joined(session, group, "bob", clock.now())
