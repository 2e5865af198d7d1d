"""One wechaty gateway over gRPC, on the calls of `wechaty_puppet_service` that work.

What the library does on its own account is left out, each for a reason seen on a running client: it pings the
endpoint by blocking the loop, sends Stop before Start (which logs the account out), ends its event stream at the first
event it cannot read, and waits for ever for a frozen gateway.

This module is imported only when an account is run, and after `compat.prepare`: its libraries are an extra.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from grpclib.client import Channel
from grpclib.config import Configuration
from grpclib.exceptions import GRPCError, StreamTerminatedError
from wechaty_grpc.wechaty import PuppetStub
from wechaty_puppet import FileBox, PuppetOptions
from wechaty_puppet_service import PuppetService

from bots.wechat.settings import WeChatSettings
from bots.wechat.transport import CallFailed, Contact, Friendship, Message, RawEvent, RoomMember

log = logging.getLogger(__name__)

T = TypeVar("T")

TEXT_MESSAGE = 7
"""`Message.Text` of wechaty-puppet, which gateways send; the enum generated for Python has other numbers."""

FILES = {1: "file", 6: "image", 15: "video"}
"""The same, for messages that are a file."""

FRIENDSHIPS = {1: "confirmed", 2: "request", 3: "refused"}

OFFICIAL_ACCOUNT = 2
"""`Contact.Official` of wechaty-puppet: a service account, whose automatic words nobody should answer."""

WECHAT_ITSELF = {"weixin", "filehelper", "fmessage", "newsapp", "notifymessage"}

SILENT_CALLS = 3
"""So many unanswered calls in a row, and the connection is given up though its wire is alive."""


class _Channel(Channel):
    """A channel to one gateway that notices when the other side freezes."""

    def __init__(self, settings: WeChatSettings) -> None:
        tls: ssl.SSLContext | None = None
        if settings.tls:
            tls = ssl.create_default_context(cafile=settings.tls_ca)
            tls.set_alpn_protocols(["h2"])
        config = Configuration(
            _keepalive_time=settings.keepalive,
            _keepalive_timeout=min(5.0, settings.keepalive),
            _keepalive_permit_without_calls=True,
            # without these two the pings stop after the second one, or come five minutes apart
            _http2_max_pings_without_data=0,
            _http2_min_sent_ping_interval_without_data=settings.keepalive / 2,
            ssl_target_name_override=settings.tls_name,
        )
        super().__init__(settings.host, settings.port, ssl=tls, config=config)
        self._authority = settings.token  # gateways read the token there


def _puppet(settings: WeChatSettings) -> Any:
    """The library's calls, each a thin wrapper of one gRPC method, over our channel."""
    puppet = PuppetService(PuppetOptions(token=settings.token, end_point=settings.endpoint))
    puppet.channel = _Channel(settings)
    puppet._puppet_stub = PuppetStub(puppet.channel)  # there is no other way to give it a channel
    return puppet


class Gateway:
    """A `bots.wechat.transport.Transport` over one gateway. Nothing is shared between two of them."""

    def __init__(self, settings: WeChatSettings) -> None:
        self._settings = settings
        self._puppet: Any = None
        self._silent = 0

    async def open(self) -> None:
        """Connect and send Start, and only Start."""
        self._silent = 0
        self._puppet = _puppet(self._settings)
        await self._call(self._puppet.puppet_stub.start())

    async def events(self) -> AsyncIterator[RawEvent]:
        """Events as they come; raises `CallFailed` when the gateway goes away."""
        try:
            async for response in self._stub.event():
                yield int(response.type), str(response.payload)
        except (GRPCError, StreamTerminatedError, OSError, asyncio.IncompleteReadError) as error:
            raise self._failure(error) from error

    async def close(self) -> None:
        """Drop the connection. Stop is never sent: it would log the account out."""
        puppet, self._puppet = self._puppet, None
        if puppet is not None:
            puppet.channel.close()

    async def say(self, chat: str, text: str, mentions: Sequence[str] = ()) -> None:
        await self._call(self._alive.message_send_text(chat, text, list(mentions)))

    async def show(self, chat: str, data: bytes, filename: str) -> None:
        box = FileBox.from_base64(base64.b64encode(data), name=filename)
        await self._call(self._alive.message_send_file(chat, box))

    async def message(self, id: str) -> Message:
        found = await self._call(self._stub.message_payload(id=id))
        kind = int(found.type)
        text = found.text if kind == TEXT_MESSAGE else ""
        mentions = tuple(found.mention_ids)
        return Message(found.id or id, found.from_id, found.room_id, text, mentions, FILES.get(kind, ""))

    async def download(self, id: str, limit: int) -> bytes | None:
        # the library's own calls name a file of more than 20 KB by an address that only gateways understand
        return await self._call(self._streamed(id, limit))

    async def _streamed(self, id: str, limit: int) -> bytes | None:
        body = bytearray()
        async with aclosing(self._stub.message_file_stream(id=id)) as chunks:
            async for chunk in chunks:
                body += chunk.file_box_chunk.data
                if len(body) > limit:
                    return None
        return bytes(body)

    async def contact(self, id: str) -> Contact:
        found = await self._call(self._alive.contact_payload(id))
        official = int(found.type) == OFFICIAL_ACCOUNT or id in WECHAT_ITSELF
        return Contact(id, found.name, bool(found.friend), found.weixin or None, official)

    async def rooms(self) -> list[str]:
        return list(await self._call(self._alive.room_list()))

    async def topic(self, room: str) -> str:
        return str((await self._call(self._alive.room_payload(room))).topic)

    async def members(self, room: str) -> list[str]:
        return list(await self._call(self._alive.room_members(room)))

    async def owners(self, room: str) -> list[str]:
        found = await self._call(self._alive.room_payload(room))
        return [account for account in (found.owner_id, *found.admin_ids) if account]

    async def member(self, room: str, contact: str) -> RoomMember:
        found = await self._call(self._alive.room_member_payload(room, contact))
        return RoomMember(found.room_alias or found.name, found.inviter_id or None)

    async def friendship(self, id: str) -> Friendship:
        # the library's own method sends the text "null" along, which means "set"
        found = await self._call(self._stub.friendship_payload(id=id))
        return Friendship(id, found.contact_id, found.hello, FRIENDSHIPS.get(int(found.type), "unknown"))

    async def befriend(self, friendship: str) -> None:
        await self._call(self._alive.friendship_accept(friendship))

    async def enter(self, invitation: str) -> None:
        await self._call(self._alive.room_invitation_accept(invitation))

    @property
    def _alive(self) -> Any:
        if self._puppet is None:
            raise CallFailed("NOT_CONNECTED", "there is no connection to the gateway")
        return self._puppet

    @property
    def _stub(self) -> Any:
        return self._alive.puppet_stub

    async def _call(self, call: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._settings.call_timeout):
                answer = await call
        except TimeoutError:
            self._silent += 1
            if self._silent >= SILENT_CALLS:
                log.warning("the gateway left %s calls unanswered: connecting anew", self._silent)
                await self.close()
            raise CallFailed("TIMEOUT", f"no answer within {self._settings.call_timeout:g} s") from None
        except (GRPCError, StreamTerminatedError, OSError) as error:
            raise self._failure(error) from error
        self._silent = 0
        return answer

    def _failure(self, error: BaseException) -> CallFailed:
        if isinstance(error, GRPCError):
            # gateways quote the token they did not like
            reason = (error.message or "no reason given").replace(self._settings.token, "***")
            return CallFailed(error.status.name, reason)
        if isinstance(error, ConnectionRefusedError):
            return CallFailed("NOT_CONNECTED", f"nobody listens at {self._settings.endpoint}")
        return CallFailed("DISCONNECTED", str(error) or type(error).__name__)
