"""Answers kept under a key, on both databases; and what no database takes."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlmodel import Session

from core import clock
from core.db import make_engine
from core.errors import Conflict
from core.events import Bus
from core.writer import Writer
from referral.brands import create_brand
from tests.house import House
from tests.web import site
from tests.web.api.test_conversions import open_shop, order
from web.api.answers import Answer, given, keep


def test_two_processes_that_answer_under_one_key_at_once_do_not_both_prevail(house: House) -> None:
    """Each has looked and found nothing; only one may have answered."""
    brand = house.do(lambda session: create_brand(session, "Tea").id)
    other = Writer(make_engine(house.url, writer=True), Bus()).start()
    ready, said = Barrier(2), {}

    def answers(writer: Writer, digest: str) -> None:
        def unit(session: Session) -> None:
            if house.url.startswith("postgresql"):  # SQLite lets nobody else begin
                assert given(session, [(brand, "k")]) == {}
                ready.wait(20)
            keep(session, {(brand, "k"): (digest, Answer(201, {"said": digest}))})

        try:
            writer.run_sync(unit)
            said[digest] = "kept"
        except Conflict as error:
            said[digest] = error.code

    try:
        both = [Thread(target=answers, args=one) for one in ((house.writer, "a"), (other, "b"))]
        for one in both:
            one.start()
        for one in both:
            one.join(30)
    finally:
        other.close()
    assert sorted(said.values()) == ["idempotency_key", "kept"]
    [digest] = [name for name, what in said.items() if what == "kept"]
    assert house.ask(lambda session: given(session, [(brand, "k")]))[(brand, "k")][0] == digest


async def test_what_no_database_takes_is_refused_on_both(
    tmp_path: Path, migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "fresh_sqlite", lambda _: migrated_url)
    async with open_shop(tmp_path) as shop:
        for path in (
            *("/conversions?source=%00", "/conversions?external_id=a%00", "/conversions?status=%00"),
            *("/refunds?order_id=%00", "/campaigns/%00/leaderboard", "/campaigns/a%00b/leaderboard"),
        ):
            assert (await shop.get(path)).status_code == 422, path
        line = {"sku": "tea", "amount": 12_800, "name": "a\x00b"}
        refused = await shop.post("/conversions", order(lines=[line]))
        assert (refused.status_code, refused.json()["code"]) == (400, "order_name")
        long_ago = await shop.post("/conversions", order("old", ordered_at="1970-01-01T00:00:00+14:00"))
        far_off = await shop.post("/conversions", order("new", ordered_at="9998-12-31T23:59:59-14:00"))
        assert (long_ago.status_code, far_off.status_code) == (201, 201)
        yen = await shop.post("/conversions", order("yen", currency="JPY", gross=1, discount=0))
        assert (yen.json()["currency"], yen.json()["net"]) == ("JPY", 1)
        assert clock.now().isoformat()[:10] == yen.json()["received_at"][:10]
