"""林悦 reads every page in Chinese: nothing on them is said the way only programs say it."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

from sqlmodel import Session

from core import clock
from referral import brands
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from tests.web.brandsite import Brandsite, open_brand

PAGES = ("/", "/?campaign=points", "/campaigns", "/campaigns/points", "/campaigns/spring-wild",
         "/campaigns/spring-wild/attribution", "/leaderboard", "/advocates", "/journeys", "/review", "/review/past",
         "/payouts", "/payouts/batches", "/ledger", "/trials", "/communities", "/exports", "/settings/members",
         "/settings/keys", "/settings/shops", "/settings/costs", "/settings/sharing")  # fmt: skip
INTERNAL = re.compile(r"\bPTS\b|Asia/|\bNone\b|\{\w+\}|\*\*|\b(?:insight|dash|desk|journey|board|shop)\.\w+")
"""Codes of assets, names of zones and of nothing, words nobody filled in, keys of the catalogue."""


def points(site: Brandsite) -> None:
    """A second campaign that gives points."""

    def unit(session: Session) -> None:
        brand = brands.find_brand(session, "wild")
        now = clock.now()
        raw = {
            "campaign": {
                "slug": "points",
                "title": {"en": "Points", "zh_Hans": "积分季"},
                "benefit": {"en": "Points for a friend.", "zh_Hans": "邀请好友得积分。"},
                "timezone": "Asia/Shanghai",
                "starts_at": now - timedelta(days=3),
                "ends_at": now + timedelta(days=30),
            },
            "qualify": {"event": "retained", "stay_days": 7, "window_days": 30},
            "rewards": {"asset": "PTS", "budget": 50_000, "rules": [{"to": "advocate", "amount": 100}]},
        }
        apply_campaign(session, brand, build_campaign(raw))

    site.house.do(unit)


async def test_no_page_says_what_only_programs_say(tmp_path: Path) -> None:
    async with open_brand(tmp_path, "zh_Hans") as site:
        points(site)
        mei = await site.person("owner")
        for path in PAGES:
            page = await mei.get(path)
            assert page.status_code == 200, path
            plain = unescape(re.sub(r"<(?:script|style|code|pre)\b.*?</\w+>|<[^>]*>", " ", page.text, flags=re.DOTALL))
            assert INTERNAL.findall(plain) == [], path
            assert "积分" in plain or path not in ("/ledger", "/settings/costs", "/campaigns/points"), path


async def test_a_form_to_start_a_brand_names_zones_by_their_places(tmp_path: Path) -> None:
    async with open_brand(tmp_path, "zh_Hans", open_to_brands=True) as site:
        page = await (await site.visitor()).get("/sign-up")
        assert '<option value="Asia/Shanghai" selected>上海</option>' in page.text
        assert ">Asia/" not in page.text
