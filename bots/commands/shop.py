"""`/shop`: what points buy, bought with one confirmation, and everything one has had."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from bots.command import Argument, CommandSpec
from bots.commands.address import address
from bots.context import Command, Context
from bots.dialog import Dialog, Question, Talk, begin, end, talk_of
from bots.gains import gain
from bots.markup import clean, plain
from bots.message import Button, Reply
from bots.questions import confirmed
from bots.receipts import in_private
from core import i18n
from core.errors import NotFound, Refused
from rewards.items.items import Item, find_item
from rewards.items.kinds import PLATFORM_OF
from rewards.items.redeem import Offer, catalogue, redeem
from rewards.ledger import Account, Purpose, balance
from rewards.payouts.opening import asked_before
from rewards.payouts.payouts import Payout, payouts_of

POINTS = "PTS"
SURE = timedelta(minutes=30)
LISTED, LABEL = 12, 24
"""Things shown at most, and characters of a title on a button."""


def shop(ctx: Context) -> Reply:
    if not ctx.private:
        return _list(ctx) if not ctx.argument else in_private(ctx)
    try:
        match ctx.argument.split():
            case []:
                return _list(ctx)
            case ["mine"] | ["我的"]:
                return _mine(ctx)
            case ["item", slug]:
                return _item(ctx, slug)
            case ["get", slug]:
                return _ask(ctx, slug)
            case ["yes", token]:
                return _confirmed(ctx, token)
            case ["order", which]:
                return _order(ctx, which)
            case ["address", which]:
                return address(ctx, _own(ctx, which))
            case ["address", which, "new"]:
                return address(ctx, _own(ctx, which), change=True)
            case [slug]:
                return _item(ctx, slug)
    except Refused as error:
        return Reply(ctx.refusal(error), buttons=(_shelves(ctx),), private=True, brief=ctx.say("group.brief"))
    return _list(ctx)


def _shelves(ctx: Context) -> tuple[Button, ...]:
    return (ctx.button("button.shop_back", "do:shop"),)


def _points(ctx: Context) -> int:
    return balance(ctx.session, Account(ctx.brand.id, ctx.member.id, Purpose.PAYABLE, POINTS))


def _list(ctx: Context) -> Reply:
    offers = catalogue(ctx.session, ctx.brand.id, ctx.member.id)[:LISTED]
    have = _points(ctx)
    bought = bool(_bought(ctx))
    last = [ctx.button("button.mine", "do:shop mine")] if bought else []
    last.append(ctx.button("button.rewards", "do:rewards"))
    if not offers:
        return ctx.reply("shop.empty", buttons=(last,))
    lines = ["- " + _offer_line(ctx, offer, have) for offer in offers]
    text = ctx.say("shop.heading", brand=ctx.brand.name, have=ctx.points(max(have, 0))) + "\n\n" + "\n".join(lines)
    buttons = [
        (Button(clean(_title(ctx, offer.item), LABEL), action=f"do:shop item {offer.item.slug}"),) for offer in offers
    ]
    return Reply(text, buttons=(*buttons, tuple(last)), private=True, brief=ctx.say("group.brief"))


def _title(ctx: Context, item: Item) -> str:
    return i18n.pick(item.title, ctx.locale)


def _offer_line(ctx: Context, offer: Offer, have: int) -> str:
    line = ctx.say("shop.line", title=_title(ctx, offer.item), price=ctx.points(offer.price))
    if offer.refusal is None:
        return line if offer.left is None else f"{line} · " + ctx.say("shop.left", n=offer.left)
    missing = ctx.points(offer.price - max(have, 0))
    return f"{line} · " + ctx.say(f"shop.not.{offer.refusal}", missing=missing)


def _offer(ctx: Context, slug: str) -> Offer:
    """Raises `NotFound("item")`, `Refused("not_for_sale")`."""
    found = find_item(ctx.session, ctx.brand.id, slug)
    for offer in catalogue(ctx.session, ctx.brand.id, ctx.member.id):
        if offer.item.id == found.id:
            return offer
    raise Refused("not_for_sale", slug=slug)


def _item(ctx: Context, slug: str) -> Reply:
    try:
        offer = _offer(ctx, slug)
    except NotFound:
        return _list(ctx)
    item = offer.item
    lines = [ctx.say("shop.title", title=_title(ctx, item), price=ctx.points(offer.price))]
    if item.about:
        lines.append(ctx.say("shop.about", about=i18n.pick(item.about, ctx.locale)))
    if offer.left is not None and offer.left > 0:
        lines.append(ctx.say("shop.left_here", n=offer.left))
    if item.per_member is not None:
        lines.append(ctx.say("shop.limit", limit=item.per_member, mine=offer.mine))
    if offer.refusal is not None:
        lines.append(_why_not(ctx, offer))
        return Reply("\n".join(lines), buttons=(_shelves(ctx),), private=True)
    get = ctx.button("button.get", f"do:shop get {item.slug}", price=plain(ctx.points(offer.price)))
    return Reply("\n".join(lines), buttons=((get,), _shelves(ctx)), private=True)


def _why_not(ctx: Context, offer: Offer) -> str:
    item = offer.item
    facts = {
        "limit": item.per_member or 0,
        "price": offer.price,
        "have": max(_points(ctx), 0),
        "platform": PLATFORM_OF.get(item.kind, "").title(),
    }
    return ctx.say(f"error.{offer.refusal}", **facts)


def _ask(ctx: Context, slug: str) -> Reply:
    offer = _offer(ctx, slug)
    if offer.refusal is not None:
        return Reply(_why_not(ctx, offer), buttons=(_shelves(ctx),), private=True)
    return begin(ctx, CONFIRM, slug=slug, price=offer.price)


def _sure(ctx: Context, talk: Talk) -> Reply:
    item = find_item(ctx.session, ctx.brand.id, talk.facts["slug"])
    price = talk.facts["price"]
    text = ctx.say(
        "shop.sure", title=_title(ctx, item), price=ctx.points(price), after=ctx.points(max(_points(ctx) - price, 0))
    )
    yes = ctx.button("button.confirm", f"do:shop yes {talk.token}")
    no = talk.button(i18n.text(ctx.locale, "button.cancel"), "cancel")
    return Reply(text, buttons=((yes,), (no,)))


def _confirmed(ctx: Context, token: str) -> Reply:
    """The button was pressed: now, again, or too late. Raises what `redeem` refuses."""
    talk = talk_of(ctx, CONFIRM, token)
    if talk is None:
        before = asked_before(ctx.session, ctx.brand.id, f"redeem/{ctx.member.id}/{token}")
        if before is not None:
            return _receipt(ctx, before)
        return ctx.reply("shop.expired", buttons=(_shelves(ctx),))
    with ctx.session.begin_nested():
        end(ctx)
        return _buy(ctx, {**talk.facts, "token": token})


def _buy(ctx: Context, agreed: dict[str, Any]) -> Reply:
    slug = agreed["slug"]
    item = find_item(ctx.session, ctx.brand.id, slug)
    if item.price is not None and item.price != agreed["price"]:
        again = _ask(ctx, slug)
        return Reply(ctx.say("shop.changed") + "\n\n" + again.text, buttons=again.buttons, private=True)
    payout = redeem(ctx.session, ctx.brand.id, ctx.member.id, slug, agreed["token"])
    if item.kind == "physical":
        asked = address(ctx, payout)
        words = ctx.say("shop.parcel", title=_title(ctx, item))
        return Reply(words + "\n\n" + asked.text, buttons=asked.buttons, private=True)
    return _receipt(ctx, payout)


CONFIRM = Dialog("shop_confirm", None, (Question("sure", "shop.sure", confirmed, ask=_sure),), _buy, lasts=SURE)
DIALOGS = (CONFIRM,)


def _receipt(ctx: Context, payout: Payout) -> Reply:
    text, rows = gain(ctx.session, ctx.locale, payout)
    return Reply(text, buttons=(*rows, _shelves(ctx)), private=True, brief=ctx.say("group.brief"))


def _bought(ctx: Context) -> list[Payout]:
    found = payouts_of(ctx.session, ctx.brand.id, ctx.member.id, 100)
    return [payout for payout in found if payout.item_id is not None][:LISTED]


def _mine(ctx: Context) -> Reply:
    bought = _bought(ctx)
    if not bought:
        return ctx.reply("shop.nothing_yet", buttons=(_shelves(ctx),))
    rows = []
    for payout in bought:
        title = _title(ctx, ctx.session.get_one(Item, (ctx.brand.id, payout.item_id)))
        label = f"{plain(ctx.when(payout.created_at, time=False))} · {clean(title, LABEL)}"
        rows.append((Button(label, action=f"do:shop order {payout.id.hex}"),))
    return ctx.reply("shop.mine", buttons=(*rows, _shelves(ctx)))


def _own(ctx: Context, which: str) -> Payout:
    """A payout of this member. Raises `NotFound("payout")`."""
    try:
        payout = ctx.session.get(Payout, (ctx.brand.id, UUID(hex=which)))
    except ValueError:
        payout = None
    if payout is None or payout.member_id != ctx.member.id or payout.item_id is None:
        raise NotFound("payout")
    return payout


def _order(ctx: Context, which: str) -> Reply:
    return _receipt(ctx, _own(ctx, which))


SHOP = Command(
    CommandSpec(
        "shop",
        ("兑换", "商城", "积分兑换", "积分商城"),
        {"en": "Spend my points", "zh_Hans": "用积分兑换好物"},
        Argument("what", {"en": "mine, for what I had; or nothing", "zh_Hans": "我的，看已兑换的；或留空"}),
    ),
    shop,
)
