"""The brand, campaign and people that benches work with, made by the product's own functions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session

from core import clock, events, ids
from core.db import make_engine
from core.writer import Writer
from daixin.bootstrap import join_parts
from referral import brands, members
from referral.arrivals import Arrive, arrive
from referral.campaigns import Campaign, enroll
from referral.members import Account
from rewards import ledger
from rewards.plans import Plan, Rule, save_plan

BATCH = 250
"""People made in one unit of work."""


@dataclass(frozen=True, slots=True)
class Town:
    """A running campaign in one Telegram group, and the codes of those who bring friends."""

    brand_id: UUID
    campaign_id: UUID
    community_id: UUID
    codes: tuple[str, ...]


def open_writer(url: str) -> Writer:
    """The writer as the program has it, with all parts joined."""
    members.set_fingerprint_key("bench")
    bus = events.Bus()
    join_parts(bus)
    return Writer(make_engine(url, writer=True), bus).start()


def found(writer: Writer, advocates: int) -> Town:
    """A town whose campaign thanks both sides after a week's stay and three days' hold."""

    def build(session: Session) -> Town:
        brand = brands.create_brand(session, "Bench", slug="bench")
        now = clock.now()
        campaign = Campaign(
            brand_id=brand.id,
            slug="bench",
            state="running",
            title={"en": "Bench"},
            benefit={"en": "A cup of tea"},
            starts_at=now - timedelta(days=60),
            ends_at=now + timedelta(days=60),
            created_at=now,
        )
        session.add(campaign)
        session.flush()
        rules = (Rule(to="advocate", amount=50, hold_days=3), Rule(to="friend", amount=20, hold_days=3))
        budget = 1_000_000_000
        save_plan(session, brand.id, campaign.id, 1, Plan(rules=rules, cap=100_000, budget=budget))
        ledger.fund(session, brand.id, campaign.id, "PTS", budget, f"fund/{campaign.id}")
        group = brands.connect(session, brand.id, "telegram", "-100", "Bench")
        group.invite_url = "https://t.me/+bench"
        session.add(group)
        people = [account(f"a{number}") for number in range(advocates)]
        known = members.meet(session, brand.id, people, [now - timedelta(days=50)] * advocates, "message")
        codes = tuple(enroll(session, campaign, one.member_id) for one in known)
        return Town(brand.id, campaign.id, group.id, codes)

    return writer.run_sync(build)


def account(name: str) -> Account:
    """Somebody who talks to the bot on Telegram, and so can be written to."""
    return Account("telegram", name, name.title(), locale="en", chat=name)


def bring(writer: Writer, town: Town, count: int, names: Sequence[str] = ()) -> None:
    """As many friends come through codes and join the group, 8 to 20 days ago; `names` are their accounts, if given."""
    chance = random.Random(count)
    now = clock.now()
    for begin in range(0, count, BATCH):
        arrivals = [
            Arrive(
                chance.choice(town.codes),
                account(names[number] if names else f"f{ids.new().hex}"),
                now - timedelta(seconds=chance.randint(8 * 86_400, 20 * 86_400)),
                community_id=town.community_id,
            )
            for number in range(begin, min(begin + BATCH, count))
        ]
        writer.run_sync(lambda session, arrivals=arrivals: arrive(session, arrivals))  # type: ignore[misc]


def slices(items: Sequence[UUID], rounds: int) -> list[Sequence[UUID]]:
    """The items in equal parts, one for each round."""
    size = len(items) // rounds
    return [items[begin * size : (begin + 1) * size] for begin in range(rounds)]
