"""The brand's campaigns at a glance, and each with its figures as they are now and what can be done to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select
from sqlmodel import col

from bots.contest_board import first_places
from bots.context import Context, Safe
from bots.markup import clean
from bots.message import Button, Reply
from core import i18n
from core.db import table
from core.money import ITEM
from referral.brands import Community
from referral.campaigns import Campaign, CampaignVersion, campaigns_of, runs_in
from referral.members import Membership
from referral.referrals import Referral
from referral.touches import Touch
from referral.trials.funnel import funnel
from rewards.ledger import Account, Purpose, balance, funded
from rewards.plans import plan_of

LISTED = 8
LABEL_TITLE = 24
"""Characters of a campaign's title on a button."""
TOP = 3
"""Places of a contest that are shown."""
CAN: dict[str, Sequence[Sequence[str]]] = {
    "running": (("pause", "end"), ("extend", "budget"), ("edit", "duplicate", "export")),
    "paused": (("resume", "end"), ("extend", "budget"), ("edit", "duplicate", "export")),
    "scheduled": (("end",), ("extend", "budget"), ("edit", "duplicate", "export")),
    "ended": (("duplicate", "export"),),
    "settled": (("duplicate", "export"),),
}
"""What buttons offer to do with a campaign, by its state, row by row."""
LABELS = {"export": "button.export_file"}
FUNNEL = ("applied", "approved", "taken", "delivered", "reviewed", "purchased")
"""The steps of a trial, in their order."""


def under_way(ctx: Context, found: Campaign) -> int:
    """How many friends are on their way, who no longer count once the campaign has ended."""
    counts = _counts(ctx, found)
    return counts.get("started", 0) + counts.get("joined", 0)


def campaign_list(ctx: Context) -> Reply:
    found = campaigns_of(ctx.session, ctx.brand.id)[:LISTED]
    new = (ctx.button("button.campaign_new", "do:campaign new"),)
    if not found:
        return ctx.reply("campaign.none_yet", buttons=(new,))
    lines = [_line(ctx, one) for one in found]
    buttons = [(Button(_label(ctx, one), action=f"do:campaign show {one.slug}"),) for one in found]
    text = ctx.say("campaign.heading", brand=ctx.brand.name) + "\n\n" + "\n\n".join(lines)
    return Reply(text, buttons=(*buttons, new), private=True, brief=ctx.say("group.brief"))


def _label(ctx: Context, one: Campaign) -> str:
    title = clean(ctx.title(one), LABEL_TITLE) or one.slug
    return f"{title} · {i18n.text(ctx.locale, f'campaign.state.{one.state}')}"


def _counts(ctx: Context, one: Campaign) -> dict[str, int]:
    rows = ctx.session.execute(
        select(col(Referral.state), func.count())
        .where(col(Referral.brand_id) == ctx.brand.id, col(Referral.campaign_id) == one.id)
        .group_by(col(Referral.state))
    )
    return dict(rows.all())


def _line(ctx: Context, one: Campaign) -> str:
    counts = _counts(ctx, one)
    return ctx.say(
        "campaign.line_over" if one.state in ("ended", "settled") else "campaign.line",
        title=ctx.title(one),
        kind=ctx.say(f"campaign.kind.{one.kind}"),
        state=ctx.say(f"campaign.state.{one.state}"),
        ends=ctx.when(one.ends_at, one),
        came=sum(counts.values()),
        qualified=counts.get("qualified", 0),
    )


def campaign_page(ctx: Context, one: Campaign, note: str = "") -> Reply:
    """A campaign with its figures of this moment. `note`: what is said before them."""
    paragraphs = [note] if note else []
    paragraphs.append(_heading(ctx, one))
    figures = [*_people(ctx, one), *_kind(ctx, one)]
    paragraphs.append("\n".join(figures))
    paragraphs.append("\n".join(_budgets(ctx, one)))
    return Reply(
        "\n\n".join(part for part in paragraphs if part),
        buttons=(*buttons_of(ctx, one), (ctx.button("button.all_campaigns", "do:campaign"),)),
        private=True,
        brief=ctx.say("group.brief"),
    )


def _heading(ctx: Context, one: Campaign) -> str:
    said = {"title": ctx.title(one), "kind": ctx.say(f"campaign.kind.{one.kind}")}
    said |= {"state": ctx.say(f"campaign.state.{one.state}")}
    if one.state == "scheduled":
        return ctx.say("campaign.page.starts", starts=ctx.when(one.starts_at, one), **said)
    if one.state in ("running", "paused"):
        left = max(one.ends_at - ctx.now, timedelta(0))
        if left < timedelta(days=1):
            return ctx.say("campaign.page.last_day", ends=ctx.when(one.ends_at, one), **said)
        return ctx.say("campaign.page.open", ends=ctx.when(one.ends_at, one), n=left.days, **said)
    return ctx.say("campaign.page.over", ends=ctx.when(one.ends_at, one), **said)


def _people(ctx: Context, one: Campaign) -> list[str]:
    """From a link opened to a friend who counts."""
    touches = ctx.session.scalar(
        select(func.count())
        .select_from(Touch)
        .where(col(Touch.brand_id) == ctx.brand.id, col(Touch.campaign_id) == one.id)
    )
    counts = _counts(ctx, one)
    came = sum(counts.values())
    return [
        ctx.say(
            "campaign.page.people",
            touches=int(touches or 0),
            came=came,
            joined=came - counts.get("started", 0),
            qualified=counts.get("qualified", 0),
        )
    ]


def _kind(ctx: Context, one: Campaign) -> list[str]:
    """What only this kind of campaign has: the steps of a trial, the top of a contest."""
    if one.kind == "trial":
        found = funnel(ctx.session, one)
        steps = {name: int(getattr(found, name)) for name in FUNNEL}
        lines = [ctx.say("campaign.page.trial", quota=found.quota, given=found.given, **steps)]
        if found.rating is not None:
            lines.append(ctx.say("campaign.page.rating", rating=f"{found.rating:.1f}", n=found.reviewed))
        return lines
    if one.kind == "contest":
        return first_places(ctx, one, TOP)
    return []


def _budgets(ctx: Context, one: Campaign) -> list[str]:
    """What of each budget is spent, and what is left."""
    lines = []
    places = _places_asset(ctx, one)
    for asset in plan_of(ctx.session, ctx.brand.id, one.id, one.version).assets:
        given = funded(ctx.session, ctx.brand.id, one.id, asset)
        left = balance(ctx.session, Account(ctx.brand.id, one.id, Purpose.BUDGET, asset))
        if given and asset != places:
            amounts = {"spent": given - left, "given": given, "left": left}
            said = {name: ctx.points(value, asset) for name, value in amounts.items()}
            lines.append(ctx.say("campaign.page.budget", **said))
    return lines


def _places_asset(ctx: Context, one: Campaign) -> str | None:
    """What the places of a trial are counted in: its steps tell of them already."""
    version = ctx.session.get(CampaignVersion, (ctx.brand.id, one.id, one.version))
    trial = version.document.get("trial") if version is not None else None
    return ITEM + trial["item"] if trial else None


def buttons_of(ctx: Context, one: Campaign) -> tuple[tuple[Button, ...], ...]:
    """What can be done with a campaign, by its state."""
    rows = CAN.get(one.state, ())
    return tuple(
        tuple(
            ctx.button(LABELS.get(what, f"button.{what}"), f"do:campaign {what} {one.slug}")
            for what in row
            if _fits(ctx, one, what)
        )
        for row in rows
    )


def _fits(ctx: Context, one: Campaign, what: str) -> bool:
    """Whether this can be done at all: a campaign without a budget has none to raise."""
    return what != "budget" or bool(budgets_of(ctx, one))


def budgets_of(ctx: Context, one: Campaign) -> list[str]:
    """The assets in which the campaign has a budget, its own first."""
    plan = plan_of(ctx.session, ctx.brand.id, one.id, one.version)
    return [asset for asset in plan.assets if plan.budget_of(asset)]


def is_item(asset: str) -> bool:
    """Whether this is counted in pieces."""
    return asset.startswith(ITEM)


def partner_page(ctx: Context) -> Reply:
    """What came of a partner's own groups, for its admin; nothing of anybody else's."""
    paragraphs = [ctx.say("campaign.partner.heading", brand=ctx.brand.name)]
    places = [ctx.session.get(Community, (ctx.brand.id, one)) for one in sorted(ctx.partner_of)]
    for campaign in campaigns_of(ctx.session, ctx.brand.id, ("running", "paused", "ended"))[:LISTED]:
        for place in places:
            if place is not None and runs_in(campaign, place.id):
                paragraphs.append(_partner_line(ctx, campaign, place))
    if len(paragraphs) == 1:
        paragraphs.append(ctx.say("campaign.partner.nothing"))
    return Reply("\n\n".join(paragraphs), private=True, brief=ctx.say("group.brief"))


def _partner_line(ctx: Context, campaign: Campaign, place: Community) -> str:
    r, m = table(Referral), table(Membership)
    rows = ctx.session.execute(
        select(r.c.state, func.count(r.c.id.distinct()))  # somebody may be in the group with several accounts
        .select_from(r)
        .join(m, (m.c.brand_id == r.c.brand_id) & (m.c.member_id == r.c.friend_id))
        .where(r.c.brand_id == ctx.brand.id, r.c.campaign_id == campaign.id, m.c.community_id == place.id)
        .group_by(r.c.state)
    )
    counts = dict(rows.all())
    return ctx.say(
        "campaign.partner.line",
        title=ctx.title(campaign),
        state=Safe(ctx.say(f"campaign.state.{campaign.state}")),
        group=place.title or place.group_id,
        came=sum(counts.values()),
        qualified=counts.get("qualified", 0),
    )
