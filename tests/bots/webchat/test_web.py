"""The web chat on the wire: who a visitor is, what a reconnect brings back, and what is turned away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bots.markup import escape
from bots.message import Address, Image, Incoming, Joined, Left, Reachable, Reply, Said
from bots.webchat.adapter import WebChatAdapter
from bots.webchat.settings import WebChatSettings
from tests.bots.webchat.harness import (
    MENU,
    Browser,
    Clock,
    FlakyStore,
    WebChatHarness,
    eventually,
    open_harness,
    serve,
)

ALICE = {"as": "alice"}


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[WebChatHarness]:
    async with open_harness(tmp_path) as harness:
        harness.script.answer = echo
        yield harness


def echo(incoming: Incoming) -> Sequence[Reply]:
    return (Reply(f"you said {escape(incoming.text)}"),) if isinstance(incoming, Said) else ()


def texts(page: Browser) -> list[str]:
    return ["".join(span["text"] for line in body["lines"] for span in line) for body in page.ours()]


@asynccontextmanager
async def visitor(chat: WebChatHarness, **query: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser with a cookie jar of its own that opened the page."""
    async with httpx2.AsyncClient(base_url=chat.base) as client:
        (await client.get("/chat", params=query)).raise_for_status()
        yield client


async def test_a_visitor_gets_a_signed_cookie_and_stays_the_same_person(chat: WebChatHarness) -> None:
    async with visitor(chat) as client:
        for text in ("one", "two"):
            assert (await client.post("/chat/messages", json={"text": text})).json() == {"ok": True}
        first, second = chat.script.heard
        assert isinstance(first, Said)
        assert isinstance(second, Said)
        assert first.person == second.person
        assert first.person.account.startswith("v:")
        assert first.person.name.startswith("Guest ")
        assert first.place.address == Address("webchat", first.person.account)


async def test_the_cookie_cannot_be_read_by_scripts_or_forged(chat: WebChatHarness) -> None:
    page = await chat.client.get("/chat")
    cookie = page.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    forged = cookie.split(";")[0][:-2] + "xx"
    answer = await chat.client.post("/chat/messages", json={"text": "hi"}, headers={"Cookie": forged})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_visitor_chooses_a_name(chat: WebChatHarness) -> None:
    async with visitor(chat, lang="zh") as client:
        answer = await client.post("/chat/name", json={"name": "  小\u202e明 <b>  "})
        assert answer.json() == {"name": "小明 <b>"}
        await client.post("/chat/messages", json={"text": "hi"})
        (said,) = chat.script.heard
        assert isinstance(said, Said)
        assert said.person.name == "小明 <b>"
        assert (await client.post("/chat/name", json={"name": " "})).status_code == 422


async def test_the_page_runs_no_inline_script_and_names_who_may_frame_it(tmp_path: Path) -> None:
    async with open_harness(tmp_path, allowed_origins=("https://shop.example",)) as chat:
        page = await chat.client.get("/chat", params={"code": '"><script>alert(1)</script>', "as": "<b>Eve"})
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "frame-ancestors 'self' https://shop.example" in policy
        assert "unsafe" not in policy
        assert "alert(1)" not in page.text
        assert "<b>Eve" not in page.text
        assert page.text.count("<script") == page.text.count("<script src=")


async def test_on_another_site_the_cookie_needs_https() -> None:
    with pytest.raises(ValueError, match="https"):
        WebChatSettings("secret", "http://chat.example", cross_site_cookie=True)
    with pytest.raises(ValueError, match="origin"):
        WebChatSettings("secret", "https://chat.example", allowed_origins=("https://a.example; script-src *",))


async def test_a_frame_on_another_site_gets_its_cookie(tmp_path: Path) -> None:
    async with open_harness(tmp_path, public_url="https://chat.example", cross_site_cookie=True) as chat:
        cookie = (await chat.client.get("/chat")).headers["set-cookie"]
        assert cookie.endswith("HttpOnly; SameSite=None; Secure; Partitioned")


async def test_a_reconnect_loses_nothing_and_repeats_nothing(chat: WebChatHarness) -> None:
    page = chat.browser("alice")
    await chat.say("alice", "one")
    await chat.seen("alice", 1)
    await page.close()
    await chat.adapter.send(Address("webchat", "stage:alice"), Reply("while you were away"))
    await chat.say("alice", "two")
    before = len(page.events)
    await page.open()
    await chat.seen("alice", 3)
    assert texts(page) == ["you said one", "while you were away", "you said two"]
    news = [data["id"] for name, data in page.events[before:] if name == "message"]
    assert len(news) == len(set(news)) == 3


async def test_a_new_page_shows_what_was_said_before(chat: WebChatHarness) -> None:
    await chat.say("alice", "one")
    other = Browser(chat.client, ALICE)
    await other.open()
    assert texts(other) == ["you said one"]
    assert [body["mine"] for body in other.shown.values()] == [True, False]
    await other.close()


async def test_what_is_not_kept_any_more_is_told(tmp_path: Path) -> None:
    async with open_harness(tmp_path, history=4) as chat:
        chat.script.answer = echo
        page = chat.browser("alice")
        await chat.say("alice", "0")
        await chat.seen("alice", 1)
        await page.close()
        for number in range(1, 6):
            await chat.say("alice", str(number))
        await page.open()
        assert ("gap", {}) in page.events
        assert texts(page) == ["you said 0", "you said 4", "you said 5"]


async def test_after_a_restart_old_numbers_are_not_mistaken_for_new_ones(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as chat:
        page = Browser(chat.client, ALICE, last="0badcafe-999999")
        chat.script.answer = echo
        await chat.say("alice", "hello")
        await page.open()
        assert texts(page) == ["you said hello"]
        await page.close()


async def test_a_post_that_is_repeated_is_heard_once(chat: WebChatHarness) -> None:
    page = chat.browser("alice")
    for _ in range(2):
        assert (await page.post("/chat/messages", {"text": "/invite", "key": "same"})).status_code == 200
    assert len(chat.script.heard) == 1
    assert len(await chat.seen("alice", 1)) == 1


async def test_two_people_in_a_room_may_name_their_posts_alike(chat: WebChatHarness) -> None:
    for who in ("alice", "bob"):
        await chat.browser(who, group=True).post("/chat/messages", {"text": f"I am {who}", "key": "same"})
    await chat.seen("alice", 2, group=True)
    assert len(chat.script.heard) == 2


async def test_a_failure_can_be_tried_again_and_shows_ones_words_once(chat: WebChatHarness) -> None:
    def fail(incoming: Incoming) -> Sequence[Reply]:
        raise RuntimeError("the database is full")

    page = chat.browser("alice")
    chat.script.answer = fail
    answer = await page.post("/chat/messages", {"text": "hi", "key": "k"}, **{"Accept-Language": "zh"})
    assert answer.status_code == 500
    assert answer.json()["detail"] == "我们这边出了点问题，请再试一次。"
    chat.script.answer = echo
    assert (await page.post("/chat/messages", {"text": "hi", "key": "k"})).status_code == 200
    await chat.seen("alice", 1)
    assert len([body for body in page.shown.values() if body["mine"]]) == 1


async def test_one_sees_that_an_answer_is_being_made(chat: WebChatHarness) -> None:
    drawn = asyncio.Event()

    async def draw(incoming: Incoming) -> Sequence[Reply]:
        await drawn.wait()
        return echo(incoming)

    chat.adapter.listen(draw)
    page = chat.browser("alice")
    saying = asyncio.create_task(chat.say("alice", "hi"))
    await eventually(lambda: page.events[-1] == ("typing", {"on": True}))
    drawn.set()
    await saying
    await eventually(lambda: page.events[-1] == ("typing", {"on": False}))
    assert texts(page) == ["you said hi"]


async def test_a_form_comes_back_with_its_answers(chat: WebChatHarness) -> None:
    answer = await chat.browser("alice").message(form="link", answers={"code": "ABCD"})
    assert answer.status_code == 200
    assert getattr(chat.script.heard[-1], "answers", None) == {"code": "ABCD"}


@pytest.mark.parametrize(("length", "status"), [(4000, 200), (4001, 422)])
async def test_the_longest_message(chat: WebChatHarness, length: int, status: int) -> None:
    answer = await chat.browser("alice").post("/chat/messages", {"text": "字" * length}, **{"Accept-Language": "zh-CN"})
    assert answer.status_code == status
    if status == 422:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-language"] == "zh-Hans"
        assert answer.json()["detail"] == "一条消息最多 4000 个字，这条有 4001 个字。"


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"x" * 65_537, {"Content-Type": "application/json"}, 413),
        (b"{", {"Content-Type": "application/json"}, 400),
        (b"[" * 60_000, {"Content-Type": "application/json"}, 400),
        (b"\xff\xfe{}", {"Content-Type": "application/json"}, 400),
        (b"[]", {"Content-Type": "application/json"}, 422),
        (b"text=hi", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b'{"text":"hi"}', {"Content-Type": "text/plain"}, 415),
        (b'{"text":"hi"}', {"Content-Type": "application/json", "Origin": "https://evil.example"}, 403),
        (b'{"text":"hi"}', {"Content-Type": "application/json", "Origin": "null"}, 403),
        (b'{"text":"hi"}', {"Content-Type": "application/json", "Origin": "http://chat.test"}, 200),
    ],
)
async def test_what_is_turned_away(chat: WebChatHarness, content: bytes, headers: dict[str, str], status: int) -> None:
    answer = await chat.client.post("/chat/messages", params=ALICE, content=content, headers=headers)
    assert answer.status_code == status
    if status != 200:
        assert answer.json()["status"] == status
        assert not chat.script.heard


async def test_too_many_messages_in_a_minute_wait(tmp_path: Path) -> None:
    async with open_harness(tmp_path, messages_per_minute=3) as chat:
        page = chat.browser("alice")
        assert [(await page.message(text="hi")).status_code for _ in range(4)] == [200, 200, 200, 429]
        answer = await page.message(text="hi")
        assert answer.headers["retry-after"] == "60"
        assert (await chat.browser("bob").message(text="hi")).status_code == 200
        chat.clock.move(60)
        assert (await page.message(text="hi")).status_code == 200


async def test_new_visitors_and_streams_are_bounded(tmp_path: Path) -> None:
    async with open_harness(tmp_path, arrivals_per_minute=2, streams=3) as chat:
        assert [(await httpx2.AsyncClient().get(f"{chat.base}/chat")).status_code for _ in range(3)] == [200, 200, 429]
        extra = Browser(chat.client, ALICE)
        await extra.open()
        assert (await chat.client.get("/chat/events", params=ALICE)).status_code == 429
        await extra.close()
        await eventually(lambda: chat.adapter._talk.streams["stage:alice"] == 2)


async def test_the_longest_unused_chat_is_forgotten_first_but_never_one_being_looked_at(tmp_path: Path) -> None:
    async with open_harness(tmp_path, visitors=5) as chat:
        for number in range(20):
            await chat.adapter.send(Address("webchat", f"v:{number}"), Reply("hello"))
        assert len(chat.adapter._talk.chats) == 5
        assert len(chat.adapter.inbox("v:19")) == 1
        await chat.adapter.send(Address("webchat", "stage:alice"), Reply("still with us"))
        await chat.seen("alice", 1)


async def test_pictures_are_bounded_and_have_secret_addresses(tmp_path: Path) -> None:
    async with open_harness(tmp_path, image_bytes=250) as chat:
        for number in range(3):
            image = Image(partial(bytes, [number] * 100), "card.jpg", "A card")
            await chat.adapter.send(Address("webchat", "stage:alice"), Reply("card", image=image))
        page = chat.browser("alice")
        await eventually(lambda: len(page.ours()) == 3)
        answers = [await chat.client.get(body["image"]["url"]) for body in page.ours()]
        assert [answer.status_code for answer in answers] == [404, 200, 200]
        assert answers[1].headers["x-content-type-options"] == "nosniff"
        assert (await chat.client.get("/chat/images/1")).status_code == 404


async def test_a_visitor_stops_our_messages_and_takes_them_again(chat: WebChatHarness) -> None:
    page = chat.browser("alice")
    assert (await page.post("/chat/reachable", {"reachable": False})).json() == {"reachable": False}
    event = chat.script.heard[-1]
    assert isinstance(event, Reachable)
    assert not event.reachable
    with pytest.raises(Exception, match="no more messages") as caught:
        await chat.adapter.send(Address("webchat", "stage:alice"), Reply("news"))
    assert getattr(caught.value, "permanent", None) is True
    await chat.say("alice", "but I may still ask")
    await chat.seen("alice", 1)
    await page.post("/chat/reachable", {"reachable": True})
    await chat.adapter.send(Address("webchat", "stage:alice"), Reply("news"))
    await chat.seen("alice", 2)


async def test_without_a_stage_nobody_can_be_somebody_else() -> None:
    adapter = WebChatAdapter(WebChatSettings("secret", "http://chat.test"), MENU, FlakyStore(), Clock())
    async with serve(adapter) as base, httpx2.AsyncClient(base_url=base) as client:
        for query in (ALICE, {"group": "group"}):
            for path in ("/chat", "/chat/events"):
                assert (await client.get(path, params=query)).status_code == 403
            assert (await client.post("/chat/messages", params=query, json={"text": "hi"})).status_code == 403
        assert (await client.post("/chat/groups/group/join", json={})).status_code == 403


async def test_nobody_listens_to_a_person_as_if_they_were_a_group(chat: WebChatHarness) -> None:
    for group in ("stage:bob", "v:abc", "a b", "x" * 65):
        answer = await chat.client.get("/chat/events", params={**ALICE, "group": group})
        assert answer.status_code == 404


async def test_joining_and_leaving_a_room_is_heard_once(chat: WebChatHarness) -> None:
    page = chat.browser("bob", group=True)
    for _ in range(2):
        assert (await page.post("/chat/groups/group/join", {"invite": "ABCD2345"})).json() == {"member": True}
    (joined,) = chat.script.heard
    assert isinstance(joined, Joined)
    assert (joined.person.account, joined.place.group, joined.invite) == ("stage:bob", "group", "ABCD2345")
    assert joined.at == chat.clock()
    assert (await page.post("/chat/groups/other/join", {})).status_code == 404
    await page.post("/chat/groups/group/leave", {})
    assert isinstance(chat.script.heard[-1], Left)
    watcher = chat.browser("alice", group=True)
    await eventually(lambda: [body["kind"] for body in watcher.shown.values()] == ["note", "note"])


async def test_a_room_sees_everybodys_words_but_never_their_accounts(chat: WebChatHarness) -> None:
    await chat.say("alice", "hello all", group=True)
    bob = chat.browser("bob", group=True)
    await eventually(lambda: len(bob.shown) == 2)
    hers: Any = next(iter(bob.shown.values()))
    assert (hers["author"], hers["mine"]) == ("alice", False)
    assert "stage:alice" not in str(bob.shown)


async def test_a_stop_ends_the_streams_and_finishes_what_was_accepted(tmp_path: Path) -> None:
    async with open_harness(tmp_path) as chat:
        going = asyncio.Event()

        async def slowly(incoming: Incoming) -> Sequence[Reply]:
            going.set()
            await asyncio.sleep(0.2)
            return echo(incoming)

        chat.adapter.listen(slowly)
        posting = asyncio.create_task(chat.browser("alice").message(text="last words"))
        await going.wait()
        await chat.adapter.close()
        assert (await posting).status_code == 200
        assert chat.adapter.status.state == "down"
        assert (await chat.browser("alice").message(text="too late")).status_code == 503
        entries = chat.adapter._talk.chats.open("stage:alice").entries
        assert [entry.reply.text for entry in entries if entry.reply] == ["you said last words"]


async def test_the_widget_and_the_styles_are_served(chat: WebChatHarness) -> None:
    widget = await chat.client.get("/chat/widget.js")
    assert widget.headers["content-type"].startswith("text/javascript")
    assert "attachShadow" in widget.text
    for name in ("chat.css", "chat.js", "draw.js", "icon.svg"):
        assert (await chat.client.get(f"/chat/static/{name}")).status_code == 200
    assert (await chat.client.get("/chat/static/../page.html")).status_code == 404
