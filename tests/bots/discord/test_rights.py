"""Invites of one's own, roles as rewards, and rights."""

from __future__ import annotations

import pytest

from bots.adapter import Capability, SendError
from tests.bots.discord.harness import DiscordHarness, eventually
from tests.bots.discord.world import GUILD, Refusal


async def test_every_member_gets_an_invite_of_their_own_that_lasts(discord: DiscordHarness) -> None:
    first = await discord.adapter.make_invite(GUILD, "Alice 爱丽丝")
    second = await discord.adapter.make_invite(GUILD, "Bob")

    assert first != second
    call = discord.server.called("POST", "/invites")[0]
    assert call.path == f"/channels/{GUILD}1/invites"
    assert (call.body["max_age"], call.body["max_uses"], call.body["unique"]) == (0, 0, True)
    assert first == f"https://discord.gg/{next(iter(discord.server.guilds[GUILD].invites))}"


async def test_at_the_limit_unused_invites_of_ours_make_room(discord: DiscordHarness) -> None:
    guild = discord.server.guilds[GUILD]
    used = await discord.adapter.make_invite(GUILD, "Alice")
    guild.invites[used.rpartition("/")[2]].uses = 5
    unused = await discord.adapter.make_invite(GUILD, "Bob")
    discord.server.invite("admins-own")
    guild.invite_limit = 3

    third = await discord.adapter.make_invite(GUILD, "Carol")

    kept = {f"https://discord.gg/{code}" for code in guild.invites}
    assert kept == {used, third, "https://discord.gg/admins-own"}
    assert unused not in kept


async def test_at_the_limit_with_none_unused_it_says_so(discord: DiscordHarness) -> None:
    discord.server.invite("admins-own")
    discord.server.guilds[GUILD].invite_limit = 1

    with pytest.raises(SendError, match="limit of invites"):
        await discord.adapter.make_invite(GUILD, "Alice")


async def test_a_server_without_text_channels_cannot_be_invited_to(discord: DiscordHarness) -> None:
    guild = discord.server.add_guild("7002", "Silent")
    guild.channels.clear()
    await discord.server.gateway.emit("GUILD_CREATE", guild.json(), "7002")
    await eventually(lambda: any(h.place.group == "7002" for h in discord.script.heard))

    with pytest.raises(SendError, match="no text channel"):
        await discord.adapter.make_invite("7002", "Alice")


async def test_a_role_is_given_and_taken_by_name_or_id(discord: DiscordHarness) -> None:
    alice = discord.server.guilds[GUILD].members["1"]
    await discord.adapter.grant_role(GUILD, "1", "gold")
    assert alice.roles == ["803"]
    await discord.adapter.revoke_role(GUILD, "1", "803")
    assert alice.roles == []


@pytest.mark.parametrize(("role", "why"), [("admin", "stand above"), ("silver", "no role")])
async def test_a_role_out_of_reach_is_a_lasting_failure(discord: DiscordHarness, role: str, why: str) -> None:
    with pytest.raises(SendError, match=why) as refused:
        await discord.adapter.grant_role(GUILD, "1", role)
    assert refused.value.permanent


async def test_admins_are_the_owner_and_whoever_may_manage_the_server(discord: DiscordHarness) -> None:
    carol = await discord.server.join("carol")

    assert await discord.adapter.is_admin(GUILD, "1")  # the owner
    assert await discord.adapter.is_admin(GUILD, "2")  # by role
    assert not await discord.adapter.is_admin(GUILD, carol.id)
    assert not await discord.adapter.is_admin(GUILD, "424242")
    assert not await discord.adapter.is_admin("424242", "1")  # a server we are not in
    discord.server.broken[f"/guilds/{GUILD}/members/"] = Refusal(503)
    assert not await discord.adapter.is_admin(GUILD, "2")


async def test_the_bot_says_which_rights_it_lacks(discord: DiscordHarness) -> None:
    assert await discord.adapter.diagnose(GUILD) == []

    guild = discord.server.guilds[GUILD]
    guild.roles["801"] = ("bot", 1 << 10 | 1 << 11)
    role = {"id": "801", "name": "bot", "permissions": str(1 << 10 | 1 << 11), "position": 1, "color": 0}
    await discord.server.gateway.emit("GUILD_ROLE_UPDATE", {"guild_id": GUILD, "role": role}, GUILD)
    await discord.server.join("carol")  # and the event before it has been heard
    await eventually(lambda: any(getattr(h, "person", None) for h in discord.script.heard))

    missing = await discord.adapter.diagnose(GUILD)
    assert [right.partition(" (")[0] for right in missing] == [
        "Attach Files",
        "Create Invite",
        "Manage Server",
        "Manage Channels",
        "Manage Roles",
        "Pin Messages",
    ]


async def test_a_server_the_bot_is_not_in_is_a_lasting_failure(discord: DiscordHarness) -> None:
    for group in ("424242", "not-a-guild"):
        with pytest.raises(SendError) as refused:
            await discord.adapter.diagnose(group)
        assert refused.value.permanent


async def test_the_adapter_declares_what_it_can(discord: DiscordHarness) -> None:
    for capability in discord.adapter.capabilities - {Capability.PRIVATE_IN_GROUP, Capability.PICTURE_FORMS}:
        method = {"invite_links": "make_invite", "roles": "grant_role", "admin_check": "is_admin"}
        method |= {"posts": "post", "pins": "pin"}
        assert callable(getattr(discord.adapter, method.get(capability, capability)))
