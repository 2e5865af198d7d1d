"""A friend follows a link: what is kept of it, and where it leads."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlmodel import col, select

from referral import codes
from referral.members import fingerprint
from referral.touches import Touch, forget_addresses
from tests.house import later
from tests.web.site import PHONE, PREVIEW, open_site


async def test_a_click_is_kept_and_leads_to_the_landing_page(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        campaign = site.campaign()
        code = site.code_of("Alice", campaign)
        answer = await site.click(f"/r/{code}", referer="https://friends.example/chat/42?secret=1")
        (touch,) = site.touches()
        assert answer.status_code == 302
        assert answer.headers["location"] == f"/l/{code}?t={touch.id.hex}"
        assert answer.headers["cache-control"] == "no-store"
        assert (touch.kind, touch.code, touch.campaign_id) == ("click", code, campaign.id)
        assert (touch.device, touch.robot, touch.member_id) == ("mobile", False, None)
        assert touch.referrer == "friends.example", "never more than the host"


async def test_an_address_is_only_a_keyed_hash_and_goes_after_its_time(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        await site.click(f"/r/{site.code_of('Alice', site.campaign())}")
        (touch,) = site.touches()
        assert touch.address_hash == fingerprint("address", "127.0.0.1")
        with later(days=29):
            site.house.do(forget_addresses)
        assert site.touches()[0].address_hash is not None
        with later(days=31):
            site.house.do(forget_addresses)
        (touch,) = site.touches()
        assert touch.address_hash is None
        assert touch.address_expires_at is None


async def test_previewing_robots_get_words_instead_and_are_not_counted(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        code = site.code_of("Alice", site.campaign())
        answer = await site.click(f"/r/{code}", PREVIEW)
        assert answer.status_code == 200
        assert '<meta property="og:title" content="Coffee for two">' in answer.text
        assert '<meta property="og:description" content="First cup half price">' in answer.text
        assert f'<meta property="og:image" content="http://friends.example/c/{code}.jpg?lang=en">' in answer.text
        assert f"/l/{code}" in answer.text, "somebody taken for a robot can go on"
        assert not any(word in answer.text.lower() for word in ("reward", "points", "earn"))
        assert [touch.robot for touch in site.touches()] == [True]


async def test_a_preview_without_a_language_speaks_the_brands(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        code = site.code_of("Alice", site.campaign())
        answer = await site.click(f"/r/{code}", PREVIEW, accept_language="")
        assert "咖啡请你喝" in answer.text


async def test_head_and_prefetch_are_nobodys_visit(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        code = site.code_of("Alice", site.campaign())
        head = await site.client.head(f"/r/{code}", headers={"user-agent": PHONE})
        assert (head.status_code, head.text) == (200, "")
        await site.click(f"/r/{code}", sec_purpose="prefetch;prerender")
        assert [touch.robot for touch in site.touches()] == [True, True]


async def test_a_link_only_leads_to_our_own_page(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        code = site.code_of("Alice", site.campaign())
        for query in ("next=https://evil.example", "url=//evil.example", "lang=//evil.example", "as=//evil&t=x"):
            answer = await site.click(f"/r/{code}?{query}")
            assert answer.headers["location"].startswith(f"/l/{code}?t=")
            assert "evil" not in answer.headers["location"]
        for path in (
            f"/r//evil.example/{code}",
            "/r/%2f%2fevil.example",
            "/r/https:%2f%2fevil.example",
            f"/r/{code}/..",
        ):
            answer = await site.click(path)
            assert "evil" not in answer.headers.get("location", "")


async def test_a_code_is_read_in_any_spelling(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        code = site.code_of("Alice", site.campaign())
        for spelling in (code.lower(), codes.display(code), codes.display(code).replace("-", "%20")):
            answer = await site.click(f"/r/{spelling}?lang=zh-CN")
            assert answer.headers["location"].startswith(f"/l/{code}?")
            assert answer.headers["location"].endswith("&lang=zh_Hans")


@pytest.mark.parametrize("code", ["AAAA", "ABCDEFGHX", "9Q3YN5GXZ", "x" * 5000, "%00%ff"])
async def test_a_code_nobody_has_is_a_page_and_no_touch(tmp_path: Path, code: str) -> None:
    async with open_site(tmp_path) as site:
        answer = await site.click(f"/r/{code}")
        assert answer.status_code == 404
        assert "We do not know this invite" in answer.text
        assert 'action="/l"' in answer.text, "one can type it again"
        assert site.touches() == []


async def test_a_code_that_was_unknown_a_moment_ago_may_exist_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.links.FRESH_SECONDS", 0.0)
    async with open_site(tmp_path) as site:
        campaign = site.campaign()
        monkeypatch.setattr(codes, "new", lambda: "ABCDEFGH" + codes.check_symbol("ABCDEFGH"))
        assert (await site.click(f"/r/{codes.new()}")).status_code == 404
        assert (await site.click(f"/r/{site.code_of('Alice', campaign)}")).status_code == 302


async def test_a_crowd_is_kept_one_by_one(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        code = site.code_of("Alice", site.campaign())
        answers = await asyncio.gather(*(site.click(f"/r/{code}") for _ in range(60)))
        assert {answer.status_code for answer in answers} == {302}
        told = {answer.headers["location"].partition("t=")[2] for answer in answers}
        assert told == {touch.id.hex for touch in site.touches()}
        assert len(told) == 60


async def test_only_our_own_proxy_may_name_the_visitor(tmp_path: Path) -> None:
    forged = {"x_forwarded_for": "6.6.6.6, 203.0.113.9"}
    async with open_site(tmp_path) as site:
        await site.click(f"/r/{site.code_of('Alice', site.campaign())}", **forged)
        assert site.touches()[0].address_hash == fingerprint("address", "127.0.0.1")
    behind = tmp_path / "behind"
    behind.mkdir()
    async with open_site(behind, trusted_proxies="127.0.0.0/8, 10.0.0.1") as site:
        await site.click(f"/r/{site.code_of('Alice', site.campaign())}", **forged)
        assert site.touches()[0].address_hash == fingerprint("address", "203.0.113.9")


async def test_a_typed_code_goes_on_to_its_link(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        code = site.code_of("Alice", site.campaign())
        assert (await site.click("/l")).status_code == 404
        answer = await site.click(f"/l?code={codes.display(code).lower()}&lang=en")
        assert answer.headers["location"] == f"/r/{code}?lang=en"


async def test_only_get_and_head(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        code = site.code_of("Alice", site.campaign())
        assert (await site.client.post(f"/r/{code}")).status_code == 405
        robots = site.house.ask(lambda session: list(session.exec(select(Touch).where(col(Touch.robot)))))
        assert robots == []
