"""What a client may die of, and whether it can be helped."""

from __future__ import annotations

import discord

FATAL = {
    4004: "Discord does not accept the token (4004): put a fresh bot token into the settings",
    4010: "the shard numbers are wrong (4010): check shard_count and shard_ids",
    4011: "the bot is in too many servers for one connection (4011): set shard_count",
    4013: "Discord does not know an intent we ask for (4013): update discord.py",
    4014: "switch on the Server Members Intent (4014): Discord developer portal → your application → Bot → "
    "Privileged Gateway Intents",
}
"""By the gateway's close code, what the operator has to do."""


def for_the_operator(error: Exception) -> str | None:
    """What only the operator can mend, in words that say how; None for anything that may pass."""
    if isinstance(error, discord.LoginFailure):
        return FATAL[4004]
    if isinstance(error, discord.PrivilegedIntentsRequired):
        return FATAL[4014]
    return FATAL.get(error.code) if isinstance(error, discord.ConnectionClosed) else None


def is_unreadable(error: Exception, *, connected: bool) -> bool:
    """Whether the client died of a payload it could not read, not of the network.

    A refused first connection raises AttributeError, which therefore means a payload only once connected.
    """
    return isinstance(error, (KeyError, TypeError, ValueError, IndexError)) or (
        isinstance(error, AttributeError) and connected
    )
