"""A brand's manners, and its broadcasts, as an operator types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import Session

from core.db import make_engine
from core.events import Bus
from core.writer import Writer
from referral import brands, members
from referral.outreach import broadcasts
from tests.daixin.program import Shell, migrated
from tests.daixin.test_cli import refused
from tests.house import person


@pytest.fixture
def brand(daixin: Shell, tmp_path: Path, migrated_sqlite: Path) -> Path:
    folder = migrated(tmp_path, migrated_sqlite)
    assert daixin(folder, "brand", "create", "山茶 Tea", "--slug", "tea-house").status == 0
    return folder


def test_a_brand_chooses_its_manners(daixin: Shell, brand: Path) -> None:
    usual = daixin(brand, "outreach", "settings").json
    assert usual == {
        "quiet": "21:00-09:00",
        "cap": 3,
        "cheers": True,
        "nudges": True,
        "digest": True,
        "timezone": "Asia/Shanghai",
    }
    changed = daixin(brand, "outreach", "settings", "--quiet", "22:30–8:00", "--cap", "1", "--no-nudges").json
    assert (changed["quiet"], changed["cap"], changed["nudges"], changed["cheers"]) == ("22:30-08:00", 1, False, True)
    assert daixin(brand, "outreach", "settings", "--quiet", "none").json["quiet"] == "none"
    for wrong in (["--quiet", "at night"], ["--quiet", "25:00-09:00"]):
        refused(daixin(brand, "outreach", "settings", *wrong), "two times of day")
    refused(daixin(brand, "outreach", "settings", "--cap", "21"), "0 to 20")


def test_a_broadcast_can_be_seen_and_stopped(daixin: Shell, brand: Path) -> None:
    writer = Writer(make_engine(f"sqlite:///{brand / 'daixin.db'}", writer=True), Bus()).start()

    def begin(session: Session) -> str:
        members.set_fingerprint_key("test")
        owner = brands.only_brand(session)
        assert owner is not None
        known = members.meet(session, owner.id, [person("Mei")], [owner.created_at], "message")
        made = broadcasts.draft(session, owner.id, {"en": "New tea"}, "all", known[0].member_id)
        broadcasts.start(session, made, "telegram:mei")
        broadcasts.plan_due(session)
        return str(made.id)

    which = writer.run_sync(begin)
    writer.close()
    [row] = daixin(brand, "outreach", "broadcasts", "--json").json
    assert (row["id"], row["state"], row["planned"], row["messages"]) == (which, "sending", 1, {"waiting": 1})
    assert "waiting 1" in daixin(brand, "outreach", "broadcasts").out
    assert daixin(brand, "outreach", "stop", which).json["state"] == "stopped"
    refused(daixin(brand, "outreach", "stop", which), "nothing to stop")
    refused(daixin(brand, "outreach", "stop", "5"), "no such broadcast")
