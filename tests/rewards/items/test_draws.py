"""A draw anyone can check: tickets in order, a seed that was committed to, winners computed again, tampering named."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from core import clock
from core.errors import BadInput, Conflict, Refused
from referral import members
from rewards.items import draw_proof, draws, redeem
from rewards.items.draws import Draw, DrawMoved, Prize, PrizeWon
from rewards.ledger import balances_of, fund
from rewards.payouts.payouts import payouts_of
from tests.house import House, later
from tests.rewards.items.counter import buy, check_books, contents, fill, offer, open_counter, rich_people
from tests.rewards.shop import Shop

PRIZES = (Prize("item:teapot"), Prize("PTS", 100, 2))


def open_draw(shop: Shop, prizes: tuple[Prize, ...] = PRIZES, entropy: str | None = None, slug: str = "gala") -> Draw:
    def create(session: Session) -> Draw:
        closes = clock.now() + timedelta(days=7)
        title = {"en": "Gala", "zh_Hans": "年会"}
        return draws.create_draw(
            session, shop.brand.id, slug, "ticket", shop.campaign.id, title, prizes, closes, entropy
        )

    return shop.house.do(create)


def prepare(house: House, **more: Any) -> tuple[Shop, Draw]:
    """Tickets for ten points, a teapot of which there are vouchers, and a draw."""
    shop = open_counter(house)
    offer(shop, "ticket", "ticket", price=10)
    offer(shop, "teapot", price=None)
    fill(shop, ["POT-1", "POT-2"], "teapot")
    return shop, open_draw(shop, **more)


def buys(shop: Shop, member: UUID, quantity: int = 1, key: str = "t") -> None:
    shop.house.do(lambda s: redeem.redeem(s, shop.brand.id, member, "ticket", key, quantity))


def reveal(shop: Shop, entropy: str | None = None, slug: str = "gala") -> list[PrizeWon]:
    return shop.house.do(lambda s: draws.reveal(s, draws.find_draw(s, shop.brand.id, slug), entropy))


def published(shop: Shop, slug: str = "gala") -> dict[str, Any]:
    """The document as anybody gets it, through JSON."""
    document = shop.house.ask(lambda s: draws.document_of(s, draws.find_draw(s, shop.brand.id, slug)))
    return draw_proof.read_document(json.dumps(document))


def test_everybody_can_compute_the_winners_again(house: House) -> None:
    told: list[DrawMoved] = []
    house.bus.on(DrawMoved, lambda session, events: told.extend(events))
    shop, draw = prepare(house)
    people = rich_people(shop, 5)
    for member in people:
        buys(shop, member, 3)
    assert [event.state for event in told] == ["open"]
    assert told[0].commitment == draw.commitment
    with later(days=7):
        assert house.do(draws.close_due) == 1
        won = reveal(shop)
    assert [event.state for event in told] == ["open", "closed", "revealed"]
    assert len({one.member_id for one in won}) == 3
    document = published(shop)
    assert draw_proof.check_document(document, commitment=draw.commitment, digest=told[1].tickets_digest) == []
    # The rule in four lines of somebody else's code.
    key = bytes.fromhex(document["seed"])
    ranks = {n: hmac.new(key, str(n).encode(), hashlib.sha256).hexdigest() for n in range(1, 16)}
    best = min(ranks, key=lambda number: ranks[number])
    assert document["winners"][0]["number"] == best == won[0].number
    assert str(people[0]) not in json.dumps(document)


def test_prizes_are_given_at_once(house: House) -> None:
    shop, _ = prepare(house)
    people = rich_people(shop, 4)
    for member in people:
        buys(shop, member)
    before = shop.budget()
    with later(days=8):
        first, second, third = reveal(shop)
    [pot] = [one for one in house.ask(lambda s: payouts_of(s, shop.brand.id, first.member_id)) if one.reward_id]
    assert pot.state == "completed"
    assert contents(shop, pot).codes[0].text == "POT-1"
    assert shop.purse(second.member_id) == shop.purse(third.member_id) == {"payable": 390}
    assert shop.budget() == before - 200
    with pytest.raises(Conflict):
        reveal(shop)
    check_books(shop)


def test_a_ticket_names_its_draw_and_the_holders_mark(house: House) -> None:
    shop, draw = prepare(house)
    found = contents(shop, buy(shop, "ticket", quantity=2))
    assert found.tickets == (1, 2)
    assert found.draw is not None
    assert found.draw.commitment == draw.commitment
    assert found.person == draws.mark_of(draw.id, shop.alice)


def test_time_holds_tickets_and_secret(house: House) -> None:
    shop, draw = prepare(house)
    with pytest.raises(Refused) as early:
        reveal(shop)
    assert early.value.code == "draw_open"
    assert published_seed(shop) is None
    with pytest.raises(Conflict) as twice:
        open_draw(shop, slug="other")
    assert twice.value.code == "draw_running"
    with later(days=7):
        with pytest.raises(Refused) as late:
            buy(shop, "ticket")
        assert late.value.code == "no_draw"
        assert reveal(shop) == []
    assert draw.sealed not in repr(draw)


def published_seed(shop: Shop) -> str | None:
    found = shop.house.ask(lambda s: draws.document_of(s, draws.find_draw(s, shop.brand.id, "gala")))
    seed: str | None = found["seed"]
    return seed


def test_a_public_value_counts_only_if_it_was_agreed(house: House) -> None:
    shop, _ = prepare(house, entropy="drand round 4000000")
    for member in rich_people(shop, 4):
        buys(shop, member)
    with later(days=8):
        with pytest.raises(BadInput) as missing:
            reveal(shop)
        assert missing.value.code == "entropy_needed"
        reveal(shop, "a1b2c3")
        document = published(shop)
        assert draw_proof.check_document(document, entropy="a1b2c3") == []
        assert [one.what for one in draw_proof.check_document(document, entropy="other")] == ["entropy_other"]
        open_draw(shop, slug="plain")
    with later(days=16), pytest.raises(BadInput) as unasked:
        reveal(shop, "a1b2c3", "plain")
    assert unasked.value.code == "entropy_not_agreed"


def test_a_winner_who_was_forgotten_gets_nothing_and_nobody_moves_up(house: House) -> None:
    shop, _ = prepare(house)
    people = rich_people(shop, 3)
    for member in people:
        buys(shop, member)
    house.do(lambda s: members.erase(s, shop.brand.id, people[0], clock.now()))
    with later(days=8):
        won = reveal(shop)
    assert people[0] in [one.member_id for one in won]
    assert draw_proof.check_document(published(shop)) == []


@pytest.fixture
def document(house: House) -> dict[str, Any]:
    shop, _ = prepare(house)
    for member in rich_people(shop, 5):
        buys(shop, member, 2)
    with later(days=8):
        reveal(shop)
    return published(shop)


def _other_seed(document: dict[str, Any]) -> None:
    document["seed"] = "00" * 32


def _swapped(document: dict[str, Any]) -> None:
    document["winners"][0], document["winners"][1] = document["winners"][1], document["winners"][0]


def _dropped(document: dict[str, Any]) -> None:
    del document["tickets"][4]


def _added(document: dict[str, Any]) -> None:
    document["tickets"].append({"number": 11, "person": "f" * 16})


def _given_to_another(document: dict[str, Any]) -> None:
    document["tickets"][0]["person"] = "f" * 16


def _better_prize(document: dict[str, Any]) -> None:
    document["winners"][1]["amount"] = 5000


def _one_more(document: dict[str, Any]) -> None:
    document["winners"].append(document["winners"][0])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (_other_seed, "commitment_differs"),
        (_swapped, "winner_differs"),
        (_dropped, "ticket_missing"),
        (_added, "tickets_differ"),
        (_given_to_another, "tickets_differ"),
        (_better_prize, "winner_differs"),
        (_one_more, "winners_count"),
    ],
)
def test_what_was_changed_is_named(document: dict[str, Any], change: Any, what: str) -> None:
    honest = copy.deepcopy(document)
    change(document)
    assert what in [fault.what for fault in draw_proof.check_document(document)]
    assert draw_proof.check_document(honest) == []


def test_what_was_published_before_counts(document: dict[str, Any]) -> None:
    faults = draw_proof.check_document(document, commitment="00" * 32, digest="11" * 32)
    assert [fault.what for fault in faults] == ["commitment_other", "tickets_other"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "daixin-draw/1"}', "not JSON", "[" * 100_000])
def test_what_is_no_document_says_so(text: str) -> None:
    with pytest.raises(ValueError):
        draw_proof.read_document(text)


def test_prizes_must_make_sense(house: House) -> None:
    shop = open_counter(house)
    offer(shop, "ticket", "ticket", price=10)
    for prizes in ((), (Prize("PTS", 0),), (Prize("PTS", 1, 0),), (Prize("PTS", 1, 1001),)):
        with pytest.raises(BadInput):
            open_draw(shop, prizes)
    with pytest.raises(BadInput):
        open_draw(shop, (Prize("NOPE"),))


def test_a_budget_that_does_not_reach_keeps_the_secret(house: House) -> None:
    shop, _ = prepare(house, prizes=(Prize("CNY", 8800),))
    for member in rich_people(shop, 2):
        buys(shop, member)
    with later(days=8):
        with pytest.raises(Refused) as short:
            reveal(shop)
        assert short.value.code == "adjustment_budget"
        assert published_seed(shop) is None
        name = f"fund/{shop.campaign.id}/more"
        house.do(lambda s: fund(s, shop.brand.id, shop.campaign.id, "CNY", 8800, name))
        [won] = reveal(shop)
        found = house.ask(lambda s: balances_of(s, shop.brand.id, won.member_id))
        assert found["member.payable", "CNY"] == 8800
    check_books(shop)
