"""What is said of a payout, asked for or told unasked: how far it is, what arrived, why it did not."""

from __future__ import annotations

from sqlmodel import Session

from bots.context import Context, Safe, amount_words, say
from bots.markup import escape
from bots.message import Reply
from core import i18n
from referral.brands import Brand
from rewards.payouts.payouts import Payee, Payout

CONFIRM_IN_WECHAT = "confirm_in_wechat"


def in_private(ctx: Context) -> Reply:
    """Money, codes and addresses are no talk for a group."""
    return ctx.reply("group.brief")


def takes(locale: str, provider: str, brand: str) -> str:
    """How long a way of being paid takes, and what the person has to do."""
    return say(locale, f"withdraw.takes.{provider}", brand=brand)


def short_reference(payout: Payout) -> str:
    """What a person can quote: the last digits of the payout's reference."""
    return f"P-{payout.reference[-8:].upper()}"


def masked(session: Session, payout: Payout) -> str:
    """Where a payout goes, masked; nothing where it goes to the member's own account."""
    payee = session.get(Payee, (payout.brand_id, payout.payee_id)) if payout.payee_id else None
    return payee.masked if payee is not None else ""


def failure(locale: str, payout: Payout) -> Safe:
    """Why it was not paid: our words for our codes, a person's own for a bank's."""
    key = f"payout.reason.{payout.reason}"
    if key in i18n.catalogue(locale):
        return Safe(say(locale, key))
    if payout.provider == "manual" and payout.reason:
        return Safe(escape(payout.reason))
    return Safe(say(locale, "payout.reason.other"))


def progress(ctx: Context, payout: Payout) -> str:
    """A withdrawal in a line."""
    zone = brand_zone(ctx.session, payout)
    return ctx.say(
        "withdraw.line",
        when=Safe(escape(i18n.moment(ctx.locale, payout.created_at, zone, time=False))),
        amount=amount_words(ctx.session, payout.brand_id, ctx.locale, payout.amount, payout.asset),
        to=f"{i18n.text(ctx.locale, f'withdraw.way.{payout.provider}')} {masked(ctx.session, payout)}".strip(),
        state=Safe(_state(ctx, payout, zone)),
        reference=Safe(short_reference(payout)),
    )


def _state(ctx: Context, payout: Payout, zone: str) -> str:
    key = f"withdraw.state.{payout.state}"
    if payout.state == "pending" and not payout.approved:
        key += ".approval"
    if payout.state == "processing" and payout.reason == CONFIRM_IN_WECHAT:
        key += ".confirm"
    settled = Safe(escape(i18n.moment(ctx.locale, payout.settled_at, zone))) if payout.settled_at else ""
    return ctx.say(key, settled=settled, reason=failure(ctx.locale, payout), brand=ctx.brand.name)


def brand_zone(session: Session, payout: Payout) -> str:
    """The time zone in which the payout's moments are told."""
    brand = session.get(Brand, payout.brand_id)
    return brand.timezone if brand is not None else "UTC"
