"""What a command knows when it is handled: who, where, in which language, and the unit of work it may write in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from bots.adapter import Capability
from bots.command import CommandSpec
from bots.markup import clean, escape
from bots.message import Button, Place, Reply
from core import clock, i18n
from core.errors import DaixinError
from core.money import ITEM, Money
from referral import staff
from referral.brands import Brand, Community
from referral.campaigns import Campaign, current_campaign
from referral.members import Account, Member
from rewards.items.items import Item


class Safe(str):
    """Text of our own making that is not escaped when it is put into a message."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where our own pages are."""

    public_url: str

    def invite(self, code: str) -> str:
        """The invite link of a code."""
        return f"{self.public_url.rstrip('/')}/r/{code}"

    def board(self, brand: str, campaign: str, locale: str) -> str | None:
        """The board of a campaign as a page that opens inside a platform; None where we are not reached by https,
        without which no platform opens one."""
        asked = urlencode({"b": brand, "c": campaign, "lang": locale})
        return f"{self.public_url.rstrip('/')}/mini?{asked}" if self.public_url.startswith("https://") else None


@dataclass(slots=True)
class Context:
    """One turn of one person. `community` is set when it happened in a connected group."""

    session: Session
    person: Account
    place: Place
    locale: str
    brand: Brand
    member: Member
    links: Links
    capabilities: frozenset[Capability]
    menu: Sequence[CommandSpec]
    argument: str = ""
    community: Community | None = None
    role: str | None = None
    """What the person is for the brand (`referral.staff.ROLES`), as of this turn."""
    partner_of: frozenset[UUID] = frozenset()
    """The partner communities of which the person is an admin: of these they may see the figures."""

    def may(self, act: str) -> bool:
        """Whether the person may do this for the brand (one of `referral.staff.ACTS`)."""
        return staff.may(self.role, act)

    @property
    def is_admin(self) -> bool:
        """Whether the person may run campaigns."""
        return self.may("campaign")

    @property
    def actor(self) -> str:
        """The person as the audit log names them."""
        return f"{self.person.platform}:{self.person.account}"

    @property
    def private(self) -> bool:
        """Whether only the person hears us here."""
        return self.place.group is None

    @property
    def now(self) -> datetime:
        return clock.now()

    def say(self, key: str, **params: Any) -> str:
        """The message `key` in the person's language; what people gave is cleaned and escaped."""
        return say(self.locale, key, **params)

    def campaign(self) -> Campaign | None:
        """The campaign the person means when they name none."""
        return current_campaign(self.session, self.brand.id)

    def title(self, campaign: Campaign) -> str:
        """The campaign's title in the person's language."""
        return i18n.pick(campaign.title, self.locale)

    def points(self, amount: int, asset: str = "PTS") -> Safe:
        """An amount in the person's language; an item by its own title."""
        return amount_words(self.session, self.brand.id, self.locale, amount, asset)

    def when(self, moment: datetime, campaign: Campaign | None = None, *, time: bool = True) -> Safe:
        """A moment in the time zone of the campaign's people."""
        zone = campaign.timezone if campaign else self.brand.timezone
        return Safe(escape(i18n.moment(self.locale, moment, zone, time=time)))

    def button(self, key: str, action: str, **params: Any) -> Button:
        """A button with a label from the catalogue."""
        return Button(i18n.text(self.locale, key, **params), action=action)

    def refusal(self, error: DaixinError) -> str:
        """Why something cannot be done, in the person's language."""
        key = f"error.{error.code}"
        known = key in i18n.catalogue(self.locale)
        return self.say(key, **error.params) if known else self.say("error.refused")

    def reply(self, key: str, *, buttons: Sequence[Sequence[Button]] = (), edit: bool = False, **params: Any) -> Reply:
        """A private answer; in a group where nobody can be answered privately, the brief word says where to go."""
        return Reply(
            self.say(key, **params),
            buttons=tuple(tuple(row) for row in buttons),
            private=True,
            brief=self.say("group.brief"),
            edit=edit,
        )


@dataclass(frozen=True, slots=True)
class Visit:
    """One turn of somebody of whom it is not yet known with which brand they have to do, as in a group that no
    brand has. `brand`: the one it would be, with the person's `role` for it. `runs`: the groups whose admin they
    are in the platform's own word; `untold`: those of which it does not tell. `operator`: the operator named them.
    `missing`: the rights the bot lacks in this group. `may_begin`: whether anybody may start a brand here."""

    session: Session
    person: Account
    place: Place
    locale: str
    argument: str
    brand: Brand | None
    role: str | None
    capabilities: frozenset[Capability]
    runs: frozenset[str] = frozenset()
    untold: frozenset[str] = frozenset()
    operator: bool = False
    missing: tuple[str, ...] = ()
    may_begin: bool = False

    @property
    def actor(self) -> str:
        """The person as the audit log names them."""
        return f"{self.person.platform}:{self.person.account}"

    def say(self, key: str, **params: Any) -> str:
        """The message `key` in the person's language."""
        return say(self.locale, key, **params)

    def button(self, key: str, action: str, **params: Any) -> Button:
        """A button with a label from the catalogue."""
        return Button(i18n.text(self.locale, key, **params), action=action)


@dataclass(frozen=True, slots=True)
class Command:
    """A command and who handles it: once it is known which brand is spoken to, or `at_door` before that."""

    spec: CommandSpec
    handle: Callable[[Context], Reply | Sequence[Reply]] | None = None
    at_door: Callable[[Visit], Reply] | None = None


def say(locale: str, key: str, **params: Any) -> str:
    """A message with everything but `Safe` texts and numbers escaped."""
    filled = {name: _fill(locale, name, value) for name, value in params.items()}
    return i18n.text(locale, key, **filled)


def _fill(locale: str, name: str, value: Any) -> Any:
    if isinstance(value, Safe) or name == "n":
        return value
    if isinstance(value, int):
        return i18n.number(locale, value)
    if isinstance(value, Money):
        return escape(value.format(locale))
    return escape(clean(str(value)))


def sentences(locale: str, *parts: str) -> Safe:
    """Sentences one after another; Chinese has no space between them."""
    return Safe(("" if locale == "zh_Hans" else " ").join(parts))


def amount_words(session: Session, brand_id: UUID, locale: str, amount: int, asset: str) -> Safe:
    """An amount as people of this locale write it; an item of the brand by its own title."""
    if asset.startswith(ITEM):
        return Safe(escape(f"{i18n.number(locale, amount)} × {item_title(session, brand_id, locale, asset)}"))
    return Safe(escape(Money(amount, asset).format(locale)))


def as_code(text: str) -> Safe:
    """Something to be copied letter by letter, whatever is in it."""
    fence = "``" if "`" in text else "`"
    pad = " " if "`" in text else ""
    return Safe(f"{fence}{pad}{clean(text, 200)}{pad}{fence}")


def item_title(session: Session, brand_id: UUID, locale: str, asset: str) -> str:
    """What the item behind `item:<slug>` is called; its slug if the brand has no such item."""
    slug = asset.removeprefix(ITEM)
    found = session.scalar(select(Item).where(col(Item.brand_id) == brand_id, col(Item.slug) == slug))
    return i18n.pick(found.title, locale) if found is not None else slug


def name_of(session: Session, brand_id: UUID, member_id: UUID, locale: str) -> str:
    """What to call a member; somebody who was forgotten has no name."""
    member = session.get(Member, (brand_id, member_id))
    return member.name if member and member.name else i18n.text(locale, "member.unnamed")
