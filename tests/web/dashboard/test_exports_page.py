"""Files to take away: asked for on a page, made by a worker, watched, downloaded, gone after a week."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from rewards.exports import exports
from rewards.exports.runner import ExportRunner
from tests.house import later
from tests.web.brandsite import OTHER, Brandsite, Person, open_brand

FILE = re.compile(r'href="/b/wild(/exports/[0-9a-f-]{36}/file)"')


def worker(site: Brandsite, folder: Path) -> ExportRunner:
    """A process with the worker's role."""
    return ExportRunner(site.house.writer, site.house.reader, folder / "exports")


async def made(site: Brandsite, mei: Person, folder: Path, **wish: str) -> bytes:
    """The file that Mei asks for on the page."""
    answer = await mei.post("/exports", **({"format": "csv"} | wish))
    assert answer.status_code == 303, answer.text
    assert await worker(site, folder).run_due() == 1
    page = await mei.get("/exports")
    found = FILE.search(page.text)
    assert found is not None, page.text
    file = await mei.get(found[1])
    assert file.status_code == 200
    return file.content


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


async def test_orders_are_taken_away_as_csv(tmp_path: Path) -> None:
    async with open_brand(tmp_path, data_folder=str(tmp_path)) as site:
        mei = await site.person("manager")
        data = await made(site, mei, tmp_path, what="orders")
        assert data.startswith(b"\xef\xbb\xbf")
        first, second = table(data)
        assert first["Order"] == "wild-1001"
        assert (first["Gross"], first["Refunded"], first["Net after refunds"]) == ("128.00", "20.00", "108.00")
        assert first["Buyer"] == "Bob <b>&"
        assert first["Advocate"] == "Alice <b>&"
        assert "Ordered (Asia/Shanghai)" in first
        assert second["Order"] == "wild-1002"
        assert OTHER not in data.decode()


@pytest.mark.parametrize("what", exports.KINDS)
async def test_everything_can_be_taken_away_as_a_workbook(tmp_path: Path, what: str) -> None:
    async with open_brand(tmp_path, "zh_Hans", data_folder=str(tmp_path)) as site:
        mei = await site.person("owner")
        data = await made(site, mei, tmp_path, what=what, format="xlsx", campaign=site.ours.campaign)
        book = load_workbook(io.BytesIO(data))
        heads, *rows = book.worksheets[0].iter_rows(values_only=True)
        assert all(heads)
        assert len(rows) == {"orders": 2, "friends": 2, "rewards": 2, "leaderboard": 1, "advocates": 1}.get(
            what, len(rows)
        )
        assert OTHER not in repr(rows)
