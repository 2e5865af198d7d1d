"""Mei opens the first page: figures with their formulas, of her own brand, in her language."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.brandsite import open_brand

ZH, EN = "zh_Hans", "en"


@pytest.mark.parametrize(("locale", "rate", "funnel"), [(EN, "Referral rate", "Funnel"), (ZH, "转介绍率", "转化漏斗")])
async def test_the_first_page_tells_the_figures_with_what_went_into_them(
    tmp_path: Path, locale: str, rate: str, funnel: str
) -> None:
    async with open_brand(tmp_path, locale) as site:
        mei = await site.person("owner")
        page = await mei.get("/")
        assert page.status_code == 200
        assert rate in page.text
        assert funnel in page.text
        assert "100.0%" in page.text  # Bob is the only new customer, and Alice brought him
        assert "Otherworld" not in page.text
        assert "<Hill>" not in page.text
