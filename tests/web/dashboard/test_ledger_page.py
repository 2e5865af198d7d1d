"""The books on the web: what lies where, each transfer by what it is about, and whether they were proved."""

from __future__ import annotations

import json
from pathlib import Path

from rewards import books
from rewards.proofs import blocks, proofs
from tests.web.brandsite import OTHER, open_brand
from tests.web.dashboard.test_review_page import words


async def test_balances_budgets_and_transfers(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        site.house.do(blocks.seal_due)
        site.house.do(blocks.seal_due)
        mei = await site.person("reviewer")
        page = words((await mei.get("/ledger")).text)
        assert "Not checked yet" in page
        assert "CN¥985.00" in page  # 1,000.00 less 10.00 for Alice and 5.00 for Bob
        assert "Alice <b>& · payable" in page
        assert "Wild <Hill> spring · budget" in page
        assert OTHER not in page
        books.check(site.house.reader, site.house.writer)
        page = words((await mei.get("/ledger")).text)
        assert "In order" in page


async def test_a_transfer_is_found_by_what_it_is_about(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        alice, bob = site.ours.people["Alice"], site.ours.people["Bob"]
        hers = (await mei.get(f"/ledger?q={alice}")).text
        assert hers.count("<code>grant/") == 1
        assert "Bob" not in words(hers).partition("Transfers")[2]
        assert "<code>release/" in hers
        assert (await mei.get("/ledger?q=grant/")).text.count("<code>grant/") == 2
        assert "No such transfers" in words((await mei.get(f"/ledger?q={site.theirs.people['Alice']}")).text)
        assert "No such transfers" in words((await mei.get(f"/ledger?q={bob}&since=2001-01-01&until=2001-01-02")).text)
        odd = await mei.get("/ledger?q=%00%27%22%3C&since=yesterday&kind=%27--&before=")
        assert odd.status_code == 200


async def test_the_proof_of_a_transfer_is_taken_along(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        for _ in range(2):
            site.house.do(blocks.seal_due)
        mei, zoe = await site.person("owner"), await site.person("owner", of=site.theirs)
        page = (await mei.get("/ledger?q=grant/")).text
        path = page.partition('href="/b/wild/ledger/')[2].partition('"')[0]
        answer = await mei.get(f"/ledger/{path}")
        proof = json.loads(answer.content)
        assert proofs.check(proof) is not None
        assert (await zoe.get(f"/ledger/{path}")).status_code == 404
