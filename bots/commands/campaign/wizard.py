"""A new campaign in four answers."""

from __future__ import annotations

from typing import Any

from bots.commands.campaign.overview import buttons_of
from bots.context import Context
from bots.dialog import Dialog, Question
from bots.message import Reply
from core.errors import BadInput
from rewards.campaign_files import new_campaign

TITLE_LENGTH = 40
POINTS_MAX = 1_000_000
DAYS_MAX = 365
LASTS_DAYS = 30


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
        buttons=((ctx.button("button.invite", "do:invite"),), *buttons_of(ctx, made)),
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
