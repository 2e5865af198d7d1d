"""The desk's pages on both databases, as they are of a brand that has lived a little and of one that has not begun."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from sqlmodel import Session

from referral.brands import Community
from referral.campaigns import Campaign
from rewards.exports.runner import ExportRunner
from rewards.payouts import approvals
from rewards.proofs import blocks
from tests.web.brandsite import OTHER, open_brand
from tests.web.dashboard.test_payouts_page import withdraws
from tests.web.dashboard.test_review_page import added, words
from tests.web.dashboard.test_trials_page import tasting

PAGES = ("/review", "/review/past", "/payouts", "/payouts/batches", "/ledger", "/trials", "/communities", "/exports")


async def test_every_page_opens_on_either_database(migrated_url: str, tmp_path: Path) -> None:
    async with open_brand(tmp_path, url=migrated_url, data_folder=str(tmp_path)) as site:
        approvals.set_limits("CNY=1")
        case_id, payout_id = added(site, "Eve"), withdraws(site)
        trial, brand = tasting(site)
        trial.applies("Ann", skin="dry")
        site.house.do(blocks.seal_due)
        mei, tina = await site.person("owner"), await site.person("owner", brand)
        assert (await mei.post("/payouts/batches", of="manual:CNY")).status_code == 303
        assert (await mei.post("/exports", what="transfers", format="csv")).status_code == 303
        assert await ExportRunner(site.house.writer, site.house.reader, tmp_path / "exports").run_due() == 1
        alice = site.ours.people["Alice"]
        reference = f"P-{payout_id.hex.upper()}"
        more = [f"/review/{case_id}", "/review?kind=attribution", f"/review/past?before={case_id}"]
        more += [f"/payouts/{payout_id}", f"/payouts?before={payout_id}", "/payouts/batches/1", "/exports/list"]
        more += [f"/payouts?which={which}" for which in ("approval", "stuck", "failed")]
        more += [f"/ledger?q={alice}&kind=grant&since=2020-01-01", f"/ledger?before={payout_id}"]
        more += [f"/ledger?q={text}" for text in ("grant/", reference, f"payout/{payout_id}")]
        for path in (*PAGES, *more):
            page = await mei.get(path)
            assert page.status_code == 200, path
            assert OTHER not in page.text, path
        row = trial.row("Ann").id
        for path in ("/trials", "/trials/serum", "/trials/serum?state=applied", f"/trials/serum?after={row}"):
            assert (await tina.get(path)).status_code == 200, path
        found = words((await mei.get(f"/ledger?q=payout/{payout_id}")).text)
        assert f"payout/{payout_id}/start" in found
        assert "withdrawn" in words((await mei.get(f"/ledger?q={reference}")).text)


async def test_no_form_upsets_postgresql(tmp_path: Path, postgres_house_url: str) -> None:
    async with open_brand(tmp_path, url=postgres_house_url, data_folder=str(tmp_path)) as site:
        case_id, payout_id = added(site, "Eve"), withdraws(site)
        mei, odd = await site.person("owner"), "spring\x00 😀"
        refused = [
            await mei.post("/exports", what="leaderboard", format="csv", campaign=odd),
            await mei.post("/exports", what=odd, format=odd, since=odd),
            await mei.post("/payouts/batches", of=f"manual:{odd}"),
            await mei.post("/payouts/batches", of=odd),
            await mei.post(f"/payouts/{payout_id}", act=odd),
            await mei.post(f"/review/{case_id}", verdict="approve", answer=odd, words=odd),
            await mei.post("/review", case=str(case_id), verdict=odd, words=odd),
            await mei.get("/trials/spring%00"),
        ]
        assert [one.status_code for one in refused] == [404, 400, 422, 422, 400, 400, 303, 404]
        for path in ("/ledger?q=%00&kind=%00", "/payouts?which=%00", "/review?kind=%00&done=%00", "/exports?what=%00"):
            assert (await mei.get(path)).status_code == 200, path


@pytest.mark.parametrize(
    ("locale", "says"),
    [
        (
            "en",
            ("All done", "No payouts here yet", "Nothing is in the books yet", "No trials yet", "Nothing exported yet"),
        ),
        ("zh_Hans", ("都审核完了", "这里还没有打款", "还没有记过账", "还没有试用活动", "还没有导出过")),
    ],
)
async def test_an_empty_brand_is_told_what_will_be_here(tmp_path: Path, locale: str, says: tuple[str, ...]) -> None:
    async with open_brand(tmp_path, locale, empty=True) as site:
        mei = await site.person("owner")
        told = [words((await mei.get(path)).text) for path in PAGES]
        assert all(any(word in page for page in told) for word in says)
        assert all("0%" not in page and "NaN" not in page for page in told)


async def test_names_are_only_names_on_every_page(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        wicked = "<script>alert(1)</script>\u202e"
        case_id = added(site, wicked)
        payout_id = withdraws(site)

        def rename(session: Session) -> None:
            group = session.get_one(Community, (site.ours.brand_id, UUID(site.ours.ids["community"])))
            campaign = session.get_one(Campaign, (site.ours.brand_id, UUID(site.ours.ids["campaign"])))
            group.title, campaign.title = wicked, {"en": wicked}
            session.add_all((group, campaign))

        site.house.do(rename)
        mei = await site.person("owner")
        for path in (*PAGES, f"/review/{case_id}", f"/payouts/{payout_id}"):
            assert "<script>alert" not in (await mei.get(path)).text, path
