"""The page a friend lands on, in every state of a campaign, and the card as a picture."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from referral import codes
from referral.cards import SIZE
from tests.web import site as harness
from tests.web.site import PREVIEW, WECHAT, open_site
from web.app import Entrance
from web.landing import first_name


async def test_the_page_says_who_invites_to_what_and_opens_every_community(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        code = site.code_of("Alice Zhang", site.campaign())
        arrived = await site.click(f"/r/{code}")
        page = await site.click(arrived.headers["location"])
        assert page.status_code == 200
        assert "\u2068Alice\u2069 invites you" in page.text
        assert "Zhang" not in page.text, "the first name is enough for strangers"
        assert "Coffee for two" in page.text
        assert "First cup half price" in page.text
        assert f'href="https://t.me/coffee_bot?start={code}"' in page.text
        assert 'href="https://discord.gg/coffee"' in page.text
        assert "coffee-shop" in page.text
        touch = site.touches()[0].id.hex
        assert f'href="/chat?code={code}&amp;t={touch}&amp;lang=en"' in page.text
        assert codes.display(code) in page.text
        assert "Disclosure" in page.text


@pytest.mark.parametrize(
    ("accept", "query", "expected"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "", "咖啡请你喝"),
        ("en-GB,zh;q=0.5", "", "Coffee for two"),
        ("en", "?lang=zh", "咖啡请你喝"),
        ("fr-FR", "", "咖啡请你喝"),  # the brand's own language
        ("", "?lang=tlh", "咖啡请你喝"),
    ],
)
async def test_the_page_speaks_the_visitors_language(tmp_path: Path, accept: str, query: str, expected: str) -> None:
    async with open_site(tmp_path) as site:
        code = site.code_of("Alice", site.campaign())
        page = await site.click(f"/l/{code}{query}", accept_language=accept)
        assert f'<h1 dir="auto">{expected}</h1>' in page.text
        assert page.headers["content-language"] == ("en" if expected == "Coffee for two" else "zh-Hans")


@pytest.mark.parametrize(
    ("state", "begins", "ends", "status", "says"),
    [
        ("running", -1, 1, 200, "invites you"),
        ("paused", -1, 1, 200, "Taking a short break"),
        ("scheduled", 2, 9, 200, "Starts "),
        ("draft", -1, 1, 200, "Starts "),
        ("scheduled", -1, 9, 200, "invites you"),  # its time has come before the job came by
        ("ended", -9, -2, 410, "This campaign ended on"),
        ("settled", -9, -2, 410, "This campaign ended on"),
        ("running", -9, -2, 410, "This campaign ended on"),
    ],
)
async def test_every_state_has_its_page(
    tmp_path: Path, state: str, begins: float, ends: float, status: int, says: str
) -> None:
    async with open_site(tmp_path) as site:
        code = site.code_of("Alice", site.campaign("it", state, begins=begins, ends=ends))
        page = await site.click(f"/l/{code}")
        assert page.status_code == status
        assert says in page.text
        assert ("t.me" in page.text) == (says == "invites you"), "only an open campaign opens doors"
        assert (codes.display(code) in page.text) == (status == 200), "a code that still works can be kept"
        assert (await site.click(f"/r/{code}")).status_code == 302
        assert (await site.click(f"/r/{code}", PREVIEW)).status_code == 200


async def test_names_full_of_markup_stay_names(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        code = site.code_of('<script>alert("1")</script> x', site.campaign())
        page = await site.click(f"/l/{code}")
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(&#34;1&#3" in page.text
        assert "Wild &lt;Hill&gt;" in page.text


async def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        page = await site.click(f"/l/{site.code_of('Alice', site.campaign())}")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] == "strict-origin-when-cross-origin"
        assert " style=" not in page.text
        assert " onclick=" not in page.text
        for asset in ("site.css", "site.js", "icon.svg"):
            assert (await site.click(f"/static/{asset}")).status_code == 200


async def test_inside_wechat_one_is_told_how_to_open_the_rest(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        code = site.code_of("Alice", site.campaign())
        page = await site.click(f"/l/{code}", WECHAT, accept_language="zh-CN")
        assert "在浏览器打开" in page.text
        assert page.text.index("/chat?code=") < page.text.index("https://t.me/"), "what opens there comes first"
        assert not any(word in page.text for word in ("奖励", "积分", "红包", "返现"))
        assert "在浏览器打开" not in (await site.click(f"/l/{code}", accept_language="zh-CN")).text


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example", "data:text/html,x", 'https://x"y', "/\\evil"])
async def test_an_invite_that_is_no_web_address_is_no_button(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "ways_in", lambda *_: [Entrance("telegram", "Club", url)])
    async with open_site(tmp_path) as site:
        page = await site.click(f"/l/{site.code_of('Alice', site.campaign())}")
        assert page.status_code == 200
        assert "Club" in page.text
        assert "evil" not in page.text
        assert "javascript:" not in page.text


async def test_a_qr_of_the_group_is_a_picture_one_can_press(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group = [Entrance("wechat", "Club", qr="https://u.wechat.com/abc"), Entrance("wechat", "Long", qr="x" * 5000)]
    monkeypatch.setattr(harness, "ways_in", lambda *_: group)
    async with open_site(tmp_path) as site:
        page = await site.click(f"/l/{site.code_of('Alice', site.campaign())}")
        assert page.text.count('src="data:image/png;base64,') == 1


async def test_the_touch_is_told_on_only_if_it_looks_like_one(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        page = await site.click(f"/l/{site.code_of('Alice', site.campaign())}?t=%22%3E%3Cb%3E&as=Bob")
        assert "&amp;t=" not in page.text.split('class="ways"')[1]
        assert "as=Bob" not in page.text.split('class="ways"')[1], "nobody plays anybody outside the stage"


async def test_the_card_is_a_picture_whose_code_leads_back(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        code = site.code_of("林小满", site.campaign())
        for kind in ("jpg", "png"):
            answer = await site.click(f"/c/{code}.{kind}?lang=en")
            picture = Image.open(io.BytesIO(answer.content))
            assert answer.headers["content-type"] == f"image/{'jpeg' if kind == 'jpg' else 'png'}"
            assert picture.size == SIZE
            read = zxingcpp.read_barcode(picture)
            assert read is not None
            assert read.text == f"http://friends.example/r/{code}"
        assert (await site.click("/c/ABCDEFGHX.jpg")).status_code == 404


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("Alice Zhang", "Alice"),
        ("林小满", "林小满"),
        ("\u202eevil\u202c name", "evil"),
        ("  ", ""),
        ("", ""),
        ("x" * 4000, "x" * 24),
        ("Zal" + "\u0301" * 50 + "go", "Zal\u0301\u0301go"),
    ],
)
def test_how_a_friend_is_called(name: str, called: str) -> None:
    assert first_name(name) == called
