"""Who a visitor is: a random account and a name of their own, both in one signed cookie; no database."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace

from itsdangerous import BadSignature, URLSafeTimedSerializer

from bots.markup import clean
from bots.message import Address, Person, Place
from bots.webchat.decode import Refused
from bots.webchat.settings import WebChatSettings
from bots.webchat.words import WORDS

PLATFORM = "webchat"
COOKIE = "daixin_chat"
COOKIE_SECONDS = 400 * 24 * 3600
"""400 days: the longest a browser keeps a cookie (RFC 6265bis)."""

_GROUP = re.compile(r"[\w-]{1,64}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """One person in one place. `fresh`: has no cookie yet. `staged`: named by the query of a demo stage."""

    person: Person
    place: Place
    lang: str
    fresh: bool = False
    staged: bool = False

    @property
    def chat(self) -> str:
        return self.place.address.chat


def private(account: str) -> Place:
    return Place(Address(PLATFORM, account))


def room(group: str) -> Place:
    return Place(Address(PLATFORM, group), group=group, title=group)


def identify(
    settings: WebChatSettings, cookie: str | None, query: dict[str, str], lang: str, *, welcome: bool = False
) -> Visitor | None:
    """The visitor a request belongs to; without an identity that we gave out a new one if `welcome`, else None.

    An account always has a colon and a group never has, so nobody can listen to a person's chat as if it were a group.
    Raises `Refused` for `as` and `group` outside a stage.
    """
    if not settings.stage and ("as" in query or "group" in query):
        raise Refused("stage_only", 403)
    name = clean(query.get("as", ""), settings.max_name)
    known = Person(f"stage:{name}", name, locale=lang) if name else _from_cookie(settings, cookie, lang)
    person = known or (_newcomer(lang) if welcome else None)
    if person is None:
        return None
    group = query.get("group")
    if group and not _GROUP.fullmatch(group):
        raise Refused("not_found", 404)
    place = room(group) if group else private(person.account)
    return Visitor(person, place, lang, fresh=known is None, staged=bool(name))


def _newcomer(lang: str) -> Person:
    """A random account (128 bits) and a name like `Guest 4821`."""
    name = f"{WORDS[lang]['guest']} {secrets.randbelow(9000) + 1000}"
    return Person(f"v:{secrets.token_urlsafe(16)}", name, locale=lang)


def renamed(visitor: Visitor, name: object, limit: int) -> Visitor:
    """The same visitor under another name. Raises `Refused` if there is nothing left of it."""
    tidy = clean(name, limit) if isinstance(name, str) else ""
    if not tidy:
        raise Refused("name_needed", 422)
    return replace(visitor, person=replace(visitor.person, name=tidy))


def set_cookie(settings: WebChatSettings, person: Person) -> str:
    """The whole `Set-Cookie` value (written out because `Partitioned` is newer than Python's cookies)."""
    value = _serializer(settings).dumps([person.account, person.name])
    parts = [f"{COOKIE}={value}", "Path=/chat", f"Max-Age={COOKIE_SECONDS}", "HttpOnly"]
    if settings.cross_site_cookie:
        parts += ["SameSite=None", "Secure", "Partitioned"]
    else:
        parts += ["SameSite=Lax", *(["Secure"] if settings.public_url.startswith("https://") else [])]
    return "; ".join(parts)


def _from_cookie(settings: WebChatSettings, cookie: str | None, lang: str) -> Person | None:
    if not cookie:
        return None
    try:
        account, name = _serializer(settings).loads(cookie, max_age=COOKIE_SECONDS)
    except (BadSignature, ValueError, TypeError):
        return None
    return Person(str(account), str(name), locale=lang)


def _serializer(settings: WebChatSettings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.secret_key, salt="webchat visitor")
