"""Rows that are named by their keys are looked up by them; what would read a brand instead does not pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, select
from sqlmodel import Session

from core import ids
from core.db import among_keys, make_engine, metadata, table
from core.keyed import Keyed
from referral.leaderboard import Score
from referral.referrals import Referral
from rewards.rewards import Reward
from tests import plans

R, W, S = table(Referral).c, table(Reward).c, table(Score).c
BRAND, CAMPAIGN, BOB, CAROL = (ids.new() for _ in range(4))


@pytest.fixture
def reading(migrated_sqlite: Path) -> Iterator[Session]:
    """A session on an empty house, whose planner knows no more than it does of a full one."""
    engine = make_engine(f"sqlite:///{migrated_sqlite}", writer=False)
    with Session(engine) as session:
        yield session
    engine.dispose()


def read(session: Session, statement: Select[Any]) -> list[str]:
    """The indexes SQLite reads the statement's tables by, with the columns it uses of each."""
    text = statement.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
    rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")
    return [row[3].partition(" INDEX ")[2] for row in rows if row[3].startswith("SEARCH")]


@pytest.mark.parametrize("friends", [{BOB}, {BOB, CAROL}])
def test_friends_are_looked_up_also_where_an_index_of_the_brand_has_the_order(
    reading: Session, friends: set[Any]
) -> None:
    keys = {(BRAND, friend) for friend in friends}
    found = select(R.id, R.state).where(among_keys(reading, (R.brand_id, R.friend_id), keys)).order_by(R.id)
    assert read(reading, found) == ["sqlite_autoindex_referral_2 (brand_id=? AND friend_id=?)"]


def test_members_of_a_campaign_are_looked_up_and_not_the_campaign_read(reading: Session) -> None:
    keys = {(BRAND, CAMPAIGN, BOB), (BRAND, CAMPAIGN, CAROL)}
    rewards = select(W.id, W.amount).where(among_keys(reading, (W.brand_id, W.campaign_id, W.member_id), keys))
    assert read(reading, rewards) == ["ix_reward_member (brand_id=? AND member_id=?)"]
    scores = select(S.member_id, S.score).where(among_keys(reading, (S.brand_id, S.campaign_id, S.member_id), keys))
    assert read(reading, scores) == ["sqlite_autoindex_score_1 (brand_id=? AND campaign_id=? AND member_id=?)"]


def test_people_of_several_brands_are_looked_up(reading: Session) -> None:
    keys = {(BRAND, CAMPAIGN, BOB), (ids.new(), ids.new(), CAROL)}
    named = among_keys(reading, (R.brand_id, R.campaign_id, R.advocate_id), keys)
    found = select(R.advocate_id, W.amount).join(table(Reward), (W.brand_id == R.brand_id) & (W.referral_id == R.id))
    assert read(reading, found.where(named)) == [
        "ix_referral_advocate (brand_id=? AND advocate_id=? AND campaign_id=?)",
        "sqlite_autoindex_reward_2 (brand_id=? AND referral_id=?)",
    ]


def test_what_names_its_rows_and_reads_a_brand_does_not_pass(reading: Session) -> None:
    careless = """SELECT id FROM referral WHERE brand_id = ?
        AND friend_id IN (SELECT value FROM json_each(?)) ORDER BY id"""
    with pytest.raises(AssertionError, match=r"SEARCH referral .*\(brand_id=\?\)"), plans.looked_up():
        reading.connection().exec_driver_sql(careless, (BRAND.hex, "[]"))
    with pytest.raises(AssertionError, match="SCAN referral"), plans.looked_up():
        reading.connection().exec_driver_sql("SELECT id FROM referral WHERE id IN (SELECT value FROM json_each('[]'))")


def test_what_looks_its_rows_up_passes_and_so_does_what_names_none(reading: Session) -> None:
    with plans.looked_up():
        Keyed(select(R.id).order_by(R.id), R.brand_id, R.friend_id).ask(reading, [(BRAND, BOB), (BRAND, CAROL)])
        reading.execute(select(R.id).where(R.brand_id == BRAND).order_by(R.id)).all()
        reading.execute(select(R.state).where(among_keys(reading, (R.brand_id, R.campaign_id), {(BRAND, CAMPAIGN)})))


def test_every_table_that_is_watched_is_there() -> None:
    assert set(plans.BIG) <= metadata.tables.keys()
    assert plans.whole(["SEARCH identity USING INDEX a (brand_id=?) LEFT-JOIN", "SCAN touch_1 USING COVERING INDEX b"])
    assert not plans.whole(["SEARCH identity USING INDEX a (brand_id=? AND account=?) LEFT-JOIN", "SCAN brand"])
