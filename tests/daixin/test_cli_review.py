"""`daixin review …` as an operator types it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from bots import happenings
from bots.message import Address, Joined, Person, Place
from core import clock, events
from core.db import make_engine
from core.writer import Writer
from daixin.bootstrap import join_parts
from referral import members
from referral.brands import connect, find_brand
from referral.campaigns import enroll, find_campaign
from tests.daixin.program import Shell, migrated
from tests.house import person

TODAY = clock.now().date()
CAMPAIGN = f"""
[campaign]
slug = "tea"
title = {{ en = "Tea for two", zh_Hans = "双人茶" }}
benefit = {{ en = "A tin of tea", zh_Hans = "一罐茶" }}
timezone = "UTC"
starts_at = {TODAY - timedelta(days=9)}T00:00:00
ends_at = {TODAY + timedelta(days=90)}T00:00:00
[qualify]
event = "retained"
stay_days = 3
[rewards]
budget = 10000
rules = [{{ to = "advocate", amount = 100 }}]
"""


@pytest.fixture
def shop(daixin: Shell, tmp_path: Path, migrated_sqlite: Path) -> Path:
    """A folder with a brand, in whose group Alice added Bob."""
    folder = migrated(tmp_path, migrated_sqlite)
    assert daixin(folder, "brand", "create", "山茶 Tea", "--slug", "tea-house").status == 0
    (folder / "tea.toml").write_text(CAMPAIGN)
    assert daixin(folder, "campaign", "apply", "tea.toml").status == 0

    def happen(session: Session) -> None:
        brand = find_brand(session, "tea-house")
        connect(session, brand.id, "telegram", "-100", "Tea lovers")
        alice = members.meet(session, brand.id, [person("Alice")], [clock.now()], "message")[0].member_id
        enroll(session, find_campaign(session, brand.id, "tea"), alice)
        place = Place(Address("telegram", "-100"), "-100")
        joined = Joined(Person("bob", "Bob"), place, clock.now(), inviter="alice", certainty="inviter_hint")
        happenings.record(session, "telegram", joined)

    bus = events.Bus()
    join_parts(bus)
    writer = Writer(make_engine(f"sqlite:///{folder / 'daixin.db'}", writer=True), bus).start()
    writer.run_sync(happen)
    writer.close()
    return folder


def test_a_case_is_listed_shown_and_decided_once(daixin: Shell, shop: Path) -> None:
    (row,) = json.loads(daixin(shop, "review", "list", "--json").out)
    assert (row["kind"], row["about"], row["campaign"]) == ("attribution", "Who brought Bob?", "Tea for two")
    listed = daixin(shop, "review", "list", "--kind", "attribution").out
    assert listed.startswith(f"{row['case']}  attribution ")
    assert daixin(shop, "review", "list", "--kind", "appeal").out == "Nothing waits for a decision.\n"
    shown = daixin(shop, "review", "show", row["case"]).out
    assert "Alice added them, but Bob has not given an invite code." in shown
    assert f"daixin review decide {row['case']} decline" in shown
    done = daixin(shop, "review", "decide", row["case"], "approve", "--reason", "Bob said so.")
    assert (done.status, done.out) == (0, "Who brought Bob? (Tea for two): approve: Bob said so.\n")
    again = daixin(shop, "review", "decide", row["case"], "decline", "--reason", "No.")
    assert (again.status, again.err) == (1, "Somebody has decided this already.\n")
    assert json.loads(daixin(shop, "review", "show", row["id"], "--json").out)["decided_by"] == "operator"
    assert daixin(shop, "review", "list").out == "Nothing waits for a decision.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "nothing1"), "There is no such case."),
        (("list", "--kind", "weather"), "Kinds of cases: attribution, referral, application, appeal."),
        (("decide", "CASE", "maybe", "--reason", "x"), "A verdict is approve or decline."),
        (("decide", "CASE", "approve", "--reason", " "), "A reason takes one line of at most 200 characters."),
        (("decide", "CASE", "approve", "--reason", "x", "--choice", "Z"), "Say which of the candidates it was."),
    ],
)
def test_what_cannot_be_read_is_said(daixin: Shell, shop: Path, words: tuple[str, ...], said: str) -> None:
    (row,) = json.loads(daixin(shop, "review", "list", "--json").out)
    told = daixin(shop, "review", *(row["case"] if word == "CASE" else word for word in words))
    assert (told.status, told.err) == (1, said + "\n")
