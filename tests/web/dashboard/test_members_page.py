"""The team's page: who is in it, who becomes what, and who goes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from referral import audit, staff
from referral.users import roles
from tests.web.brandsite import Brandsite, open_brand


def team(site: Brandsite) -> dict[str, str]:
    """Everybody's role, by their first names."""
    people = site.house.ask(lambda session: roles.team_of(session, site.ours.brand_id))
    return {one.name.split()[0]: one.role for one in people}


@pytest.mark.parametrize("locale", ["en", "zh_Hans"])
async def test_a_role_is_changed_and_taken_away(tmp_path: Path, locale: str) -> None:
    async with open_brand(tmp_path, locale) as site:
        mei, ann = await site.person("owner"), await site.person("manager", name="Ann <i>")
        page = (await mei.get("/settings/members")).text
        assert "Ann &lt;i&gt;" in page
        assert ("运营" if locale == "zh_Hans" else "manager") in page
        key = f"u-{ann.user_id}"
        changed = await mei.post(f"/settings/members/{key}/role", role="reviewer")
        assert changed.headers["location"].endswith("/settings/members?said=team.changed")
        assert team(site) == {"Mei": "owner", "Ann": "reviewer"}
        assert (await ann.get("/exports")).status_code == 403
        removed = await mei.post(f"/settings/members/{key}/remove")
        assert (removed.status_code, team(site)) == (303, {"Mei": "owner"})
        assert (await ann.get("/review")).status_code == 404
        again = await mei.post(f"/settings/members/{key}/remove")
        assert again.status_code == 404
        assert site.acts()[:2] == ["user.take", "user.give"]


async def test_the_last_owner_stays(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        key = f"u-{mei.user_id}"
        for path, fields in ((f"{key}/remove", {}), (f"{key}/role", {"role": "manager"})):
            refused = await mei.post(f"/settings/members/{path}", **fields)
            assert (refused.status_code, "at least one owner" in refused.text) == (422, True)
        # An owner in the chat is one too, and the other way round.
        brand_id, alice = site.ours.brand_id, site.ours.people["Alice"]
        site.house.do(lambda session: staff.give(session, brand_id, alice, "owner", "operator"))
        assert (await mei.post(f"/settings/members/m-{alice}/remove")).status_code == 303
        assert (await mei.post(f"/settings/members/{key}/remove")).status_code == 422
        assert team(site) == {"Mei": "owner"}


async def test_who_has_a_role_in_the_chat_and_on_the_web_loses_both(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei, brand_id, bob = await site.person("owner"), site.ours.brand_id, site.ours.people["Bob"]
        site.house.do(lambda session: staff.give(session, brand_id, bob, "reviewer", "operator"))
        user = site.house.do(lambda session: roles.come_as(session, brand_id, bob, "Bob", "en"))
        site.house.do(lambda session: roles.give(session, brand_id, user.id, "manager", "operator"))
        page = (await mei.get("/settings/members")).text
        assert page.count('/role"') == 2, "one person stands in one row"
        await mei.post(f"/settings/members/u-{user.id}/role", role="owner")
        assert site.house.ask(lambda session: staff.role_of(session, brand_id, bob)) == "owner"
        await mei.post(f"/settings/members/u-{user.id}/remove")
        assert team(site) == {"Mei": "owner"}
        assert site.house.ask(lambda session: staff.role_of(session, brand_id, bob)) is None


async def test_only_owners_see_the_team_and_nothing_else_is_taken(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei, manager = await site.person("owner"), await site.person("manager", name="Ann")
        assert (await manager.get("/settings/members")).status_code == 403
        refused = await manager.post("/settings/members/invite", role="owner")
        assert (refused.status_code, site.acts().count("user.invite")) == (403, 0)
        for who in (f"u-{manager.user_id}", "u-x", "x", f"x-{manager.user_id}", f"m-{site.theirs.people['Alice']}"):
            for role in ("king", "", "owner" if who.startswith(("u-x", "x", "m-")) else "<b>"):
                answer = await mei.post(f"/settings/members/{who}/role", role=role)
                assert answer.status_code in (400, 404)
        assert team(site) == {"Mei": "owner", "Ann": "manager"}
        number = re.search(r'name="once" value="([\w-]+)"', (await mei.get("/settings/members")).text)
        assert number is not None
        for said in ("team.invited", "team.again"):
            made = await mei.post("/settings/members/invite", role="reviewer", once=number[1])
            assert made.headers["location"].endswith(said)
        assert site.house.ask(lambda session: audit.verify_chain(session, site.ours.brand_id)) == []
