"""One-time links: Mei comes in from the chat, invites Ann, and an operator lets Ann choose a new password."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import httpx2
from sqlmodel import select

from core import clock
from referral import privacy, staff
from referral.users import accounts, links, roles
from referral.users.accounts import User
from tests.web.brandsite import Brandsite, Person, open_brand
from tests.web.site import PREVIEW

SECRET = "seven green kettles"


def way_in(site: Brandsite, role: str | None = "manager", name: str = "Alice") -> str:
    """The link a member is given in the chat."""
    member_id = site.ours.people[name]
    if role is not None:
        site.house.do(lambda session: staff.give(session, site.ours.brand_id, member_id, role, "operator"))
    return "/door/" + site.house.do(
        lambda session: links.entry_for(session, site.ours.brand_id, member_id, "telegram:alice")
    )


async def come_in(site: Brandsite, path: str) -> tuple[httpx2.AsyncClient, httpx2.Response]:
    browser = await site.visitor()
    return browser, await site.send(browser, path)


async def test_looking_at_a_link_leaves_it_and_its_button_uses_it_once(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        path = way_in(site)
        for agent in (PREVIEW, "Mozilla/5.0 (Windows NT 10.0) Chrome/130"):
            for method in ("GET", "HEAD"):
                looked = await (await site.visitor()).request(method, path, headers={"user-agent": agent})
                assert looked.status_code == 200
        page = (await (await site.visitor()).get(path)).text
        assert "Open Wild &lt;Hill&gt;" in page
        assert "Alice &lt;b&gt;&amp;, manager" in page
        browser, entered = await come_in(site, path)
        assert (entered.status_code, entered.headers["location"]) == (303, "/b/wild/")
        twice = await site.send(browser, path)
        assert (twice.status_code, twice.headers["location"]) == (303, "/b/wild/"), "the button pressed twice"
        _, stranger = await come_in(site, path)
        assert stranger.status_code == 410
        assert "does not work any more" in stranger.text
        assert (await (await site.visitor()).get(path)).status_code == 410
        assert site.acts()[0] == "user.sign_in"


async def test_losing_the_role_in_the_chat_closes_the_door_at_once(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        brand_id, alice, bob = site.ours.brand_id, site.ours.people["Alice"], site.ours.people["Bob"]
        site.house.do(lambda session: staff.give(session, brand_id, bob, "owner", "operator"))
        browser, _ = await come_in(site, way_in(site))
        exports = "/b/wild/exports"
        assert (await browser.get(exports)).status_code == 200
        site.house.do(lambda session: staff.give(session, brand_id, alice, "reviewer", "operator"))
        assert (await browser.get(exports)).status_code == 403
        waiting = way_in(site, None)
        site.house.do(lambda session: staff.take(session, brand_id, alice, "operator"))
        assert (await browser.get("/b/wild/review")).status_code == 404
        assert (await browser.get("/account")).status_code == 200
        _, late = await come_in(site, waiting)
        assert late.status_code == 410, "a link from before is worth nothing"


async def test_who_is_forgotten_is_forgotten_here_too(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        browser, _ = await come_in(site, way_in(site, "owner"))
        alice = site.ours.people["Alice"]
        site.house.do(lambda session: privacy.forget_member(session, site.ours.brand_id, alice))
        assert (await browser.get("/b/wild/review")).status_code in (303, 404)
        known = site.house.ask(lambda session: list(session.exec(select(User.name))))
        assert [name for name in known if "Alice" in name] == []


async def test_an_operator_named_in_the_settings_comes_in_without_a_role(tmp_path: Path) -> None:
    async with open_brand(tmp_path, admins="telegram:alice-wild") as site:
        browser, entered = await come_in(site, way_in(site, None))
        assert entered.headers["location"] == "/b/wild/"
        assert (await browser.get("/b/wild/settings/members")).status_code == 200
        assert (await browser.get("/b/faraway/settings/members")).status_code == 404


async def test_a_link_runs_out(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        path = way_in(site)
        with clock.moved(timedelta(minutes=5)):
            _, late = await come_in(site, path)
            assert late.status_code == 410
        for nonsense in ("/door/x", "/door/" + "a" * 43, "/door/%00", "/door/" + "é" * 2000):
            assert (await come_in(site, nonsense))[1].status_code == 410


async def made_by(mei: Person, role: str) -> str:
    """The link of an invitation, as its page shows it once."""
    await mei.post("/settings/members/invite", role=role)
    shown = (await mei.get("/settings/members")).text
    found = re.search(r"http://friends\.example(/door/[\w-]{43})", shown)
    assert found is not None
    assert "/door/" not in (await mei.get("/settings/members")).text, "shown once"
    return found[1]


async def test_ann_is_invited(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        path = await made_by(mei, "reviewer")
        ann = await site.visitor()
        page = (await ann.get(path)).text
        assert "Welcome to the team of Wild &lt;Hill&gt;" in page
        short = await site.send(ann, path, name="Ann", email="ann@example.com", password="short")
        assert (short.status_code, "ann@example.com" in short.text) == (400, True)
        joined = await site.send(ann, path, name="Ann", email="ann@example.com", password=SECRET)
        assert joined.headers["location"] == "/b/wild/"
        assert (await ann.get("/b/wild/review")).status_code == 200
        assert (await ann.get("/b/wild/exports")).status_code == 403
        again = await site.send(ann, path, name="Ann", email="ann@example.com", password=SECRET)
        assert again.headers["location"] == "/b/wild/"
        late = await site.send(await site.visitor(), path, name="Eve", email="eve@example.com", password=SECRET)
        assert late.status_code == 410


async def test_somebody_known_joins_with_one_press_and_keeps_a_higher_role(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        theirs = await site.person("owner", site.theirs, "Zoe")
        path = await made_by(mei, "manager")
        assert "Join as Zoe" in (await theirs.client.get(path)).text
        joined = await site.send(theirs.client, path, **{"as": "me"})
        assert joined.headers["location"] == "/b/wild/"
        assert (await theirs.client.get("/b/wild/exports")).status_code == 200
        assert (await theirs.client.get("/b/faraway/settings/members")).status_code == 200
        lesser = await made_by(mei, "reviewer")
        await site.send(mei.client, lesser, **{"as": "me"})
        assert (await mei.get("/settings/members")).status_code == 200


async def test_an_invitation_of_somebody_who_may_not_invite_any_more_is_closed(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei, boss = await site.person("owner"), await site.person("owner", name="Boss")
        path, withdrawn = await made_by(mei, "owner"), await made_by(boss, "owner")
        which = re.search(r"/invitations/([\w-]+)/withdraw", (await boss.get("/settings/members")).text)
        assert which is not None
        newest = await boss.post(f"/settings/members/invitations/{which[1]}/withdraw")
        assert newest.headers["location"].endswith("said=team.withdrawn")
        assert (await (await site.visitor()).get(withdrawn)).status_code == 410
        lowered = await boss.post(f"/settings/members/u-{mei.user_id}/role", role="manager")
        assert lowered.status_code == 303
        form = {"name": "Eve", "email": "eve@example.com", "password": SECRET}
        refused = await site.send(await site.visitor(), path, **form)
        assert refused.status_code in (410, 422)
        assert (await (await site.visitor()).get(path)).status_code == 410
        third = await made_by(boss, "owner")
        await site.person("owner", name="Zoe")
        site.house.do(lambda session: accounts.set_disabled(session, boss.user_id, True))
        shut = await site.send(await site.visitor(), third, **form)
        assert (shut.status_code, "does not work any more" in shut.text) == (410, True), "nor of one who is shut out"


async def test_a_forgotten_password_is_chosen_anew(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        user_id = site.user("mei@example.com", "an old password it was")
        old = await site.visitor()
        await site.send(old, "/sign-in", email="mei@example.com", password="an old password it was")
        path = "/door/" + site.house.do(lambda session: links.reset_for(session, user_id, "operator"))
        browser = await site.visitor()
        assert "mei@example.com" in (await browser.get(path)).text
        easy = await site.send(browser, path, password="1234567890")
        assert easy.status_code == 400
        done = await site.send(browser, path, password=SECRET)
        assert done.headers["location"] == "/b/wild/"
        assert (await old.get("/account")).status_code == 303, "signed out everywhere else"
        fresh = await site.visitor()
        assert (await site.send(fresh, "/sign-in", email="mei@example.com", password=SECRET)).status_code == 303
        assert "user.password" in site.acts()


async def test_coming_from_the_chat_again_one_is_the_same_user(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        browser, _ = await come_in(site, way_in(site, "reviewer"))
        again, _ = await come_in(site, way_in(site, None))
        team = site.house.ask(lambda session: roles.team_of(session, site.ours.brand_id))
        assert [one.name for one in team] == ["Alice <b>&"]
        assert (await browser.get("/account")).status_code == (await again.get("/account")).status_code == 200
