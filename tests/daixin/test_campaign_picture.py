"""A picture beside a campaign's file, as an operator applies both."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

from PIL import Image

from core import clock
from tests.daixin.program import Shell, migrated

TODAY = clock.now().date()
CAMPAIGN = f"""
[campaign]
slug = "serum"
title = {{ en = "Serum", zh_Hans = "精华" }}
benefit = {{ en = "A box", zh_Hans = "一盒" }}
starts_at = {TODAY - timedelta(days=9)}T00:00:00
ends_at = {TODAY + timedelta(days=90)}T00:00:00
picture = "serum.png"
[rewards]
budget = 1000
rules = [{{ to = "advocate", amount = 100 }}]
"""


def test_the_picture_beside_the_file_is_kept_and_can_be_taken_along(
    daixin: Shell, tmp_path: Path, migrated_sqlite: Path
) -> None:
    here = migrated(tmp_path, migrated_sqlite)
    assert daixin(here, "brand", "create", "Mei", "--slug", "mei").status == 0
    (here / "serum.toml").write_text(CAMPAIGN)
    missing = daixin(here, "campaign", "apply", "serum.toml")
    assert missing.status == 1
    assert "serum.png" in missing.err

    (here / "serum.png").write_text("no picture")
    assert "JPEG or PNG" in daixin(here, "campaign", "apply", "serum.toml").err

    out = io.BytesIO()
    Image.new("RGB", (300, 200), "red").save(out, "PNG")
    (here / "serum.png").write_bytes(out.getvalue())
    first, again = (daixin(here, "campaign", "apply", "serum.toml").json for _ in range(2))
    assert (first["changed"], again["changed"]) == ("created", "unchanged")

    assert daixin(here, "campaign", "picture", "serum", "taken.jpg").status == 0
    assert Image.open(here / "taken.jpg").size == (300, 200)
    (here / "serum.toml").write_text(CAMPAIGN.replace("serum.png", "taken.jpg"))
    taken = daixin(here, "campaign", "apply", "serum.toml").json
    assert taken["changed"] == "unchanged", "it is the very same picture"


def test_a_campaign_without_a_picture_has_none_to_take(daixin: Shell, tmp_path: Path, migrated_sqlite: Path) -> None:
    here = migrated(tmp_path, migrated_sqlite)
    assert daixin(here, "brand", "create", "Mei", "--slug", "mei").status == 0
    (here / "serum.toml").write_text(CAMPAIGN.replace('picture = "serum.png"\n', ""))
    assert daixin(here, "campaign", "apply", "serum.toml").status == 0
    assert daixin(here, "campaign", "picture", "serum", "taken.jpg").status == 1
    assert not (here / "taken.jpg").exists()
