"""Which campaign a person means where several run at once: the one named, else their own; the others are offered."""

from __future__ import annotations

from sqlalchemy import select, union_all

from bots.context import Context
from bots.markup import clean
from bots.message import Button
from core import i18n
from core.db import table
from referral.campaigns import Campaign, Enrollment, campaigns_of
from referral.referrals import Referral

OFFERED = 3
"""Other campaigns offered under an answer."""
LABEL_TITLE = 16
"""Characters of a campaign's title on a button."""


def named(ctx: Context) -> Campaign | None:
    """The campaign whose slug stands behind the command (a button puts it there)."""
    slug = ctx.argument.strip()
    return next((one for one in campaigns_of(ctx.session, ctx.brand.id) if one.slug == slug), None) if slug else None


def own(ctx: Context) -> Campaign | None:
    """The running campaign in which the person took a link or came through somebody last, else the one all mean."""
    c, e, r = table(Campaign), table(Enrollment), table(Referral)
    took = select(e.c.campaign_id, e.c.enrolled_at.label("at")).where(
        e.c.brand_id == ctx.brand.id, e.c.member_id == ctx.member.id
    )
    came = select(r.c.campaign_id, r.c.started_at.label("at")).where(
        r.c.brand_id == ctx.brand.id, r.c.friend_id == ctx.member.id
    )
    theirs = union_all(took, came).subquery()
    last = ctx.session.scalar(
        select(Campaign)
        .join(theirs, theirs.c.campaign_id == c.c.id)
        .where(c.c.brand_id == ctx.brand.id, c.c.state == "running")
        .order_by(theirs.c.at.desc())
        .limit(1)
    )
    return last or ctx.campaign()


def others(ctx: Context, command: str, shown: Campaign) -> tuple[tuple[Button, ...], ...]:
    """The brand's other running campaigns, a button each that asks the same of them."""
    running = [one for one in campaigns_of(ctx.session, ctx.brand.id, ("running",)) if one.id != shown.id]
    return tuple(
        (
            Button(
                i18n.text(ctx.locale, "button.other_campaign", title=clean(ctx.title(one), LABEL_TITLE)),
                action=f"do:{command} {one.slug}",
            ),
        )
        for one in running[:OFFERED]
    )
