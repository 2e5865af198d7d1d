"""Permissions, roles and invites of a guild."""

from __future__ import annotations

from typing import Any

import discord

from bots.adapter import SendError, Store
from bots.discord.invites import Reading, Uses
from bots.discord.sending import FAILURES, refusal

NEEDED = {
    "view_channel": "View Channels",
    "send_messages": "Send Messages",
    "attach_files": "Attach Files",
    "create_instant_invite": "Create Invite",
    "manage_guild": "Manage Server (to read how often invites were used)",
    "manage_channels": "Manage Channels (to hear of single-use invites)",
    "manage_roles": "Manage Roles (for role rewards)",
    "pin_messages": "Pin Messages (for the start of a campaign)",
}
INSTALL = (
    "https://discord.com/oauth2/authorize?client_id={application}&scope=bot+applications.commands&permissions={asked}"
)
TOO_MANY_INVITES = 30016
PRUNE = 20
"""How many unused invites make room at once; the oldest go first."""


def missing(guild: discord.Guild) -> list[str]:
    """The rights the bot lacks, in Discord's own words."""
    granted = guild.me.guild_permissions
    return [words for right, words in NEEDED.items() if not granted.administrator and not getattr(granted, right)]


def introduction(client: discord.Client) -> tuple[str, str]:
    """The bot's name, and the page on which whoever manages a server adds it there with the rights it needs."""
    asked = discord.Permissions(**dict.fromkeys(NEEDED, True)).value
    return client.user.name if client.user else "", INSTALL.format(application=client.application_id, asked=asked)


async def manages(guild: discord.Guild, account: str) -> bool:
    """Whether somebody may manage the server (the owner always may). Raises `SendError`."""
    try:
        member = await guild.fetch_member(int(account))
    except discord.NotFound:
        return False
    except FAILURES as error:
        raise refusal(error) from error
    return member.guild_permissions.manage_guild


def channel(guild: discord.Guild) -> discord.TextChannel | None:
    """Where newcomers arrive and the bot speaks: the system channel, else the first one that lets it invite."""
    if guild.system_channel is not None:
        return guild.system_channel
    allowed = (c for c in guild.text_channels if c.permissions_for(guild.me).create_instant_invite)
    return next(allowed, next(iter(guild.text_channels), None))


def role_id(guild: discord.Guild, role: str) -> int:
    """A role by id or by name. Raises `SendError` when there is none."""
    found = next((known for known in guild.roles if str(known.id) == role or known.name == role), None)
    if found is None:
        raise SendError(f"there is no role {role!r} in {guild.name}", permanent=True)
    return found.id


async def reading(guild: discord.Guild) -> Reading:
    """All invites with their uses; needs Manage Server. Raises the library's errors."""
    return {invite.code: Uses(invite.uses or 0, invite.max_uses or 0) for invite in await guild.invites()}


async def make_invite(guild: discord.Guild, name: str, store: Store) -> str:
    """A lasting invite of its own for one member; its code. Raises `SendError`.

    A guild holds about a thousand invites. At the limit the oldest of ours that nobody ever used make room.
    """
    place = channel(guild)
    if place is None:
        raise SendError(f"{guild.name} has no text channel to invite to", permanent=True)
    try:
        try:
            invite = await _create(place, name)
        except discord.HTTPException as error:
            if error.code != TOO_MANY_INVITES:
                raise
            if not await _prune(guild, store):
                raise SendError(f"{guild.name} has reached Discord's limit of invites and none is unused") from error
            invite = await _create(place, name)
    except FAILURES as error:
        raise refusal(error) from error
    await store.put(_ours(guild), [*(await store.get(_ours(guild)) or []), invite.code])
    return invite.code


async def _create(place: discord.TextChannel, name: str) -> discord.Invite:
    return await place.create_invite(max_age=0, max_uses=0, unique=True, reason=f"invite of {name}"[:200])


async def _prune(guild: discord.Guild, store: Store) -> bool:
    ours: list[str] = await store.get(_ours(guild)) or []
    standing = {invite.code: invite for invite in await guild.invites()}
    oldest = [code for code in ours if code in standing and not standing[code].uses][:PRUNE]
    for code in oldest:
        await standing.pop(code).delete(reason="never used; makes room for another member's invite")
    await store.put(_ours(guild), [code for code in ours if code in standing])
    return bool(oldest)


def _ours(guild: discord.Guild) -> str:
    """Key of the codes we made, oldest first."""
    return f"discord:ours:{guild.id}"


async def change_role(client: discord.Client, guild: discord.Guild, account: str, role: str, *, grant: bool) -> None:
    """Give or take a role. Raises `SendError`."""
    change: Any = client.http.add_role if grant else client.http.remove_role
    try:
        await change(guild.id, int(account), role_id(guild, role), reason="reward")
    except discord.Forbidden as error:
        raise SendError(f"the bot may not change {role!r}: its own role must stand above it", permanent=True) from error
    except FAILURES as error:
        raise refusal(error) from error
