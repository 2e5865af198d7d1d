"""A form that cannot be taken comes back as it was typed, with the words and the cursor where the mistake is."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest

from tests.web.brandsite import open_brand
from web.auth.throttle import STARTS

SECRET = "seven green kettles"


def input_of(page: httpx2.Response, ident: str) -> str:
    """The tag of this input."""
    found = re.search(rf'<(?:input|select|textarea)[^>]* ?id="{ident}"[^>]*>', page.text)
    assert found is not None, ident
    return found[0]


@pytest.mark.parametrize(
    ("path", "fields", "ident", "kept", "said"),
    [
        ("/settings/keys", {"name": " ", "scope": "results:read"}, "f-name", "", "A key needs a name"),
        ("/settings/shops", {"kind": "stripe", "name": "x" * 200}, "f-name", "x" * 200, "Please give the shop a name"),
        ("/settings/webhooks", {"url": "http://a.example"}, "f-url", "http://a.example", "must begin with https://"),
        ("/settings/costs", {"what": "baseline", "amount": "ten", "currency": "CNY"}, "baseline-amount", "ten", "ten"),
        ("/exports", {"what": "leaderboard", "format": "csv"}, "f-campaign", "", "Choose a campaign"),
    ],
)
async def test_the_mistake_is_shown_where_it_was_made(
    tmp_path: Path, path: str, fields: dict[str, str], ident: str, kept: str, said: str
) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        assert "autofocus" not in (await mei.get(path)).text
        page = await mei.post(path, **fields)
        assert 400 <= page.status_code < 500
        field = input_of(page, ident)
        assert 'aria-invalid="true"' in field
        assert " autofocus" in field
        assert page.text.count(" autofocus") == 1
        assert f'aria-describedby="{ident}-error' in field
        assert said in page.text.partition(f'id="{ident}-error">')[2].partition("</p>")[0]
        assert not kept or f'value="{kept}"' in field


async def test_a_key_for_nothing_is_told_so_without_the_names_programs_use(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        page = await mei.post("/settings/keys", name="Till")
        said = page.text.partition('id="flash"')[2].partition("</div>")[0]
        assert "Choose at least one thing the key may do." in said
        assert ":" not in said.partition("<span>")[2].partition("</span>")[0]


async def test_an_address_that_cannot_be_changed_to_is_not_forgotten(tmp_path: Path) -> None:
    async with open_brand(tmp_path, webhook_allow="127.0.0.0/8") as site:
        mei = await site.person("owner")
        made = await mei.post("/settings/webhooks", url="https://127.0.0.1:9443/first")
        at = made.headers["location"].partition("?")[0].removeprefix("/b/wild")
        page = await mei.post(f"{at}/change", url="http://tea.example/second", event="payout.failed")
        assert 'value="http://tea.example/second"' in input_of(page, "f-url")
        assert re.search(r'value="payout.failed" checked', page.text)
        again = await mei.post(f"{at}/replay", after="the last one")
        assert 'value="the last one"' in input_of(again, "f-after")
        assert 'value="https://127.0.0.1:9443/first"' in input_of(again, "f-url")


async def test_the_language_can_be_changed_on_a_page_that_came_back(tmp_path: Path) -> None:
    """The answer to a form stands at an address that no link can open."""
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        mei.client.headers["referer"] = f"{site.address}/b/wild/settings/shops?said=x"
        page = await mei.post("/settings/shops", kind="stripe", name="")
        assert 'href="/b/wild/settings/shops?lang=zh_Hans"' in page.text
        mei.client.headers["referer"] = f"{site.address}//evil.example"
        assert "evil.example" not in (await mei.post("/settings/shops", kind="stripe", name="")).text


async def test_whoever_starts_a_brand_keeps_what_they_typed(tmp_path: Path) -> None:
    async with open_brand(tmp_path, open_to_brands=True) as site:
        visitor = await site.visitor()
        typed = {"brand": "Tea House", "name": "Mei", "email": "mei@tea.example", "timezone": "Asia/Tokyo"}
        for _ in range(STARTS.amount):
            page = await site.send(visitor, "/sign-up", **typed, password="short")
            assert page.status_code == 400
        assert " autofocus" in input_of(page, "password")
        assert 'aria-describedby="problem password-help"' in input_of(page, "password")
        assert page.text.count(" autofocus") == 1
        late = await site.send(visitor, "/sign-up", **typed, password=SECRET)
        assert late.status_code == 429
        assert int(late.headers["retry-after"]) > 0
        assert "Please wait a few minutes" in late.text
        assert "Retry-After" not in late.text
        for shown in (page, late):
            for name in ("brand", "name", "email"):
                assert f'value="{typed[name]}"' in input_of(shown, name)
            assert '<option value="Asia/Tokyo" selected>Tokyo' in shown.text


async def test_a_new_address_of_ones_own_is_kept_while_the_password_is_asked_again(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        site.user("mei@tea.example", SECRET)
        visitor = await site.visitor()
        wrong = await site.send(visitor, "/sign-in", email="mei@tea.example", password="no")
        assert " autofocus" in input_of(wrong, "password")
        await site.send(visitor, "/sign-in", email="mei@tea.example", password=SECRET)
        page = await site.send(visitor, "/account/email", email="new@tea.example", current="no")
        assert 'value="new@tea.example"' in input_of(page, "email")
        assert " autofocus" in input_of(page, "sure")
        assert page.text.count(" autofocus") == 1
        page = await site.send(visitor, "/account/password", current="no", password=SECRET)
        assert " autofocus" in input_of(page, "current")
