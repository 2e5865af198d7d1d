"""WeChat as a platform: one account behind one gateway, kept alive whatever the gateway does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any

from bots.adapter import Capability, NotThere, OnIncoming, SendError, Status, Store
from bots.command import Menu
from bots.message import Address, BotPlaced, Incoming, Present, Reachable, Reply, Said
from bots.wechat import compat, decode
from bots.wechat.delivery import Delivery
from bots.wechat.failures import as_send_error
from bots.wechat.intake import Intake
from bots.wechat.lanes import Lanes
from bots.wechat.pace import Pace
from bots.wechat.settings import WeChatSettings
from bots.wechat.transport import CallFailed, Transport

GOODBYE = 10.0
"""Seconds the answers under way have when the adapter is closed."""

RECOVERY = 120.0
"""Seconds an answer waits for a lost connection to come back."""

log = logging.getLogger(__name__)


def wechaty(settings: WeChatSettings) -> Transport:
    """A connection to a wechaty gateway. Raises `WeChatNotInstalled` if the extra is missing."""
    compat.prepare()
    from bots.wechat.connection import Gateway  # its libraries are an extra and load slowly

    return Gateway(settings)


class WeChatAdapter:
    """A `bots.adapter.Adapter`. `connect` makes the wire, so that another road to WeChat can be taken."""

    platform = decode.PLATFORM
    capabilities = frozenset({Capability.ADMIN_CHECK, Capability.DIAGNOSE, Capability.POSTS})

    def __init__(
        self,
        settings: WeChatSettings,
        menu: Menu,
        store: Store,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        connect: Callable[[WeChatSettings], Transport] = wechaty,
    ) -> None:
        self.status = Status()
        self._settings = settings
        self._store = store
        self._sleep = sleep
        self._connect = connect
        self._intake = Intake(menu, store, now)
        pace = Pace(
            settings.messages_per_second_per_chat, settings.messages_per_minute, lambda: now().timestamp(), sleep
        )
        self._delivery = Delivery(store, pace, self._line, now, sleep)
        self._lanes = Lanes()
        self._wire: Transport | None = None
        self._ready = asyncio.Event()
        self._closing = asyncio.Event()
        self._ended = asyncio.Event()
        self._taking = asyncio.Lock()
        self._running = False
        self._listening: asyncio.Task[None] | None = None
        self._chores: set[asyncio.Task[None]] = set()
        self._was_ready = False

    async def run(self, on_incoming: OnIncoming) -> None:
        """Stay connected until cancelled or closed; what goes wrong meanwhile is told by `status`."""
        self._running = True
        attempt = 0
        try:
            while not self._closing.is_set():
                self._was_ready = False
                reason = await self._live(on_incoming)
                if self._closing.is_set():
                    break
                attempt = 0 if self._was_ready else attempt
                delay = self._settings.backoff[min(attempt, len(self._settings.backoff) - 1)]
                attempt += 1
                self._tell("down", f"{reason}; trying again in {delay:g} s")
                await self._pause(delay)
        finally:
            await self._lanes.stop()
            self._tell("down", "closed")
            self._running = False
            self._ended.set()

    async def send(self, address: Address, reply: Reply) -> None:
        """Send one message outside a conversation; `address.chat` is a contact or room id. Raises `SendError`."""
        await self._delivery.send(address.chat, reply)

    async def close(self) -> None:
        """Stop hearing, give the answers under way a moment, disconnect. The account stays logged in."""
        self._closing.set()
        if self._listening is not None:
            # an event that is being read is still accepted
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE), self._taking:
                    self._listening.cancel()
            self._listening.cancel()
        if self._running:
            await self._ended.wait()

    async def post(self, group: str, reply: Reply, *, key: str, again: bool = False) -> str:
        """Post in a room. WeChat recognises no repeat and pins nothing. Raises `NotThere`, `SendError`."""
        try:
            await self._delivery.send(group, reply)
        except SendError as error:
            if error.permanent and await self._is_out(group):
                raise NotThere(error.reason) from error
            raise
        return ""

    async def _is_out(self, room: str) -> bool:
        """Whether the account is no member of the room; what cannot be read is a no."""
        if self._wire is None:
            return False
        try:
            return self._intake.account not in await self._wire.members(room)
        except CallFailed as failure:
            return as_send_error(failure).permanent

    async def is_admin(self, group: str, account: str) -> bool:
        """Whether the person owns or administers the room. Raises `SendError` where the gateway does not tell."""
        wire = await self._line(patient=False)
        try:
            owners = await wire.owners(group)
        except CallFailed as failure:
            raise as_send_error(failure) from failure
        if not owners:
            raise SendError("the gateway does not tell who owns a room", permanent=True)
        return account in owners

    async def diagnose(self, group: str) -> list[str]:
        """What keeps the bot from working in a room, empty if nothing does."""
        if self._wire is None or not self._ready.is_set():
            return [self.status.detail or self.status.state]
        try:
            members = await self._wire.members(group)
        except CallFailed as failure:
            return [f"the room cannot be read: {failure.reason}"]
        return [] if self._intake.account in members else ["the account is not a member of the room"]

    async def _live(self, on_incoming: OnIncoming) -> str:
        """One connection from its beginning to its end; returns why it ended."""
        wire = self._connect(self._settings)
        self._listening = asyncio.create_task(self._listen(wire, on_incoming))
        try:
            await asyncio.wait({self._listening})
            if self._closing.is_set():
                await self._lanes.drain(GOODBYE)
                return "closed"
            self._listening.result()
            return "the gateway ended the stream of events"
        except CallFailed as failure:
            return _why(failure)
        except Exception as error:
            log.exception("the connection to the gateway broke")
            return f"the connection broke ({error!r})"
        finally:
            self._listening.cancel()
            self._ready.clear()
            self._wire = None
            await self._stop_chores()
            await wire.close()

    async def _listen(self, wire: Transport, on_incoming: OnIncoming) -> None:
        await wire.open()
        self._wire = wire
        self._tell("degraded", f"connected, the account is not logged in: {decode.LOG_IN}")
        async for kind, payload in wire.events():
            try:
                event = decode.event(kind, payload)
                if event is not None:
                    async with self._taking:
                        await self._take(wire, event, on_incoming)
            except Exception as error:  # whatever one event holds, the next one is heard
                log.exception("event %s could not be taken: %s", kind, payload)
                await self._store.quarantine(json.dumps({"type": kind, "payload": payload}), repr(error))

    async def _take(self, wire: Transport, event: decode.Event, on_incoming: OnIncoming) -> None:
        match event:
            case decode.LoggedIn(account):
                await self._intake.logged_in(wire, account)
                self._was_ready = True
                self._ready.set()
                self._tell("ready", "")
                self._chore(self._reconcile(wire, on_incoming))
            case decode.NotLoggedIn(todo):
                self._ready.clear()
                self._tell("degraded", todo)
            case decode.GatewayTrouble(detail):
                log.warning("the gateway reports: %s", detail)
            case _:
                for incoming in await self._intake.read(wire, event):
                    await self._accept(incoming, on_incoming)
                    if isinstance(incoming, BotPlaced) and incoming.present:
                        self._chore(self._read_room(wire, incoming.place.address.chat, on_incoming))

    async def _accept(self, incoming: Incoming, on_incoming: OnIncoming) -> None:
        if isinstance(incoming, Said) and incoming.place.group is None:
            self._delivery.wrote(incoming.person.account)
        if isinstance(incoming, Reachable) and not incoming.reachable:
            self._delivery.lost(incoming.person.account)

        async def handle() -> None:
            replies = await on_incoming(incoming)
            person = incoming.by if isinstance(incoming, BotPlaced) else None
            if not isinstance(incoming, BotPlaced | Present):
                person = incoming.person
            try:
                await self._delivery.answer(incoming.place, person, replies)
            except SendError as error:
                log.warning("an answer in %s was not delivered: %s", incoming.place.address.chat, error.reason)

        await self._lanes.put(incoming.place.address.chat, handle)

    async def _reconcile(self, wire: Transport, on_incoming: OnIncoming) -> None:
        async for present in self._intake.present(wire):
            await self._accept(present, on_incoming)

    async def _read_room(self, wire: Transport, room: str, on_incoming: OnIncoming) -> None:
        await self._accept(await self._intake.present_in(wire, room), on_incoming)

    async def _line(self, patient: bool) -> Transport:
        if patient and not self._ready.is_set():
            try:
                async with asyncio.timeout(RECOVERY):
                    await self._ready.wait()
            except TimeoutError:
                raise SendError(f"no connection to WeChat: {self.status.detail}") from None
        if self._wire is None or not self._ready.is_set():
            raise SendError(f"no connection to WeChat: {self.status.detail}", retry_after=5.0)
        return self._wire

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the events, for as long as this connection lasts."""

        async def guarded() -> None:
            try:
                await work
            except CallFailed as failure:
                log.warning("the rooms could not be read: %s", failure)
            except Exception:
                log.exception("the rooms could not be read")

        chore = asyncio.create_task(guarded())
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)

    async def _stop_chores(self) -> None:
        chores = list(self._chores)
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)

    async def _pause(self, delay: float) -> None:
        waits = {asyncio.ensure_future(self._sleep(delay)), asyncio.create_task(self._closing.wait())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _tell(self, state: str, detail: str) -> None:
        self.status.state, self.status.detail = state, detail
        log.log(logging.INFO if state in ("ready", "starting") else logging.WARNING, "wechat is %s %s", state, detail)


def _why(failure: CallFailed) -> str:
    match failure.status:
        case "UNAUTHENTICATED":
            return "the gateway refused the token: compare DAIXIN_WECHAT_TOKEN with the gateway's own"
        case "ALREADY_EXISTS":
            return "another client listens to this gateway: run one gateway for each account"
        case "NOT_CONNECTED":
            return f"{failure.reason}: is the gateway running, and is DAIXIN_WECHAT_ENDPOINT right?"
        case _:
            return f"the gateway went away ({failure})"
