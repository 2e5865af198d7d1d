"""Purchases are joined to a person over devices only with their word, and apart again when they take it back."""

from __future__ import annotations

from threading import Event, Thread
from time import sleep
from uuid import UUID

import pytest
from sqlmodel import Session

from core import clock
from core.db import make_engine
from core.writer import Writer
from referral import linking, members
from referral.attribution.consent import agree, has_agreed, withdraw
from referral.conversions import customer_hash
from referral.members import find_identity
from referral.orders import record_orders
from referral.privacy import export_member, forget_member
from tests.house import House, later, person
from tests.referral.attribution.lane import Lane, open_lane
from tests.referral.attribution.test_credit import bus


@pytest.fixture
def lane(house: House) -> Lane:
    """Ann has brought Fay."""
    opened = open_lane(house, 'model = "binding"')
    assert opened.comes("Fay", "Ann") == "referred"
    return opened


def mail() -> str:
    """The hash of Fay's e-mail, by the key of this house."""
    return customer_hash("fay@example.org")


def says(lane: Lane, *, yes: bool) -> int:
    """Fay gives her word or takes it back; how many customers were parted."""

    def unit(session: Session) -> int:
        who = (session, lane.brand.id, lane.who("Fay"))
        if yes:
            agree(*who)
            return 0
        return withdraw(*who)

    return lane.house.do(unit)


def test_without_her_word_an_e_mail_alone_is_a_strangers(lane: Lane) -> None:
    assert lane.buys("Fay", customer_hash=mail()).status == "attributed"
    told = lane.tells(lane.order(None, "2", customer_hash=mail()))[0]
    assert (told.status, told.reason) == ("unattributed", "unknown_buyer")
    assert lane.decision("2").reason == "unknown_buyer"
    assert lane.earned() == {"Ann": 1_000}


def test_with_her_word_it_is_hers_until_she_takes_it_back(lane: Lane) -> None:
    says(lane, yes=True)
    lane.buys("Fay", customer_hash=mail())
    assert lane.tells(lane.order(None, "2", customer_hash=mail()))[0].status == "attributed"
    assert says(lane, yes=False) == 1
    told = lane.tells(lane.order(None, "3", customer_hash=mail()))[0]
    assert (told.status, told.reason) == ("unattributed", "unknown_buyer")
    assert lane.earned() == {"Ann": 2_000}, "what was decided stays"
    assert lane.problems() == []
    lane.buys("Fay", "4", customer_hash=mail(), consent=True)
    told = lane.tells(lane.order(None, "5", customer_hash=mail()))[0]
    assert told.status == "unattributed", "no till can say it for her"
    says(lane, yes=True)
    lane.buys("Fay", "6", customer_hash=mail())
    assert lane.tells(lane.order(None, "7", customer_hash=mail()))[0].status == "attributed"


def test_her_word_at_the_till_counts_and_is_kept(lane: Lane) -> None:
    lane.buys("Fay", customer_hash=mail(), consent=True)
    fay = lane.who("Fay")
    assert lane.house.ask(lambda session: has_agreed(session, lane.brand.id, fay))
    said = lane.house.ask(lambda session: export_member(session, lane.brand.id, fay))["purchases_joined"]
    assert said["given_by"] == "shop:till"
    assert lane.tells(lane.order(None, "2", customer_hash=mail()))[0].status == "attributed"


def test_whom_only_the_shop_knows_has_nothing_to_take_apart(lane: Lane) -> None:
    code = lane.code("Ann")
    [told] = lane.tells(lane.order(None, code=code, customer_hash=mail()))
    assert told.status == "attributed"
    assert told.member_id is not None
    guest = told.member_id
    assert lane.house.do(lambda session: withdraw(session, lane.brand.id, guest)) == 0
    assert lane.tells(lane.order(None, "2", customer_hash=mail()))[0].status == "attributed"


def test_forgotten_means_no_word_and_no_join(lane: Lane) -> None:
    says(lane, yes=True)
    lane.buys("Fay", customer_hash=mail())
    fay = lane.who("Fay")
    lane.house.do(lambda session: forget_member(session, lane.brand.id, fay))
    assert not lane.house.ask(lambda session: has_agreed(session, lane.brand.id, fay))
    assert lane.house.ask(lambda session: find_identity(session, lane.brand.id, "shop", mail())) is None
    with later(hours=1):
        assert lane.tells(lane.order(None, "2", customer_hash=mail()))[0].reason == "unknown_buyer"


def older_account(lane: Lane) -> UUID:
    """Fay has had another account for longer than the one she came with."""

    def talks(session: Session) -> UUID:
        said = [person("Faye", "discord")]
        return members.meet(session, lane.brand.id, said, [clock.now()], "message")[0].member_id

    with later(days=-2):
        return lane.house.do(talks)


def test_a_word_taken_back_is_not_forgotten_by_linking(lane: Lane) -> None:
    says(lane, yes=False)
    older, fay = older_account(lane), lane.who("Fay")
    link = lane.house.do(lambda session: linking.link(session, lane.brand.id, fay, older))
    assert link.kept_id == older
    lane.buys("Fay", customer_hash=mail(), consent=True)
    told = lane.tells(lane.order(None, "2", customer_hash=mail()))[0]
    assert told.status == "unattributed", "no till can say it for her, whichever account she speaks from"


def test_whoever_spoke_last_speaks_for_both_until_they_are_two_again(lane: Lane) -> None:
    older, brand = older_account(lane), lane.brand.id

    def agreed(who: UUID) -> bool:
        return lane.house.ask(lambda session: has_agreed(session, brand, who))

    lane.house.do(lambda session: withdraw(session, brand, older))
    with later(hours=1):
        says(lane, yes=True)
        fay = lane.who("Fay")
        link = lane.house.do(lambda session: linking.link(session, brand, fay, older))
        assert agreed(older)
        lane.house.do(lambda session: linking.undo_link(session, brand, link.id))
    assert (agreed(older), agreed(fay)) == (False, True)


@pytest.mark.parametrize("forgets", [False, True])
def test_an_order_on_its_way_at_the_same_moment_joins_nothing_again(lane: Lane, forgets: bool) -> None:
    """Another process has seen her word and is about to join the customer to her when she takes it back, or leaves."""
    says(lane, yes=True)
    fay = lane.who("Fay")
    order = lane.order("Fay", customer_hash=mail())
    other = Writer(make_engine(lane.house.url, writer=True), bus()).start()
    seen = Event()

    def slowly(session: Session) -> None:
        record_orders(session, [order])
        seen.set()
        sleep(0.5)

    try:
        telling = Thread(target=lambda: other.run_sync(slowly))
        telling.start()
        assert seen.wait(20)
        if forgets:
            lane.house.do(lambda session: forget_member(session, lane.brand.id, fay))
        else:
            says(lane, yes=False)
        telling.join(20)
    finally:
        other.close()
    assert lane.house.ask(lambda session: find_identity(session, lane.brand.id, "shop", mail())) is None
