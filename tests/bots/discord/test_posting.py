"""Posts in a server: the channel they go to, the repeat that Discord recognises, the pin, the refusals."""

from __future__ import annotations

import pytest

from bots.adapter import NotThere, SendError
from bots.message import Button, Image, Reply
from tests.bots.discord.harness import DiscordHarness, opened
from tests.bots.discord.world import GUILD

START = Reply("**Spring** has begun", buttons=((Button("Join", action="do:invite"),),))


def posts(discord: DiscordHarness) -> list[tuple[str, str]]:
    """(channel, text) of everything in the server."""
    return [(message.channel, message.content) for message in discord.server.public_messages()]


async def test_a_post_goes_where_newcomers_arrive_and_is_pinned(discord: DiscordHarness) -> None:
    message = await discord.adapter.post(GUILD, START, key="a")
    [shown] = discord.server.public_messages()
    assert message == f"{GUILD}1/{shown.id}"
    for _ in range(2):
        await discord.adapter.pin(GUILD, message)
    assert shown.pinned
    for _ in range(2):
        await discord.adapter.unpin(GUILD, message)
    assert not shown.pinned


async def test_a_repeat_under_the_same_key_is_the_first_post(discord: DiscordHarness) -> None:
    picture = Image(lambda: b"jpeg", "c.jpg", "card")
    long = Reply("\n".join(f"line {number} of a long story" for number in range(120)), image=picture)
    first = await discord.adapter.post(GUILD, long, key="a")
    count = len(discord.server.public_messages())
    assert count > 1
    assert await discord.adapter.post(GUILD, long, key="a", again=True) == first
    assert len(discord.server.public_messages()) == count
    assert await discord.adapter.post(GUILD, START, key="b") != first


@pytest.mark.parametrize(
    ("wanted", "news", "closed", "goes_to"),
    [
        ("", set(), set(), "7001"),
        ("", {"7003"}, set(), "7003"),
        ("", {"7003"}, {"7003"}, "7001"),
        ("", set(), {"7001"}, "7002"),
        ("7002", {"7003"}, set(), "7002"),
        ("channel-7002", {"7003"}, set(), "7002"),
        ("7002", {"7003"}, {"7002"}, "7003"),
        ("no-such-channel", set(), set(), "7001"),
    ],
)
async def test_the_channel_is_the_operators_else_for_news_else_the_first_one_may_write_in(
    wanted: str, news: set[str], closed: set[str], goes_to: str
) -> None:
    async with opened(start=False, announce_channel=wanted) as discord:
        guild = discord.server.guilds[GUILD]
        guild.channels, guild.news, guild.closed = ["7001", "7002", "7003"], news, closed
        await discord.start()
        await discord.adapter.post(GUILD, START, key="a")
        assert [channel for channel, _ in posts(discord)] == [goes_to]


async def test_without_any_channel_to_write_in_it_says_so() -> None:
    async with opened(start=False) as discord:
        discord.server.guilds[GUILD].closed = {f"{GUILD}1"}
        await discord.start()
        with pytest.raises(SendError, match="no channel in Tea house") as refused:
            await discord.adapter.post(GUILD, START, key="a")
        assert refused.value.permanent
        assert not isinstance(refused.value, NotThere)


async def test_without_the_right_to_pin_it_says_so_for_good(discord: DiscordHarness) -> None:
    message = await discord.adapter.post(GUILD, START, key="a")
    discord.server.may_not_pin = True
    with pytest.raises(SendError, match="50013") as refused:
        await discord.adapter.pin(GUILD, message)
    assert refused.value.permanent


async def test_a_post_somebody_deleted_has_no_pin_to_take_down(discord: DiscordHarness) -> None:
    message = await discord.adapter.post(GUILD, START, key="a")
    discord.server.public_messages()[0].deleted = True
    await discord.adapter.unpin(GUILD, message)


async def test_where_the_bot_is_not_it_says_that(discord: DiscordHarness) -> None:
    with pytest.raises(NotThere):
        await discord.adapter.post("424242", START, key="a")


async def test_before_the_servers_are_known_nobody_is_said_to_be_gone() -> None:
    async with opened(start=False) as discord:
        with pytest.raises(SendError) as refused:
            await discord.adapter.post(GUILD, START, key="a")
        assert not refused.value.permanent
