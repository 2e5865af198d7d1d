"""The proof of the books: silent while they are right, and it names the row whoever tampers with any table."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import create_engine, select, text
from sqlmodel import Session

from core import clock, ids
from core.db import is_sqlite, table
from referral.linking import MemberLink
from rewards import corrections, rewards
from rewards.ledger import Account, Move, Purpose, Transfer, transfer
from rewards.rewards import Reward
from rewards.verify import verify
from tests.house import House, later
from tests.rewards.shop import Shop, open_shop

GUARDS = {
    "transfer": ("transfer_not_changed", "transfer_not_deleted", "transfer_applied"),
    "ledger_account": ("account_kept", "account_stays_whose_it_is"),
}


@pytest.fixture
def shop(house: House) -> Shop:
    """Books with a reward in every state: Bob's friends were paid, capped, voided and clawed back."""
    shop = open_shop(house, funded=600)
    for name in ("Bob", "Carol", "Dan", "Eve", "Finn"):
        shop.brings(name)
    with later(days=7):
        shop.stays()
    with later(days=8):
        shop.leaves("Bob")
    with later(days=12):
        house.do(rewards.release_due)
        shop.brings("Gil")
    with later(days=20):
        shop.stays()
    states = {reward.state for reward in shop.rewards(shop.alice)}
    assert states == {"voided", "payable", "held", "capped"}
    assert shop.problems() == []
    return shop


def tamper(house: House, statement: str, **values: object) -> None:
    """Somebody with the database's own password takes the guards away and rewrites a row."""
    engine = create_engine(house.url)
    lite = is_sqlite(house.url)
    with engine.begin() as connection:
        if lite:
            for trigger in (name for names in GUARDS.values() for name in names):
                connection.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))
            connection.execute(text("PRAGMA ignore_check_constraints=ON"))
        else:
            connection.execute(text("SET session_replication_role = replica"))  # no trigger, no foreign key
            connection.execute(
                text("ALTER TABLE ledger_account DROP CONSTRAINT IF EXISTS ck_ledger_account_not_below_zero")
            )
        changed = connection.execute(text(statement), values).rowcount
        assert changed > 0, statement
    engine.dispose()


def key(house: House, row_id: UUID) -> str:
    """An identifier as this database writes it."""
    return row_id.hex if is_sqlite(house.url) else str(row_id)


def reward_in(shop: Shop, state: str) -> Reward:
    return next(reward for reward in shop.rewards(shop.alice) if reward.state == state)


def transfer_of(shop: Shop, reference: str) -> UUID:
    t = table(Transfer)
    found: UUID = shop.house.ask(lambda session: session.execute(t.select().where(t.c.reference == reference)).one()).id
    return found


@pytest.mark.parametrize(
    "change",
    [
        "amount = amount + 1",
        "state = 'payable'",
        "state = 'capped'",
        "state = 'clawed_back'",
        "state = 'lost'",
        "member_id = (SELECT id FROM member WHERE name = 'Carol')",
        "asset = 'CNY'",
    ],
)
def test_a_changed_reward_is_found(shop: Shop, change: str) -> None:
    reward = reward_in(shop, "voided")
    tamper(shop.house, f"UPDATE reward SET {change} WHERE id = :id", id=key(shop.house, reward.id))
    assert any(str(reward.id) in (problem.row_id + problem.detail) for problem in shop.problems())


def test_a_deleted_reward_leaves_orphans(shop: Shop) -> None:
    reward = reward_in(shop, "held")
    tamper(shop.house, "DELETE FROM reward WHERE id = :id", id=key(shop.house, reward.id))
    [problem] = shop.problems()
    assert (problem.kind, problem.table, problem.row_id) == (
        "orphan",
        "transfer",
        str(transfer_of(shop, f"grant/{reward.id}")),
    )


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ("amount = amount + 5", {"amount", "balance"}),
        ("reference = 'grant/00000000-0000-0000-0000-000000000000'", {"orphan", "left"}),
        ("kind = 'release'", {"kind"}),
        ("credit_id = (SELECT id FROM ledger_account WHERE purpose = 'external')", {"account", "balance"}),
        ("asset = 'CNY'", {"account"}),
    ],
)
def test_a_changed_transfer_is_found(shop: Shop, change: str, kinds: set[str]) -> None:
    moved = transfer_of(shop, f"grant/{reward_in(shop, 'held').id}")
    tamper(shop.house, f"UPDATE transfer SET {change} WHERE id = :id", id=key(shop.house, moved))
    found = shop.problems()
    assert kinds <= {problem.kind for problem in found}
    if kinds != {"orphan", "left"}:
        assert str(moved) in {problem.row_id for problem in found}


def test_a_deleted_transfer_is_found(shop: Shop) -> None:
    reward = reward_in(shop, "payable")
    moved = transfer_of(shop, f"release/{reward.id}")
    tamper(shop.house, "DELETE FROM transfer WHERE id = :id", id=key(shop.house, moved))
    found = {(problem.kind, problem.table) for problem in shop.problems()}
    assert found == {("left", "reward"), ("balance", "ledger_account"), ("waits", "unsealed_transfer")}


def test_a_changed_balance_is_found_and_so_is_the_money_from_nowhere(shop: Shop) -> None:
    purse = Account(shop.brand.id, shop.alice, Purpose.HELD, "PTS")
    tamper(shop.house, "UPDATE ledger_account SET balance = 999 WHERE id = :id", id=key(shop.house, purse.id))
    found = {(problem.kind, problem.row_id) for problem in shop.problems()}
    assert found == {("balance", str(purse.id)), ("sum", str(shop.brand.id))}


def test_an_account_below_zero_is_found(shop: Shop) -> None:
    purse = Account(shop.brand.id, shop.alice, Purpose.HELD, "PTS")
    tamper(shop.house, "UPDATE ledger_account SET balance = -1 WHERE id = :id", id=key(shop.house, purse.id))
    assert ("below_zero", str(purse.id)) in {(problem.kind, problem.row_id) for problem in shop.problems()}


def test_an_account_that_changed_hands_is_found(shop: Shop) -> None:
    purse = Account(shop.brand.id, shop.alice, Purpose.PAYABLE, "PTS")
    change = "UPDATE ledger_account SET owner_id = brand_id WHERE id = :id"
    tamper(shop.house, change, id=key(shop.house, purse.id))
    assert ("owner", str(purse.id)) in {(problem.kind, problem.row_id) for problem in shop.problems()}


def test_a_campaign_nobody_knows_cannot_be_funded_unseen(shop: Shop) -> None:
    outside = Account(shop.brand.id, shop.brand.id, Purpose.EXTERNAL, "PTS")
    budget = Account(shop.brand.id, UUID(int=5), Purpose.BUDGET, "PTS")
    shop.house.do(lambda session: transfer(session, [Move("fund/5/1", "fund", outside, budget, 7)]))
    assert [(problem.kind, problem.detail) for problem in shop.problems()] == [
        ("orphan", "fund/5/1: there is no such campaign")
    ]


def test_a_campaign_is_funded_from_outside_only(shop: Shop) -> None:
    purse = Account(shop.brand.id, shop.alice, Purpose.PAYABLE, "PTS")
    budget = Account(shop.brand.id, shop.campaign.id, Purpose.BUDGET, "PTS")
    shop.house.do(lambda session: transfer(session, [Move("fund/x", "fund", purse, budget, 7)]))
    assert [problem.kind for problem in shop.problems()] == ["account"]


def test_linked_members_are_one_owner(shop: Shop) -> None:
    """Bob turns out to be Alice: his purse and his rewards become hers, by transfers."""
    [alice] = {reward.member_id for reward in shop.rewards(shop.alice)}
    carol = next(reward for reward in everyone(shop) if reward.role == "friend" and reward.state == "payable")
    whose = carol.member_id
    purse, hers = (Account(shop.brand.id, member, Purpose.PAYABLE, "PTS") for member in (whose, alice))
    move = Move(f"link/{UUID(int=3)}/member.payable/PTS", "link", purse, hers, carol.amount)

    def repoint(session: Session) -> None:
        reward = session.get_one(Reward, (shop.brand.id, carol.id))
        reward.member_id = alice
        session.add(reward)
        transfer(session, [move])

    shop.house.do(repoint)
    assert {problem.kind for problem in shop.problems()} == {"account", "cause", "orphan"}  # nothing says they are one
    link = MemberLink(
        brand_id=shop.brand.id,
        id=UUID(int=3),
        kept_id=alice,
        absorbed_id=whose,
        moved={},
        linked_at=clock.now(),
        undone_at=clock.now(),
    )
    shop.house.do(lambda session: session.add(link))
    assert shop.problems() == []


def everyone(shop: Shop) -> list[Reward]:
    t = table(Reward)
    return shop.house.ask(lambda session: list(session.scalars(select(Reward).where(t.c.brand_id == shop.brand.id))))


def test_a_reward_that_came_back_when_a_link_was_undone_is_proved_too(shop: Shop) -> None:
    reward = reward_in(shop, "voided")
    budget = Account(shop.brand.id, shop.campaign.id, Purpose.BUDGET, "PTS")
    held = Account(shop.brand.id, shop.alice, Purpose.HELD, "PTS")
    shop.house.do(lambda session: corrections.take_back(session, [reward_in(shop, "held")], "x"))
    link = ids.new()

    def bring_back(session: Session) -> None:
        row = session.get_one(Reward, (shop.brand.id, reward.id))
        transfer(session, [Move(f"link/{link}/again/{row.id}", "link", budget, held, row.amount)])
        row.state, row.reason, row.taken_back = "held", f"link/{link}", 0
        session.add(row)

    shop.house.do(bring_back)
    assert shop.problems() == []
    back = next(row for row in shop.rewards(shop.alice) if row.id == reward.id)
    shop.house.do(lambda session: corrections.take_back(session, [back], "left_during_hold"))
    assert shop.problems() == []
    tamper(shop.house, "UPDATE reward SET state = 'held' WHERE id = :id", id=key(shop.house, reward.id))
    assert [(problem.kind, problem.row_id) for problem in shop.problems()] == [("left", str(reward.id))]


def test_every_page_is_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = open_shop(house)
    for name in ("Bob", "Carol", "Dan"):
        shop.brings(name)
    with later(days=7):
        shop.stays()
    monkeypatch.setattr("rewards.verify.problem.AT_ONCE", 2)
    assert house.ask(verify) == []
    last = max(shop.rewards(shop.alice), key=lambda reward: reward.id)
    tamper(house, "UPDATE reward SET amount = 1 WHERE id = :id", id=key(house, last.id))
    assert {problem.kind for problem in house.ask(verify)} == {"amount", "left"}
