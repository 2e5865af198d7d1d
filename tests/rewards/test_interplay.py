"""Stories in which two parts meet: what each does alone is right, and so must be what they do together."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial

import pytest
from sqlmodel import Session, col, select

from core import clock, events
from core.errors import BadInput
from rewards.items import draws, redeem
from rewards.items.draws import Prize, Ticket
from rewards.items.items import Item
from rewards.payouts.payouts import Payout
from tests.house import House
from tests.rewards.items.counter import check_books, offer, open_counter
from tests.rewards.shop import Shop


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
