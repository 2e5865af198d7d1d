"""`/staff`: who runs the brand. A role is given by a one-time code, so that nobody gets one by a likeness of names."""

from __future__ import annotations

from uuid import UUID

from bots.command import Argument, CommandSpec
from bots.context import Command, Safe, Visit, name_of
from bots.message import Button, Reply
from core import clock
from core.errors import NotAllowed, NotFound
from referral import members, staff
from referral.brands import Brand
from referral.members import Member
from referral.staff import Staff

WORDS = {"所有者": "owner", "运营": "manager", "审核员": "reviewer", "移除": "take", "确定": "yes"}


def team(visit: Visit) -> Reply:
    words = [WORDS.get(word, word) for word in visit.argument.split()]
    if visit.place.group is not None:
        return Reply(visit.say("staff.in_private"), private=True, brief=visit.say("group.brief"))
    if words and staff.looks_like_code(visit.argument):
        return _accept(visit)
    brand = visit.brand
    if brand is None or visit.role is None:
        return _reply(visit, visit.say("staff.none_of_yours"))
    match words:
        case []:
            return _list(visit, brand)
        case ["owner" | "manager" | "reviewer" as role]:
            return _code(visit, brand, role)
        case ["take", member]:
            return _sure(visit, brand, member)
        case ["take", member, "yes"]:
            return _take(visit, brand, member)
    return _reply(visit, visit.say("staff.how"))


def _reply(visit: Visit, text: str, *rows: tuple[Button, ...]) -> Reply:
    return Reply(text, buttons=rows, private=True)


def _role(visit: Visit, role: str) -> str:
    return visit.say(f"staff.role.{role}")


def _list(visit: Visit, brand: Brand) -> Reply:
    people = staff.staff_of(visit.session, brand.id)
    lines = [
        visit.say("staff.line", name=name_of(visit.session, brand.id, one.member_id, visit.locale), role=role)
        for one in people
        if (role := _role(visit, one.role))
    ]
    assert visit.role is not None
    yours = visit.say("staff.yours", role=_role(visit, visit.role))
    parts = [visit.say("staff.heading", brand=brand.name), "\n".join(lines) or visit.say("staff.nobody"), yours]
    if not staff.may(visit.role, "staff"):
        return _reply(visit, "\n\n".join(parts))
    rows = [tuple(visit.button(f"button.code.{role}", f"do:staff {role}") for role in staff.ROLES)]
    rows += [(_take_button(visit, brand, one),) for one in people]
    return _reply(visit, "\n\n".join([*parts, visit.say("staff.admins_too")]), *rows)


def _take_button(visit: Visit, brand: Brand, one: Staff) -> Button:
    name = name_of(visit.session, brand.id, one.member_id, visit.locale)
    return visit.button("button.staff_take", f"do:staff take {one.member_id.hex}", name=name[:24])


def _for_owners(visit: Visit) -> None:
    if not staff.may(visit.role, "staff"):
        raise NotAllowed("staff_owners_only")


def _code(visit: Visit, brand: Brand, role: str) -> Reply:
    _for_owners(visit)
    code = staff.new_code(visit.session, brand.id, role, visit.actor)
    word = f"团队 {code}" if visit.locale == "zh_Hans" else f"/staff {code}"
    may = visit.say(f"staff.may.{role}")
    text = visit.say(
        "staff.code", brand=brand.name, role=_role(visit, role), may=may, word=Safe(word), minutes=staff.CODE_MINUTES
    )
    return _reply(visit, text, (Button(visit.say("button.copy_plain"), copy=word),))


def _accept(visit: Visit) -> Reply:
    row = staff.use_code(visit.session, visit.argument, staff.ROLES)
    brand = visit.session.get_one(Brand, row.brand_id)
    met = members.meet(visit.session, brand.id, [visit.person], [clock.now()], "message")[0]
    members.heard(visit.session, brand.id, visit.person, clock.now())
    held = staff.role_of(visit.session, brand.id, met.member_id)
    if held is not None and staff.higher(held, row.what) == held:
        # Raised, so that the code is not used up.
        raise NotAllowed("staff_already", brand=brand.name, role=_role(visit, held))
    staff.give(visit.session, brand.id, met.member_id, row.what, row.made_by)
    may = visit.say(f"staff.may.{row.what}")
    return _reply(visit, visit.say("staff.welcome", brand=brand.name, role=_role(visit, row.what), may=may))


def _found(visit: Visit, brand: Brand, member: str) -> Staff:
    try:
        wanted = UUID(member)
    except ValueError:
        raise NotFound("staff") from None
    found = next((one for one in staff.staff_of(visit.session, brand.id) if one.member_id == wanted), None)
    if found is None:
        raise NotFound("staff")
    return found


def _sure(visit: Visit, brand: Brand, member: str) -> Reply:
    _for_owners(visit)
    found = _found(visit, brand, member)
    person = visit.session.get_one(Member, (brand.id, found.member_id))
    button = visit.button("button.staff_take_yes", f"do:staff take {found.member_id.hex} yes")
    return _reply(visit, visit.say("staff.sure", name=person.name, role=_role(visit, found.role)), (button,))


def _take(visit: Visit, brand: Brand, member: str) -> Reply:
    _for_owners(visit)
    found = _found(visit, brand, member)
    name = name_of(visit.session, brand.id, found.member_id, visit.locale)
    staff.take(visit.session, brand.id, found.member_id, visit.actor)
    return _reply(visit, visit.say("staff.taken", name=name, brand=brand.name))


STAFF = Command(
    CommandSpec(
        "staff",
        ("团队",),
        {"en": "Who runs the brand (admins)", "zh_Hans": "谁在管理品牌（管理员）"},
        Argument("what", {"en": "a one-time code, or nothing for the list", "zh_Hans": "授权码，或留空看名单"}),
        admin=True,
        act="review",
    ),
    at_door=team,
)
