"""What an operator decides about the Discord side."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DiscordSettings:
    """All times are seconds.

    `api_url`, `gateway_url`: repoint the library (a proxy, a third-party server). They hold for the whole process,
    because discord.py keeps them on its classes; shards still resume at the address Discord names.
    `shard_count`: turns sharding on. `shard_ids`: those this process runs, all of them when None.
    `guild_ready_timeout`: how long after the last server was announced the bot counts as ready.
    `defer_after`: an answer that takes longer is announced to Discord first.
    `answer_within`, `answer_until`: Discord drops an interaction that hears nothing for 3 s, and takes nothing more
    after 15 min.
    `settle`: how long a reading of the invite counters waits for joins that are on their way.
    `backoff`: first pause after a crash, doubled up to two minutes.
    `give_up_after`: a connection that is away for so long is made anew.
    `members_timeout`: how long the gateway may take to list a server's members before they are asked for page by page.
    `announce_channel`: the channel (its id, or a name every server has) in which campaigns are announced.
    `search_after`: when to ask how somebody joined whose invite stayed open; None never asks.
    """

    token: str = field(repr=False)
    api_url: str | None = None
    gateway_url: str | None = None
    shard_count: int | None = None
    shard_ids: tuple[int, ...] | None = None
    guild_ready_timeout: float = 2.0
    defer_after: float = 1.5
    answer_within: float = 2.8
    answer_until: float = 890.0
    settle: float = 0.5
    backoff: float = 1.0
    give_up_after: float = 300.0
    members_timeout: float = 60.0
    announce_channel: str = ""
    search_after: float | None = 30.0
