"""Wires the parts of the house together."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from sqlmodel import Session

import daixin.models  # noqa: F401  # every table must be known before the first query
from bots import admin_news, case_news, group_news, notify, roots
from bots.adapter import Adapter, Status, Store
from bots.announcements import Announcer
from bots.commands.all import MENU
from bots.commands.invite import INVITE_TOPIC
from bots.context import Links
from bots.goods import GoodsGiver
from bots.invites import InviteMaker
from bots.notify import TOPIC, Deliverer
from bots.outreach import cheers, crier, digest
from bots.pace import Pace, pace_of, spending
from bots.router import Router
from bots.state import AdapterNote, DatabaseStore, introductions
from core import clock, log, vault
from core.db import is_sqlite, make_engine
from core.errors import BadInput
from core.events import Bus
from core.outbox import Dispatcher
from core.reader import Reader
from core.settings import Settings
from core.writer import Writer
from daixin import payouts, platforms
from referral import announcing, lifecycle, members, posting, reviewing, search, stays
from referral.boards import names as board_names
from referral.brands import Community
from referral.campaigns import CampaignMoved
from referral.outreach import messages
from referral.outreach import persons as outreach
from referral.trials import hearing
from referral.webhooks import addresses, fanning, sending
from referral.webhooks import hearing as webhooks
from rewards import accrual, corrections, flags, linking, reinstating, trials
from rewards import webhooks as money_webhooks
from rewards.contests import giving
from rewards.items import badges, prizes, redeem
from rewards.items import persons as belongings
from rewards.payouts import approvals, persons
from rewards.payouts.port import Provider
from web.parts import Bot, Entrance

KEY_LENGTH = 32
SENT_AT_ONCE = 16
"""Addresses of brands' programs that are sent to at the same time."""


def join_parts(bus: Bus) -> None:
    """Let each part hear the events it answers."""
    bus.on(CampaignMoved, stays.close_windows)
    bus.on(CampaignMoved, lifecycle.on_moved)
    hearing.listen(bus)
    announcing.listen(bus)
    posting.listen(bus)
    accrual.listen(bus)
    giving.listen(bus)
    corrections.listen(bus)
    linking.listen(bus)
    giving.follow_links(bus)
    reviewing.listen(bus)
    flags.listen(bus)
    reinstating.listen(bus)
    redeem.listen(bus)
    prizes.listen(bus)
    trials.listen(bus)
    belongings.listen(bus)
    persons.listen(bus)
    outreach.listen(bus)
    board_names.listen(bus)
    search.listen(bus)
    notify.listen(bus)
    roots.listen(bus)
    money_webhooks.listen(bus, webhooks.listen(bus))


@dataclass(slots=True)
class Parts:
    """A running house: what every command of `daixin` needs, and the adapters of this process."""

    settings: Settings
    writer: Writer
    reader: Reader
    dispatcher: Dispatcher
    router: Router
    adapters: dict[str, Adapter] = field(default_factory=dict)
    providers: dict[str, Provider] = field(default_factory=dict)
    paces: dict[str, Pace] = field(default_factory=dict)

    def close(self) -> None:
        """Finish what was accepted and let the database go."""
        self.writer.close()
        self.reader.close()


def build(
    settings: Settings,
    wanted: Sequence[str] = (),
    *,
    stage: bool = False,
    notes: Callable[[str, Writer, Reader], Store] = DatabaseStore,
) -> Parts:
    """Open the database and make the adapters of these platforms (those that are set up).

    `notes` makes the place where an adapter keeps what it must remember.
    """
    key = secret_key(settings)
    log.hide(key)
    members.set_fingerprint_key(key)
    vault.set_keys(settings.vault_keys.get_secret_value(), key)
    approvals.set_limits(settings.payout_approve_above)
    url = settings.sqlalchemy_url
    bus = Bus()
    join_parts(bus)
    writer = Writer(make_engine(url, writer=True), bus).start()
    reader = Reader(make_engine(url, writer=False))
    adapters: dict[str, Adapter] = {}
    paces: dict[str, Pace] = {}
    admins = frozenset(name.strip() for name in settings.admins.split(",") if name.strip())
    admin_news.listen(bus, admins)
    group_news.listen(bus, admins)
    case_news.listen(bus, admins)
    digest.listen(bus, admins)
    router = Router(writer, Links(settings.public_url), adapters, admins, open_to_brands=settings.open_to_brands)
    dispatcher = Dispatcher(writer)
    dispatcher.on(cheers.TOPIC, cheers.deliver)
    dispatcher.on(webhooks.EVENTS_TOPIC, sending.number)
    sender = sending.Sender(writer, addresses.read_allowed(settings.webhook_allow))
    dispatcher.on(fanning.SEND_TOPIC, sender, apart=SENT_AT_ONCE)
    for platform in wanted:
        store = notes(platform, writer, reader)
        if platform == "webchat":
            adapter: Adapter | None = platforms.webchat(settings, MENU, store, clock.now, stage=stage)
        else:
            adapter = platforms.BUILDERS[platform](MENU, store, clock.now)
        if adapter is not None:
            adapters[platform] = adapter
            pace = paces[platform] = pace_of(platform)
            news = spending(pace, Deliverer(adapter, reader, writer))
            dispatcher.on(TOPIC + platform, news, lambda message: str(message.payload["chat"]))
            unasked = crier.Crier(adapter, reader, writer, pace)
            dispatcher.on(messages.TOPIC + platform, unasked, crier.lane, apart=pace.at_once)
            dispatcher.on(roots.ROOT_TOPIC + platform, roots.RootPoster(adapter, reader))
            dispatcher.on(INVITE_TOPIC + platform, InviteMaker(adapter, writer))
            posts = spending(pace, Announcer(adapter, writer))
            dispatcher.on(announcing.TOPIC + platform, posts, lambda message: str(message.payload["chat"]))
            dispatcher.on(badges.TOPIC + platform, GoodsGiver(adapter, writer))
    return Parts(
        settings, writer, reader, dispatcher, router, adapters, payouts.providers_of(settings, reader, adapters), paces
    )


def secret_key(settings: Settings) -> str:
    """The installation's secret; on SQLite one is made and kept beside the database if none is set.

    Raises `BadInput` for a short one, or none with a shared database.
    """
    key = settings.secret_key.get_secret_value()
    if key:
        if len(key) < KEY_LENGTH:
            raise BadInput("secret_key_short", least=KEY_LENGTH)
        return key
    if not is_sqlite(settings.database_url):
        raise BadInput("secret_key_missing")
    path = Path(make_path(settings.database_url)).with_suffix(".key")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    settings.secret_key = type(settings.secret_key)(path.read_text().strip())
    return settings.secret_key.get_secret_value()


def make_path(database_url: str) -> str:
    """The file of an SQLite address."""
    return database_url.removeprefix("sqlite:///")


def entrances(session: Session, communities: list[Community], code: str, invites: dict[UUID, str]) -> list[Entrance]:
    """How a friend with a code enters each community, by what the platform offers."""
    return [_entrance(session, community, code, invites.get(community.id)) for community in communities]


def _entrance(session: Session, community: Community, code: str, invite: str | None) -> Entrance:
    title = community.title or community.platform
    if community.open:
        url = f"/chat?code={quote(code)}"
        return Entrance(community.platform, title, url=url, opens_in_wechat=True)
    deep_link = _note(session, community.platform, "deep_link")
    if deep_link:
        return Entrance(community.platform, title, url=deep_link.replace("{code}", quote(code)))
    if invite:
        return Entrance(community.platform, title, url=invite)
    return Entrance(community.platform, title, url=community.invite_url, carries_code=False)


def bots_of(session: Session) -> list[Bot]:
    """The bots that can be added to groups, for whoever is to add them."""
    return [Bot(one.platform, one.name, one.url) for one in introductions(session)]


def _note(session: Session, platform: str, key: str) -> str | None:
    note = session.get(AdapterNote, (platform, key))
    return str(note.value) if note else None


def health_of(adapters: Mapping[str, Adapter], own: Mapping[str, Status]) -> dict[str, dict[str, str]]:
    """Each platform's state, with what else this process runs."""
    shown = {name: adapter.status for name, adapter in adapters.items()} | dict(own)
    return {name: {"state": status.state, "detail": status.detail} for name, status in shown.items()}
