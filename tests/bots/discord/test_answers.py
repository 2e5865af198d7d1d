"""What a person on Discord does, and how the bot answers in time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bots.message import Image, Incoming, Reply, Said
from tests.bots.discord.harness import DiscordHarness, eventually, opened
from tests.bots.discord.world import GUILD, Refusal
from tests.bots.harness import Script


async def test_a_slash_command_is_heard_with_its_argument_and_answered(discord: DiscordHarness) -> None:
    discord.script.answer = lambda incoming: [Reply("Welcome **Alice**!")]
    discord.server.user("alice").locale = "zh-CN"

    await discord.say("alice", "/join ABCD2345")

    assert (await discord.seen("alice", 1))[0].text == "Welcome Alice!"
    said = next(heard for heard in discord.script.heard if isinstance(heard, Said))
    assert (said.command, said.argument, said.text) == ("join", "ABCD2345", "/join ABCD2345")
    assert (said.person.account, said.person.name, said.person.handle) == ("1", "Alice", "alice")
    assert said.person.locale == "zh-CN"
    assert (said.place.address.chat, said.place.group) == ("1", None)
    assert said.key


async def test_in_a_guild_a_private_answer_is_seen_by_the_person_only(discord: DiscordHarness) -> None:
    discord.script.answer = lambda incoming: [Reply("3 friends", private=True, brief="look"), Reply("hello all")]

    await discord.say("alice", "/me", group=True)

    assert [seen.text for seen in await discord.seen("alice", 1)] == ["3 friends"]
    assert [seen.text for seen in await discord.seen("alice", 1, group=True)] == ["hello all"]
    said = next(heard for heard in discord.script.heard if isinstance(heard, Said))
    assert (said.place.group, said.place.title, said.place.address.chat) == (GUILD, "Tea house", "1")


async def test_words_in_the_private_chat_are_heard_as_text(discord: DiscordHarness) -> None:
    discord.script.answer = lambda incoming: [Reply("你的邀请码")] if isinstance(incoming, Said) else []

    await discord.say("bob", "邀请")

    assert (await discord.seen("bob", 1))[0].text == "你的邀请码"
    said = next(heard for heard in discord.script.heard if isinstance(heard, Said))
    assert (said.text, said.command, said.place.group) == ("邀请", None, None)


async def test_a_slow_command_is_deferred_before_anything_is_drawn(discord: DiscordHarness) -> None:
    announced: list[int] = []

    def draw() -> bytes:
        announced.extend(call.body["type"] for call in discord.server.called("POST", "/callback"))
        return b"jpeg"

    discord.script.answer = lambda incoming: [Reply("Your card", image=Image(draw, "card.jpg", "invite card"))]
    await discord.say("alice", "/invite")

    seen = (await discord.seen("alice", 1))[0]
    assert (seen.text, seen.image, seen.edited) == ("Your card", b"jpeg", False)
    assert announced == [5]


async def test_a_picture_is_drawn_after_a_deferral_even_when_the_command_is_not_called_slow(
    discord: DiscordHarness,
) -> None:
    discord.script.answer = lambda incoming: [Reply("", image=Image(lambda: b"png", "c.png", "card"), private=True)]

    await discord.say("alice", "/me", group=True)

    assert (await discord.seen("alice", 1))[0].image == b"png"
    assert [call.body["type"] for call in discord.server.called("POST", "/callback")] == [5]


class Thinking(Script):
    """A core that answers only when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def __call__(self, incoming: Incoming) -> Sequence[Reply]:
        replies = await super().__call__(incoming)
        if not isinstance(incoming, Said):
            return ()
        await self.go.wait()
        return replies


async def test_an_answer_that_takes_long_is_deferred_meanwhile() -> None:
    async with opened(start=False, defer_after=0.02) as harness:
        harness.script = script = Thinking()
        script.answer = lambda incoming: [Reply("done", private=True)]
        await harness.start()
        await harness.say("alice", "/me", group=True)

        deferred = await eventually(lambda: harness.server.called("POST", "/callback"))
        assert (deferred[0].body["type"], deferred[0].body["data"]["flags"]) == (5, 64)
        script.go.set()
        assert (await harness.seen("alice", 1))[0].text == "done"


async def test_after_fifteen_minutes_the_answer_goes_to_the_private_chat() -> None:
    async with opened(start=False, defer_after=0.02, answer_until=0.0) as harness:
        harness.script = script = Thinking()
        script.answer = lambda incoming: [Reply("your card")]
        await harness.start()
        await harness.say("alice", "/me", group=True)
        await eventually(lambda: harness.server.called("POST", "/callback"))
        script.go.set()

        assert (await harness.seen("alice", 1))[0].text == "your card"
        assert harness.server.public_messages() == []


async def test_after_a_deferral_everybody_can_still_see_a_public_answer(discord: DiscordHarness) -> None:
    discord.script.answer = lambda incoming: [Reply("Alice brought 3 friends"), Reply("and you know it", private=True)]

    await discord.say("alice", "/invite", group=True)

    assert [seen.text for seen in await discord.seen("alice", 1, group=True)] == ["Alice brought 3 friends"]
    assert [seen.text for seen in await discord.seen("alice", 1)] == ["and you know it"]


async def test_nothing_to_say_is_acknowledged_and_leaves_nothing_behind(discord: DiscordHarness) -> None:
    interaction = await discord.server.slash("alice", "me", guild=GUILD)

    await eventually(lambda: discord.server.called("DELETE", "/messages/@original"))
    assert interaction.answer == 5
    assert discord.server.public_messages() == discord.server.private_messages("alice") == []


async def test_a_core_that_fails_does_not_leave_the_command_hanging(discord: DiscordHarness) -> None:
    def fail(incoming: Incoming) -> Sequence[Reply]:
        raise RuntimeError("a bug")

    discord.script.answer = fail
    interaction = await discord.server.slash("alice", "me")
    await eventually(lambda: interaction.answer)

    discord.script.answer = lambda incoming: [Reply("fine again")]
    await discord.say("alice", "/me")
    assert (await discord.seen("alice", 1))[0].text == "fine again"


async def test_a_server_error_at_the_first_answer_ends_at_the_deadline_in_the_private_chat() -> None:
    async with opened(answer_within=0.3) as harness:
        harness.script.answer = lambda incoming: [Reply("your code")]
        harness.server.broken["/interactions/"] = Refusal(500)

        await harness.say("alice", "/me", group=True)

        assert (await harness.seen("alice", 1))[0].text == "your code"
        assert harness.server.called("POST", "/channels/881/messages")


async def test_an_interaction_discord_has_forgotten_is_answered_in_the_private_chat(discord: DiscordHarness) -> None:
    discord.script.answer = lambda incoming: [Reply("your code")]
    interaction = await discord.server.slash("alice", "me", guild=GUILD)
    del discord.server.interactions[interaction.token]

    assert (await discord.seen("alice", 1))[0].text == "your code"


async def test_an_interaction_somebody_else_answered_is_answered_in_the_private_chat(discord: DiscordHarness) -> None:
    discord.script.answer = lambda incoming: [Reply("your code")]
    interaction = await discord.server.slash("alice", "me")
    interaction.answer = 4  # 40060 for us

    assert (await discord.seen("alice", 1))[0].text == "your code"


async def test_one_persons_texts_are_answered_in_their_order(discord: DiscordHarness) -> None:
    discord.script.answer = lambda incoming: [Reply(f"re {incoming.text}")] if isinstance(incoming, Said) else []

    for number in range(8):
        await discord.say("alice", f"text {number}")

    assert [seen.text for seen in await discord.seen("alice", 8)] == [f"re text {number}" for number in range(8)]


async def test_an_answer_refused_for_a_moment_is_sent_again(discord: DiscordHarness) -> None:
    discord.script.answer = lambda incoming: [Reply("here")] if isinstance(incoming, Said) else []
    await discord.fail_next("gone_away")

    await discord.say("alice", "hello")

    assert (await discord.seen("alice", 1))[0].text == "here"


async def test_the_bot_does_not_answer_bots(discord: DiscordHarness) -> None:
    discord.server.user("robot").bot = True
    await discord.say("robot", "hello")
    await discord.say("alice", "hello")
    await eventually(lambda: any(isinstance(heard, Said) for heard in discord.script.heard))

    assert [heard.person.handle for heard in discord.script.heard if isinstance(heard, Said)] == ["alice"]
