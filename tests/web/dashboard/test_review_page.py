"""The queue on the web: a case is read and decided, several at once; colleagues in the chat may be faster."""

from __future__ import annotations

import html
import re
from pathlib import Path
from uuid import UUID, uuid4

from sqlmodel import Session, col, select

from bots import happenings
from bots.message import Address, Joined, Person, Place
from core import clock, i18n
from referral import cases, members, reviewing, staff
from referral.cases import Case
from referral.members import Account
from referral.referrals import Referral
from referral.users.accounts import UserRole
from tests.web.brandsite import OTHER, Brandsite, Filled, open_brand

GROUP = "-100wild"


def added(site: Brandsite, friend: str, inviter: str = "alice", of: Filled | None = None) -> UUID:
    """Somebody added a friend to the group, and nobody can say for certain that they brought them; the case."""
    brand = of or site.ours
    came = Joined(
        Person(friend.lower(), friend),
        Place(Address("telegram", f"-100{brand.slug}"), f"-100{brand.slug}"),
        clock.now(),
        inviter=f"{inviter}-{brand.slug}",
        certainty="inviter_hint",
    )

    def unit(session: Session) -> UUID:
        happenings.record(session, "telegram", came)
        newest = select(Case).where(col(Case.brand_id) == brand.brand_id).order_by(col(Case.id).desc())
        return session.exec(newest).first().id  # type: ignore[union-attr]

    return site.house.do(unit)


def case_of(site: Brandsite, case_id: UUID) -> Case:
    return site.house.ask(lambda session: cases.find_case(session, site.ours.brand_id, case_id))


def words(text: str) -> str:
    """What a page says, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


async def test_a_case_is_read_and_decided_on_the_page(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        case_id = added(site, "Eve <i>")
        added(site, "Mallory", of=site.theirs)
        mei = await site.person("reviewer")
        page = (await mei.get("/review")).text
        assert "Who brought Eve &lt;i&gt;?" in page
        assert "Alice &lt;b&gt;&amp;" in page
        assert OTHER not in page
        assert "Mallory" not in page
        answer = await mei.post(f"/review/{case_id}", verdict="approve", answer="c0", reason="asked_friend")
        assert answer.headers["location"] == "/b/wild/review?said=desk.decided"
        decided = case_of(site, case_id)
        assert (decided.verdict, decided.reason) == ("approve", "The friend confirmed it.")
        assert decided.decided_by == f"user:{mei.user_id}"
        one = words((await mei.get(f"/review/{case_id}")).text)
        assert "It was Alice" in one
        assert "Mei" in one
        assert "Eve <i>" in words((await mei.get("/review/past")).text)


async def test_pressed_twice_it_is_decided_once_and_said_so(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        case_id = added(site, "Eve")
        mei = await site.person("reviewer")
        for _ in range(2):
            answer = await mei.post(f"/review/{case_id}", verdict="approve", answer="c0", reason="asked_friend")
            assert answer.headers["location"].endswith("?said=desk.decided")


async def test_in_chinese_the_queue_says_the_same_as_the_chat(tmp_path: Path) -> None:
    async with open_brand(tmp_path, "zh_Hans") as site:
        added(site, "小芳")
        mei = await site.person("reviewer")
        page = words((await mei.get("/review")).text)
        assert "小芳 是谁邀请来的？" in page
        assert "拉进来的，但 小芳 没有填邀请码。" in page


async def test_a_colleague_in_the_chat_was_faster(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        case_id = added(site, "Eve")
        mei = await site.person("reviewer")
        await mei.get("/review")

        def in_the_chat(session: Session) -> None:
            reviewing.decide(session, site.ours.brand_id, case_id, "decline", "Came alone.", "telegram:carol")

        site.house.do(in_the_chat)
        answer = await mei.post(f"/review/{case_id}", verdict="approve", answer="c0", reason="asked_friend")
        assert answer.headers["location"] == f"/b/wild/review/{case_id}?said=desk.too_late"
        page = words((await mei.get(f"/review/{case_id}?said=desk.too_late")).text)
        assert "A colleague was a moment faster" in page
        assert "Came alone." in page
        assert case_of(site, case_id).verdict == "decline"


async def test_several_are_decided_at_once_and_none_holds_up_the_others(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        first, second, third = (added(site, name) for name in ("Eve", "Finn", "Gus"))
        site.house.do(
            lambda session: reviewing.decide(
                session, site.ours.brand_id, second, "decline", "Came alone.", "telegram:carol"
            )
        )
        mei = await site.person("reviewer")
        chosen = [str(one) for one in (first, second, third)]
        answer = await mei.post("/review", case=chosen, verdict="decline", words="Nobody remembers.")
        page = words((await mei.client.get(answer.headers["location"])).text)
        assert "2 decided, 1 had just been decided by somebody else" in page
        assert {case_of(site, one).reason for one in (first, third)} == {"Nobody remembers."}
        assert "All done" in page


async def test_without_a_reason_nothing_is_decided_and_the_page_says_so(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        case_id = added(site, "Eve")
        mei = await site.person("reviewer")
        refused = await mei.post(f"/review/{case_id}", verdict="decline", reason="other", words=" ")
        assert refused.status_code == 400
        assert words(i18n.text("en", "error.case_reason", most=cases.LONGEST_REASON)) in words(refused.text)
        nothing = await mei.post("/review", verdict="decline", words="Why not.")
        assert nothing.status_code == 400
        assert case_of(site, case_id).state == "open"


async def test_nobody_decides_about_themselves_by_the_other_door(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        case_id = added(site, "Eve")
        alice = await site.person("reviewer", name="Alice on the web")

        def came_from_the_chat(session: Session) -> None:
            row = session.get_one(UserRole, (site.ours.brand_id, alice.user_id))
            row.member_id = site.ours.people["Alice"]
            session.add(row)
            mei = members.meet(
                session, site.ours.brand_id, [Account("telegram", "mei", "Mei")], [clock.now()], "message"
            )
            staff.give(session, site.ours.brand_id, mei[0].member_id, "owner", "operator")

        site.house.do(came_from_the_chat)
        assert "is about you" in words((await alice.get("/review")).text)
        refused = await alice.post(f"/review/{case_id}", verdict="approve", answer="c0", reason="asked_friend")
        assert refused.status_code == 422
        assert case_of(site, case_id).state == "open"


async def test_what_nobody_need_decide_any_more_leaves_the_queue(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:

        def flagged(session: Session) -> UUID:
            referral = session.get_one(Referral, (site.ours.brand_id, UUID(site.ours.ids["referral:Dora"])))
            made = cases.open_case(
                session, site.ours.brand_id, "referral", str(referral.id), referral_id=referral.id,
                member_id=referral.advocate_id, facts={"signal": "risky", "used": {"order.first": True}},
            )  # fmt: skip
            return made.id

        case_id = site.house.do(flagged)
        mei = await site.person("manager")
        page = (await mei.get("/review")).text
        assert f"/journeys/friend/{site.ours.ids['referral:Dora']}" in page

        def fell(session: Session) -> None:
            referral = session.get_one(Referral, (site.ours.brand_id, UUID(site.ours.ids["referral:Dora"])))
            referral.state = "rejected"
            session.add(referral)

        site.house.do(fell)
        assert "All done" in words((await mei.get("/review")).text)
        assert case_of(site, case_id).state == "closed"


async def test_another_brands_case_is_not_there(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        theirs = added(site, "Mallory", of=site.theirs)
        mei = await site.person("owner")
        for case_id in (theirs, uuid4(), "nonsense"):
            assert (await mei.get(f"/review/{case_id}")).status_code == 404
            answer = await mei.post(f"/review/{case_id}", verdict="decline", reason="unclear")
            assert answer.status_code == 404
        answer = await mei.post("/review", case=str(theirs), verdict="decline", words="No.")
        assert answer.status_code == 404
