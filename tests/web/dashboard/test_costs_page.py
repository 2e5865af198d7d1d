"""Mei says what a customer costs her elsewhere; CAC is compared with it from then on."""

from __future__ import annotations

from pathlib import Path

from tests.web.brandsite import open_brand


async def test_a_baseline_is_kept_compared_with_and_taken_away(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        assert "No baseline yet" in (await mei.get("/")).text
        kept = await mei.post("/settings/costs", what="baseline", currency="CNY", amount="50", note="ads")
        assert kept.status_code == 303
        page = await mei.get(kept.headers["location"].removeprefix("/b/wild"))
        assert "Saved." in page.text
        assert "CN¥50.00" in page.text
        overview = await mei.get("/")
        assert "against your baseline of CN¥50.00" in overview.text
        assert (await mei.post("/settings/costs", what="baseline", currency="CNY", amount="0")).status_code == 303
        assert "No baseline yet" in (await mei.get("/")).text


async def test_costs_that_cannot_be_are_said_beside_what_was_typed(tmp_path: Path) -> None:
    async with open_brand(tmp_path, "zh_Hans") as site:
        mei = await site.person("manager")
        for fields in (
            {"what": "cost", "month": "soon", "kind": "ads", "currency": "CNY", "amount": "5"},
            {"what": "cost", "month": "2026-11", "kind": "bribes", "currency": "CNY", "amount": "5"},
            {"what": "cost", "month": "2026-11", "kind": "ads", "currency": "PTS", "amount": "5"},
            {"what": "baseline", "currency": "CNY", "amount": "-5"},
            {"what": "baseline", "currency": "CNY", "amount": "<b>"},
            {"what": "baseline", "currency": "CNY", "amount": "9" * 400},
            {"what": "value", "asset": "CNY", "units": "1", "currency": "CNY", "amount": "5"},
            {"what": "value", "asset": "PTS", "units": "9" * 40, "currency": "CNY", "amount": "5"},
            {"what": "", "currency": "CNY", "amount": "5"},
        ):
            answer = await mei.post("/settings/costs", **fields)
            assert answer.status_code == 400, fields
            assert "flash bad" in answer.text
            assert "<b>" not in answer.text.replace('<b dir="auto">', "").replace("<b>获客", "")
        rui = await site.person("reviewer", name="Rui")
        assert (await rui.get("/settings/costs")).status_code == 200
        assert (await rui.post("/settings/costs", what="baseline", currency="CNY", amount="5")).status_code == 403
