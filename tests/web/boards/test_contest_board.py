"""A contest's board on the web: live, provisional, and the final that anybody can check."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from referral.contests.results import canonical
from tests.house import later
from tests.rewards.arena import DAYS, open_arena
from tests.web.brandsite import Filled, open_brand


async def test_the_final_is_named_by_its_revision_and_can_be_kept_and_checked(tmp_path: Path) -> None:
    async with open_brand(tmp_path, "zh_Hans") as site:
        arena = open_arena(site.house)
        arena.brings("Alice", 2)
        arena.brings("Bob", 1)
        ours = Filled(arena.brand.id, arena.brand.slug, "race")
        mei = await site.person("owner", of=ours)
        at = "/leaderboard/race"
        assert "今日" in (await mei.get(at)).text
        assert (await mei.get(f"{at}/final.json")).status_code == 404
        with later(days=DAYS, hours=1):
            arena.clock_strikes()
            mei = await site.person("owner", of=ours)  # whoever was signed in a week ago signs in again
            over = (await mei.get(at)).text
            assert "公示期内名次可能还会变" in over
            assert "今日" not in over
        with later(days=DAYS + 2):
            arena.clock_strikes()
            mei = await site.person("owner", of=ours)
            page = (await mei.get(at)).text
            assert "最终结果 · 第 1 版" in page
            assert "daixin contest replay race" in page
            kept = await mei.get(f"{at}/final.json")
            assert "attachment" in kept.headers["content-disposition"]
            document = json.loads(kept.content)
            said = document.pop("sha256")
            assert hashlib.sha256(canonical(document).encode()).hexdigest() == said
            assert said in page
            assert "Alice" not in kept.text

            arena.disqualifies("Alice")
            assert "最终结果 · 第 2 版" in (await mei.get(at)).text
            first = await mei.get(f"{at}/final.json?revision=1")
            assert first.content == kept.content, "what was published stays what it was"
            second = json.loads((await mei.get(f"{at}/final.json")).content)
            assert (second["revision"], second["previous"]) == (2, said)
            assert arena.replay().differences == ()
            for odd in ("0", "99", "-1", "x", "9" * 40, "٣"):
                assert (await mei.get(f"{at}/final.json?revision={odd}")).status_code in (200, 404)
