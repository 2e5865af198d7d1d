"""`/withdraw`: how much, to whom, what arrives; confirmed once, and paid once however often it is pressed.

Amounts, payees and confirmations are talked about in private only. The confirmation has a key of its own: it is what
makes the payout, so a second press finds the first one's payout.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlmodel import Session

from bots.amounts import read_amount
from bots.command import CommandSpec
from bots.context import Command, Context, Safe
from bots.dialog import Dialog, Question, Talk, begin, end, talk_of
from bots.message import Button, Reply
from bots.questions import confirmed
from bots.receipts import in_private, progress, short_reference, takes
from core import i18n
from core.errors import BadInput, Refused
from core.money import Money
from rewards.overview import purses_of
from rewards.payouts import payees
from rewards.payouts.opening import asked_before
from rewards.payouts.payouts import Payout, payouts_of
from rewards.payouts.settling import cancel_payout
from rewards.payouts.withdrawals import Offer, withdraw, withdrawable

SURE = timedelta(minutes=30)
"""How long a confirmation may be given."""
LISTED = 5


def withdrawing(ctx: Context) -> Reply:
    if not ctx.private:
        return in_private(ctx)
    match ctx.argument.split():
        case ["list"]:
            return _history(ctx)
        case ["off", which]:
            return _call_off(ctx, which)
        case ["yes", token]:
            return _confirmed(ctx, token)
        case ["payee", provider] if payees.SHAPES.get(provider):
            return _ask_payee(ctx, provider)
        case ["payee", provider, asset, amount] if payees.SHAPES.get(provider) and amount.isdecimal():
            return _ask_payee(ctx, provider, asset=asset, amount=int(amount))
        case [provider, asset]:
            return _ask_amount(ctx, provider, asset)
        case [provider, asset, "all"]:
            offer = _offer(ctx, provider, asset)
            return _review(ctx, provider, asset, offer.most) if offer and offer.most else _nothing(ctx)
    return _choose(ctx)


def _offers(ctx: Context) -> list[Offer]:
    return withdrawable(ctx.session, ctx.brand.id, ctx.member.id)


def _offer(ctx: Context, provider: str, asset: str) -> Offer | None:
    return next((one for one in _offers(ctx) if (one.provider, one.asset) == (provider, asset)), None)


def _choose(ctx: Context) -> Reply:
    """Which money by which way; without a question where there is one only."""
    offers = _offers(ctx)
    ready = [offer for offer in offers if offer.most]
    if len(ready) == 1:
        return _ask_amount(ctx, ready[0].provider, ready[0].asset)
    if not ready:
        return _too_little(ctx, offers[0]) if offers else _nothing(ctx)
    buttons = [
        (
            ctx.button(
                "button.withdraw_by",
                f"do:withdraw {offer.provider} {offer.asset}",
                amount=Money(offer.available, offer.asset),
                way=i18n.text(ctx.locale, f"withdraw.way.{offer.provider}"),
            ),
        )
        for offer in ready
    ]
    return ctx.reply("withdraw.which", buttons=[*buttons, *_list_button(ctx)])


def _nothing(ctx: Context) -> Reply:
    """Why nothing can be taken out: a debt, a hold, or only points."""
    found = purses_of(ctx.session, ctx.brand.id, ctx.member.id)
    purses = [purse for purse in found if not purse.asset.startswith("item:")]
    rows = (*_list_button(ctx), (ctx.button("button.rewards", "do:rewards"),))
    for purse in purses:
        if purse.payable < 0:
            return ctx.reply("withdraw.debt", owed=ctx.points(-purse.payable, purse.asset), buttons=rows)
    for purse in purses:
        if purse.asset != "PTS" and purse.held and purse.next_release:
            when = ctx.when(purse.next_release)
            return ctx.reply("withdraw.on_hold", amount=ctx.points(purse.held, purse.asset), when=when, buttons=rows)
    if any(purse.asset == "PTS" and purse.payable > 0 for purse in purses):
        shop = (ctx.button("button.shop", "do:shop"),)
        return ctx.reply("withdraw.points_only", buttons=(shop, *rows))
    return ctx.reply("withdraw.nothing", buttons=rows)


def _too_little(ctx: Context, offer: Offer) -> Reply:
    amount = ctx.points(offer.available, offer.asset)
    rows = (*_list_button(ctx), (ctx.button("button.rewards", "do:rewards"),))
    if offer.day_left is not None and offer.available >= offer.minimum:
        return ctx.reply("withdraw.day_over", amount=amount, buttons=rows)
    least = ctx.points(offer.minimum, offer.asset)
    return ctx.reply("withdraw.too_little", amount=amount, minimum=least, buttons=rows)


def _list_button(ctx: Context) -> tuple[tuple[Button, ...], ...]:
    if not _withdrawals(ctx.session, ctx.brand.id, ctx.member.id):
        return ()
    return ((ctx.button("button.withdrawals", "do:withdraw list"),),)


def _withdrawals(session: Session, brand_id: UUID, member_id: UUID) -> list[Payout]:
    return [one for one in payouts_of(session, brand_id, member_id, 50) if one.item_id is None][:LISTED]


def _history(ctx: Context) -> Reply:
    found = _withdrawals(ctx.session, ctx.brand.id, ctx.member.id)
    if not found:
        return _nothing(ctx)
    lines = ["- " + progress(ctx, payout) for payout in found]
    text = ctx.say("withdraw.list") + "\n" + "\n".join(lines)
    rows = [
        (ctx.button("button.call_off", f"do:withdraw off {one.id.hex}", amount=Money(one.amount + one.fee, one.asset)),)
        for one in found
        if one.state == "pending"
    ]
    return Reply(text, buttons=(*rows, (ctx.button("button.rewards", "do:rewards"),)), private=True)


def _call_off(ctx: Context, which: str) -> Reply:
    """Take back what nobody has sent yet."""
    mine = [one for one in _withdrawals(ctx.session, ctx.brand.id, ctx.member.id) if one.id.hex == which]
    if not mine:
        return ctx.reply("error.button_old")
    try:
        cancel_payout(ctx.session, ctx.brand.id, mine[0].id, f"{ctx.person.platform}:{ctx.person.account}")
    except Refused as error:
        return _before(ctx.refusal(error), _history(ctx))
    return _history(ctx)


def _ask_amount(ctx: Context, provider: str, asset: str) -> Reply:
    offer = _offer(ctx, provider, asset)
    if offer is None:
        return _choose(ctx)
    if not offer.most:
        return _too_little(ctx, offer)
    return begin(ctx, AMOUNT, provider=provider, asset=asset)


def _amount_question(ctx: Context, talk: Talk) -> Reply:
    offer = _offer(ctx, talk.facts["provider"], talk.facts["asset"])
    if offer is None:  # while we asked, it was taken back
        return Reply(ctx.say("withdraw.nothing"))
    key = "withdraw.amount" if not (offer.terms.fee or offer.terms.fee_basis_points) else "withdraw.amount_fee"
    text = ctx.say(
        key,
        most=ctx.points(offer.most, offer.asset),
        minimum=ctx.points(offer.minimum, offer.asset),
        way=i18n.text(ctx.locale, f"withdraw.way.{offer.provider}"),
        fee=_fee_words(ctx, offer),
    )
    label = i18n.text(ctx.locale, "button.withdraw_all", amount=Money(offer.most, offer.asset))
    return Reply(text, buttons=((Button(label, action=f"do:withdraw {offer.provider} {offer.asset} all"),),))


def _fee_words(ctx: Context, offer: Offer) -> Safe:
    """The fee as its terms have it: so much, a share, or both."""
    parts = []
    if offer.terms.fee:
        parts.append(str(ctx.points(offer.terms.fee, offer.asset)))
    if offer.terms.fee_basis_points:
        whole, rest = divmod(offer.terms.fee_basis_points, 100)
        parts.append(f"{whole}" + (f"\\.{rest:02}".rstrip("0") if rest else "") + "%")
    return Safe(" + ".join(parts))


def _amount_given(ctx: Context, given: dict[str, Any]) -> Reply:
    offer = _offer(ctx, given["provider"], given["asset"])
    if offer is None:
        return _choose(ctx)
    return _review(ctx, offer.provider, offer.asset, read_amount(given["amount"], offer.asset, offer.most))


def _said(text: str) -> str:
    """Something was said; what it means needs to know the asset."""
    if not unicodedata.normalize("NFKC", text).strip():
        raise BadInput("amount_unreadable", amount="")
    return text


AMOUNT = Dialog(
    "withdraw_amount", None, (Question("amount", "withdraw.amount", _said, ask=_amount_question),), _amount_given
)


def _review(ctx: Context, provider: str, asset: str, amount: int) -> Reply:
    """Everything in full before it is asked to confirm. Raises `Refused`: above_available, below_minimum, day_limit."""
    offer = _offer(ctx, provider, asset)
    available = offer.available if offer else 0
    if offer is None or amount > available:
        raise Refused("above_available", available=Money(available, asset))
    if amount < offer.minimum:
        raise Refused("below_minimum", minimum=Money(offer.minimum, asset))
    if offer.day_left is not None and amount > offer.day_left:
        raise Refused("day_limit", left=Money(offer.day_left, asset))
    fee = offer.fee_of(amount)
    payee = payees.payee_of(ctx.session, ctx.brand.id, ctx.member.id, provider)
    if payees.SHAPES[provider]:
        if payee is None:
            return _ask_payee(ctx, provider, asset=asset, amount=amount)
        if amount - fee >= payees.NAMED_FROM.get(provider, amount + 1) and "name" not in payees.details_of(payee):
            asked = _ask_payee(ctx, provider, asset=asset, amount=amount)
            return _before(ctx.say("error.payee_name_missing"), asked)
    facts = {"provider": provider, "asset": asset, "amount": amount, "fee": fee}
    return begin(ctx, CONFIRM, **facts, payee=str(payee.id) if payee else "")


def _sure(ctx: Context, talk: Talk) -> Reply:
    facts = talk.facts
    provider, asset, amount, fee = facts["provider"], facts["asset"], facts["amount"], facts["fee"]
    payee = payees.payee_of(ctx.session, ctx.brand.id, ctx.member.id, provider) if facts["payee"] else None
    lines = [
        ctx.say("withdraw.sure", amount=ctx.points(amount, asset)),
        ctx.say("withdraw.sure.fee", fee=ctx.points(fee, asset)) if fee else "",
        ctx.say("withdraw.sure.arrives", amount=ctx.points(amount - fee, asset)),
        ctx.say("withdraw.sure.to", way=i18n.text(ctx.locale, f"withdraw.way.{provider}"), payee=payee.masked)
        if payee
        else ctx.say("withdraw.sure.by", way=i18n.text(ctx.locale, f"withdraw.way.{provider}")),
        takes(ctx.locale, provider, ctx.brand.name),
    ]
    rows: list[tuple[Button, ...]] = [(ctx.button("button.confirm", f"do:withdraw yes {talk.token}"),)]
    if payee:
        rows.append((ctx.button("button.payee", f"do:withdraw payee {provider} {asset} {amount}"),))
    rows.append((talk.button(i18n.text(ctx.locale, "button.cancel"), "cancel"),))
    return Reply("\n".join(filter(None, lines)), buttons=tuple(rows))


def _confirmed(ctx: Context, token: str) -> Reply:
    """The button was pressed: now, again, or too late."""
    talk = talk_of(ctx, CONFIRM, token)
    if talk is None:
        before = asked_before(ctx.session, ctx.brand.id, f"withdraw/{ctx.member.id}/{token}")
        if before is not None:
            text = ctx.say("withdraw.already") + "\n- " + progress(ctx, before)
            return Reply(text, buttons=_list_button(ctx), private=True)
        return ctx.reply("withdraw.expired", buttons=((ctx.button("button.withdraw", "do:withdraw"),),))
    try:
        with ctx.session.begin_nested():
            end(ctx)
            return _pay(ctx, {**talk.facts, "token": token})
    except Refused as error:
        end(ctx)
        again = (ctx.button("button.withdraw", "do:withdraw"), ctx.button("button.rewards", "do:rewards"))
        return Reply(ctx.refusal(error), buttons=(again,), private=True)


def _pay(ctx: Context, agreed: dict[str, Any]) -> Reply:
    """What was agreed is asked for; what changed since is shown once more instead."""
    provider, asset, amount = agreed["provider"], agreed["asset"], agreed["amount"]
    offer = _offer(ctx, provider, asset)
    payee = payees.payee_of(ctx.session, ctx.brand.id, ctx.member.id, provider)
    changed = agreed["payee"] != (str(payee.id) if payee else "")
    if changed or (offer is not None and offer.fee_of(amount) != agreed["fee"]):
        return _before(ctx.say("withdraw.changed"), _review(ctx, provider, asset, amount))
    payout = withdraw(ctx.session, ctx.brand.id, ctx.member.id, provider, asset, amount, agreed["token"])
    return ctx.reply(
        "withdraw.asked" if payout.approved else "withdraw.asked_approval",
        amount=ctx.points(payout.amount, payout.asset),
        to=payee.masked if payee else i18n.text(ctx.locale, f"withdraw.way.{provider}"),
        takes=Safe(takes(ctx.locale, provider, ctx.brand.name)),
        reference=Safe(short_reference(payout)),
        brand=ctx.brand.name,
        buttons=_list_button(ctx),
    )


def _before(words: str, reply: Reply) -> Reply:
    return replace(reply, text=f"{words}\n\n{reply.text}")


CONFIRM = Dialog("withdraw_confirm", None, (Question("sure", "withdraw.sure", confirmed, ask=_sure),), _pay, lasts=SURE)


def _ask_payee(ctx: Context, provider: str, **goes_on: Any) -> Reply:
    """Ask where the money should go; `goes_on`: the withdrawal that is in hand."""
    return begin(ctx, PAYEES[provider], provider=provider, **goes_on)


def _payee_given(ctx: Context, given: dict[str, Any]) -> Reply:
    provider = given["provider"]
    details = {detail.name: given[detail.name] for detail in payees.SHAPES[provider] if given[detail.name]}
    payee = payees.set_payee(ctx.session, ctx.brand.id, ctx.member.id, provider, details)
    kept = ctx.say("payee.kept", payee=payee.masked, way=i18n.text(ctx.locale, f"withdraw.way.{provider}"))
    if "amount" in given:
        return _before(kept, _review(ctx, provider, given["asset"], given["amount"]))
    return Reply(kept, buttons=((ctx.button("button.withdraw", "do:withdraw"),),), private=True)


def _check_detail(provider: str, name: str, text: str) -> str:
    """One detail, judged among others that are surely right. Raises `BadInput("payee_wrong_detail")`."""
    optional = any(detail.name == name and not detail.required for detail in payees.SHAPES[provider])
    if not text.strip() and not optional:
        raise BadInput("payee_wrong_detail", detail=name)
    payees.checked(provider, {**RIGHT[provider], name: text})
    return text


RIGHT = {
    "manual": {"name": "A", "account": "1"},
    "wechatpay": {"openid": "o" * 28},
    "paypal": {"email": "a@example.com"},
}
PAYEES = {
    provider: Dialog(
        f"payee_{provider}",
        None,
        tuple(
            Question(
                detail.name,
                f"payee.{provider}.{detail.name}",
                partial(_check_detail, provider, detail.name),
                optional=not detail.required,
            )
            for detail in payees.SHAPES[provider]
        ),
        _payee_given,
        sealed=True,
    )
    for provider in RIGHT
}
DIALOGS = (AMOUNT, CONFIRM, *PAYEES.values())
WITHDRAW = Command(
    CommandSpec(
        "withdraw",
        ("提现", "取钱"),
        {"en": "Have what I earned paid out", "zh_Hans": "把可提现的奖励打到我的账户"},
    ),
    withdrawing,
)
