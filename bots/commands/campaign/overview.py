"""The brand's campaigns at a glance, with what can be done to each."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlmodel import col

from bots.context import Context
from bots.markup import clean
from bots.message import Button, Reply
from core import i18n
from referral.campaigns import Campaign, campaigns_of
from referral.referrals import Referral
from rewards.ledger import Account, Purpose, balance

LISTED = 5
LABEL_TITLE = 16
"""Characters of a campaign's title on a button."""
CAN = {"running": ("pause", "end"), "paused": ("resume", "end"), "scheduled": ("end",)}
"""What a button offers to do with a campaign, by its state."""


def under_way(ctx: Context, found: Campaign) -> int:
    return int(
        ctx.session.scalar(
            select(func.count())
            .select_from(Referral)
            .where(
                col(Referral.brand_id) == ctx.brand.id,
                col(Referral.campaign_id) == found.id,
                col(Referral.state).in_(("started", "joined")),
            )
        )
        or 0
    )


def campaign_list(ctx: Context) -> Reply:
    found = campaigns_of(ctx.session, ctx.brand.id)[:LISTED]
    if not found:
        return ctx.reply("campaign.none_yet", buttons=((ctx.button("button.campaign_new", "do:campaign new"),),))
    lines = [_line(ctx, one) for one in found]
    open_ones = [one for one in found if one.state in CAN]
    buttons = [row for one in open_ones for row in buttons_of(ctx, one, named=len(open_ones) > 1)]
    buttons.append((ctx.button("button.campaign_new", "do:campaign new"),))
    text = ctx.say("campaign.heading", brand=ctx.brand.name) + "\n\n" + "\n\n".join(lines)
    return Reply(text, buttons=tuple(buttons), private=True, brief=ctx.say("group.brief"))


def _line(ctx: Context, one: Campaign) -> str:
    counts = dict(
        ctx.session.execute(
            select(col(Referral.state), func.count())
            .where(col(Referral.brand_id) == ctx.brand.id, col(Referral.campaign_id) == one.id)
            .group_by(col(Referral.state))
        ).all()
    )
    budget = Account(ctx.brand.id, one.id, Purpose.BUDGET, "PTS")
    return ctx.say(
        "campaign.line",
        title=ctx.title(one),
        state=ctx.say(f"campaign.state.{one.state}"),
        ends=ctx.when(one.ends_at, one),
        came=sum(counts.values()),
        qualified=counts.get("qualified", 0),
        left=ctx.points(balance(ctx.session, budget)),
    )


def buttons_of(ctx: Context, one: Campaign, *, named: bool = False) -> tuple[tuple[Button, ...], ...]:
    """What can be done with a campaign; `named` where buttons of several stand together."""
    title = f" · {clean(ctx.title(one), LABEL_TITLE)}" if named else ""
    row = tuple(
        Button(i18n.text(ctx.locale, f"button.{what}") + title, action=f"do:campaign {what} {one.slug}")
        for what in CAN.get(one.state, ())
    )
    return (row,) if row else ()
