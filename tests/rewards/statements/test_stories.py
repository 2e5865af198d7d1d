"""Statements of campaigns whose points buy things, and of people who turn out to be one."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import Session

from core.money import Money
from referral.campaigns import Campaign
from rewards import ledger
from rewards.ledger import Purpose
from rewards.rewards import release_due
from rewards.statements.brand import brand_statement
from rewards.statements.campaign import settle
from rewards.statements.member import member_lines, member_statement
from tests.house import House, later
from tests.referral.town import Town, build_town
from tests.rewards.items.counter import buy, fill, offer, open_counter, plan
from tests.rewards.shop import Shop, open_shop


def purse(house: House, brand: Any, member: Any) -> dict[str, dict[str, int]]:
    """The balances sheet, by asset and column."""

    def read(session: Session) -> dict[str, dict[str, int]]:
        sheet = member_statement(session, brand, member, locale="en", timezone="UTC").sheet("purse")
        names = [column.key for column in sheet.columns]
        found = [dict(zip(names, row, strict=True)) for row in sheet.rows]
        return {
            str(row["asset"]): {name: cell.minor for name, cell in row.items() if isinstance(cell, Money)}
            for row in found
        }

    return house.ask(read)


def reconciles(house: House, campaign: Campaign) -> None:
    """The campaign's figures and the brand's months fit the ledger."""

    def read(session: Session) -> None:
        figures = settle(session, session.get_one(Campaign, (campaign.brand_id, campaign.id)))
        for asset, one in figures.items():
            assert (one.budget_gap, one.rewards_gap) == (0, 0), asset
            budget = ledger.Account(campaign.brand_id, campaign.id, Purpose.BUDGET, asset)
            assert one.unspent == ledger.balance(session, budget)
        sheet = brand_statement(session, campaign.brand_id, locale="en", timezone="UTC").sheets[0]
        names = [column.key for column in sheet.columns]
        last = {str(row[1]): dict(zip(names, row, strict=True)) for row in sheet.rows}
        for asset, row in last.items():
            left = row["closing_budget"]
            assert isinstance(left, Money)
            assert left.minor == figures[asset].unspent

    house.ask(read)


def alice_has(shop: Shop) -> dict[str, int]:
    return purse(shop.house, shop.brand.id, shop.alice)["PTS"]


def test_points_that_bought_something_are_paid(house: House) -> None:
    shop = open_counter(house)
    offer(shop)
    fill(shop, ["AAA", "BBB"])
    buy(shop)
    reconciles(house, shop.campaign)
    figures = house.ask(lambda session: settle(session, shop.campaign))["PTS"]
    assert (figures.granted, figures.paid, figures.payable) == (1000, 300, 700)
    assert (alice_has(shop)["withdrawn"], alice_has(shop)["closing_payable"]) == (-300, 700)
    lines = house.ask(
        lambda session: member_lines(session, shop.brand.id, shop.alice, locale="zh_Hans", timezone="UTC", limit=1)
    )
    assert "coffee" in lines[1]


def test_an_item_that_is_the_reward_is_paid_in_items(house: House) -> None:
    shop = open_shop(house, plan(1, "item:coffee", budget=5))
    offer(shop, price=None)
    fill(shop, ["AAA", "BBB"])
    shop.brings("Bob")
    with later(days=7):
        assert shop.stays() == 1
        house.do(release_due)
        reconciles(house, shop.campaign)
        figures = house.ask(lambda session: settle(session, shop.campaign))["item:coffee"]
    assert (figures.granted, figures.paid, figures.unspent) == (1, 1, 4)


@pytest.fixture
def town(house: House) -> Town:
    return build_town(house)


def test_linked_accounts_have_one_statement_and_two_again(town: Town) -> None:
    town.brings("Alice", "Bob")
    with later(hours=1):
        town.brings("Alice", "Alice_web", "discord")  # a self-referral once linked
    with later(days=9):
        town.night()
        link = town.links("Alice", "Alice_web")
        reconciles(town.house, town.campaign)
        kept = purse(town.house, town.brand.id, town.who("Alice"))["PTS"]
        assert (kept["closing_held"], kept["closing_payable"]) == town.purse(town.who("Alice"))
        town.undoes(link)
        reconciles(town.house, town.campaign)
        for who in (town.who("Alice"), town.who("Alice_web", "discord")):
            found = purse(town.house, town.brand.id, who)["PTS"]
            assert (found["closing_held"], found["closing_payable"]) == town.purse(who)
            sums = ("granted", "taken_back", "withdrawn", "fees", "moved")
            assert sum(found[name] for name in sums) == found["closing_held"] + found["closing_payable"]
