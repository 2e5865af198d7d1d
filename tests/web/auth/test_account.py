"""One's own account: the name, the password, the places one is signed in, and passkeys in a real browser."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import async_playwright

from tests.web.brandsite import Brandsite, open_brand

SECRET, NEW = "seven green kettles", "nine blue teapots then"


def on_page(text: str) -> list[str]:
    """Where one is signed in, by the links to end each."""
    return re.findall(r"/account/sessions/([\w-]{36})/end", text)


async def test_a_password_is_changed_and_every_other_place_is_out(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        site.user("mei@example.com", SECRET)
        here, there = await site.visitor(), await site.visitor()
        for browser in (here, there):
            await site.send(browser, "/sign-in", email="mei@example.com", password=SECRET)
        wrong = await site.send(here, "/account/password", current="not this one", password=NEW)
        assert (wrong.status_code, "present password is not right" in wrong.text) == (403, True)
        short = await site.send(here, "/account/password", current=SECRET, password="short")
        assert short.status_code == 400
        done = await site.send(here, "/account/password", current=SECRET, password=NEW)
        assert done.headers["location"] == "/account?said=password"
        assert "all other devices are signed out" in (await here.get("/account?said=password")).text
        assert (await there.get("/account")).status_code == 303
        assert (await site.send(there, "/sign-in", email="mei@example.com", password=SECRET)).status_code == 403
        assert (await site.send(there, "/sign-in", email="mei@example.com", password=NEW)).status_code == 303


async def test_places_are_listed_and_ended_by_their_owner_alone(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        site.user("mei@example.com", SECRET)
        browsers = [await site.visitor() for _ in range(3)]
        for browser in browsers:
            await site.send(browser, "/sign-in", email="mei@example.com", password=SECRET)
        first, second, third = browsers
        page = (await first.get("/account")).text
        assert "Mobile Safari · iOS" in page
        others = on_page(page)
        assert len(others) == 2
        ann = await site.person("owner", name="Ann")
        assert (await site.send(ann.client, f"/account/sessions/{others[0]}/end")).status_code == 404
        assert (await site.send(first, f"/account/sessions/{others[0]}/end")).status_code == 303
        assert sorted([(await one.get("/account")).status_code for one in (second, third)]) == [200, 303]
        again = await site.send(first, f"/account/sessions/{others[0]}/end")
        assert (again.status_code, "has ended already" in again.text) == (404, True)
        await site.send(first, "/account/sessions/end-others")
        assert [(await one.get("/account")).status_code for one in browsers] == [200, 303, 303]


async def test_who_came_from_the_chat_gets_a_password_of_their_own(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        early = await site.send(mei.client, "/account/password", password=NEW)
        assert (early.status_code, "Enter an e-mail address first" in early.text) == (400, True)
        site.user("taken@example.com", SECRET, name="Ann")
        taken = await site.send(mei.client, "/account/email", email="Taken@example.com")
        assert taken.status_code == 409
        await site.send(mei.client, "/account/email", email="mei@example.com")
        await site.send(mei.client, "/account/password", password=NEW)
        await site.send(mei.client, "/account/name", name="  Mei   Lin ")
        assert "Mei Lin" in (await mei.client.get("/account")).text
        browser = await site.visitor()
        assert (await site.send(browser, "/sign-in", email="mei@example.com", password=NEW)).status_code == 303
        assert [act for act in site.acts() if act in ("user.email", "user.password")] == ["user.password", "user.email"]


async def test_nobody_asks_through_a_list_of_addresses_which_are_taken(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        site.user("taken@example.com", SECRET, name="Ann")
        asked = [await site.send(mei.client, "/account/email", email="taken@example.com") for _ in range(11)]
        assert [one.status_code for one in asked] == [409] * 10 + [429]


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found = int(free.getsockname()[1])
    return found


async def test_a_passkey_is_added_used_and_removed(tmp_path: Path, chromium: str, port: int) -> None:
    async with (
        open_brand(tmp_path, port=port, public_url=f"http://localhost:{port}") as site,
        async_playwright() as playwright,
    ):
        site.user("mei@example.com", SECRET)
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page(base_url=f"http://localhost:{port}", locale="en-US")
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        devices = await page.context.new_cdp_session(page)
        await devices.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        await devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        await page.goto("/sign-in?next=/account")
        await page.get_by_label("E-mail").fill("mei@example.com")
        await page.get_by_label("Password").fill(SECRET)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("button", name="Add a passkey").click()
        await page.get_by_text("Your passkey is ready").wait_for()
        await page.get_by_role("button", name="Sign out", exact=True).first.click()
        await page.get_by_text("You are signed out").wait_for()
        await page.get_by_role("button", name="Use a passkey").click()
        await page.wait_for_url("**/b/wild/")
        await page.goto("/account")
        assert "by passkey" in await page.content()
        assert {"user.passkey_added", "user.sign_in"} <= set(site.acts())
        await say_nonsense(site)
        await page.get_by_role("button", name="Remove the passkey").click()
        await page.get_by_text("The passkey is removed").wait_for()
        await page.get_by_role("button", name="Sign out", exact=True).first.click()
        await page.get_by_role("button", name="Use a passkey").click()
        await page.get_by_text("We do not know this passkey").wait_for()
        await browser.close()
        assert complaints == []


async def say_nonsense(site: Brandsite) -> None:
    """Nonsense in place of what a browser says opens nothing and breaks nothing."""
    browser = await site.visitor()
    headers = {"origin": site.address, "accept": "application/json"}
    options = (await browser.post("/sign-in/passkey/options", json={}, headers=headers)).json()
    assert options["userVerification"] == "required"
    bodies: list[Any] = [
        {},
        {"credential": 1},
        {"credential": {"id": "x", "response": {"clientDataJSON": "!"}}},
        {"credential": {"id": "x", "rawId": "x", "response": {"clientDataJSON": "e30", "signature": "AA"}}},
        [],
        "x",
    ]
    for body in bodies:
        answer = await browser.post("/sign-in/passkey", json=body, headers=headers)
        assert answer.status_code in (400, 403)
        assert "daixin" not in browser.cookies
    half = b'{"credential": {"id": "\\ud800"}}'
    answer = await browser.post(
        "/sign-in/passkey", content=half, headers=headers | {"content-type": "application/json"}
    )
    assert answer.status_code == 400
