"""`/campaign` for group admins: start one in four answers, watch it, pause, resume and end it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from bots.command import Argument, CommandSpec
from bots.context import Command, Context
from bots.dialog import Dialog, Question, begin
from bots.markup import clean
from bots.message import Button, Reply
from core import i18n
from core.errors import BadInput
from referral.campaigns import Campaign, campaigns_of, find_campaign, move
from referral.referrals import Referral
from rewards.campaign_files import new_campaign
from rewards.ledger import Account, Purpose, balance

LISTED = 5
TITLE_LENGTH = 40
POINTS_MAX = 1_000_000
DAYS_MAX = 365
LASTS_DAYS = 30
LABEL_TITLE = 16
"""Characters of a campaign's title on a button."""
CAN = {"running": ("pause", "end"), "paused": ("resume", "end"), "scheduled": ("end",)}
"""What a button offers to do with a campaign, by its state."""
WORDS = {"列表": "list", "新建": "new", "暂停": "pause", "恢复": "resume", "结束": "end", "确定": "yes"}


def campaign(ctx: Context) -> Reply:
    if not ctx.is_admin:
        return ctx.reply("campaign.not_admin")
    words = [WORDS.get(word, word) for word in ctx.argument.split()]
    match words:
        case [] | ["list"]:
            return _list(ctx)
        case ["new"]:
            return begin(ctx, NEW)
        case ["end", slug]:
            found = find_campaign(ctx.session, ctx.brand.id, slug)
            buttons = ((ctx.button("button.end_yes", f"do:campaign end {found.slug} yes"),),)
            under_way = _under_way(ctx, found)
            key = "campaign.end_sure" if under_way else "campaign.end_sure_nobody"
            return ctx.reply(key, title=ctx.title(found), n=under_way, buttons=buttons)
        case ["pause" | "resume" as what, slug] | ["end" as what, slug, "yes"]:
            found = find_campaign(ctx.session, ctx.brand.id, slug)
            move(ctx.session, found, what)
            return ctx.reply(f"campaign.done.{what}", title=ctx.title(found), buttons=_buttons(ctx, found))
    return ctx.reply("campaign.how")


def _under_way(ctx: Context, found: Campaign) -> int:
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


def _list(ctx: Context) -> Reply:
    found = campaigns_of(ctx.session, ctx.brand.id)[:LISTED]
    if not found:
        return ctx.reply("campaign.none_yet", buttons=((ctx.button("button.campaign_new", "do:campaign new"),),))
    lines = [_line(ctx, one) for one in found]
    open_ones = [one for one in found if one.state in CAN]
    buttons = [row for one in open_ones for row in _buttons(ctx, one, named=len(open_ones) > 1)]
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


def _buttons(ctx: Context, one: Campaign, *, named: bool = False) -> tuple[tuple[Button, ...], ...]:
    """What can be done with a campaign; `named` where buttons of several stand together."""
    title = f" · {clean(ctx.title(one), LABEL_TITLE)}" if named else ""
    row = tuple(
        Button(i18n.text(ctx.locale, f"button.{what}") + title, action=f"do:campaign {what} {one.slug}")
        for what in CAN.get(one.state, ())
    )
    return (row,) if row else ()


def _title(text: str) -> str:
    title = " ".join(text.split())
    if not 1 <= len(title) <= TITLE_LENGTH:
        raise BadInput("title_length", limit=TITLE_LENGTH)
    return title


def _whole(text: str, least: int, most: int) -> int:
    try:
        value = int(text.strip().replace(",", "").replace("，", ""))  # int() reads full-width digits too
    except ValueError:
        raise BadInput("number_unreadable") from None
    if not least <= value <= most:
        raise BadInput("number_range", least=least, most=most)
    return value


def _create(ctx: Context, answers: dict[str, Any]) -> Reply:
    title, points, days, friends = answers["title"], answers["points"], answers["days"], answers["friends"]
    budget = 2 * points * friends
    made = new_campaign(
        ctx.session,
        ctx.brand,
        title,
        advocate=points,
        friend=points,
        budget=budget,
        days=max(LASTS_DAYS, 2 * days),
        stay_days=days,
    ).campaign
    return ctx.reply(
        "campaign.created",
        title=title,
        points=ctx.points(points),
        days=days,
        budget=ctx.points(budget),
        ends=ctx.when(made.ends_at, made),
        buttons=((ctx.button("button.invite", "do:invite"),), *_buttons(ctx, made)),
    )


NEW = Dialog(
    "campaign_new",
    "campaign.new.form",
    (
        Question("title", "campaign.new.title", _title, any_word=True),
        Question("points", "campaign.new.points", lambda text: _whole(text, 1, POINTS_MAX)),
        Question("days", "campaign.new.days", lambda text: _whole(text, 1, DAYS_MAX)),
        Question("friends", "campaign.new.friends", lambda text: _whole(text, 1, POINTS_MAX)),
    ),
    _create,
    admin=True,
)
CAMPAIGN = Command(
    CommandSpec(
        "campaign",
        ("活动", "活动管理"),
        {"en": "Run campaigns (admins)", "zh_Hans": "管理活动（管理员）"},
        Argument("what", {"en": "new, or nothing for the list", "zh_Hans": "新建，或留空看列表"}),
        admin=True,
    ),
    campaign,
)
