"""The Telegram adapter: joins the library, the words of `decode` and `encode`, and our port."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import BotCommand, BotCommandScopeAllChatAdministrators, ChatMember, Update
from telegram.error import BadRequest, InvalidToken, TelegramError

from bots.adapter import Capability, Gift, GiftSent, OnIncoming, PremiumGiven, SendError, Status, Store, introduce
from bots.command import CommandSpec, Menu
from bots.message import Address, Incoming, Reply
from bots.telegram import posting
from bots.telegram.client import FloodError, as_send_error, make_client
from bots.telegram.decode import ALLOWED_UPDATES, PLATFORM, Me, decode, missing_rights
from bots.telegram.delivery import Delivery
from bots.telegram.encode import cut
from bots.telegram.gifts import gifts_on_sale, gifts_sent, premium_given
from bots.telegram.polling import Polling, backoff, explain
from bots.telegram.queues import ChatQueues
from bots.telegram.settings import TelegramSettings

LINK_NAME = 32
GIFT_TEXT = 128
WEBHOOK_PATH = "/hooks/telegram"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
MENU_LANGUAGES = {"": "en", "zh": "zh_Hans"}
"""Telegram's two-letter language (empty: everybody else) → the locale of the menu's help."""

DECIDED = ("HIDE_REQUESTER_MISSING", "USER_ALREADY_PARTICIPANT")
"""How Telegram says that a join request is no longer open; the library changes the case."""

ADDED = "?startgroup&admin=invite_users+pin_messages"
"""What makes a bot's address one that adds it to a group, as an administrator with the rights it needs."""

_log = logging.getLogger(__name__)


class TelegramAdapter:
    """One bot on Telegram, by long polling or by webhook."""

    platform = PLATFORM
    capabilities = frozenset(
        {
            Capability.INVITE_LINKS,
            Capability.ADMIN_CHECK,
            Capability.DIAGNOSE,
            Capability.JOIN_GATE,
            Capability.GIFTS,
            Capability.TAGS,
            Capability.PREMIUM,
            Capability.POSTS,
            Capability.PINS,
            Capability.APPS,
        }
    )

    def __init__(
        self,
        settings: TelegramSettings,
        menu: Menu,
        store: Store,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.status = Status()
        self._settings = settings
        self._menu = menu
        self._store = store
        self._now = now
        self._sleep = sleep
        self._client = make_client(settings)
        self._delivery = Delivery(self._client, sleep)
        self._queues = ChatQueues()
        self._polling = Polling(self._client, settings, self._accept, self._queues.room, sleep)
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._me: Me | None = None
        self._on_incoming: OnIncoming | None = None
        self._last_heard: datetime | None = None
        self._closing = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    async def run(self, on_incoming: OnIncoming) -> None:
        """Hear people until closed or cancelled. Raises `PermissionError` if Telegram refuses the token."""
        self._on_incoming = on_incoming
        self._listening = asyncio.create_task(self._listen())
        try:
            await asyncio.wait([self._listening])
        finally:
            self._listening.cancel()
        if not self._listening.cancelled():
            self._listening.result()

    async def send(self, address: Address, reply: Reply) -> None:
        """Send one message outside a conversation. Raises `SendError`."""
        try:
            await self._delivery.send(_chat_id(address.chat), reply)
        except SendError:
            raise
        except Exception as error:
            _log.exception("a message to chat %s could not be made", address.chat)
            raise SendError(f"the message could not be made: {error!r}") from error

    async def close(self) -> None:
        """Stop hearing, finish what was accepted, tell Telegram so, disconnect."""
        self._closing.set()
        if self._listening:
            self._listening.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._listening
        await self._queues.drain()
        if not self._settings.webhook_url:
            await self._polling.acknowledge()
        await self._client.shutdown()
        self._show("down", "closed")

    async def probe(self) -> str:
        """Ask Telegram who we are and hear nobody: a check must not take updates from the bot that is running.

        Returns the bot's name. Raises `PermissionError` if the token is refused, `SendError` if nobody answers.
        """
        try:
            with _failures():
                return (await self._introduce()).username
        except SendError as failure:
            if isinstance(failure.__cause__, InvalidToken):
                raise PermissionError(explain(failure.__cause__)) from None
            raise

    def routes(self) -> list[Route]:
        """The address Telegram posts updates to; the web app mounts it when a webhook is configured."""
        return [Route(WEBHOOK_PATH, self._hear_webhook, methods=["POST"])]

    async def make_invite(self, group: str, name: str) -> str:
        """A new invite link of the group, shown to its admins under `name` (cut to 32). Raises `SendError`."""
        with _failures():
            link = await self._client.create_chat_invite_link(_chat_id(group), name=cut(name, LINK_NAME))
        return str(link.invite_link)

    async def is_admin(self, group: str, account: str) -> bool:
        """Whether the person runs the group, asked afresh. Raises `SendError`."""
        with _failures():
            member = await self._client.get_chat_member(_chat_id(group), _chat_id(account))
        return member.status in (ChatMember.OWNER, ChatMember.ADMINISTRATOR)

    async def diagnose(self, group: str) -> list[str]:
        """The rights the bot lacks in the group; works without `run`. Raises `SendError`."""
        with _failures():
            me = await self._introduce()
            return list(missing_rights(await self._client.get_chat_member(_chat_id(group), me.id)))

    async def approve(self, group: str, account: str) -> None:
        """Let somebody in who asked; nothing if that is already decided. Raises `SendError`."""
        with _failures(harmless=DECIDED):
            await self._client.approve_chat_join_request(_chat_id(group), _chat_id(account))

    async def decline(self, group: str, account: str) -> None:
        """Turn somebody away who asked; nothing if that is already decided. Raises `SendError`."""
        with _failures(harmless=DECIDED):
            await self._client.decline_chat_join_request(_chat_id(group), _chat_id(account))

    async def gifts(self) -> list[Gift]:
        """The gifts anybody can be sent now, in Stars, cheapest first; works without `run`. Raises `SendError`."""
        with _failures():
            await self._introduce()
            return await gifts_on_sale(self._client)

    async def send_gift(self, account: str, gift: str, text: str) -> None:
        """Send one gift with up to 128 characters, paid with the bot's Stars; works without `run`.

        Telegram pays a repeat again. Raises `SendError`: if permanent, nothing was sent; otherwise it may have been.
        """
        with _failures():
            await self._introduce()
            await self._client.send_gift(gift, text=cut(text, GIFT_TEXT), user_id=_chat_id(account))

    async def gifts_sent(self, since: datetime) -> list[GiftSent]:
        """The gifts the bot has paid for since then, oldest first; works without `run`. Raises `SendError`."""
        with _failures():
            await self._introduce()
            return await gifts_sent(self._client, since)

    async def set_tag(self, group: str, account: str, tag: str) -> None:
        """Show a tag of up to 16 characters beside a member's name; an empty one takes it away. Not for admins.

        The bot needs the right to manage tags. Raises `SendError`.
        """
        with _failures():
            await self._client.set_chat_member_tag(_chat_id(group), _chat_id(account), tag=tag or None)

    async def give_premium(self, account: str, months: int, price: int, text: str) -> None:
        """Give Premium for 3, 6 or 12 months, paid with the bot's Stars; works without `run`.

        Telegram pays a repeat again. Raises `SendError`: if permanent, nothing was given; otherwise it may have been.
        """
        with _failures():
            await self._introduce()
            await self._client.gift_premium_subscription(
                _chat_id(account), months, price, text=cut(text, GIFT_TEXT) or None
            )

    async def premium_given(self, since: datetime) -> list[PremiumGiven]:
        """The subscriptions the bot has paid for since then, oldest first; works without `run`. Raises `SendError`."""
        with _failures():
            await self._introduce()
            return await premium_given(self._client, since)

    async def post(self, group: str, reply: Reply, *, key: str, again: bool = False) -> str:
        """Post in a group; what may be a repeat (`again`) rings no phone. Raises `NotThere`, `SendError`."""
        return await posting.post(self._delivery, _chat_id(group), reply, again=again)

    async def pin(self, group: str, message: str) -> None:
        """Pin a post, which takes the right to pin messages. Raises `NotThere`, `SendError`."""
        with posting.absence(), _failures():
            await posting.pin(self._client, message)

    async def unpin(self, group: str, message: str) -> None:
        """Take a pin down; nothing happens if it is down. Raises `NotThere`, `SendError`."""
        with posting.absence(), _failures(harmless=posting.NOT_PINNED):
            await posting.unpin(self._client, message)

    async def _listen(self) -> None:
        try:
            await self._connect()
            self._heard()
            if self._settings.webhook_url:
                await self._closing.wait()
            else:
                await self._polling.run(self._heard, self._lost)
        except InvalidToken as error:
            self._show("down", explain(error))
            raise PermissionError(self.status.detail) from None

    async def _connect(self) -> None:
        self._show("starting")
        failures = 0
        while True:
            try:
                await self._introduce()
                await self._subscribe()
                await self._publish_menu()
                return await self._keep_deep_link()
            except InvalidToken:
                raise
            except (TelegramError, FloodError) as error:
                failures += 1
                detail = explain(error) if isinstance(error, TelegramError) else str(error)
                self._lost(detail)
                await self._sleep(backoff(error, failures))

    async def _introduce(self) -> Me:
        if self._me is None:
            try:
                await self._client.initialize()
            except InvalidToken as error:
                # The library puts the token itself into its message: it must not reach a log by way of ours.
                raise InvalidToken(explain(error)) from None
            self._me = Me(self._client.id, self._client.username or "")
        return self._me

    async def _subscribe(self) -> None:
        url = self._settings.webhook_url
        if url is None:
            await self._client.delete_webhook()
            return
        await self._client.set_webhook(
            url,
            allowed_updates=ALLOWED_UPDATES,
            max_connections=min(self._settings.concurrency, 100),
            secret_token=self._settings.webhook_secret,
        )

    async def _keep_deep_link(self) -> None:
        """Note how a friend with a code reaches us, for the landing page, and an admin adds us; nothing here depends on
        it."""
        try:
            await self._store.put("deep_link", f"https://t.me/{self._client.username}?start={{code}}")
        except Exception as error:
            _log.warning("the bot's deep link could not be noted: %r", error)
        await introduce(self._store, f"@{self._client.username}", f"https://t.me/{self._client.username}{ADDED}")

    async def _publish_menu(self) -> None:
        """The menu for everybody, and the one with the admins' commands in groups, in each language."""
        everyone = [spec for spec in self._menu.commands if not spec.admin]
        for language, locale in MENU_LANGUAGES.items():
            await self._client.set_my_commands(_commands(everyone, locale), language_code=language or None)
            if len(everyone) < len(self._menu.commands):
                await self._client.set_my_commands(
                    _commands(self._menu.commands, locale),
                    scope=BotCommandScopeAllChatAdministrators(),
                    language_code=language or None,
                )

    async def _hear_webhook(self, request: Request) -> Response:
        given = request.headers.get(SECRET_HEADER, "").encode()
        if not hmac.compare_digest(given, (self._settings.webhook_secret or "").encode()) or not given:
            return Response(status_code=403)
        if self._closing.is_set() or self._me is None or self._on_incoming is None:
            return Response(status_code=503)  # Telegram brings it again
        await self._queues.room()
        body = await request.body()
        try:
            raw: Any = json.loads(body)
        except ValueError:
            raw = body.decode("utf-8", "replace")
        self._heard()
        self._accept(raw)
        return Response()

    def _accept(self, raw: Any) -> None:
        """Take one update on; one that cannot be read is put aside. Never raises."""
        assert self._me is not None  # nothing is heard before we know who we are
        try:
            update = Update.de_json(raw, self._client)
            heard = decode(update, self._me)
        except Exception as error:  # whatever a stranger's JSON can break in the library or in ours
            _log.warning("an update could not be read and was put aside: %r", error)
            text = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False)
            storable = text.encode("utf-8", "replace").decode()
            self._queues.put("quarantine", partial(self._store.quarantine, storable, repr(error)))
            return
        for incoming in heard:
            self._queues.put(incoming.place.address.chat, partial(self._handle, incoming, update))
        if (pressed := update.callback_query) and not heard:
            self._queues.put(str(pressed.from_user.id), partial(self._delivery.acknowledge, pressed))

    async def _handle(self, incoming: Incoming, update: Update) -> None:
        assert self._on_incoming is not None
        pressed = update.callback_query
        acknowledged = asyncio.create_task(self._delivery.acknowledge(pressed)) if pressed else None
        try:
            async with self._slots:  # not held while sending: a rate limit must not stop other chats
                replies = await self._on_incoming(incoming)
            if replies:
                await self._delivery.answer(incoming, replies, update)
        finally:
            if acknowledged:
                await acknowledged

    def _heard(self) -> None:
        self._last_heard = self._now()
        if self.status.state != "ready":
            self._show("ready", f"@{self._client.username}")

    def _lost(self, detail: str) -> None:
        _log.warning("Telegram does not answer: %s", detail)
        since = f" (last heard at {self._last_heard:%Y-%m-%d %H:%M:%S %Z})" if self._last_heard else ""
        self._show("degraded", detail + since)

    def _show(self, state: str, detail: str = "") -> None:
        self.status.state, self.status.detail = state, detail


@contextmanager
def _failures(harmless: tuple[str, ...] = ()) -> Iterator[None]:
    """Turn the library's failures into ours; a refusal that says one of `harmless` (upper case) counts as done."""
    try:
        yield
    except (TelegramError, FloodError) as error:
        if not (isinstance(error, BadRequest) and error.message.upper() in harmless):
            raise as_send_error(error) from error


def _chat_id(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise SendError(f"{text!r} is no Telegram chat", permanent=True) from error


def _commands(specs: Sequence[CommandSpec], locale: str) -> list[BotCommand]:
    return [BotCommand(spec.name, (spec.help.get(locale) or spec.name)[:256]) for spec in specs]
