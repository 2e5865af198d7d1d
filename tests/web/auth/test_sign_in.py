"""Mei starts a brand, goes, comes back by her password; strangers learn nothing and lock nobody out for long."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from core import clock
from referral.users import accounts, sessions
from referral.users.accounts import User
from referral.users.sessions import UserSession
from tests.web.brandsite import open_brand
from tests.web.site import until
from web.auth.cookies import own_path

MEI, SECRET = "mei@example.com", "seven green kettles"


async def test_a_brand_is_started_left_and_opened_again(tmp_path: Path) -> None:
    async with open_brand(tmp_path, open_to_brands=True) as site:
        browser = await site.visitor()
        form = {
            "brand": "Tea & Sons",
            "timezone": "Europe/Berlin",
            "name": "Mei",
            "email": " MEI@Example.com",
            "password": SECRET,
        }
        started = await site.send(browser, "/sign-up", **form)
        assert (started.status_code, started.headers["location"]) == (303, "/b/tea-sons/")
        cookie = started.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        token = browser.cookies["daixin"]
        kept = site.house.ask(lambda session: session.exec(select(UserSession)).one())
        assert token not in kept.model_dump().values()
        # The button pressed twice: the brand is there once, and she is in.
        again = await site.send(await site.visitor(), "/sign-up", **form)
        assert (again.status_code, again.headers["location"]) == (303, "/b/tea-sons/")
        assert len(site.house.ask(lambda session: session.exec(select(User)).all())) == 1
        account = await browser.get("/account")
        assert account.status_code == 200
        assert account.headers["cache-control"] == "no-store"
        assert "Tea &amp; Sons" in account.text
        out = await site.send(browser, "/sign-out")
        assert out.headers["location"] == "/sign-in?said=out"
        assert "You are signed out" in (await browser.get("/sign-in?said=out")).text
        browser.cookies.set("daixin", token)
        assert (await browser.get("/account")).headers["location"] == "/sign-in?next=/account"
        browser.cookies.clear()
        back = await site.send(browser, "/sign-in", email=MEI, password=SECRET, next="/account")
        assert (back.status_code, back.headers["location"]) == (303, "/account")


async def test_whoever_is_unknown_and_whoever_is_wrong_hear_the_same(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        site.user(MEI, SECRET)
        browser = await site.visitor()
        wrong = await site.send(browser, "/sign-in", email=MEI, password="not this one")
        unknown = await site.send(browser, "/sign-in", email="who@example.com", password="not this one")
        assert wrong.status_code == unknown.status_code == 403
        assert wrong.text.replace(MEI, "") == unknown.text.replace("who@example.com", "")
        assert "E-mail or password is not right." in wrong.text
        assert "daixin" not in browser.cookies
        await until(lambda: site.acts().count("user.sign_in_failed") == 1)  # written once the answer has gone out
        for nonsense in ("", "x" * 5000, "a@b\x00.com", "<script>@x.org"):
            refused = await site.send(browser, "/sign-in", email=nonsense, password="\x00" + "y" * 5000)
            assert refused.status_code == 403
            assert "<script>" not in refused.text.partition("</head>")[2]


async def test_strangers_who_guess_are_slowed_down_and_her_own_device_is_not(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        site.user(MEI, SECRET)
        hers = await site.visitor()
        assert (await site.send(hers, "/sign-in", email=MEI, password=SECRET)).status_code == 303
        stranger = await site.visitor()
        answers = [await site.send(stranger, "/sign-in", email=MEI, password=f"guess number {n}") for n in range(11)]
        assert [one.status_code for one in answers] == [403] * 10 + [429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 15 * 60
        assert "Too many tries" in answers[-1].text
        right = await site.send(stranger, "/sign-in", email=MEI, password=SECRET)
        assert right.status_code == 429, "or a guesser would be told by it"
        await site.send(hers, "/sign-out")
        assert (await site.send(hers, "/sign-in", email=MEI, password=SECRET)).status_code == 303
        other = await site.send(stranger, "/sign-in", email="who@example.com", password="x")
        assert other.status_code == 403, "another account is not closed by it"


async def test_a_form_of_another_site_or_session_is_refused(tmp_path: Path) -> None:
    async with open_brand(tmp_path, open_to_brands=True) as site:
        site.user(MEI, SECRET)
        browser = await site.visitor()
        form = {"email": MEI, "password": SECRET}
        for headers in (
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": "http://["},
            {"sec-fetch-site": "cross-site"},
        ):
            assert (await browser.post("/sign-in", data=form, headers=headers)).status_code == 403
        assert "daixin" not in browser.cookies
        await site.send(browser, "/sign-in", **form)
        name = {"name": "Mallory"}
        assert (await browser.post("/account/name", data=name)).status_code == 403
        assert (await browser.post("/account/name", data=name | {"csrf": "0" * 43})).status_code == 403
        other = await site.person("owner", name="Ann")
        stolen = await browser.post("/account/name", data=name | {"csrf": other.csrf})
        assert stolen.status_code == 403
        foreign = {"origin": "https://evil.example"}
        token = {"csrf": other.csrf}
        assert (await other.client.post("/account/name", data=name | token, headers=foreign)).status_code == 403
        assert (await other.client.post("/account/name", data=name | token)).status_code == 303
        nobody = await site.visitor()
        late = await nobody.post("/account/name", data=name, headers={"referer": "http://[x"})
        assert (late.status_code, late.headers["location"]) == (303, "/sign-in?next=/&said=again")


async def test_sessions_end_by_themselves(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        assert (await mei.client.get("/account")).status_code == 200
        with clock.moved(sessions.IDLE - timedelta(minutes=1)):
            assert (await mei.client.get("/account")).status_code == 200  # and is seen
        with clock.moved(2 * sessions.IDLE - timedelta(hours=1)):
            assert (await mei.client.get("/account")).status_code == 200
        with clock.moved(4 * sessions.IDLE):
            assert (await mei.client.get("/account")).status_code == 303
        busy = await site.person("owner", name="Ann")
        for day in range(29):
            with clock.moved(timedelta(days=day)):
                assert (await busy.client.get("/account")).status_code == 200
        with clock.moved(sessions.LONGEST + timedelta(seconds=1)):
            assert (await busy.client.get("/account")).status_code == 303
        site.house.do(lambda session: accounts.set_disabled(session, busy.user_id, True))
        assert (await busy.client.get("/account")).status_code == 303


async def test_new_brands_are_closed_unless_the_operator_opens_them(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        browser = await site.visitor()
        closed = await browser.get("/sign-up")
        assert (closed.status_code, "By invitation" in closed.text) == (403, True)
        refused = await site.send(browser, "/sign-up", brand="X", name="X", email=MEI, password=SECRET, timezone="UTC")
        assert refused.status_code == 403
        assert site.house.ask(lambda session: session.exec(select(User)).all()) == []


UNFIT = [
    ("email", "mei at example", "does not look like an e-mail"),
    ("password", "short", "at least 10 characters"),
    ("password", "aaaaaaaaaaaa", "too easy to guess"),
    ("password", "mei@example.com", "too easy to guess"),
    ("name", "\u202e", "Please enter a name"),
    ("brand", " ", "64"),
    ("timezone", "../../etc/passwd", "time zone"),
    ("timezone", "Mars/Olympus", "time zone"),
]


async def test_what_cannot_be_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    async with open_brand(tmp_path, open_to_brands=True) as site:
        browser = await site.visitor()
        for field, value, said in UNFIT:
            form = {"brand": "Tea", "timezone": "UTC", "name": "Mei", "email": MEI, "password": SECRET} | {field: value}
            answer = await site.send(browser, "/sign-up", **form)
            assert (answer.status_code, said in answer.text) == (400, True), (field, value)
            assert SECRET not in answer.text
        assert site.house.ask(lambda session: session.exec(select(col(User.id))).all()) == []


@pytest.mark.parametrize(
    ("wanted", "goes_to"),
    [
        ("/b/wild/payouts?page=2#x", "/b/wild/payouts?page=2#x"),
        ("//evil.example/x", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nset-cookie: x=1", "/"),
        ("", "/"),
        ("/" + "x" * 3000, "/"),
    ],
)
def test_after_signing_in_one_stays_with_us(wanted: str, goes_to: str) -> None:
    assert own_path(wanted) == goes_to


async def test_over_https_the_cookie_is_the_hosts_own(tmp_path: Path) -> None:
    async with open_brand(tmp_path, public_url="https://tea.example") as site:
        site.user(MEI, SECRET)
        browser = await site.visitor()
        signed = await site.send(browser, "/sign-in", email=MEI, password=SECRET)
        cookies = [value.lower() for name, value in signed.headers.multi_items() if name == "set-cookie"]
        session = next(one for one in cookies if one.startswith("__host-daixin="))
        assert "secure" in session
        assert "path=/;" in session + ";"
        assert "domain" not in session
        assert signed.headers["strict-transport-security"]
        led_on = await browser.get("/b/wild", headers={"host": "tea.example"})
        assert led_on.headers["location"] == "https://tea.example/b/wild/"


async def test_the_language_one_picks_is_remembered(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        person = await site.person("owner")
        assert "Your account" in (await person.client.get("/account")).text
        assert "我的账号" in (await person.client.get("/account?lang=zh_Hans")).text
        assert "我的账号" in (await person.client.get("/account")).text


async def test_text_that_no_database_takes_is_nobodys_name(migrated_url: str, tmp_path: Path) -> None:
    async with open_brand(tmp_path, url=migrated_url) as site:
        browser, mei = await site.visitor(), await site.person("owner")
        refused = await site.send(browser, "/sign-in", email="a@b\x00.com", password="\x00" * 12)
        assert (refused.status_code, "E-mail or password is not right." in refused.text) == (403, True)
        for path in ("/campaigns/%00", "/settings/shops/%00", "/trials/%00", "/leaderboard/%00"):
            assert (await mei.get(path)).status_code == 404, path
        for path in ("/hooks/shopify/wi%00ld", "/hooks/sho%00pify/wild"):
            assert (await browser.post(path, content=b"{}")).status_code == 404, path
        # A charset of the form's own choice could make half a letter out of plain ones.
        half = b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n\\ud800\r\n--B--\r\n'
        kind = {"content-type": "multipart/form-data; boundary=B; charset=unicode_escape"}
        for client, path, field in ((browser, "/sign-in", b"email"), (mei.client, "/account/name", b"csrf")):
            assert (await client.post(path, content=half % field, headers=kind)).status_code == 403, path
