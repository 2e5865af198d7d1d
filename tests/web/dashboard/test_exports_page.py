"""Files to take away: asked for on a page, made by a worker, watched, downloaded, gone after a week."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from openpyxl import load_workbook

from referral import audit
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


async def test_everything_can_be_taken_away_as_a_workbook(tmp_path: Path) -> None:
    async with open_brand(tmp_path, "zh_Hans", data_folder=str(tmp_path)) as site:
        mei = await site.person("owner")
        counts = {}
        for what in exports.KINDS:
            data = await made(site, mei, tmp_path, what=what, format="xlsx", campaign=site.ours.campaign)
            book = load_workbook(io.BytesIO(data))
            heads, *rows = book.worksheets[0].iter_rows(values_only=True)
            assert all(heads)
            assert OTHER not in repr(rows)
            counts[what] = len(rows)
        expected = {"orders": 2, "friends": 2, "rewards": 2, "transfers": counts["transfers"]}
        assert counts == expected | {"leaderboard": 1, "advocates": 1, "applications": 0}


async def test_who_may_not_take_data_along_sees_no_such_page(tmp_path: Path) -> None:
    async with open_brand(tmp_path, data_folder=str(tmp_path)) as site:
        mei, kit, zoe = (
            await site.person("owner"),
            await site.person("reviewer"),
            await site.person("owner", site.theirs),
        )
        await made(site, mei, tmp_path, what="orders", format="csv-plain")
        path = FILE.search((await mei.get("/exports")).text)
        assert path is not None
        assert not (await mei.get(path[1])).content.startswith(b"\xef\xbb\xbf")
        assert (await kit.get("/exports")).status_code == 403
        assert (await kit.get(path[1])).status_code == 403
        assert (await kit.post("/exports", what="orders", format="csv")).status_code == 403
        assert (await zoe.get(path[1])).status_code == 404
        assert (await zoe.post(path[1].replace("/file", "/cancel"))).status_code == 404
        acts = site.house.ask(lambda session: audit.entries_of(session, site.ours.brand_id, most=2))
        assert [one.act for one in acts] == ["export.download", "export.download"]


async def test_how_far_it_is_is_shown_until_it_is_done_and_it_can_be_let_go(tmp_path: Path) -> None:
    async with open_brand(tmp_path, data_folder=str(tmp_path)) as site:
        mei = await site.person("owner")
        await mei.post("/exports", what="friends", format="csv", since="2020-01-01", until="2999-01-01")
        taken = site.house.do(exports.take)
        assert taken is not None
        site.house.do(lambda session: exports.progress(session, taken, 1_000, 4_000))
        part = (await mei.get("/exports/list")).text
        assert "1,000 of about 4,000" in part
        assert 'hx-trigger="every 1s"' in part
        await mei.post(f"/exports/{taken.id}/cancel")
        part = (await mei.get("/exports/list")).text
        assert "Cancelled" in part
        assert "hx-trigger" not in part


async def test_where_nobody_makes_files_it_is_said(tmp_path: Path) -> None:
    async with open_brand(tmp_path, data_folder=str(tmp_path)) as site:
        mei = await site.person("owner")
        await mei.post("/exports", what="friends", format="csv")
        assert "no worker is running" not in (await mei.get("/exports/list")).text
        with later(minutes=2):
            part = (await mei.get("/exports/list")).text
            assert "no worker is running" in part
            assert 'hx-trigger="every 10s"' in part
            assert await worker(site, tmp_path).run_due() == 1
            assert "no worker is running" not in (await mei.get("/exports/list")).text


async def test_what_cannot_be_asked_for_is_said_on_the_page(tmp_path: Path) -> None:
    async with open_brand(tmp_path, data_folder=str(tmp_path)) as site:
        mei = await site.person("owner")
        for wish, words in (
            ({"what": "leaderboard", "format": "csv"}, "Choose a campaign"),
            ({"what": "orders", "format": "csv", "since": "tomorrow"}, "The period must begin before it ends"),
            ({"what": "orders", "format": "csv", "since": "0001-01-01"}, "The period must begin before it ends"),
            ({"what": "orders", "format": "csv", "campaign": site.theirs.campaign}, "There is no campaign"),
            ({"what": "passwords", "format": "csv"}, "cannot be exported"),
        ):
            answer = await mei.post("/exports", **wish)
            assert answer.status_code in (400, 404, 422)
            assert words in answer.text
        assert (await mei.get("/exports/nonsense/file")).status_code == 404
