"""Where the money goes: checked, sealed, masked, replaced but not forgotten, and noticed when several share it."""

from __future__ import annotations

import logging
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.errors import BadInput, Refused
from rewards.payouts.payees import SHAPES, details_of, payee_of, set_payee, sharing
from rewards.payouts.payouts import Payee, PayeeShared
from rewards.payouts.port import CARRIED
from rewards.payouts.withdrawals import withdraw
from tests.house import House
from tests.rewards.payouts.till import Till, open_till

IBAN = "GB82 WEST 1234 5698 7654 32"


def given(house: House, till: Till, provider: str, **details: str) -> Payee:
    return house.do(lambda session: set_payee(session, till.brand, till.alice, provider, details))


@pytest.mark.parametrize(
    ("provider", "details", "kept", "shown"),
    [
        (
            "manual",
            {"name": " Alice  Wang ", "account": "６２２２ 0212 3456 7894"},
            {"name": "Alice Wang", "account": "6222021234567894"},
            "A** …7894",
        ),
        (
            "manual",
            {"name": "王爱丽", "account": IBAN},
            {"name": "王爱丽", "account": IBAN.replace(" ", "")},
            "王** …5432",
        ),
        (
            "manual",
            {"name": "A", "account": "Alice@QQ.com"},
            {"name": "A", "account": "alice@qq.com"},
            "A** a***@qq.com",
        ),
        ("manual", {"name": "A", "account": "13800000000", "bank": "支付宝"}, None, "A** …0000"),
        ("wechatpay", {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}, None, "…eS6o"),
        ("paypal", {"email": "Alice@Example.com"}, {"email": "alice@example.com"}, "a***@example.com"),
        ("paypal", {"email": "QYR5Z8XDVJNXQ"}, {"paypal_id": "QYR5Z8XDVJNXQ"}, "…JNXQ"),
    ],
)
def test_what_fits_is_kept_sealed_and_shown_masked(
    house: House, provider: str, details: dict[str, str], kept: dict[str, str] | None, shown: str
) -> None:
    till = open_till(house)
    payee = given(house, till, provider, **details)
    assert details_of(payee) == (kept or details)
    assert payee.masked.startswith(shown) or payee.masked.endswith(shown)
    assert not [value for value in details.values() if len(value) > 4 and value in payee.sealed + repr(payee)]


@pytest.mark.parametrize(
    ("provider", "details", "code"),
    [
        ("manual", {"name": "Alice"}, "payee_missing_detail"),
        ("manual", {"name": "", "account": "1"}, "payee_missing_detail"),
        ("manual", {"name": "A", "account": "6222 0212 3456 7895"}, "payee_wrong_detail"),
        ("manual", {"name": "A", "account": "GB82 WEST 1234 5698 7654 33"}, "payee_wrong_detail"),
        ("manual", {"name": "A", "account": "alice@"}, "payee_wrong_detail"),
        ("manual", {"name": "A" * 65, "account": "1"}, "payee_wrong_detail"),
        ("manual", {"name": "A\u202eB", "account": "1"}, "payee_wrong_detail"),
        ("manual", {"name": "A", "account": "1", "pin": "2"}, "payee_unknown_detail"),
        ("wechatpay", {"openid": "o U"}, "payee_wrong_detail"),
        ("paypal", {"email": "not an address"}, "payee_wrong_detail"),
        ("paypal", {"email": f"{'a' * 120}@example.com"}, "payee_wrong_detail"),
        ("telegram_gift", {}, "payee_needless"),
    ],
)
def test_what_does_not_fit_is_refused_without_repeating_it(
    house: House, provider: str, details: dict[str, str], code: str, caplog: pytest.LogCaptureFixture
) -> None:
    till = open_till(house)
    caplog.set_level(logging.DEBUG)
    with pytest.raises((BadInput, Refused)) as refused:
        given(house, till, provider, **details)
    assert refused.value.code == code
    for value in details.values():
        assert len(value) < 3 or value not in f"{refused.value}{caplog.text}"


def test_every_provider_has_its_shape() -> None:
    assert SHAPES.keys() == CARRIED.keys()


def test_a_new_payee_replaces_the_old_which_stays_as_history(house: House) -> None:
    till = open_till(house)
    first = given(house, till, "paypal", email="a@example.com")
    assert given(house, till, "paypal", email="A@example.com").id == first.id
    second = given(house, till, "paypal", email="b@example.com")
    current = house.ask(lambda session: payee_of(session, till.brand, till.alice, "paypal"))
    assert current is not None
    assert current.id == second.id
    kept = house.ask(lambda session: session.scalars(select(Payee).where(col(Payee.replaced_at).is_not(None))).all())
    assert [payee.id for payee in kept] == [first.id]


def test_the_same_place_for_two_members_is_a_signal_and_needs_approval(house: House) -> None:
    till = open_till(house)
    bob = house.comes("Bob", till.shop.code).member_id
    assert bob is not None
    till.payee(name="Alice", account="6222 0212 3456 7894")
    till.payee(bob, name="Bob", account="6222021234567894")
    assert [(event.provider, set(event.members)) for event in till.heard(PayeeShared)] == [
        ("manual", {till.alice, bob})
    ]
    till.earns(500)
    assert till.takes(500).flag == "payee_shared"
    till.payee(name="Alice", account="13900000000")
    assert house.ask(lambda session: _sharing(session, till, bob)) == [till.alice]  # what was shared once stays known


def _sharing(session: object, till: Till, member: UUID) -> list[UUID]:
    from sqlmodel import Session

    assert isinstance(session, Session)
    payee = payee_of(session, till.brand, member, "manual")
    assert payee is not None
    return sharing(session, payee)


def test_large_sums_by_wechat_pay_need_the_real_name(house: House) -> None:
    till = open_till(house, "wechatpay")
    till.earns(300_000)
    given(house, till, "wechatpay", openid="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")
    with pytest.raises(Refused, match="payee_name_missing"):
        till.takes(200_000)
    assert till.takes(199_999).state == "pending"
    given(house, till, "wechatpay", openid="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", name="王爱丽")
    till.earns(200_000)
    assert till.takes(200_000, key="2").state == "pending"


def test_paypal_sends_forints_only_whole(house: House) -> None:
    till = open_till(house, "paypal", "HUF", fee=50)
    till.earns(300_000)
    given(house, till, "paypal", email="a@example.com")
    with pytest.raises(Refused, match="amount_not_whole"):
        till.takes(100_000)  # 999.50 would arrive
    assert till.takes(100_050).amount == 100_000


def test_a_currency_the_provider_does_not_carry(house: House) -> None:
    till = open_till(house, "wechatpay", "USD")
    till.earns(1000)
    assert till.offers() == []
    with pytest.raises(Refused, match="currency_not_carried"):
        house.do(lambda session: withdraw(session, till.brand, till.alice, "wechatpay", "USD", 100, "1"))
