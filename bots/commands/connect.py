"""`/connect`: a group becomes a brand's own, or a partner's; the word of the platform or a one-time code lets it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from bots.adapter import Capability
from bots.command import Argument, CommandSpec
from bots.context import Command, Safe, Visit
from bots.markup import clean
from bots.message import Button, Reply
from bots.placing import joined, missing_words
from bots.state import Introduction, introductions
from core import clock, i18n
from core.errors import NotAllowed, NotFound
from referral import connecting, members, staff
from referral.brands import Brand, Community, communities_of, community_of_group, find_brand

WORDS = {"新建": "new", "断开": "off", "确定": "yes", "合作": "partner", "合作群": "partner", "连接码": "code"}
OFFERED = 5
"""Brands to choose from, at most, and groups that wait."""
LABEL = 24
"""Characters of a name on a button."""


def connect(visit: Visit) -> Reply:
    words = visit.argument.split()
    first = WORDS.get(words[0], words[0]) if words else ""
    if visit.place.group is None:
        return _in_private(visit, first)
    community = community_of_group(visit.session, visit.person.platform, visit.place.group)
    if first == "off":
        return _disconnect(visit, community, sure=bool(words[1:]) and WORDS.get(words[1], words[1]) == "yes")
    if words and staff.looks_like_code(visit.argument):
        return _by_code(visit, visit.argument)
    if community is not None:
        return _connected_already(visit, community)
    if visit.place.group not in visit.runs and not visit.operator:
        return _public(visit, "connect.not_admin" if _checks(visit) else "connect.code_needed")
    match first:
        case "":
            return _choose(visit)
        case "to":
            brand = find_brand(visit.session, words[1] if words[1:] else "")
            if brand.id not in {one.id for one in _mine(visit)}:
                raise NotFound("brand", slug=brand.slug)
            return _connect(visit, brand)
        case "new":
            return _begin(visit, " ".join(words[1:]))
    return _public(visit, "connect.how")


def _checks(visit: Visit) -> bool:
    """Whether the platform tells who runs this group."""
    return Capability.ADMIN_CHECK in visit.capabilities and visit.place.group not in visit.untold


def _public(visit: Visit, key: str, *buttons: Button, **params: object) -> Reply:
    return Reply(visit.say(key, **params), buttons=tuple((one,) for one in buttons))


def _private(visit: Visit, text: str, *buttons: Button) -> Reply:
    return Reply(text, buttons=tuple((one,) for one in buttons), private=True, brief=visit.say("group.brief"))


def _mine(visit: Visit) -> list[Brand]:
    """The brands that this person may connect a group to."""
    if visit.operator:
        return list(visit.session.scalars(select(Brand).order_by(col(Brand.created_at), col(Brand.id))))
    return connecting.brands_run_by(visit.session, visit.person.platform, visit.person.account, "connect")


def _choose(visit: Visit) -> Reply:
    brands, title = _mine(visit), clean(visit.place.title)
    begin = visit.may_begin or visit.operator
    if len(brands) == 1 and not visit.may_begin:
        return _connect(visit, brands[0])
    buttons = [
        visit.button("button.connect_to", f"do:connect to {brand.slug}", brand=clean(brand.name, LABEL))
        for brand in brands[:OFFERED]
    ]
    if begin:
        name = clean(title, LABEL) or visit.person.name
        buttons.append(visit.button("button.begin_brand", "do:connect new", brand=name))
    if not buttons:
        return _public(visit, "connect.ask_for_code")
    return _public(visit, "connect.choose" if brands else "connect.begin", *buttons)


def _connect(visit: Visit, brand: Brand, *, partner_admin: UUID | None = None) -> Reply:
    group = visit.place.group
    assert group is not None
    connecting.connect_group(
        visit.session,
        brand.id,
        visit.person.platform,
        group,
        clean(visit.place.title),
        visit.actor,
        partner_admin=partner_admin,
    )
    done = visit.say("connect.done_partner" if partner_admin else "connect.done", brand=brand.name)
    return Reply(joined(done, missing_words(visit.locale, visit.person.platform, visit.missing)))


def _begin(visit: Visit, name: str) -> Reply:
    if not (visit.may_begin or visit.operator):
        return _public(visit, "connect.ask_for_code")
    brand, _ = connecting.begin_brand(
        visit.session, clean(name or visit.place.title) or visit.person.name, visit.person
    )
    done = _connect(visit, brand)
    return Reply(joined(visit.say("connect.begun", brand=brand.name), done.text), buttons=done.buttons)


def _by_code(visit: Visit, code: str) -> Reply:
    """Who has the code was trusted by the brand; of a partner's group the platform must also call them an admin,
    where it can tell."""
    row = staff.use_code(visit.session, code, ("connect", "partner"))
    brand = visit.session.get_one(Brand, row.brand_id)
    if row.what == "connect":
        return _connect(visit, brand)
    if _checks(visit) and visit.place.group not in visit.runs:
        raise NotAllowed("group_admin")
    known = members.meet(visit.session, brand.id, [visit.person], [clock.now()], "message")[0]
    return _connect(visit, brand, partner_admin=known.member_id)


def _connected_already(visit: Visit, community: Community) -> Reply:
    brand = visit.session.get_one(Brand, community.brand_id)
    key = "connect.is_partner" if community.partner else "connect.is"
    text = joined(visit.say(key, brand=brand.name), missing_words(visit.locale, visit.person.platform, visit.missing))
    if not _may_disconnect(visit, community):
        return Reply(text)
    return Reply(text, buttons=((visit.button("button.disconnect", "do:connect off"),),))


def _may_disconnect(visit: Visit, community: Community) -> bool:
    """Whoever may connect groups of the brand; of a partner's group its own admins too."""
    own = community.partner and community.group_id in visit.runs
    return own or visit.operator or staff.may(visit.role, "connect")


def _disconnect(visit: Visit, community: Community | None, *, sure: bool) -> Reply:
    if community is None:
        return _public(visit, "connect.is_not")
    if not _may_disconnect(visit, community):
        return _public(visit, "connect.not_admin")
    brand = visit.session.get_one(Brand, community.brand_id)
    if not sure:
        return _public(
            visit, "connect.off_sure", visit.button("button.off_yes", "do:connect off yes"), brand=brand.name
        )
    connecting.disconnect_group(visit.session, community, visit.actor)
    return _public(visit, "connect.off", brand=brand.name)


def _in_private(visit: Visit, first: str) -> Reply:
    waiting = connecting.waiting_groups(visit.session, visit.person.platform, visit.person.account)[:OFFERED]
    hints = [visit.say("connect.waiting", group=one.title or one.group_id) for one in waiting]
    brand = visit.brand
    if brand is None or not staff.may(visit.role, "connect"):
        return _private(visit, joined(*hints, visit.say("connect.where"), _whom(visit)), *_adding(visit))
    if first in ("code", "partner"):
        return _code(visit, brand, "partner" if first == "partner" else "connect")
    lines = [_line(visit, one) for one in communities_of(visit.session, brand.id) if not one.open]
    heading = visit.say("connect.groups" if lines else "connect.no_groups", brand=brand.name)
    return _private(
        visit,
        joined(heading, "\n".join(lines), *hints, _whom(visit)),
        visit.button("button.connect_code", "do:connect code"),
        visit.button("button.partner_code", "do:connect partner"),
        *_adding(visit),
    )


def _bots(visit: Visit) -> list[Introduction]:
    """Whom a group takes in: the one that is spoken to, or all of them where nobody is met in a group."""
    known = introductions(visit.session)
    return [one for one in known if one.platform == visit.person.platform] or known


def _whom(visit: Visit) -> str:
    """What they are called; nothing where no bot has been connected yet."""
    return "\n".join(
        visit.say("connect.bot", platform=visit.say(f"platform.{one.platform}"), name=one.name) for one in _bots(visit)
    )


def _adding(visit: Visit) -> list[Button]:
    """The links that add them to a group, where the platform has such links."""
    return [
        Button(i18n.text(visit.locale, "button.add_bot", name=clean(one.name, LABEL)), url=one.url)
        for one in _bots(visit)
        if one.url
    ]


def _line(visit: Visit, community: Community) -> str:
    key = "connect.line_partner" if community.partner else "connect.line"
    platform = visit.say(f"platform.{community.platform}")
    return visit.say(key, group=community.title or community.group_id, platform=platform)


def _code(visit: Visit, brand: Brand, what: str) -> Reply:
    code = staff.new_code(visit.session, brand.id, what, visit.actor)
    word = f"连接 {code}" if visit.locale == "zh_Hans" else f"/connect {code}"
    text = visit.say(f"connect.code.{what}", brand=brand.name, word=Safe(word), minutes=staff.CODE_MINUTES)
    return _private(
        visit, joined(text, _whom(visit)), Button(visit.say("button.copy_plain"), copy=word), *_adding(visit)
    )


CONNECT = Command(
    CommandSpec(
        "connect",
        ("连接", "接入"),
        {"en": "Connect a group (admins)", "zh_Hans": "把群接到品牌（管理员）"},
        Argument("what", {"en": "a one-time code, or nothing", "zh_Hans": "连接码，或留空"}),
        admin=True,
        act="connect",
    ),
    at_door=connect,
)
