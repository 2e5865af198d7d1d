"""The page of API keys: made once, shown once, replaced with time to spare, revoked."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2

from core import ids
from referral import api_keys, audit
from referral.api_keys import ApiKey
from tests.house import later
from tests.web.brandsite import Brandsite, open_brand

ACTS = ("key.create", "key.rotate", "key.revoke")
KEY = re.compile(r"dx_[\w-]{43}")


def keys_of(site: Brandsite) -> list[ApiKey]:
    return site.house.ask(lambda session: api_keys.api_keys_of(session, site.ours.brand_id))


async def opens(site: Brandsite, key: str, path: str = "campaigns") -> int:
    async with httpx2.AsyncClient(base_url=site.address) as program:
        found = await program.get(f"/api/v1/{path}", headers={"authorization": f"Bearer {key}"})
        return found.status_code


async def test_a_key_is_made_shown_once_and_works(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("manager")
        assert "No keys yet" in (await mei.get("/settings/keys")).text
        form = {"name": "Shop <1>", "scope": ["results:read", "conversions:read"], "days": "30", "once": str(ids.new())}
        made = await mei.post("/settings/keys", **form)
        assert made.status_code == 303
        page = await mei.get("/settings/keys?said=keys.created")
        key = KEY.findall(page.text)[0]
        assert "Shop &lt;1&gt;" in page.text
        assert not KEY.search((await mei.get("/settings/keys")).text)
        assert await opens(site, key) == 200
        again = await mei.post("/settings/keys", **form)  # the same button pressed twice
        assert (again.status_code, again.headers["location"]) == (303, "/b/wild/settings/keys?said=keys.again")
        (kept,) = keys_of(site)
        assert kept.scopes == ["conversions:read", "results:read"]
        assert kept.expires_at is not None
        with later(days=31):
            mei = await site.person("manager")
            assert "Expired" in (await mei.get("/settings/keys")).text


async def test_a_key_is_replaced_and_revoked(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        await mei.post("/settings/keys", name="till", scope="results:read", days="0")
        old = KEY.findall((await mei.get("/settings/keys")).text)[0]
        (kept,) = keys_of(site)
        await mei.post(f"/settings/keys/{kept.id}/rotate", hours="24")
        new = KEY.findall((await mei.get("/settings/keys")).text)[0]
        assert [await opens(site, one) for one in (old, new)] == [200, 200]
        following = next(one for one in keys_of(site) if one.id != kept.id)
        assert (following.name, following.scopes) == ("till", ["results:read"])
        assert (await mei.post(f"/settings/keys/{following.id}/revoke")).status_code == 303
        gone = await mei.post(f"/settings/keys/{following.id}/revoke")
        assert gone.status_code == 404
        acts = site.house.ask(
            lambda session: [one.act for one in audit.entries_of(session, site.ours.brand_id, acts=ACTS)]
        )
        assert acts == ["key.revoke", "key.rotate", "key.create"]


async def test_mistakes_keep_what_was_typed_and_others_may_not(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        for wrong in (
            {"name": "", "scope": "results:read"},
            {"name": "till"},
            {"name": "till", "scope": "everything"},
            {"name": "till", "scope": "results:read", "days": "7"},
            {"name": "till", "scope": "results:read", "once": "x"},
            {"name": "t" * 65, "scope": "results:read"},
        ):
            answered = await mei.post("/settings/keys", **wrong)
            assert answered.status_code == 400
            assert f'value="{wrong["name"]}"' in answered.text
        assert keys_of(site) == []
        reviewer = await site.person("reviewer")
        assert (await reviewer.get("/settings/keys")).status_code == 403
        await mei.post("/settings/keys", name="till", scope="results:read")
        (kept,) = keys_of(site)
        other = await site.person("owner", site.theirs)
        for act in ("rotate", "revoke"):
            assert (await other.post(f"/settings/keys/{kept.id}/{act}")).status_code == 404
        assert (await mei.post("/settings/keys/x/revoke")).status_code == 404
