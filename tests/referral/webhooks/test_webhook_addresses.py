"""Where webhooks may go: to the open internet, and to nothing that only our own machine can reach."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Sequence
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from referral.webhooks import addresses
from referral.webhooks.addresses import check_url, is_public, read_allowed, read_target, resolve

INSIDE = (
    *("0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "169.254.169.254"),
    *("172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "168.63.129.16"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
    *("2002:7f00:1::", "2001:0:7f00:1::", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1"),
)
OUTSIDE = ("8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")


def answering(*found: str) -> addresses.Resolve:
    async def ask(host: str, port: int) -> Sequence[str]:
        return found

    return ask


@pytest.mark.parametrize("address", INSIDE)
async def test_no_way_leads_inside(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(BadInput, match="webhook_private"):
        await check_url("https://hook.example/x", [], answering(address))
    with pytest.raises(BadInput, match="webhook_private"):
        await check_url("https://hook.example/x", [], answering("8.8.8.8", address))


@pytest.mark.parametrize("address", OUTSIDE)
async def test_the_open_internet_is_fine(address: str) -> None:
    assert await check_url("https://Hook.Example:8443/x?y=1", [], answering(address)) == (
        "https://hook.example:8443/x?y=1"
    )


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "webhook_scheme"),
        ("hook.example", "webhook_scheme"),
        ("ftp://hook.example/", "webhook_scheme"),
        ("file:///etc/passwd", "webhook_scheme"),
        ("gopher://127.0.0.1:70/_x", "webhook_scheme"),
        ("https://", "webhook_url"),
        ("https:///x", "webhook_url"),
        ("https://user@hook.example/", "webhook_userinfo"),
        ("https://hook.example@127.0.0.1/", "webhook_userinfo"),
        ("https://hook.example:22/", "webhook_port"),
        ("https://hook.example:6/", "webhook_port"),
        ("https://hook.example:0/", "webhook_port"),
        ("https://hook.example:99999/", "webhook_url"),
        ("https://hook.example:x/", "webhook_url"),
        ("https://2130706433/", "webhook_url"),
        ("https://0x7f000001/", "webhook_url"),
        ("https://0177.0.0.1/", "webhook_url"),
        ("https://127.1/", "webhook_url"),
        ("https://127.0.0.1./", "webhook_url"),
        ("https://[::1%25eth0]/", "webhook_url"),
        ("https://[::1/", "webhook_url"),
        ("https://hook.example\\@127.0.0.1/", "webhook_userinfo"),
        ("https://hook.example/\r\nX: y", "webhook_url"),
        ("https://hook example/", "webhook_url"),
        ("https://hook.example/a b", "webhook_url"),
        ("https://hook.example/#part", "webhook_url"),
        ("https://" + "a" * 600, "webhook_url"),
        ("https://a..b/", "webhook_url"),
    ],
)
async def test_what_is_no_address_of_a_program_is_said_so(url: str, code: str) -> None:
    with pytest.raises(BadInput, match=code):
        await check_url(url, [], answering("8.8.8.8"))


async def test_numbers_of_this_machine_are_looked_at_like_names() -> None:
    for url in ("https://127.0.0.1/", "https://[::1]/", "https://①②⑦.⓪.⓪.①/", "https://localhost/"):
        with pytest.raises(BadInput, match="webhook_private"):
            await check_url(url, [])


async def test_a_host_nobody_knows_is_said_so() -> None:
    async def nobody(host: str, port: int) -> Sequence[str]:
        raise OSError("no such host")

    for ask in (nobody, answering()):
        with pytest.raises(BadInput, match="webhook_unknown_host"):
            await check_url("https://hook.example/", [], ask)


async def test_the_operator_may_open_their_own_network() -> None:
    allowed = read_allowed("10.1.0.0/16, ::1")
    assert await check_url("http://hook.internal:8080/x", allowed, answering("10.1.2.3")) == (
        "http://hook.internal:8080/x"
    )
    with pytest.raises(BadInput, match="webhook_private"):
        await check_url("https://hook.internal/", allowed, answering("10.2.0.1"))
    with pytest.raises(BadInput, match="webhook_scheme"):  # in the open nothing goes out readable
        await check_url("http://hook.example/", allowed, answering("8.8.8.8"))
    with pytest.raises(BadInput, match="webhook_allow"):
        read_allowed("localhost")


def test_a_name_is_written_as_the_net_has_it() -> None:
    assert read_target("https://茶.example/钩".replace("钩", "%E9%92%A9")).host == "xn--cl1a.example"
    assert read_target("https://[2606:4700::1111]:8443/x").at("8.8.8.8") == "https://8.8.8.8:8443/x"
    assert read_target("https://hook.example/x").at("2606:4700::1111") == "https://[2606:4700::1111]:443/x"


@given(url=st.one_of(st.text(max_size=60), st.from_regex(r"https?://[\x20-\x7e]{0,40}", fullmatch=True)))
def test_anything_at_all_is_an_address_or_said_to_be_none(url: str) -> None:
    try:
        target = read_target(url)
    except BadInput:
        return
    assert target.scheme in ("http", "https")
    assert target.host
    assert not set(target.host) & set(" @/\\?#%")
    assert "\r" not in target.path
    assert "\n" not in target.path
    assert urlsplit(target.at("192.0.2.1")).hostname == "192.0.2.1"
    again = read_target(f"{target.scheme}://{target.authority}{target.path}")
    assert (again.host, again.port, again.path) == (target.host, target.port, target.path)


async def test_names_that_nobody_answers_for_hold_up_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()

    def never(*given: object, **more: object) -> list[object]:
        answers.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", never)
    asked = [asyncio.create_task(resolve(f"{number}.example", 443)) for number in range(40)]
    try:
        await asyncio.sleep(0)
        # A password is checked in a thread, a card is drawn in one.
        assert await asyncio.wait_for(asyncio.to_thread(len, "four"), 3) == 4
    finally:
        answers.set()
        await asyncio.gather(*asked, return_exceptions=True)
