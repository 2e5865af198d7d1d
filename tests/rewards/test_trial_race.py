"""A hundred people and fifty boxes, two people who decide, one last place: through two writers at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from uuid import UUID

from sqlmodel import Session, col, select

from core.errors import Refused
from referral.campaigns import Campaign
from referral.trials import applications
from referral.trials.places import TrialApplication
from rewards.adjustments import Adjustment
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from tests.house import House
from tests.rewards.tasting import Tasting, open_tasting, trial_file

Unit = Callable[[Session], object]


def at_once(house: House, units: Sequence[Unit], threads: int = 10) -> Counter[str]:
    """All of these units through two writers, many at a time; what they were refused for."""
    second = House(house.url)
    start, refused = threading.Barrier(threads), list[str]()

    def run(where: House, mine: Sequence[Unit]) -> None:
        start.wait()
        for unit in mine:
            try:
                where.do(unit)
            except Refused as error:
                refused.append(error.code)

    work = [(house if one % 2 else second, units[one::threads]) for one in range(threads)]
    running = [threading.Thread(target=run, args=job) for job in work]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    second.close()
    return Counter(refused)


def rows(town: Tasting) -> list[TrialApplication]:
    return town.house.ask(lambda session: list(session.scalars(select(TrialApplication))))


def apply(session: Session, town: Tasting, member: UUID) -> None:
    applications.apply(session, session.get_one(Campaign, (town.brand.id, town.campaign.id)), member)


def take(session: Session, town: Tasting, application: UUID) -> None:
    applications.take(session, town.brand.id, application)


def decide(session: Session, town: Tasting, application: UUID, verdict: str, actor: str) -> None:
    applications.decide(session, town.brand.id, application, verdict, "looked at it", actor)


def test_a_hundred_apply_for_fifty_boxes_and_the_first_fifty_get_them(house: House) -> None:
    town = open_tasting(house, "promo_code", trial__quota=50)
    people = [town.who(f"Person {number}") for number in range(100)]
    assert at_once(house, [partial(apply, town=town, member=member) for member in people]) == {}
    found = sorted(rows(town), key=lambda row: (row.applied_at, row.id))
    assert [row.state for row in found] == ["approved"] * 50 + ["waiting"] * 50
    assert town.trial().given == 50
    # Everybody presses twice, on both processes.
    twice = [partial(take, town=town, application=row.id) for row in chain(found[:50], found[:50])]
    assert at_once(house, twice) == {}
    assert Counter(row.state for row in rows(town)) == {"delivered": 50, "waiting": 50}
    assert town.boxes() == 0
    assert len(house.ask(lambda session: session.scalars(select(Adjustment)).all())) == 50
    assert town.problems() == []


def test_two_people_who_decide_the_same_take_one_decision(house: House) -> None:
    town = open_tasting(house, trial__approve="hand", trial__quota=8)
    for number in range(8):
        town.applies(f"Person {number}")
    units = [
        partial(decide, town=town, application=row.id, verdict=verdict, actor=f"telegram:{verdict}")
        for row in rows(town)
        for verdict in ("approve", "decline")
    ]
    assert at_once(house, units, threads=4) == {"case_decided": 8}
    by = {("approved", "telegram:approve"), ("declined", "telegram:decline")}
    assert {(row.state, row.decided_by) for row in rows(town)} <= by
    assert town.trial().given == sum(row.state == "approved" for row in rows(town))


def test_the_last_place_goes_to_one(house: House) -> None:
    town = open_tasting(house, trial__approve="hand", trial__quota=1)
    for number in range(6):
        town.applies(f"Person {number}")
    units = [
        partial(decide, town=town, application=row.id, verdict="approve", actor=f"telegram:{row.id.hex[:4]}")
        for row in rows(town)
    ]
    assert at_once(house, units, threads=6) == {}
    assert Counter(row.state for row in rows(town)) == {"approved": 1, "waiting": 5}


def test_who_leaves_while_others_come_leaves_no_place_empty(house: House) -> None:
    town = open_tasting(house, trial__quota=5)
    first = [town.who(f"Early {number}") for number in range(5)]
    for member in first:
        house.do(partial(apply, town=town, member=member))
    early = [row.id for row in rows(town)]
    late = [town.who(f"Late {number}") for number in range(10)]

    def leave(session: Session, application: UUID) -> None:
        applications.withdraw(session, town.brand.id, application)

    units: list[Unit] = [partial(leave, application=one) for one in early]
    units += [partial(apply, town=town, member=member) for member in late]
    assert at_once(house, units[::-1], threads=5) == {}
    assert Counter(row.state for row in rows(town)) == {"withdrawn": 5, "approved": 5, "waiting": 5}


def test_a_new_quota_and_new_applications_at_once(house: House) -> None:
    town = open_tasting(house, trial__quota=3)
    people = [town.who(f"Person {number}") for number in range(12)]
    more = build_campaign(trial_file(trial__quota=6))
    units: list[Unit] = [partial(apply, town=town, member=member) for member in people]
    units.insert(4, lambda session: apply_campaign(session, town.brand, more))
    assert at_once(house, units, threads=4) == {}
    assert Counter(row.state for row in rows(town)) == {"approved": 6, "waiting": 6}
    order = select(col(TrialApplication.state)).order_by(col(TrialApplication.applied_at), col(TrialApplication.id))
    assert house.ask(lambda session: session.scalars(order).all()) == ["approved"] * 6 + ["waiting"] * 6
