"""Payouts on the web: a second person approves, a batch goes out as a file and comes back, failures say what to do."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from uuid import UUID

from openpyxl import load_workbook
from sqlmodel import Session

from referral.users.accounts import UserRole
from rewards.payouts import approvals, payees, withdrawals
from rewards.payouts.payouts import Payout, payout_of
from rewards.payouts.port import Answer
from rewards.payouts.settling import conclude
from tests.web.brandsite import OTHER, Brandsite, Filled, Person, open_brand
from tests.web.dashboard.test_review_page import words
from web.dashboard import batches

CARD = {"name": "Alice Wang", "account": "6222021234567894"}


def withdraws(site: Brandsite, amount: int = 1000, of: Filled | None = None, key: str = "1") -> UUID:
    """Alice takes out what she earned."""
    brand = of or site.ours

    def unit(session: Session) -> UUID:
        alice = brand.people["Alice"]
        if key == "1":
            payees.set_payee(session, brand.brand_id, alice, "manual", CARD)
        return withdrawals.withdraw(session, brand.brand_id, alice, "manual", "CNY", amount, key).id

    return site.house.do(unit)


def payout(site: Brandsite, payout_id: UUID) -> Payout:
    return site.house.ask(lambda session: payout_of(session, site.ours.brand_id, payout_id))


async def test_an_owner_approves_what_the_house_wants_approved(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        approvals.set_limits("CNY=1")
        payout_id = withdraws(site)
        withdraws(site, of=site.theirs)
        mei, kit = await site.person("owner"), await site.person("manager")
        page = words((await kit.get("/payouts?which=approval")).text)
        assert "above the amount that needs no second person" in page
        assert "CN¥10.00" in page
        assert "7894" in page
        assert "6222" not in page
        assert OTHER not in page
        assert (await kit.post(f"/payouts/{payout_id}", act="approve")).status_code == 403
        answer = await mei.post(f"/payouts/{payout_id}", act="approve")
        assert answer.headers["location"] == f"/b/wild/payouts/{payout_id}?said=desk.payout_approve"
        assert payout(site, payout_id).approved_by == f"user:{mei.user_id}"
        again = await mei.post(f"/payouts/{payout_id}", act="approve")
        assert again.status_code == 303
        one = words((await mei.get(f"/payouts/{payout_id}")).text)
        assert "Approved · waiting · Mei" in one


async def test_a_batch_goes_out_as_a_file_and_comes_back(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        payout_id, other = withdraws(site, 600), withdraws(site, 400, key="2")
        mei = await site.person("owner")
        assert "CN¥10.00" in words((await mei.get("/payouts/batches")).text)
        made = await mei.post("/payouts/batches", of="manual:CNY")
        assert made.headers["location"] == "/b/wild/payouts/batches/1?said=desk.batch_made"
        file = await mei.post("/payouts/batches/1/file", format="csv")
        assert file.headers["content-disposition"] == 'attachment; filename="wild-batch-1.csv"'
        rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"), newline="")))
        assert rows[1][4:6] == ["Alice Wang", "6222 0212 3456 7894"]
        assert payout(site, payout_id).state == "processing"
        for row in rows[1:]:
            row[7] = "paid" if payout_id.hex.upper() in row[1].upper() else "failed"
        back = io.StringIO(newline="")
        csv.writer(back).writerows(rows)
        done = await mei.post("/payouts/batches/1/results", files={"file": ("back.csv", back.getvalue().encode())})
        assert "Taken in: 1 arrived, 1 failed, 0 lines say nothing yet." in words(done.text)
        assert (payout(site, payout_id).state, payout(site, other).state) == ("completed", "failed")
        page = words((await mei.get("/payouts?which=failed")).text)
        assert "the bank refused it" in page
        book = await mei.post("/payouts/batches/1/file", format="xlsx")
        assert book.status_code == 422  # all of it has its end


async def test_a_batch_is_approved_by_somebody_else_and_a_wrong_file_changes_nothing(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        approvals.set_limits("CNY=1")
        payout_id = withdraws(site)
        mei, bo = await site.person("owner"), await site.person("owner", name="Bo")
        await mei.post("/payouts/batches", of="manual:CNY")
        refused = await mei.post("/payouts/batches/1/approve")
        assert refused.status_code == 422
        assert (await mei.post("/payouts/batches/1/file", format="xlsx")).status_code == 422
        assert (await bo.post("/payouts/batches/1/approve")).status_code == 303
        file = await mei.post("/payouts/batches/1/file", format="xlsx")
        book = load_workbook(io.BytesIO(file.content))
        sheet = book.worksheets[0]
        assert sheet["D2"].value == "CNY"
        wrong = await mei.post("/payouts/batches/1/results", files={"file": ("x.xlsx", b"PK nonsense")})
        assert wrong.status_code == 400
        wrong = await mei.post("/payouts/batches/1/results", files={"file": ("x.exe", b"MZ")})
        assert wrong.status_code == 400
        sheet["C2"] = 9999
        sheet["H2"] = "paid"
        changed = io.BytesIO()
        book.save(changed)
        wrong = await mei.post("/payouts/batches/1/results", files={"file": ("back.xlsx", changed.getvalue())})
        assert wrong.status_code == 422
        assert "9999" in words(wrong.text)
        assert payout(site, payout_id).state == "processing"


async def test_what_nobody_could_say_is_decided_by_a_person(tmp_path: Path) -> None:
    async with open_brand(tmp_path, "zh_Hans") as site:
        payout_id = withdraws(site)

        site.house.do(lambda session: conclude(session, site.ours.brand_id, payout_id, Answer("unknown"), "notice"))
        mei = await site.person("owner")
        page = words((await mei.get("/payouts?which=unknown")).text)
        assert "结果核实中" in page
        answer = await mei.post(f"/payouts/{payout_id}", act="paid", number="4200001")
        assert answer.status_code == 303
        after = payout(site, payout_id)
        assert (after.state, after.external_id) == ("completed", "4200001")
        late = await mei.post(f"/payouts/{payout_id}", act="failed")
        assert late.status_code == 422


async def test_who_is_paid_may_say_that_it_arrived_but_not_that_it_did_not(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        payout_id = withdraws(site)
        site.house.do(lambda session: conclude(session, site.ours.brand_id, payout_id, Answer("unknown"), "notice"))
        alice = await site.person("owner", name="Alice on the web")
        is_member(site, alice, "Alice")
        page = words((await alice.get(f"/payouts/{payout_id}")).text)
        assert "somebody else has to say that it did not arrive" in page
        assert "It did not arrive" not in page
        refused = await alice.post(f"/payouts/{payout_id}", act="failed")
        assert refused.status_code == 422
        assert payout(site, payout_id).state == "unknown"
        assert (await alice.post(f"/payouts/{payout_id}", act="paid")).status_code == 303
        assert payout(site, payout_id).state == "completed"


def is_member(site: Brandsite, person: Person, name: str) -> None:
    """This user of the web came from the chat, where they are a member."""

    def unit(session: Session) -> None:
        row = session.get_one(UserRole, (site.ours.brand_id, person.user_id))
        row.member_id = site.ours.people[name]
        session.add(row)

    site.house.do(unit)


async def test_a_file_that_is_no_answer_of_a_bank_is_refused(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        payout_id = withdraws(site)
        mei = await site.person("owner")
        await mei.post("/payouts/batches", of="manual:CNY")
        await mei.post("/payouts/batches/1/file", format="csv")
        letter, bomb = io.BytesIO(), io.BytesIO()
        with zipfile.ZipFile(letter, "w") as archive:
            archive.writestr("[Content_Types].xml", "<Types/>")
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/sharedStrings.xml", b" " * (batches.UNPACKED + 1))
        for name, body, status in (
            ("letter.docx.xlsx", letter.getvalue(), 400),
            ("bomb.xlsx", bomb.getvalue(), 400),
            ("../../etc/passwd", b"root", 400),
            ("long.csv", b"x" * 2 * batches.LARGEST, 413),
        ):
            answer = await mei.post("/payouts/batches/1/results", files={"file": (name, body)})
            assert answer.status_code == status, name
        assert payout(site, payout_id).state == "processing"


async def test_why_it_failed_and_what_to_do_is_said_in_words(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        payout_id = withdraws(site)
        site.house.do(
            lambda session: conclude(
                session, site.ours.brand_id, payout_id, Answer("failed", reason="provider_funds"), "notice"
            )
        )
        mei = await site.person("reviewer")
        page = words((await mei.get(f"/payouts/{payout_id}")).text)
        assert "there was not enough money to pay it from" in page
        assert "Top up the account you pay from" in page
        assert (await mei.get("/payouts/batches")).status_code == 403


async def test_another_brands_payout_is_not_there(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        theirs = withdraws(site, of=site.theirs)
        mei = await site.person("owner")
        for path in (f"/payouts/{theirs}", f"/payouts?before={theirs}", "/payouts/nonsense", "/payouts/batches/1"):
            assert (await mei.get(path)).status_code == 404, path
        for act in ("approve", "cancel", "retry", "paid", "again"):
            assert (await mei.post(f"/payouts/{theirs}", act=act)).status_code == 404, act
        assert (await mei.post("/payouts/batches/1/approve")).status_code == 404
