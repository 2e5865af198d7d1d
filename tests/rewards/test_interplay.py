"""Stories in which two parts meet: what each does alone is right, and so must be what they do together."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import cast

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from bots.adapter import Adapter, SendError
from bots.goods import GoodsGiver
from core import clock, events
from core.errors import BadInput, Refused
from core.outbox import ATTEMPTS, Claimed, Undeliverable
from daixin.actions_payouts import retried
from referral.linking import link, undo_link
from referral.members import Member
from referral.qualifying import qualify
from rewards.adjustments import adjust
from rewards.items import draws, goods, redeem
from rewards.items.draws import Prize, Ticket
from rewards.items.items import Item
from rewards.payouts.payouts import Payout, PayoutStuck, payouts_of
from rewards.payouts.port import Answer
from rewards.payouts.settling import cancel_payout, conclude, decide
from rewards.plans import Caps, Plan, Rule
from tests.house import House, later
from tests.rewards.items.counter import buy, check_books, earn, fill, offer, open_counter, plan
from tests.rewards.shop import Shop, open_shop, waiting_referrals


def open_draw(shop: Shop, title: str = "Gala") -> draws.Draw:
    """Tickets for ten points, and a draw they take part in."""
    offer(shop, "ticket", "ticket", price=10, stock=5)

    def create(session: Session) -> draws.Draw:
        closes = clock.now() + timedelta(days=7)
        prizes = (Prize("PTS", 100),)
        names = {"en": title, "zh_Hans": "年会"}
        return draws.create_draw(session, shop.brand.id, "gala", "ticket", shop.campaign.id, names, prizes, closes)

    return shop.house.do(create)


def test_one_wish_that_two_processes_hear_at_once_is_fulfilled_once(house: House) -> None:
    shop = open_counter(house)
    open_draw(shop)
    wish = partial(redeem.redeem, brand_id=shop.brand.id, member_id=shop.alice, slug="ticket", key="1", quantity=2)
    second = House(house.url)
    answered: list[Payout] = []
    with Session(second.engine, expire_on_commit=False) as session:
        events.attach(session, second.bus)
        first = wish(session)
        other = threading.Thread(target=lambda: answered.append(house.do(wish)))
        other.start()
        other.join(0.5)  # the other has looked, found nothing, and waits for what this one has locked
        session.commit()
        other.join(30)
    second.close()
    assert [payout.id for payout in answered] == [first.id]
    tickets = house.ask(lambda s: s.scalars(select(col(Ticket.number)).order_by(col(Ticket.number))).all())
    assert list(tickets) == [1, 2]
    assert house.ask(lambda s: s.scalars(select(col(Item.given))).all()) == [2]
    check_books(shop)


@pytest.mark.parametrize("title", ["Gala\nof spring", "G" * 65])
def test_a_draw_whose_prize_could_not_be_told_is_not_opened(house: House, title: str) -> None:
    """The title becomes the reason of each prize: one that can be no reason would leave the draw unrevealed."""
    shop = open_counter(house)
    with pytest.raises(BadInput) as refused:
        open_draw(shop, title)
    assert refused.value.code == "draw_title"


def test_a_day_whose_first_hour_comes_twice_has_one_cap(house: House) -> None:
    """In Havana the clock goes from one back to midnight: both hours after midnight are of the same day."""
    capped = Plan(rules=(Rule(to="advocate", amount=100, caps=Caps(day=100)),), budget=1000)
    early = datetime(2026, 11, 1, 4, 30, tzinfo=UTC)
    with clock.moved(early - clock.now()):
        shop = open_shop(house, capped, timezone="America/Havana")
        first, second = waiting_referrals(shop, ["Bob", "Carol"])
        house.do(partial(qualify, commands=[replace(first, at=early + timedelta(minutes=9))]))
        with later(hours=1):
            house.do(partial(qualify, commands=[replace(second, at=early + timedelta(hours=1))]))
    assert [state for _, state, _ in shop.lines(shop.alice)] == ["payable", "capped"]


def test_goodwill_for_an_account_that_was_linked_reaches_its_person(house: House) -> None:
    shop = open_shop(house, Plan(rules=(Rule(to="advocate", amount=100),), budget=1000))
    other = house.comes("Alice2", shop.code, "discord").member_id
    assert other is not None
    linked = house.do(lambda session: link(session, shop.brand.id, shop.alice, other))
    gift = (shop.brand.id, other, shop.campaign.id, "PTS", 70)
    house.do(lambda session: adjust(session, *gift, reason="Sorry", actor="ann", key="1"))
    assert (shop.purse(shop.alice), shop.purse(other)) == ({"payable": 70}, {})
    house.do(lambda session: adjust(session, *gift, reason="Sorry", actor="ann", key="1"))
    house.do(lambda session: undo_link(session, shop.brand.id, linked.id))
    assert (shop.purse(shop.alice), shop.purse(other)) == ({"payable": 70}, {})
    assert shop.problems() == []


def test_what_waits_to_be_handed_over_is_not_once_its_reward_was_taken_back(house: House) -> None:
    shop = open_shop(house, plan(1, "item:coffee", 10))
    offer(shop, price=None)
    earn(shop, ["Bob", "Carol"])
    shop.reverses("Bob")
    fill(shop, ["TEA-1", "TEA-2"])
    shop.house.do(redeem.deliver_waiting)
    given = shop.house.ask(lambda s: payouts_of(s, shop.brand.id, shop.alice))
    assert sorted(one.state for one in given) == ["completed", "failed"]
    assert [state for _, state, _ in shop.lines(shop.alice)] == ["clawed_back", "paid"]
    assert shop.purse(shop.alice) == {}
    check_books(shop)


def test_a_gift_that_could_not_be_paid_is_given_once_more_when_somebody_says_so(house: House) -> None:
    shop = open_shop(house, plan(1, "item:bear", 10))
    offer(shop, "bear", "telegram_gift", price=None, settings={"gift_id": "5170145012310081615"})
    earn(shop, ["Bob"])
    [first] = house.ask(lambda s: payouts_of(s, shop.brand.id, shop.alice))
    broke = Answer("failed", reason="provider_funds")
    house.do(lambda s: conclude(s, shop.brand.id, first.id, broke, "start"))
    again = house.do(lambda s: retried(s, None, first.reference, "ann"))
    same = house.do(lambda s: retried(s, None, first.reference, "ann"))
    assert again["reference"] == same["reference"] != first.reference
    assert (again["state"], again["provider"]) == ("pending", "telegram_gift")
    second = next(one for one in house.ask(lambda s: payouts_of(s, shop.brand.id, shop.alice)) if one.id != first.id)
    assert second.due_at is not None
    check_books(shop)
    house.do(lambda s: conclude(s, shop.brand.id, second.id, broke, "start"))
    house.do(lambda s: retried(s, None, second.reference, "ann"))
    states = [one.state for one in house.ask(lambda s: payouts_of(s, shop.brand.id, shop.alice))]
    assert sorted(states) == ["failed", "failed", "pending"]
    check_books(shop)


def test_an_item_reward_that_was_taken_back_is_not_given_again(house: House) -> None:
    shop = open_shop(house, plan(1, "item:teapot", 10))
    offer(shop, "teapot", "physical", price=None)
    earn(shop, ["Bob"])
    [first] = house.ask(lambda s: payouts_of(s, shop.brand.id, shop.alice))
    house.do(lambda s: cancel_payout(s, shop.brand.id, first.id, "ann"))
    shop.reverses("Bob")
    with pytest.raises(Refused) as refused:
        house.do(lambda s: retried(s, None, first.reference, "ann"))
    assert refused.value.code == "payout_settled"
    check_books(shop)


class SilentTelegram:
    """Gives Premium, but its list of purchases cannot be read."""

    platform = "telegram"

    async def give_premium(self, account: str, months: int, price: int, text: str) -> None:
        raise AssertionError("it may have been given before")

    async def premium_given(self, since: datetime) -> list[object]:
        raise SendError("no answer")


def test_what_may_have_been_given_is_left_to_a_person_when_the_last_look_fails(house: House) -> None:
    shop = open_counter(house)
    stuck: list[PayoutStuck] = []
    house.bus.on(PayoutStuck, lambda session, happened: stuck.extend(happened))
    offer(shop, "premium", "telegram_premium", settings={"months": 3})
    payout = buy(shop, "premium")
    house.do(lambda session: goods.hand_over(session, shop.brand.id, payout.id))  # and who was to give it dies
    told = {"do": "give", "brand": str(shop.brand.id), "payout": str(payout.id)}
    message = Claimed(payout.id, f"goods/{payout.id}", "goods.telegram", told, ATTEMPTS)
    giver = GoodsGiver(cast(Adapter, SilentTelegram()), house.writer)
    with pytest.raises(Undeliverable):
        asyncio.run(giver(message))
    assert [one.payout_id for one in stuck] == [payout.id]
    decided = house.do(lambda session: decide(session, shop.brand.id, payout.id, Answer("failed"), "ann"))
    assert decided.state == "failed"
    assert shop.purse(shop.alice) == {"payable": 1000}
    check_books(shop)


def test_a_statement_that_fails_does_not_quote_whom_it_was_about(house: House) -> None:
    shop = open_counter(house)

    def breaks(session: Session) -> None:
        session.add(Member(brand_id=shop.brand.id, id=shop.alice, name="Alice Secret", created_at=clock.now()))
        session.flush()

    with pytest.raises(IntegrityError) as broken:
        house.do(breaks)
    assert "Alice Secret" not in str(broken.value)
