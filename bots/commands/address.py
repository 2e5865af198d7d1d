"""Where a parcel goes: asked line by line in the country's own order, shown in full, changed until it is shipped.

What is said is kept sealed while we ask, and sealed with the parcel after.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from babel import Locale

from bots.context import Context
from bots.dialog import Dialog, Question, Talk, begin
from bots.message import Reply
from bots.questions import confirmed, plain
from core import i18n
from core.errors import BadInput, Refused
from rewards.items.addresses import ANYWHERE, SHAPES, Line, address_shape, check_line
from rewards.items.items import Item
from rewards.items.shipments import address_of, set_address, shipment_of
from rewards.payouts.payouts import Payout

OFFERED = 6
"""Countries offered as buttons at most."""


def address(ctx: Context, payout: Payout, *, change: bool = False) -> Reply:
    """Ask where to send a parcel, or show where it goes. Raises `Refused`: no_address_needed, shipped_already."""
    shipment = shipment_of(ctx.session, ctx.brand.id, payout.id)
    if shipment is None:
        raise Refused("no_address_needed")
    if shipment.state not in ("asked", "ready"):
        raise Refused("shipped_already")
    known = address_of(shipment)
    if known is not None and not change:
        button = ctx.button("button.address_change", f"do:shop address {payout.id.hex} new")
        text = ctx.say("address.now", item=_title(ctx, payout)) + "\n" + _in_full(ctx, known)
        return Reply(text, buttons=((button,),), private=True)
    allowed = _countries(ctx, payout)
    if len(allowed) == 1:
        return _ask_lines(ctx, payout.id.hex, allowed[0])
    return begin(ctx, COUNTRY, payout=payout.id.hex)


def _payout(ctx: Context, which: str) -> Payout:
    payout = ctx.session.get_one(Payout, (ctx.brand.id, UUID(hex=which)))
    assert payout.member_id == ctx.member.id
    return payout


def _title(ctx: Context, payout: Payout) -> str:
    return i18n.pick(ctx.session.get_one(Item, (ctx.brand.id, payout.item_id)).title, ctx.locale)


def _countries(ctx: Context, payout: Payout) -> list[str]:
    """Where this item is sent; empty for anywhere."""
    return list(ctx.session.get_one(Item, (ctx.brand.id, payout.item_id)).settings["countries"])


def _country_question(ctx: Context, talk: Talk) -> Reply:
    allowed = _countries(ctx, _payout(ctx, talk.facts["payout"]))
    rows = tuple((talk.button(_country_name(ctx.locale, code), code),) for code in allowed[:OFFERED])
    return Reply(ctx.say("address.country"), buttons=rows)


def _country_name(locale: str, code: str) -> str:
    return str(Locale.parse(locale).territories.get(code, code))


def read_country(text: str) -> str:
    """A country by its code or by its name in one of our languages. Raises `BadInput("country_unknown")`."""
    said = plain(text)
    for locale in i18n.LOCALES:
        for code, name in Locale.parse(locale).territories.items():
            if len(code) == 2 and code.isalpha() and said in (code.casefold(), str(name).casefold()):
                return str(code)
    raise BadInput("country_unknown", country=text.strip()[:40])


def _country_given(ctx: Context, given: dict[str, Any]) -> Reply:
    allowed = _countries(ctx, _payout(ctx, given["payout"]))
    if allowed and given["country"] not in allowed:
        raise Refused("not_sent_there", countries=", ".join(_country_name(ctx.locale, code) for code in allowed))
    return _ask_lines(ctx, given["payout"], given["country"])


def _ask_lines(ctx: Context, payout: str, country: str) -> Reply:
    shape = country if country in SHAPES else ""
    return begin(ctx, ADDRESSES[shape], payout=payout, country=country)


def _check(line: Line, text: str) -> str:
    try:
        return check_line(line, text)
    except BadInput:
        raise BadInput("address_again") from None


def _sure(ctx: Context, talk: Talk) -> Reply:
    given = {**talk.answers, "country": talk.facts["country"]}
    rows = (
        (talk.button(i18n.text(ctx.locale, "button.address_right"), "yes"),),
        (ctx.button("button.address_again", f"do:shop address {talk.facts['payout']} new"),),
    )
    return Reply(ctx.say("address.sure") + "\n" + _in_full(ctx, given), buttons=rows)


def _in_full(ctx: Context, given: Mapping[str, Any]) -> str:
    """The address as it stands on a parcel, line by line."""
    lines = [str(given[line.key]) for line in address_shape(given["country"]) if given.get(line.key)]
    lines.append(_country_name(ctx.locale, given["country"]))
    return "\n".join(ctx.say("address.line", line=line) for line in lines)


def _given(ctx: Context, given: dict[str, Any]) -> Reply:
    payout = _payout(ctx, given["payout"])
    lines = {line.key: given[line.key] for line in address_shape(given["country"])}
    set_address(ctx.session, payout, {**lines, "country": given["country"]})
    change = ctx.button("button.address_change", f"do:shop address {payout.id.hex}")
    return ctx.reply("address.kept", item=_title(ctx, payout), buttons=((change,),))


COUNTRY = Dialog(
    "address_country",
    None,
    (Question("country", "address.country", read_country, ask=_country_question),),
    _country_given,
)
ADDRESSES = {
    country: Dialog(
        f"address_{country.lower() or 'any'}",
        None,
        (
            *(
                Question(line.key, f"address.ask.{line.key}", partial(_check, line), optional=not line.required)
                for line in shape
            ),
            Question("sure", "address.sure", partial(confirmed, otherwise="address_not_confirmed"), ask=_sure),
        ),
        _given,
        sealed=True,
    )
    for country, shape in [*SHAPES.items(), ("", ANYWHERE)]
}
DIALOGS = (COUNTRY, *ADDRESSES.values())
