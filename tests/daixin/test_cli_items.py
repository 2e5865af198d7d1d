"""The catalogue, its pools, parcels and draws as an operator types them; a draw checked with nothing but its file."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core import clock
from rewards.items import draw_proof
from tests.daixin.program import ROOT, Shell, migrated
from tests.daixin.test_cli import CAMPAIGN, refused

EXAMPLE = ROOT / "examples/catalogue.toml"


@pytest.fixture
def shop(daixin: Shell, tmp_path: Path, migrated_sqlite: Path) -> Path:
    """A brand with a running campaign and the example's catalogue."""
    folder = migrated(tmp_path, migrated_sqlite)
    assert daixin(folder, "brand", "create", "山茶 Tea", "--slug", "tea-house").status == 0
    (folder / "tea.toml").write_text(CAMPAIGN)
    assert daixin(folder, "campaign", "apply", "tea.toml").status == 0
    assert daixin(folder, "catalogue", "apply", str(EXAMPLE)).status == 0
    return folder


def test_a_catalogue_is_applied_once(daixin: Shell, shop: Path) -> None:
    again = daixin(shop, "catalogue", "apply", str(EXAMPLE), "--json").json
    assert {row["change"] for row in again} == {"same"}
    assert len(again) == 7
    rows = daixin(shop, "item", "list", "--json").json
    assert {row["slug"]: row["left"] for row in rows}["teapot"] == 20
    assert "咖啡" in json.dumps(rows, ensure_ascii=False)
    assert "A cup of coffee" in daixin(shop, "item", "list").out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[items]]\nslug = 1", "items.1.slug"),
        ("items = []", "items"),
        ("[[items", "TOML"),
        ('[[items]]\nslug = "a"\nkind = "car"\ntitle = { en = "A" }', "no kind of item"),
        ('[[items]]\nslug = "a"\nkind = "ticket"\ntitle = { fr = "A" }', "title.fr"),
        ('[[items]]\nslug = "a"\nkind = "ticket"\ntitle = { en = "A" }\nprice = 0', "price"),
        ('[[items]]\nslug = "a"\nkind = "ticket"\ntitle = { en = "A" }\nprice = 1.5', "items.1.price"),
        ('[[items]]\nslug = "a"\nkind = "voucher"\ntitle = { en = "A" }\nstock = 5', "pool"),
        ('[[items]]\nslug = "a"\nkind = "promo_code"\ntitle = { en = "A" }\nsettings = { pattern = "A-?" }', "guessed"),
        ('[[items]]\nslug = "a"\nkind = "telegram_premium"\ntitle = { en = "A" }\nsettings = { months = 4 }', "months"),
        ('[[items]]\nslug = "coffee"\nkind = "ticket"\ntitle = { en = "A" }', "stays one"),
    ],
)
def test_a_catalogue_that_makes_no_sense_changes_nothing(daixin: Shell, shop: Path, text: str, words: str) -> None:
    (shop / "bad.toml").write_text(text)
    refused(daixin(shop, "catalogue", "apply", "bad.toml"), words)
    assert len(daixin(shop, "item", "list", "--json").json) == 7


def test_items_are_added_changed_and_retired(daixin: Shell, shop: Path) -> None:
    added = daixin(
        shop, "item", "add", "mug", "physical", "--title", "A mug", "--price", "100", "--set", 'countries=["CN"]'
    ).json
    assert (added["price"], added["settings"]["countries"]) == (100, ["CN"])
    changed = daixin(shop, "item", "edit", "mug", "--no-price", "--stock", "5", "--title-zh", "杯子").json
    assert (changed["price"], changed["left"], changed["title"]) == (None, 5, {"en": "A mug", "zh_Hans": "杯子"})
    assert daixin(shop, "item", "retire", "mug").json["active"] is False
    refused(daixin(shop, "item", "edit", "plate"), "There is no item plate")


def test_codes_are_imported_or_their_lines_named(daixin: Shell, shop: Path) -> None:
    (shop / "codes.csv").write_bytes("code,expires_at\r\n奶茶-1,2030-01-31\r\n奶茶-2,\r\n".encode("gb18030"))
    first = daixin(shop, "voucher", "import", "coffee", "codes.csv").json
    assert first == {"item": "coffee", "added": 2, "known": 0, "available": 2}
    assert daixin(shop, "voucher", "import", "coffee", "codes.csv").json["known"] == 2
    (shop / "bad.csv").write_text("code\nA\nA\n" + "x" * 300 + "\n")
    done = daixin(shop, "voucher", "import", "coffee", "bad.csv")
    refused(done, "line 3: the same code as in line 2")
    assert "line 4" in done.err
    refused(daixin(shop, "voucher", "import", "teapot", "codes.csv"), "not a voucher item")
    refused(daixin(shop, "voucher", "import", "coffee", "none.csv"), "none.csv")


def test_no_parcel_no_address(daixin: Shell, shop: Path) -> None:
    assert daixin(shop, "shipment", "list", "--json").json == []
    assert "0 parcels" in daixin(shop, "shipment", "export", "p.xlsx").out or (shop / "p.xlsx").exists()
    refused(daixin(shop, "shipment", "ship", "NOPE", "--carrier", "SF", "--tracking", "1"), "no parcel NOPE")


def draw_arguments(**changes: str) -> list[str]:
    closes = (clock.now() + timedelta(days=3)).isoformat()
    given = {"item": "new-year-ticket", "campaign": "tea", "closes": closes, "title": "Gala"} | changes
    return ["draw", "create", "gala", *(part for name, value in given.items() for part in (f"--{name}", value))]


def test_a_draw_shows_its_commitment_and_keeps_its_seed(daixin: Shell, shop: Path) -> None:
    made = daixin(shop, *draw_arguments(), "--prize", "1 x item:teapot", "--prize", "3 x 100 PTS").json
    assert made["prizes"] == [
        {"asset": "item:teapot", "amount": 1, "winners": 1},
        {"asset": "PTS", "amount": 100, "winners": 3},
    ]
    assert made["seed"] is None
    assert len(made["commitment"]) == 64
    assert made["commitment"] in json.dumps(daixin(shop, "draw", "list", "--json").json)
    refused(daixin(shop, "draw", "close", "gala"), "until its time is over")
    refused(daixin(shop, "draw", "reveal", "gala"), "until its time is over")
    refused(daixin(shop, *draw_arguments(), "--prize", "nonsense"), "no prize")
    refused(daixin(shop, *draw_arguments(closes="soon"), "--prize", "1 x item:teapot"), "no moment")
    assert "0 tickets" in daixin(shop, "draw", "export", "gala", "gala.json").out
    done = daixin(shop, "draw", "verify", "gala.json")
    assert done.status == 1
    assert "not revealed yet" in done.err


def revealed() -> dict[str, Any]:
    """A document as a draw of somebody else's would have it."""
    seed = "ab" * 32
    tickets = [{"number": number, "person": f"{number % 4:016x}"} for number in range(1, 11)]
    prizes = [{"asset": "PTS", "amount": 100, "winners": 3}]
    return {
        "format": draw_proof.FORMAT,
        "commitment": draw_proof.commitment_of(seed),
        "prizes": prizes,
        "entropy": {"source": "drand", "value": "c0ffee"},
        "tickets": tickets,
        "tickets_digest": draw_proof.tickets_digest(tickets),
        "seed": seed,
        "winners": draw_proof.winners_of(seed, "c0ffee", tickets, prizes),
    }


def test_a_draw_is_checked_with_its_file_alone(daixin: Shell, tmp_path: Path) -> None:
    document = revealed()
    file = tmp_path / "draw.json"
    file.write_text(json.dumps(document))
    commitment = document["commitment"]
    right = daixin(tmp_path, "draw", "verify", "draw.json", "--commitment", commitment, "--entropy", "c0ffee")
    assert (right.status, right.err) == (0, "")
    assert "3 winners among 10 tickets" in right.out
    assert "Compare the commitment" in daixin(tmp_path, "draw", "verify", "draw.json").out
    document["winners"][0]["number"] = 99
    file.write_text(json.dumps(document))
    wrong = daixin(tmp_path, "draw", "verify", "draw.json")
    assert wrong.status == 1
    assert "place 1" in wrong.err
    assert not list(tmp_path.glob("**/*.db"))
