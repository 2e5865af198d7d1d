"""Who sent a request: person or program, on which device, from which address."""

from __future__ import annotations

import pytest

from tests.web.site import PHONE, WECHAT
from web.visitors import Agent, address_of, agent_of, read_agent, read_networks, referrer_host

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"


@pytest.mark.parametrize(
    ("text", "device"),
    [
        (PHONE, "mobile"),
        (WECHAT, "mobile"),
        (f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {CHROME} Mobile Safari/537.36", "mobile"),
        (f"Mozilla/5.0 (Linux; Android 15; SM-X710) {CHROME} Safari/537.36", "tablet"),
        ("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17 Mobile/15E148", "tablet"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36", "desktop"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18 Safari/605.1.15", "desktop"),
        (f"Mozilla/5.0 (X11; Linux x86_64) {CHROME} Safari/537.36", "desktop"),
        (f"Mozilla/5.0 (Phone; OpenHarmony 5.0) {CHROME} ArkWeb/4.1 Mobile", "mobile"),
        ("Mozilla/5.0 (Unheard of)", None),
    ],
)
def test_people_and_their_devices(text: str, device: str | None) -> None:
    assert read_agent(text) == Agent(device, False, "MicroMessenger" in text)


@pytest.mark.parametrize(
    "text",
    [
        "WhatsApp/2.24.20.80 A",
        "TelegramBot (like TwitterBot)",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
        f"{PHONE} (compatible; bingbot/2.0)",
        "curl/8.5.0",
        "python-httpx/0.28",
        "",
    ],
)
def test_programs(text: str) -> None:
    assert read_agent(text).robot


def test_what_is_fetched_ahead_is_no_visit() -> None:
    assert agent_of({"user-agent": PHONE, "purpose": "prefetch"}).robot
    assert agent_of({"user-agent": PHONE, "sec-purpose": "prefetch;prerender"}).robot
    assert not agent_of({"user-agent": PHONE}).robot


@pytest.mark.parametrize(
    ("referer", "host"),
    [
        ("https://Example.org:8443/a/b?c=d", "example.org"),
        ("https://user:pass@example.org/", "example.org"),
        ("android-app://com.tencent.mm/", "com.tencent.mm"),
        ("not a url", None),
        ("http://[::1", None),
        ("", None),
    ],
)
def test_only_the_host_of_where_one_came_from(referer: str, host: str | None) -> None:
    assert referrer_host({"referer": referer}) == host


@pytest.mark.parametrize(
    ("client", "forwarded", "proxies", "address"),
    [
        ("203.0.113.5", "6.6.6.6", "", "203.0.113.5"),
        ("203.0.113.5", "6.6.6.6", "10.0.0.0/8", "203.0.113.5"),  # not our proxy: says nothing
        ("10.0.0.1", "198.51.100.7", "10.0.0.0/8", "198.51.100.7"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.7", "10.0.0.0/8", "198.51.100.7"),  # the left one is the visitor's word
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "10.0.0.0/8", "198.51.100.7"),
        ("10.0.0.1", "", "10.0.0.0/8", "10.0.0.1"),
        ("::1", "2001:db8::7", "::1", "2001:db8::7"),
        # A proxy may write the ports too: a visitor is no new one by opening another connection.
        ("10.0.0.1", "198.51.100.7:5678", "10.0.0.0/8", "198.51.100.7"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.7:5678, 10.0.0.2:443", "10.0.0.0/8", "198.51.100.7"),
        ("10.0.0.1", "[2001:db8::7]:5678", "10.0.0.0/8", "2001:db8::7"),
        ("10.0.0.1", "[2001:db8::7]", "10.0.0.0/8", "2001:db8::7"),
        ("10.0.0.1", "2001:db8::7:5678", "10.0.0.0/8", "2001:db8::7:5678"),  # without brackets it is all address
        ("10.0.0.1", "x" * 500, "10.0.0.0/8", "x" * 45),
        (None, "6.6.6.6", "", None),
    ],
)
def test_whose_word_counts_for_an_address(
    client: str | None, forwarded: str, proxies: str, address: str | None
) -> None:
    scope = {"client": (client, 1) if client else None}
    assert address_of(scope, {"x-forwarded-for": forwarded}, read_networks(proxies)) == address


def test_a_proxy_that_is_no_network_is_told_at_start() -> None:
    with pytest.raises(ValueError):
        read_networks("10.0.0.0/8, nginx")
