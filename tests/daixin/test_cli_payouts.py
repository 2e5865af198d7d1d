"""The finance person at the keyboard: batches, files, a second person; and the keys of what is sealed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from core import vault
from core.errors import NotFound
from daixin import actions_payouts
from tests.daixin.program import SECRET, Done, Shell, migrated
from tests.house import House
from tests.rewards.payouts.till import Till, open_till


@pytest.fixture
def till(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Till]:
    """Alice has asked for 10.00 and for 20.50 yuan."""
    house = House(f"sqlite:///{migrated(tmp_path, migrated_sqlite) / 'daixin.db'}")
    vault.set_keys("", SECRET)
    till = open_till(house)
    till.earns(3050)
    till.payee()
    till.takes(1000)
    till.takes(2050, key="2")
    yield till
    house.close()


def ok(done: Done) -> Done:
    assert done.status == 0, done.err
    return done


def test_a_batch_from_the_list_to_the_last_line(daixin: Shell, till: Till, tmp_path: Path) -> None:
    found = ok(daixin(tmp_path, "payout", "list", "--json")).json
    assert [(one["said"], one["payee"], one["state"]) for one in found] == [
        ("CN¥20.50", "A** …7894", "pending"),
        ("CN¥10.00", "A** …7894", "pending"),
    ]
    assert "7894" in ok(daixin(tmp_path, "payout", "list")).out
    ok(daixin(tmp_path, "payout", "cancel", found[0]["reference"], "--by", "mei"))

    limits = {"payout_approve_above": "CNY=5"}
    made = ok(daixin(tmp_path, "payout", "batch", "manual", "cny", "--by", "mei", "--json", **limits)).json
    assert (made["batch"], made["count"], made["total"], made["approved_by"]) == (1, 1, 1000, None)
    again = daixin(tmp_path, "payout", "approve", "--batch", "1", "--by", "mei", **limits)
    assert (again.status, "Somebody else" in again.err) == (1, True)
    assert "second person" in daixin(tmp_path, "payout", "export", "--batch", "1", "-o", "a.csv").err
    ok(daixin(tmp_path, "payout", "approve", "--batch", "1", "--by", "bo", **limits))
    ok(daixin(tmp_path, "payout", "export", "--batch", "1", "-o", "a.csv", "--by", "mei", "--locale", "en"))

    rows = [*csv.reader(io.StringIO((tmp_path / "a.csv").read_text("utf-8-sig")))]
    assert rows[1][4:6] == ["Alice Wang", "6222 0212 3456 7894"]
    rows[1][7], rows[1][2] = "paid", "11.00"
    wrong = save(tmp_path / "b.csv", rows)
    refused = daixin(tmp_path, "payout", "import", wrong)
    assert refused.status == 1
    assert "line 2: 11.00 CNY is not the amount" in refused.err
    rows[1][2] = "10.00"
    assert ok(daixin(tmp_path, "payout", "import", save(tmp_path / "b.csv", rows))).out.startswith("1 paid, 0 failed")

    shown = ok(daixin(tmp_path, "payout", "show", f"P-{found[1]['reference'][-8:]}", "--json")).json
    assert [(one["kind"], one["actor"]) for one in shown["history"]][1:2] == [("export", "mei")]
    assert shown["state"] == "completed"
    assert "1 completed" in ok(daixin(tmp_path, "payout", "batches")).out
    assert "in order" in ok(daixin(tmp_path, "ledger", "verify")).out


def save(path: Path, rows: list[list[str]]) -> str:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path.name


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "P-1"), "no such payout"),
        (("approve", "--batch", "9"), "no such batch"),
        (("export", "--batch", "9", "-o", "a.pdf"), "a.pdf"),
        (("import", "none.csv"), "none.csv"),
        (("batch", "paypal", "USD"), "nothing waiting"),
        (("look-up", "{reference}"), "not been sent"),
        (("retry", "{reference}"), "not served by the runner"),
        (("decide", "{reference}", "paid"), "this one is pending"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    daixin: Shell, till: Till, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    reference = till.payouts()[0].reference
    done = daixin(tmp_path, "payout", *(word.replace("{reference}", reference) for word in words))
    assert done.status == 1
    assert said in done.err
    assert "Traceback" not in done.err


def test_keys_are_changed_while_everything_stays_readable(daixin: Shell, till: Till, tmp_path: Path) -> None:
    old, new = (ok(daixin(tmp_path, "vault", "new-key")).out.strip() for _ in range(2))
    assert ok(daixin(tmp_path, "vault", "rotate", vault_keys=old)).out == "1 value(s) sealed with the newest key.\n"
    assert ok(daixin(tmp_path, "vault", "rotate", vault_keys=f"{new},{old}")).out.startswith("1 value")
    ok(daixin(tmp_path, "payout", "batch", "manual", "CNY", "--by", "mei", payout_approve_above="CNY=100"))
    lost = daixin(tmp_path, "payout", "export", "--batch", "1", "-o", "a.csv", vault_keys=old)
    assert (lost.status, "key they were sealed with" in lost.err) == (1, True)
    ok(daixin(tmp_path, "payout", "export", "--batch", "1", "-o", "a.csv", vault_keys=new))
    assert "6222 0212 3456 7894" in (tmp_path / "a.csv").read_text()
    assert "Key 2" in daixin(tmp_path, "payout", "list", vault_keys=f"{new},nonsense").err


def test_a_payout_is_found_by_what_its_member_was_told(house: House) -> None:
    till = open_till(house)
    till.earns(1000)
    till.payee()
    payout = till.takes(1000)
    for told in (f"P-{payout.reference[-8:].upper()}", f"P-{payout.reference}", str(payout.id), payout.reference):
        assert house.ask(partial(actions_payouts.find, brand=None, reference=told)).id == payout.id
    for other in ("P-00000000", "", "P-", payout.reference[:8], "x" * 32):
        with pytest.raises(NotFound):
            house.ask(partial(actions_payouts.find, brand=None, reference=other))
