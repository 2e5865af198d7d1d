"""The bot comes into a group or is taken out of it: who may connect the group is told, and what the bot lacks there."""

from __future__ import annotations

import re
from collections.abc import Collection

from sqlmodel import Session

from bots.context import Safe, say
from bots.happenings import community_at
from bots.markup import clean, escape
from bots.message import BotPlaced, Button, Reply
from core import i18n
from referral import connecting
from referral.brands import Brand, community_of_group


def placed(
    session: Session, event: BotPlaced, operators: Collection[str], default_locale: str, *, checks: bool
) -> Reply | None:
    """What is said in the group, if anything. `checks`: the platform tells who its admins are."""
    platform, group = event.place.address.platform, event.place.group or ""
    account = event.by.account if event.by else None
    actor = f"{platform}:{account}" if account else platform
    before = community_of_group(session, platform, group)
    if not event.present:
        connecting.forget_waiting(session, platform, group)
        if before is not None:
            connecting.disconnect_group(session, before, actor, removed=True)
        return None
    locale = i18n.negotiate(event.by.locale, default_locale) if event.by else default_locale
    lacks = missing_words(locale, platform, event.missing)
    if before is not None:
        return Reply(lacks) if lacks else None
    title = clean(event.place.title)
    community = community_at(session, event.place, named=bool(operators))
    if community is not None:
        brand = session.get_one(Brand, community.brand_id)
        return Reply(joined(say(locale, "connect.done", brand=brand.name), lacks))
    if not connecting.wait_for_connection(session, platform, group, title, account) and not lacks:
        return None
    button = Button(i18n.text(locale, "button.connect"), action="do:connect")
    words = say(locale, "connect.hello" if checks else "connect.hello_code")
    return Reply(joined(words, lacks), buttons=((button,),) if checks else ())


def missing_words(locale: str, platform: str, missing: Collection[str]) -> str:
    """What the bot lacks in a group, and the steps by which it gets it; empty if it lacks nothing."""
    if not missing:
        return ""
    named = [
        say(locale, key) if (key := _key(platform, one)) in i18n.catalogue(locale) else escape(one) for one in missing
    ]
    steps = f"connect.steps.{platform}"
    lines = [say(locale, "connect.lacks"), *(f"- {name}" for name in named)]
    if steps in i18n.catalogue(locale):
        lines += ["", say(locale, steps)]
    return "\n".join(lines)


def _key(platform: str, right: str) -> str:
    """`right.discord.manage_server` for what Discord calls Manage Server (and we explain in brackets)."""
    return f"right.{platform}." + re.sub(r"[^a-z]+", "_", right.partition("(")[0].strip().lower()).strip("_")


def joined(*paragraphs: str) -> Safe:
    """Paragraphs, without those that are empty."""
    return Safe("\n\n".join(part for part in paragraphs if part))
