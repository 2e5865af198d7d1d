"""Applications, feedback and figures of a trial as an operator reads them, on the command line and in files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from PIL import Image
from sqlmodel import Session

from core import vault
from core.sheets import read_sheet
from referral.pictures import keep
from rewards.campaign_files import apply_campaign, write_campaign
from rewards.campaign_format import read_campaign
from rewards.items.draw_proof import check_document, read_document
from tests.daixin.program import SECRET, Shell, migrated
from tests.daixin.test_cli import refused
from tests.house import House, later
from tests.rewards.tasting import Tasting, open_tasting

T = TypeVar("T")
QUESTIONS = [
    {
        "key": "skin",
        "text": {"en": "Your skin?", "zh_Hans": "你的肤质？"},
        "choices": [{"en": "Dry", "zh_Hans": "干性"}, {"en": "Oily", "zh_Hans": "油性"}],
    },
    {"key": "why", "text": {"en": "Why?", "zh_Hans": "为什么？"}, "optional": True},
]


@pytest.fixture
def folder(tmp_path: Path, migrated_sqlite: Path) -> Path:
    return migrated(tmp_path, migrated_sqlite)


def in_house(folder: Path, story: Callable[[House], T]) -> T:
    """Something happens in the database of the folder."""
    house = House(f"sqlite:///{folder / 'daixin.db'}")
    vault.set_keys("", SECRET)  # what is sealed here is read by the program
    try:
        return story(house)
    finally:
        house.close()


def photo(town: Tasting) -> str:
    """A photo that somebody sent; its name."""
    body = io.BytesIO()
    Image.new("RGB", (100, 100), "pink").save(body, "PNG")
    return town.house.do(lambda session: keep(session, town.brand.id, body.getvalue()))


def by_hand(house: House) -> Tasting:
    town = open_tasting(house, "promo_code", trial__approve="hand", trial__quota=1, trial__questions=QUESTIONS)
    town.applies("Ann", skin="1", why="=1+1")
    town.applies("Bob", skin="Oily")
    return town


def test_applications_are_listed_in_the_order_of_the_line_and_decided(daixin: Shell, folder: Path) -> None:
    in_house(folder, by_hand)
    rows = daixin(folder, "trial", "list", "serum", "--json").json
    assert [(row["name"], row["number"], row["state"]) for row in rows] == [
        ("Ann", 1, "applied"),
        ("Bob", 2, "applied"),
    ]
    assert rows[0]["answers"] == {"Your skin?": "Dry", "Why?": "=1+1"}
    done = daixin(folder, "trial", "approve", "serum", "telegram:bob", "--reason", "oily skin first")
    assert done.out.strip() == "telegram:bob: approved"
    assert daixin(folder, "trial", "decline", "serum", "telegram:ann", "--reason", "next time").status == 0
    refused(daixin(folder, "trial", "approve", "serum", "telegram:ann"), "already")
    refused(daixin(folder, "trial", "list", "nothing"), "nothing")
    assert "Oily" in daixin(folder, "trial", "list", "serum", "--state", "approved").out
    assert daixin(folder, "trial", "list", "serum", "--file", "line.csv").status == 0
    lines = [cells for _, cells in read_sheet(folder / "line.csv")]
    assert lines[0][-2:] == ["Your skin?", "Why?"]
    assert {line[-2] for line in lines[1:]} == {"Dry", "Oily"}
    assert "'=1+1" in (folder / "line.csv").read_text("utf-8-sig")  # no formula of somebody's making


def test_feedback_is_read_and_what_may_be_published_apart(daixin: Shell, folder: Path) -> None:
    def story(house: House) -> None:
        town = open_tasting(house, "promo_code")
        for name, consent in (("Ann", True), ("Bob", False)):
            town.applies(name)
            town.takes(name)
            town.reviews(name, 4, f"{name} likes it.", consent=consent, picture=photo(town) if consent else None)

    in_house(folder, story)
    assert [row["name"] for row in daixin(folder, "trial", "feedback", "serum", "--json").json] == ["Ann", "Bob"]
    assert [row["name"] for row in daixin(folder, "trial", "feedback", "serum", "--publish", "--json").json] == ["Ann"]
    assert "Bob likes it." in daixin(folder, "trial", "feedback", "serum").out
    assert daixin(folder, "trial", "feedback", "serum", "--publish", "--file", "said.xlsx").status == 0
    assert [cells[3] for _, cells in read_sheet(folder / "said.xlsx")] == ["text", "Ann likes it."]
    assert daixin(folder, "trial", "feedback", "serum", "--pictures", "photos").out.startswith("1 photos")
    (written,) = (folder / "photos").iterdir()
    assert written.read_bytes().startswith(b"\xff\xd8")
    figures = daixin(folder, "trial", "funnel", "serum", "--json").json
    assert (figures["applied"], figures["reviewed"], figures["consented"], figures["rating"]) == (2, 2, 1, 4.0)
    assert "places     2 of 2" in daixin(folder, "trial", "funnel", "serum").out
    refused(daixin(folder, "trial", "draw", "serum", "draw.json"), "draw")


def test_a_trial_written_to_a_file_and_read_again_is_the_same(folder: Path) -> None:
    def story(house: House) -> None:
        town = open_tasting(
            house,
            trial__questions=QUESTIONS,
            trial__friends=3,
            trial__take_hours=48,
            trial__purchase_url="https://mei.example/serum",
        )

        def written(session: Session) -> str:
            return write_campaign(session, town._mine(session))

        text = house.ask(written)
        assert "[trial]" in text
        again = read_campaign(text)
        assert again.trial is not None
        assert again.trial.friends == 3

        def applied(session: Session) -> str:
            return apply_campaign(session, town.brand, again).changed

        assert house.do(applied) == "unchanged"

    in_house(folder, story)


def test_a_draw_is_written_out_for_anybody_to_check(daixin: Shell, folder: Path) -> None:
    def story(house: House) -> None:
        town = open_tasting(house, trial__approve="draw")
        for name in ("Ann", "Bob", "Cem"):
            town.applies(name)
        with later(days=15):
            town.does("end")
            town.night()

    in_house(folder, story)
    assert daixin(folder, "trial", "draw", "serum", "draw.json").status == 0
    document = read_document((folder / "draw.json").read_text())
    assert check_document(document) == []
    assert daixin(folder, "draw", "verify", "draw.json").status == 0
    document["winners"][0]["number"] = 3 if document["winners"][0]["number"] != 3 else 1
    (folder / "bent.json").write_text(json.dumps(document))
    assert daixin(folder, "draw", "verify", "bent.json").status == 1
