"""What a number stands for, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bots.wechat.offers import EVERYBODY, offer, offered
from tests.bots.harness import MemoryStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ROOM = "r@chatroom"


async def test_in_private_an_offer_lasts_until_the_next() -> None:
    store = MemoryStore()
    await offer(store, "alice", "alice", {"1": "old"}, NOON)
    assert await offered(store, "alice", "alice", NOON + timedelta(days=90)) == {"1": "old"}
    await offer(store, "alice", EVERYBODY, {"1": "new"}, NOON)
    assert await offered(store, "alice", "alice", NOON) == {"1": "new"}
    await offer(store, "alice", "alice", {}, NOON)
    assert await offered(store, "alice", "alice", NOON) == {}
    assert store.values == {}


async def test_in_a_room_everybody_has_their_own_and_it_ends() -> None:
    store = MemoryStore()
    await offer(store, ROOM, EVERYBODY, {"1": "all"}, NOON)
    await offer(store, ROOM, "alice", {"1": "hers"}, NOON + timedelta(minutes=30))
    soon, later = NOON + timedelta(minutes=59), NOON + timedelta(minutes=90)
    assert await offered(store, ROOM, "alice", soon) == {"1": "hers"}
    assert await offered(store, ROOM, "bob", soon) == {"1": "all"}
    assert await offered(store, ROOM, "bob", later) == {}
    assert await offered(store, ROOM, "alice", later) == {}
