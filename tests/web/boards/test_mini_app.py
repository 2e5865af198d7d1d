"""The Telegram Mini App believes nobody but Telegram."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotAllowed
from tests.web.boards import opened
from tests.web.boards.opened import TOKEN
from tests.web.site import Site, open_site
from web.boards.telegram import Opened, read_init_data

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def signed(account: int | None = 77, at: datetime = NOW, token: str = TOKEN, **more: str) -> str:
    return opened.signed(account, at, token, **more)


def test_what_telegram_signed_is_believed() -> None:
    assert read_init_data(signed(), TOKEN, NOW) == Opened("77", "zh-hans")
    assert read_init_data(signed(at=NOW - timedelta(hours=24)), TOKEN, NOW).account == "77"
    assert read_init_data(signed(at=NOW + timedelta(seconds=59)), TOKEN, NOW).account == "77"


def test_a_worked_example_of_other_hands() -> None:
    """The same computation by hand for one fixed line, so that both sides of the test cannot be wrong alike."""
    secret = hmac.new(b"WebAppData", b"5768337691:AAH5YkoiEuPk8-FZa32hStHTqXiLPtAEhx8", hashlib.sha256).hexdigest()
    assert secret == "a5c609aa52f63cb5e6d8ceb6e4138726ea82bbc36bb786d64482d445ea38ee5f"
    example = (
        "query_id=AAHdF6IQAAAAAN0XohDhrOrc&user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%22%2C%22"
        "last_name%22%3A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22%3A%22ru%22%2C%22is_premium"
        "%22%3Atrue%7D&auth_date=1662771648&hash=c501b71e775f74ce10e377dea85a7ea24ecd640b223ea86dfe453e0eaed2e2b2"
    )
    moment = datetime.fromtimestamp(1662771648, UTC)
    token = "5768337691:AAH5YkoiEuPk8-FZa32hStHTqXiLPtAEhx8"
    assert read_init_data(example, token, moment) == Opened("279058397", "ru")


STALE = [signed(at=NOW - timedelta(hours=24, seconds=1)), signed(at=NOW + timedelta(minutes=2))]
FORGED = [
    "",
    "hash=",
    "auth_date=1&user=%7B%7D&hash=" + "0" * 64,
    signed(token="123456:another-bot"),
    signed().replace("hash=", "hash=0"),
    signed().replace("77", "78"),
    signed() + "&user=%7B%22id%22%3A1%7D",
    signed() + "&extra=1",
    signed(account=None),
    signed(account=None, user="null"),
    signed(account=None, user="[]"),
    signed(account=None, user='{"id": "77"}'),
    signed(account=None, user='{"id": true}'),
    signed(account=None, user="{"),
    signed(auth_date="soon"),
    signed(auth_date="-5"),
    signed(auth_date="9" * 30),
    signed(auth_date="१२"),
    "a=" + "x" * 9000,
    "&".join(f"f{number}=1" for number in range(200)),
    "%ff=%fe",
    "=&=&=",
]


@pytest.mark.parametrize("text", FORGED)
def test_nobody_else_is(text: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        read_init_data(text, TOKEN, NOW)
    assert refused.value.code == "mini_forged"


@pytest.mark.parametrize("text", STALE)
def test_what_was_opened_long_ago_is_opened_again(text: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        read_init_data(text, TOKEN, NOW)
    assert refused.value.code == "mini_stale"


def test_without_a_token_nothing_is_signed() -> None:
    with pytest.raises(NotAllowed):
        read_init_data(signed(token=""), "", NOW)


@given(st.text(max_size=200))
def test_whatever_comes_is_refused_in_the_same_words(text: str) -> None:
    with pytest.raises(NotAllowed):
        read_init_data(text, TOKEN, NOW)


async def test_somebody_sees_the_board_and_their_own_line(tmp_path: Path) -> None:
    async with open_site(tmp_path, telegram_token=TOKEN) as site:
        campaign = site.campaign()
        for name in ("77", "77", "Bob"):
            site.scores(name, campaign)
        ask = asking(site)
        answer = await ask(signed(at=datetime.now(UTC)), "?b=wild&c=coffee&lang=zh")
        board = answer.json()
        assert (board["title"], board["state"]) == ("咖啡请你喝", "running")
        assert board["me"] == {"k": board["places"][0]["k"], "r": 1, "s": 2, "of": 2}
        assert board["places"][1]["n"] == "B***b", "others are masked as they chose"
        again = await ask(signed(at=datetime.now(UTC)), "?b=wild&c=coffee&lang=zh", answer.headers["etag"])
        assert again.status_code == 304
        site.scores("Bob", campaign)
        moved = await ask(signed(at=datetime.now(UTC)), "", answer.headers["etag"])
        assert moved.json()["places"][1]["s"] == 2, "without a name it is the brand one spoke to last"


async def test_strangers_to_a_brand_see_none_of_its_boards(tmp_path: Path) -> None:
    async with open_site(tmp_path, telegram_token=TOKEN) as site:
        campaign = site.campaign()
        site.scores("77", campaign)
        ask = asking(site)
        now = datetime.now(UTC)
        assert (await ask(signed(account=99, at=now), "?b=wild&c=coffee")).status_code == 404
        assert (await ask(signed(at=now), "?b=another")).status_code == 404
        assert (await ask(signed(at=now), "?b=wild&c=nothing")).status_code == 404
        assert (await ask(signed(at=now - timedelta(days=2)), "?b=wild")).status_code == 403
        assert (await ask("x", "")).status_code == 403
        assert (await site.client.get("/mini/board")).status_code == 403
        for text in FORGED:
            if text and text.isascii():
                assert (await ask(text, "")).status_code == 403


async def test_the_page_loads_nothing_from_elsewhere_and_only_telegram_frames_it(tmp_path: Path) -> None:
    async with open_site(tmp_path, telegram_token=TOKEN) as site:
        page = await site.click("/mini?lang=zh")
        assert "https://" not in page.text
        policy = page.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert policy.endswith("frame-ancestors https://web.telegram.org https://*.telegram.org")


async def test_without_a_bot_there_is_no_mini_app(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        assert (await site.click("/mini")).status_code == 404
        assert (await site.click("/mini/board", authorization="tma " + quote("x"))).status_code == 404


def asking(site: Site) -> Callable[..., Any]:
    """A page's question to the server."""

    async def ask(data: str, query: str, known: str = "") -> Any:
        headers = {"accept": "application/json", "authorization": f"tma {data}"}
        return await site.client.get(
            "/mini/board" + query, headers=headers | ({"if-none-match": known} if known else {})
        )

    return ask
