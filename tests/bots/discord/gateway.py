"""The stand-in's gateway: sessions that can be resumed, invalidated, broken off and fed garbage."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.bots.discord.payloads import Guild, User

MEMBERS_INTENT = 1 << 1
CHUNK = 1000


class Wire:
    """One websocket, compressed the way the client asked for."""

    def __init__(self, socket: web.WebSocketResponse, compress: bool) -> None:
        self.socket = socket
        self._deflate = zlib.compressobj() if compress else None

    async def send(self, payload: dict[str, Any]) -> None:
        text = json.dumps(payload)
        if self._deflate is None:
            await self.socket.send_str(text)
        else:
            packed = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
            await self.socket.send_bytes(packed)


@dataclass
class Session:
    """What one IDENTIFY began; `log` is what a RESUME replays from."""

    id: str
    shard: tuple[int, int]
    log: list[dict[str, Any]] = field(default_factory=list)
    wire: Wire | None = None

    async def emit(self, event: str, data: Any) -> None:
        payload = {"op": 0, "t": event, "s": len(self.log) + 1, "d": data}
        self.log.append(payload)
        if self.wire is not None and not self.wire.socket.closed:
            await self.wire.send(payload)


class Gateway:
    """Speaks gateway version 10. Faults are switched by its attributes and methods."""

    def __init__(self, token: str, bot: User, guilds: dict[str, Guild], url: Callable[[], str]) -> None:
        self.token = token
        self.bot = bot
        self.guilds = guilds
        self.url = url
        self.sessions: dict[str, Session] = {}
        self.identifies: list[dict[str, Any]] = []
        self.resumes = 0
        self.allow_members_intent = True
        self.answer_chunks = True
        self.identify = True
        self.open = True
        self._turned = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if not self.open:
            return web.Response(status=503)
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        wire = Wire(socket, request.query.get("compress") == "zlib-stream")
        await wire.send({"op": 10, "d": {"heartbeat_interval": 40_000}})
        session: Session | None = None
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                session = await self._heard(json.loads(message.data), wire) or session
        if session is not None and session.wire is wire:
            session.wire = None
        return socket

    async def _heard(self, payload: dict[str, Any], wire: Wire) -> Session | None:
        match payload["op"]:
            case 1:
                await wire.send({"op": 11})
            case 2:
                return await self._identify(payload["d"], wire)
            case 6:
                return await self._resume(payload["d"], wire)
            case 8:
                await self._chunk(payload["d"], wire)
        return None

    async def _identify(self, data: dict[str, Any], wire: Wire) -> Session | None:
        self.identifies.append(data)
        if data["token"] != self.token:
            await wire.socket.close(code=4004)
            return None
        if data["intents"] & MEMBERS_INTENT and not self.allow_members_intent:
            await wire.socket.close(code=4014)
            return None
        if not self.identify:
            return None
        shard = tuple(data.get("shard", (0, 1)))
        session = Session(f"session-{len(self.identifies)}", (shard[0], shard[1]), wire=wire)
        self.sessions[session.id] = session
        mine = [guild for guild in self.guilds.values() if self._on(session, guild.id)]
        await session.emit(
            "READY",
            {
                "v": 10,
                "user": self.bot.json(),
                "guilds": [{"id": guild.id, "unavailable": True} for guild in mine],
                "session_id": session.id,
                "resume_gateway_url": self.url(),
                "shard": list(session.shard),
                "application": {"id": self.bot.id, "flags": 0},
            },
        )
        for guild in mine:
            await session.emit("GUILD_CREATE", guild.json())
        return session

    async def _resume(self, data: dict[str, Any], wire: Wire) -> Session | None:
        self.resumes += 1
        session = self.sessions.get(data["session_id"])
        if session is None or data["token"] != self.token:
            await wire.send({"op": 9, "d": False})
            return None
        for payload in session.log[data["seq"] :]:
            await wire.send(payload)
        session.wire = wire
        await session.emit("RESUMED", {})
        return session

    async def _chunk(self, data: dict[str, Any], wire: Wire) -> None:
        guild = self.guilds.get(str(data["guild_id"]))
        if guild is None or not self.answer_chunks:
            return
        members = [member.json() for member in guild.members.values()]
        pages = [members[at : at + CHUNK] for at in range(0, len(members), CHUNK)] or [[]]
        session = next((s for s in self.sessions.values() if s.wire is wire), None)
        for number, page in enumerate(pages):
            chunk = {
                "guild_id": guild.id,
                "members": page,
                "chunk_index": number,
                "chunk_count": len(pages),
                "nonce": data.get("nonce"),
            }
            if session is not None:
                await session.emit("GUILD_MEMBERS_CHUNK", chunk)

    # ---- what a test does

    async def emit(self, event: str, data: Any, guild: str | None = None) -> None:
        """Tell every session that hears the guild (private things: shard 0)."""
        for session in list(self.sessions.values()):
            if self._on(session, guild):
                await session.emit(event, data)

    async def cut(self) -> None:
        """Break every connection off; sessions can be resumed."""
        for session in self.sessions.values():
            wire, session.wire = session.wire, None
            if wire is not None:
                await wire.socket.close(code=4000)

    async def forget_sessions(self) -> None:
        """As `cut`, but the client must start a new session (op 9 on resume)."""
        sessions = list(self.sessions.values())
        self.sessions.clear()
        for session in sessions:
            if session.wire is not None:
                await session.wire.socket.close(code=4000)

    async def ask_to_reconnect(self) -> None:
        """Op 7."""
        for session in list(self.sessions.values()):
            if session.wire is not None:
                await session.wire.send({"op": 7, "d": None})

    def connected(self) -> bool:
        return any(session.wire is not None and not session.wire.socket.closed for session in self.sessions.values())

    def _on(self, session: Session, guild: str | None) -> bool:
        number, count = session.shard
        return ((int(guild) >> 22) % count if guild else 0) == number
