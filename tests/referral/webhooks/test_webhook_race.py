"""Two processes write, number and send at once: numbers have no gap and no twin, and nothing is sent by both."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlmodel import Session

from core import clock
from core.db import table
from referral.webhooks import deliveries, endpoints, fanning
from referral.webhooks.hearing import Fact, note
from referral.webhooks.models import WebhookDelivery, WebhookEvent
from tests.house import House
from tests.referral.town import Town
from tests.referral.webhooks.receiver import BY

EACH = 25


@pytest.fixture
def twins(town: Town) -> list[House]:
    """Two processes on one database."""
    other = House(town.house.url)
    return [town.house, other]


def test_numbers_are_given_once_and_events_taken_once(town: Town, twins: list[House]) -> None:
    brand_id = town.brand.id
    which, _ = town.house.do(
        lambda session: endpoints.add_endpoint(session, brand_id, "https://shop.example.com/hook", (), BY)
    )

    def happens(session: Session) -> None:
        note(session, [Fact(brand_id, "campaign.moved", clock.now(), {"campaign_id": str(town.campaign.id)})] * 2)

    def lives(house: House) -> list[deliveries.Load]:
        for _ in range(EACH):
            house.do(happens)
            house.do(lambda session: fanning.fan_out(session, [brand_id]))
        taken = []
        while (load := house.do(lambda session: deliveries.take(session, brand_id, which))) is not None:
            taken.append(load)
        return taken

    with ThreadPoolExecutor(2) as pool:
        loads = [load for found in pool.map(lives, twins) for load in found]
    twins[1].close()
    town.house.do(lambda session: fanning.fan_out(session, [brand_id]))
    numbers = town.house.ask(lambda session: session.execute(select(table(WebhookEvent).c.number)).scalars().all())
    assert sorted(filter(None, numbers)) == list(range(1, 4 * EACH + 1))
    assert len(numbers) == 4 * EACH
    made = town.house.ask(lambda session: session.execute(select(table(WebhookDelivery).c.event_id)).scalars().all())
    assert len(made) == len(set(made)) == 4 * EACH
    sent = [one.event_id for load in loads for one in load.sendings]
    assert len(sent) == len(set(sent))


def test_of_two_processes_one_tries_an_address_that_fails(town: Town, twins: list[House]) -> None:
    brand_id = town.brand.id
    which, _ = town.house.do(
        lambda session: endpoints.add_endpoint(session, brand_id, "https://shop.example.com/hook", (), BY)
    )

    def failing(session: Session) -> None:
        note(session, [Fact(brand_id, "campaign.moved", clock.now(), {"campaign_id": str(town.campaign.id)})] * 20)
        fanning.fan_out(session, [brand_id])
        found = endpoints.endpoint_of(session, brand_id, which, lock=True)
        found.failures, found.failing_since, found.resume_at = 3, clock.now(), clock.now()
        session.add(found)

    town.house.do(failing)
    with ThreadPoolExecutor(2) as pool:
        loads = list(pool.map(lambda house: house.do(lambda session: deliveries.take(session, brand_id, which)), twins))
    twins[1].close()
    assert sorted(len(load.sendings) if load else 0 for load in loads) == [0, 1]
