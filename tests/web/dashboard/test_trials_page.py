"""Trials on the web: who applied and with which answers, the decision, the way through, what was said of it."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from referral import pictures
from tests.rewards.tasting import Tasting, open_tasting
from tests.web.brandsite import Brandsite, Filled, open_brand
from tests.web.dashboard.test_review_page import words

QUESTIONS = [
    {"key": "skin", "text": {"en": "What is your skin like?", "zh_Hans": "你是什么肤质？"}},
]


def tasting(site: Brandsite, approve: str = "hand") -> tuple[Tasting, Filled]:
    opened = open_tasting(site.house, slug="meimei", trial__approve=approve, trial__questions=QUESTIONS)
    return opened, Filled(opened.brand.id, "meimei", "serum")


def photo(folder: Path) -> bytes:
    path = folder / "photo.jpg"
    Image.new("RGB", (200, 120), "teal").save(path)
    return path.read_bytes()


async def test_an_application_is_read_and_decided(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        trial, brand = tasting(site)
        trial.applies("Ann", skin="dry <b>")
        trial.applies("Ben", skin="oily")
        mei = await site.person("reviewer", brand)
        listed = words((await mei.get("/trials")).text)
        assert "Night serum trial Running 0 of 2 given" in listed
        page = (await mei.get("/trials/serum")).text
        assert "dry &lt;b&gt;" in page
        case = page.partition('action="/b/meimei/review/')[2].partition('"')[0]
        answer = await mei.post(f"/review/{case}", verdict="approve", reason="fits", back="/trials/serum")
        assert answer.headers["location"] == "/b/meimei/trials/serum?said=desk.decided"
        assert trial.states("Ann", "Ben") == "approved applied"
        page = words((await mei.get("/trials/serum?state=approved")).text)
        assert "Ann Has a place, not taken yet" in page
        assert "Ben" not in page
        assert "1 of 2 given" in page


async def test_what_triers_said_with_their_photo_and_whether_it_may_be_shown(tmp_path: Path) -> None:
    async with open_brand(tmp_path, "zh_Hans") as site:
        trial, brand = tasting(site, "rule")
        trial.applies("Ann", skin="干皮")
        trial.gets("Ann")
        kept = pictures.prepare(photo(tmp_path))
        site.house.do(lambda session: pictures.store(session, brand.brand_id, kept))
        trial.reviews("Ann", 4, "很<i>清爽", picture=kept.name, consent=True)
        mei, zoe = await site.person("owner", brand), await site.person("owner")
        page = (await mei.get("/trials/serum")).text
        assert "★★★★☆" in page
        assert "很&lt;i&gt;清爽" in page
        assert "可公开" in page
        path = page.partition('src="/b/meimei')[2].partition('"')[0]
        picture = await mei.get(path)
        assert picture.content.startswith(b"\xff\xd8")
        assert (await zoe.get(path)).status_code == 404
        assert (await zoe.get("/trials/serum")).status_code == 404


async def test_a_campaign_that_is_no_trial_has_no_such_page(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        assert (await mei.get(f"/trials/{site.ours.campaign}")).status_code == 404
        assert "No trials yet" in words((await mei.get("/trials")).text)
