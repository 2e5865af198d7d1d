"""What every platform must do with every shape of reply, and with every failure; a platform is done when this passes.

A new platform offers `tests/bots/<platform>/harness.py` (see `tests.bots.harness`) and adds its name to `PLATFORMS`.
"""

from __future__ import annotations

import asyncio
import importlib
import io
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
from PIL import Image as Picture

from bots.adapter import ABILITIES, SendError
from bots.markup import clean, escape
from bots.message import ACTION_BYTES, Address, Button, Image, Incoming, Pressed, Reply, Said
from tests.bots.harness import Failure, Harness, Seen

WAIT_SECONDS = 15.0
PLATFORMS = [
    "telegram",
    "discord",
    pytest.param("wechat", marks=pytest.mark.needs("node")),
    "webchat",
]
AWKWARD_NAMES = {
    "markup": "**Bob** _b_ `c` ~~d~~ ||e|| [f](https://evil.example) # > - 1. \\ {g}",
    "html": '<b>Bob</b> &amp; <a href="https://evil.example">x</a> <script>alert(1)</script>',
    "mentions": "@everyone <@1> <#2> @alice:example.org :smile: #tag",
    "right-to-left": "שלום عليكم \u202eevil\u202c Bob",
    "zalgo": "Z" + "\u0337\u031b\u0342\u0360" * 10 + "algo" + "\u0489" * 20,
    "emoji": "👩🏽‍🚀👨‍👩‍👧‍👦🇨🇳 ❤️ 🏴󠁧󠁢󠁳󠁣󠁴󠁿 𝔅𝔬𝔟",  # joined families, flags and letters beyond the basic plane
    "chinese": "王小明(带新)「第一」",
    "several lines": "Bob\r\n\r\n- Mallory\x00\x1b[31m",
}


@pytest.fixture(params=PLATFORMS)
async def platform(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Harness]:
    harness = importlib.import_module(f"tests.bots.{request.param}.harness")
    async with harness.open_harness(tmp_path) as opened:
        yield opened


def answer_with(platform: Harness, *replies: Reply) -> None:
    """Whatever somebody says or presses is answered so."""

    def answer(incoming: Incoming) -> Sequence[Reply]:
        return replies if isinstance(incoming, Said | Pressed) else ()

    platform.script.answer = answer


def words(seen: Sequence[Seen]) -> str:
    """All that was shown, without spaces: where a long text is cut, a space or a break may come or go."""
    return "".join("".join(message.text for message in seen).split())


def heard(platform: Harness, kind: type[Said] | type[Pressed]) -> list[Incoming]:
    return [incoming for incoming in platform.script.heard if isinstance(incoming, kind)]


async def seen_until(
    platform: Harness, who: str, enough: Callable[[list[Seen]], bool], *, group: bool = False
) -> list[Seen]:
    """Wait until what the person (or the group) has seen is enough: an edit adds no message that could be counted."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            seen = await platform.seen(who, 1, group=group)
            if enough(seen):
                return seen
            await asyncio.sleep(0.02)


async def shown(platform: Harness, who: str, text: str, *, group: bool = False) -> Seen:
    """Wait for a message with this text in it."""
    seen = await seen_until(platform, who, lambda seen: any(text in message.text for message in seen), group=group)
    return next(message for message in seen if text in message.text)


async def send(platform: Harness, who: str, reply: Reply) -> SendError | None:
    """Send unasked to a person's own chat; the failure, if it was one."""
    try:
        await platform.adapter.send(Address(platform.adapter.platform, platform.address(who)), reply)
    except SendError as error:
        return error
    return None


async def test_what_it_says_it_can_do_it_can_do(platform: Harness) -> None:
    adapter = platform.adapter
    able = {capability for capability, methods in ABILITIES.items() if isinstance(adapter, methods)}
    assert able == adapter.capabilities & ABILITIES.keys()


async def test_a_person_is_heard_and_answered_in_their_own_chat(platform: Harness) -> None:
    answer_with(platform, Reply("Hello Alice"))
    await platform.say("alice", "/start")
    assert [message.text for message in await platform.seen("alice", 1)] == ["Hello Alice"]
    (said,) = heard(platform, Said)
    assert isinstance(said, Said)
    assert said.command == "start" or said.text == "/start"
    assert said.place.group is None
    assert said.place.address == Address(platform.adapter.platform, platform.address("alice"))
    assert not await platform.seen("bob", 0)
    assert platform.adapter.status.state == "ready"


async def test_several_answers_keep_their_order(platform: Harness) -> None:
    answer_with(platform, *(Reply(f"answer {number}") for number in range(1, 6)))
    await platform.say("alice", "/start")
    assert [message.text for message in await platform.seen("alice", 5)] == [f"answer {n}" for n in range(1, 6)]


async def test_styles_are_carried_without_their_marks(platform: Harness) -> None:
    answer_with(
        platform, Reply("**Bold**, *slanted*, `code`\nand [our page](https://example.org/page)\n\n- one\n- two")
    )
    await platform.say("alice", "/start")
    (message,) = await platform.seen("alice", 1)
    assert "Bold, slanted, code" in message.text
    assert "our page" in message.text
    assert message.text.index("• one") < message.text.index("• two")
    assert not set("*`") & set(message.text)


async def test_a_long_text_arrives_whole_and_in_order(platform: Harness) -> None:
    lines = [f"line {number}: " + "word & <tag> 好 " * 12 for number in range(platform.text_limit // 60)]
    text = "\n".join(lines) + "\n" + "unbroken" * (platform.text_limit // 4)
    assert len(text) > 2 * platform.text_limit
    answer_with(platform, Reply(escape(text)))
    await platform.say("alice", "/start")
    whole = "".join(text.split())
    seen = await seen_until(platform, "alice", lambda seen: len(words(seen)) >= len(whole))
    assert words(seen) == whole


async def test_a_button_comes_back_with_its_exact_action(platform: Harness) -> None:
    action = ("campaign:show:" + "好" * 30)[:30] + "x" * 2
    action += "y" * (ACTION_BYTES - len(action.encode()))
    first, second = Button("Yes", action="yes"), Button("No, <b>thanks</b> & *bye*", action=action)
    answer_with(platform, Reply("Shall we?", buttons=((first, second),)))
    await platform.say("alice", "/start")
    (message,) = await platform.seen("alice", 1)
    assert message.buttons == [first.label, second.label]

    answer_with(platform, Reply("Very well"))
    await platform.press("alice", second.label)
    await shown(platform, "alice", "Very well")
    (pressed,) = heard(platform, Pressed)
    assert isinstance(pressed, Pressed)
    assert pressed.action == action
    assert pressed.place.address.chat == platform.address("alice")


async def test_links_and_copies_are_offered_or_spelled_out(platform: Harness) -> None:
    link = Button("Our page", url="https://example.org/page")
    code = Button("Copy code", copy="ABCD2345")
    answer_with(platform, Reply("Two things", buttons=((link,), (code,))))
    await platform.say("alice", "/start")
    (message,) = await platform.seen("alice", 1)
    assert link.label in message.buttons or "https://example.org/page" in message.text
    assert code.label in message.buttons or "ABCD2345" in message.text


async def test_a_picture_arrives_with_its_words_and_buttons(platform: Harness) -> None:
    drawn = draw_picture()
    picture = Image(lambda: drawn, "card.jpg", "A card")
    answer_with(platform, Reply("Your **card**", buttons=((Button("More", action="more"),),), image=picture))
    await platform.say("alice", "/start")
    await shown(platform, "alice", "Your card")
    seen = await seen_until(platform, "alice", lambda seen: any(message.image for message in seen))
    assert [message.image for message in seen if message.image] == [drawn]
    assert [label for message in seen for label in message.buttons] == ["More"]


def draw_picture() -> bytes:
    data = io.BytesIO()
    Picture.new("RGB", (60, 80), "#d9480f").save(data, "JPEG")
    return data.getvalue()


async def test_in_a_group_everybody_sees_the_answer_and_the_place_says_which_group(platform: Harness) -> None:
    answer_with(platform, Reply("The campaign **runs**"))
    await platform.say("alice", "/start", group=True)
    await shown(platform, "bob", "The campaign runs", group=True)
    await platform.say("bob", "/start", group=True)
    await platform.eventually(lambda: len(heard(platform, Said)) == 2)
    alice, bob = heard(platform, Said)
    assert isinstance(alice, Said)
    assert isinstance(bob, Said)
    assert alice.place.group == bob.place.group is not None
    assert alice.person.account != bob.person.account


async def test_what_is_private_stays_private_in_a_group(platform: Harness) -> None:
    answer_with(platform, Reply("your balance is 70", private=True, brief="I wrote to you"), Reply("for everybody"))
    await platform.say("alice", "/start", group=True)
    await shown(platform, "bob", "for everybody", group=True)
    group = await platform.seen("bob", 1, group=True)
    assert not any("balance" in message.text and not message.private for message in group)
    assert not any("balance" in message.text for message in await platform.seen("bob", 0))
    if not any("I wrote to you" in message.text for message in group):
        await shown(platform, "alice", "balance is 70")
    (said,) = heard(platform, Said)
    assert isinstance(said, Said)
    assert said.place.group


async def test_an_edit_replaces_the_message_or_follows_it(platform: Harness) -> None:
    answer_with(platform, Reply("Pause it?", buttons=((Button("Pause", action="pause"),),)))
    await platform.say("alice", "/start")
    await platform.seen("alice", 1)
    answer_with(platform, Reply("It is paused", buttons=((Button("Resume", action="resume"),),), edit=True))
    await platform.press("alice", "Pause")
    message = await shown(platform, "alice", "It is paused")
    assert message.buttons == ["Resume"]
    seen = await platform.seen("alice", 1)
    if message.edited:
        assert not any("Pause it?" in other.text for other in seen)
    else:
        assert [other.text for other in seen] == ["Pause it?", message.text]

    await platform.press("alice", "Resume")
    await platform.eventually(lambda: len(heard(platform, Pressed)) == 2)


@pytest.mark.parametrize("name", AWKWARD_NAMES.values(), ids=AWKWARD_NAMES)
async def test_a_name_is_shown_as_it_was_given(platform: Harness, name: str) -> None:
    tidy = clean(name, 200)
    answer_with(platform, Reply(f"Welcome **{escape(tidy)}**!", buttons=((Button("Hello", action="hello"),),)))
    await platform.say("alice", "/start")
    (message,) = await platform.seen("alice", 1)
    assert f"Welcome {tidy}!" in message.text


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png"])
async def test_a_picture_sent_in_private_is_heard_and_can_be_fetched(platform: Harness, media_type: str) -> None:
    answer_with(platform, Reply("what a picture"))
    picture = draw_picture() * 100  # larger than what fits one piece of any wire
    await platform.show("alice", picture, media_type)
    await shown(platform, "alice", "what a picture")
    (said,) = heard(platform, Said)
    assert isinstance(said, Said)
    assert said.place.group is None
    assert said.text == ""
    assert said.picture is not None
    assert said.picture.media_type.startswith("image/")
    assert await said.picture.fetch() == picture


async def test_a_message_can_come_unasked(platform: Harness) -> None:
    await platform.say("bob", "/start")
    reply = Reply("Alice brought a friend: **+100**", buttons=((Button("See", action="see"),),))
    assert await send(platform, "bob", reply) is None
    message = await shown(platform, "bob", "Alice brought a friend: +100")
    await platform.press("bob", "See")
    await platform.eventually(lambda: heard(platform, Pressed))
    assert message.buttons == ["See"]
    assert not await platform.seen("alice", 0)


@pytest.mark.parametrize("failure", ["permanent", "rate_limited", "gone_away"])
async def test_a_failure_says_what_it_is_or_is_overcome(platform: Harness, failure: Failure) -> None:
    await platform.say("alice", "/start")
    await platform.fail_next(failure)
    error = await send(platform, "alice", Reply("news"))
    if error is None:
        assert failure != "permanent", "a permanent failure must be said"
        await shown(platform, "alice", "news")
    else:
        assert error.reason
        assert error.permanent == (failure == "permanent")
        assert (error.retry_after is not None) == (failure == "rate_limited")


async def test_a_failure_leaves_the_conversation_alive(platform: Harness) -> None:
    await platform.say("alice", "/start")
    await platform.fail_next("gone_away")
    error = await send(platform, "alice", Reply("news"))
    assert error is None or not error.permanent
    answer_with(platform, Reply("still here"))
    await platform.say("bob", "/start")
    await shown(platform, "bob", "still here")
