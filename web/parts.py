"""What the web is given by whoever starts it, and how a community is entered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlmodel import Session
from starlette.routing import BaseRoute

from core.reader import Reader
from core.settings import Settings
from core.writer import Writer
from referral.brands import Community


@dataclass(frozen=True, slots=True)
class Entrance:
    """How a friend with a code enters one community.

    url: where its button leads (`https://…`, or a path of ours such as `/chat?code=…`); None where people find the
    group themselves. account: whom to add on the platform, as its people write it. qr: the text of a QR code to scan.
    carries_code: the way itself tells whose friend this is; otherwise the page asks the friend to send the code.
    opens_in_wechat: the button works inside WeChat's own browser, which opens few other apps.
    """

    platform: str
    title: str
    url: str | None = None
    account: str | None = None
    qr: str | None = None
    carries_code: bool = True
    opens_in_wechat: bool = False


@dataclass(frozen=True, slots=True)
class Bot:
    """Whom a group is to take in, as the platform calls it; `url` adds it there, where such a link exists."""

    platform: str
    name: str
    url: str | None = None


Entrances = Callable[[Session, list[Community], str, dict[UUID, str]], list[Entrance]]
"""(session, communities, code, the code's own platform invites by community) → how to enter each of them."""

Health = Callable[[], Mapping[str, Mapping[str, str]]]
"""What this process runs → {"state": starting | ready | degraded | down, "detail": for the operator}."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The demo: people one can be, `advance(days)` to move the clock with all its work, `invite(name)` → their code.

    people: (name, role); the role's words are `stage.role.<role>` in the catalogue. brand: whose board is shown, by
    slug; None where the installation has only one. admin: who runs it, as (brand, member), made if missing.
    """

    advance: Callable[[int], Awaitable[None]]
    invite: Callable[[str], Awaitable[str]]
    now: Callable[[], datetime]
    people: tuple[tuple[str, str], ...] = (("Alice", "advocate"), ("Bob", "friend"), ("Carol", "admin"))
    brand: str | None = None
    admin: Callable[[Session], tuple[UUID, UUID]] | None = None


@dataclass(frozen=True, slots=True)
class WebParts:
    """Everything the pages need. routes: the adapters' own, mounted as they are.

    stopping: whether the server is on its way down; open streams end then, or it would wait for them.
    bots: those that have been connected. telegram_token: of the bot that people open our Mini App with; without one
    there is none.
    """

    writer: Writer
    reader: Reader
    settings: Settings
    health: Health
    entrances: Entrances
    routes: Sequence[BaseRoute] = ()
    stage: Stage | None = None
    stopping: Callable[[], bool] = lambda: False
    bots: Callable[[Session], Sequence[Bot]] = lambda session: ()
    telegram_token: str = field(default="", repr=False)
