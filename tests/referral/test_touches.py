"""What is kept of a touch, and for how long."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlmodel import Session

from core import clock, ids
from referral.members import fingerprint, keyed_hash, set_fingerprint_key
from referral.touches import ADDRESS_KEPT, Touch, forget_addresses
from tests.house import later
from tests.referral.town import Town, at


def clicks(town: Town) -> Touch:
    seen = Touch(
        brand_id=town.brand.id,
        id=ids.new(),
        kind="click",
        touched_at=clock.now(),
        device="phone",
        address_hash=keyed_hash("address", "203.0.113.7"),
        address_expires_at=clock.now() + ADDRESS_KEPT,
    )
    town.house.do(lambda session: session.add(seen))
    return seen


def hashes(town: Town) -> list[str | None]:
    def read(session: Session) -> list[str | None]:
        return [touch.address_hash for touch in session.scalars(select(Touch).order_by(Touch.id))]  # type: ignore[arg-type]

    return town.house.ask(read)


def test_an_address_is_forgotten_after_thirty_days(town: Town) -> None:
    seen = clicks(town)
    assert seen.address_expires_at is not None
    with clock.moved(at(seen.address_expires_at) - timedelta(minutes=1)):
        town.house.do(forget_addresses)
        assert hashes(town) == [seen.address_hash]
    with clock.moved(at(seen.address_expires_at)):
        town.house.do(forget_addresses)
        assert hashes(town) == [None]


def test_only_what_is_due_is_forgotten(town: Town) -> None:
    clicks(town)
    with later(days=20):
        kept = clicks(town)
    with later(days=31):
        town.house.do(forget_addresses)
    assert hashes(town) == [None, kept.address_hash]


def test_a_hash_says_nothing_without_the_key() -> None:
    set_fingerprint_key("one")
    first = fingerprint("telegram", "42")
    set_fingerprint_key("another")
    assert fingerprint("telegram", "42") != first
    assert fingerprint("telegram", "42") != fingerprint("discord", "42")
    assert len(first) == 32


def test_why_somebody_was_not_new_is_kept_with_the_touch(town: Town) -> None:
    town.talks("Bob")
    with later(minutes=1):
        town.comes("Bob", town.invites("Alice"))
    touch = town.house.ask(lambda session: session.scalars(select(Touch)).one())
    assert touch.outcome == "not_new"
    assert touch.facts is not None
    assert touch.facts["seen_via"] == "message"
