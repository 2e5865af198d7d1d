"""Bob is given a gift by the bot, over a socket to a pretend Bot API: once, whatever gets lost on the way."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from bots.adapter import SendError
from bots.gifts import Desk
from core import clock, ids
from referral import members
from referral.brands import create_brand
from rewards.payouts.payouts import Payout
from rewards.payouts.port import PayoutOrder
from rewards.payouts.telegram_gift import TelegramGift
from tests.bots.telegram.botapi import BotApi
from tests.bots.telegram.harness import TelegramHarness, make
from tests.house import House, person


@dataclass
class Counter:
    """A house with Bob in it, the bot that gives, and payouts already handed over."""

    house: House
    harness: TelegramHarness
    pay: TelegramGift
    brand_id: Any = None
    bob: Any = None

    def order(self, amount: int = 15, **more: Any) -> PayoutOrder:
        """A payout to Bob that was handed over just now and is not decided yet."""
        number, item = ids.new(), more.get("item")
        sent = more.pop("sent", clock.now())
        payout = Payout(
            brand_id=self.brand_id,
            id=number,
            member_id=self.bob,
            provider="telegram_gift",
            asset="XTR",
            amount=amount,
            key=number.hex,
            state="processing",
            attempts=1,
            created_at=sent,
            sent_at=sent,
        )
        self.house.do(lambda session: session.add(payout))
        account = str(self.harness.bob.id)
        given = {"accounts": {"telegram": account}, "attempts": 1, "sent_at": sent.isoformat(), **more}
        assert item is None or "settings" in item
        return PayoutOrder(self.brand_id, number, number.hex, "XTR", amount, **given)

    def settles(self, order: PayoutOrder, external_id: str | None, state: str = "completed") -> None:
        """The answer is kept."""

        def unit(session: Session) -> None:
            payout = session.get_one(Payout, (order.brand_id, order.id))
            payout.state, payout.external_id = state, external_id
            session.add(payout)

        self.house.do(unit)

    @property
    def gifts(self) -> list[str]:
        return self.harness.api.stars.gifts_to(self.harness.bob)


@pytest.fixture
async def counter(house: House) -> AsyncIterator[Counter]:
    def begin(session: Session) -> tuple[Any, Any]:
        brand = create_brand(session, "Acme")
        return brand.id, members.meet(session, brand.id, [person("Bob")], [clock.now()], "message")[0].member_id

    async with BotApi() as api:
        harness = make(api)
        desk = Desk(None, lambda: harness.adapter)
        pay = TelegramGift(desk, house.reader.run, settle=timedelta())
        brand_id, bob = await asyncio.to_thread(house.do, begin)
        yield Counter(house, harness, pay, brand_id, bob)
        await pay.close()
    assert api.violations == []


def aged(order: PayoutOrder, **by: float) -> PayoutOrder:
    """The same, handed over that much earlier."""
    return dataclasses.replace(order, sent_at=(datetime.now(UTC) - timedelta(**by)).isoformat())


async def test_bob_is_given_the_gift_that_costs_what_he_is_owed(counter: Counter) -> None:
    answer = await counter.pay.start(counter.order(25, note="Thank you!"))
    assert (answer.state, counter.gifts) == ("completed", ["rose"])
    assert answer.external_id == counter.harness.api.stars.transactions[-1]["id"]
    ((_, sent),) = [call for call in counter.harness.api.calls if call[0] == "sendGift"]
    assert sent["text"] == "Thank you!"


async def test_there_is_no_gift_at_this_price(counter: Counter) -> None:
    assert (await counter.pay.start(counter.order(17))).reason == "no_such_gift"
    counter.harness.api.stars.rare["rose"] = 3  # may be sold out before it is his
    assert (await counter.pay.start(counter.order(25))).reason == "no_such_gift"
    assert counter.gifts == []


async def test_an_items_gift_is_sent_by_its_own_id(counter: Counter) -> None:
    item = {"kind": "telegram_gift", "settings": {"gift_id": "cake", "stars": 50, "text": "For you"}}
    answer = await counter.pay.start(counter.order(3000, item=item))
    assert (answer.state, counter.gifts) == ("completed", ["cake"])


async def test_bob_has_no_telegram_account(counter: Counter) -> None:
    assert (await counter.pay.start(counter.order(accounts={}))).reason == "payee_missing"


async def test_the_bot_is_out_of_stars(counter: Counter) -> None:
    counter.harness.api.stars.balance = 10
    asked = counter.order()
    answer = await counter.pay.start(asked)
    assert (answer.state, answer.reason) == ("unknown", "provider_funds")
    assert (await counter.pay.look_up(asked)).state == "not_found"


async def test_telegram_refuses_bob(counter: Counter) -> None:
    answer = await counter.pay.start(counter.order(accounts={"telegram": "99"}))
    assert (answer.state, answer.reason) == ("failed", "payee_refused")


@pytest.mark.parametrize("done", [True, False])
async def test_an_answer_that_never_comes_is_read_from_the_list(counter: Counter, done: bool) -> None:
    asked = counter.order()
    counter.harness.api.drop_next("sendGift", done=done)
    with pytest.raises(SendError):
        await counter.pay.start(asked)
    answer = await counter.pay.look_up(asked)
    assert answer.state == ("completed" if done else "not_found")
    assert len(counter.gifts) == int(done)


async def test_what_was_just_sent_may_still_be_on_its_way(counter: Counter) -> None:
    pay = TelegramGift(Desk(None, lambda: counter.harness.adapter), counter.house.reader.run)
    asked = counter.order()
    assert (await pay.look_up(asked)).state == "unknown"
    assert (await pay.look_up(aged(asked, minutes=3))).state == "not_found"
    tried = {"tried_at": datetime.now(UTC).isoformat()}
    assert (await pay.look_up(dataclasses.replace(aged(asked, minutes=3), detail=tried))).state == "unknown"


async def test_a_second_start_looks_before_it_sends(counter: Counter) -> None:
    asked = counter.order()
    counter.harness.api.drop_next("sendGift", done=True)
    with pytest.raises(SendError):
        await counter.pay.start(asked)
    answer = await counter.pay.start(dataclasses.replace(asked, attempts=2))
    assert (answer.state, len(counter.gifts)) == ("completed", 1)


async def test_a_gift_belongs_to_one_payout(counter: Counter) -> None:
    first, second = counter.order(), counter.order()
    answer = await counter.pay.start(first)
    counter.settles(first, answer.external_id)
    assert (await counter.pay.look_up(second)).state == "not_found"


async def test_gifts_sent_at_the_same_time_are_told_apart(counter: Counter) -> None:
    orders = [counter.order() for _ in range(4)]
    answers = await asyncio.gather(*(counter.pay.start(one) for one in orders))
    assert len({answer.external_id for answer in answers}) == 4
    for one, answer in list(zip(orders, answers, strict=True))[1:]:
        counter.settles(one, answer.external_id)
    # The first one's answer never reached the books; asked again, it is still the same gift.
    assert (await counter.pay.look_up(orders[0])).external_id == answers[0].external_id


async def test_which_of_two_lost_payouts_it_was_is_left_to_a_person(counter: Counter) -> None:
    first, second = counter.order(), counter.order()
    counter.harness.api.drop_next("sendGift", done=True)
    with pytest.raises(SendError):
        await counter.pay.start(first)
    for lost in (first, second):
        assert (await counter.pay.look_up(lost)).state == "unknown"
    assert len(counter.gifts) == 1


async def test_two_lost_payouts_of_which_both_were_sent_are_both_found(counter: Counter) -> None:
    first, second = counter.order(), counter.order()
    for lost in (first, second):
        counter.harness.api.drop_next("sendGift", done=True)
        with pytest.raises(SendError):
            await counter.pay.start(lost)
    answer = await counter.pay.look_up(first)
    assert answer.state == "completed"
    counter.settles(first, answer.external_id)
    found = await counter.pay.look_up(second)
    assert found.state == "completed"
    assert found.external_id != answer.external_id


async def test_a_gift_that_was_sent_is_completed_even_if_the_list_cannot_be_read(counter: Counter) -> None:
    asked = counter.order()
    counter.harness.api.fail_next("getStarTransactions", 500)
    answer = await counter.pay.start(asked)
    assert (answer.state, answer.external_id) == ("completed", None)
    counter.settles(asked, None)
    # Its gift has no name in our books: another payout that was lost cannot be told from it.
    assert (await counter.pay.look_up(counter.order())).state == "unknown"


async def test_older_gifts_and_other_peoples_are_not_mistaken_for_it(counter: Counter) -> None:
    stars, api = counter.harness.api.stars, counter.harness.api
    stars.give("heart", api.bot, 1)
    stars.give("rose", counter.harness.bob, 2)
    stars.give("heart", counter.harness.bob, 3)
    stars.transactions[-1]["date"] -= 3600
    assert (await counter.pay.look_up(counter.order())).state == "not_found"


@pytest.mark.parametrize("turned", [False, True], ids=["oldest first", "newest first"])
@pytest.mark.parametrize("older", [0, 100, 350, 1234])
async def test_the_gift_is_found_behind_any_number_of_transactions(counter: Counter, older: int, turned: bool) -> None:
    stars = counter.harness.api.stars
    now = int(datetime.now(UTC).timestamp())
    for number in range(older):
        stars.earn(1, counter.harness.alice, number, now - 100_000 + number)
    stars.give("heart", counter.harness.bob, 5000)
    if turned:
        stars.transactions.reverse()
    assert (await counter.pay.look_up(counter.order())).external_id == "stx5000"
    assert len(counter.harness.api.called("getStarTransactions")) <= (14 if not turned else 3)


def test_stars_only(counter: Counter) -> None:
    assert counter.pay.carries("XTR")
    assert not counter.pay.carries("CNY")
