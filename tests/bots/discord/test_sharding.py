"""Several connections for one bot."""

from __future__ import annotations

from bots.message import Joined, Present, Reply
from tests.bots.discord.harness import eventually, opened

SECOND = str((1 << 22) + 5)  # Discord puts a guild on shard (id >> 22) % count


async def test_two_shards_hear_all_guilds_and_answer() -> None:
    async with opened(start=False, shard_count=2) as discord:
        discord.server.add_guild(SECOND, "Second")
        await discord.start()
        assert sorted(tuple(data["shard"]) for data in discord.server.gateway.identifies) == [(0, 2), (1, 2)]
        assert {present.place.group for present in discord.heard(Present)} == {"700", SECOND}

        await discord.server.join("carol", None, guild=SECOND)
        joined = (await eventually(lambda: discord.heard(Joined)))[0]
        assert joined.place.group == SECOND

        discord.script.answer = lambda incoming: [Reply("yes")]
        await discord.say("alice", "/me")
        assert (await discord.seen("alice", 1))[0].text == "yes"


async def test_one_process_may_run_some_of_the_shards() -> None:
    async with opened(start=False, shard_count=2, shard_ids=(1,)) as discord:
        discord.server.guilds.clear()
        discord.server.add_guild(SECOND, "Second")
        await discord.start()

        assert [tuple(data["shard"]) for data in discord.server.gateway.identifies] == [(1, 2)]


async def test_a_malformed_payload_on_a_shard_is_survived_too() -> None:
    async with opened(start=False, shard_count=1) as discord:
        await discord.start()
        await discord.server.gateway.emit("GUILD_MEMBER_ADD", {"guild_id": "700"})
        await eventually(lambda: len(discord.heard(Present)) == 2)

        assert discord.store.quarantined
