"""`/leaderboard`: who brought most, and my own place."""

from __future__ import annotations

from dataclasses import replace

from bots.adapter import Capability
from bots.command import CommandSpec
from bots.contest_board import contest_board, contest_of
from bots.context import Command, Context, name_of
from bots.message import Button, Reply
from bots.which import named, others, own
from core import i18n
from referral import leaderboard
from referral.campaigns import Campaign

SHOWN = 10
MEDALS = {1: "🥇", 2: "🥈", 3: "🥉"}


def board(ctx: Context) -> Reply:
    campaign = named(ctx) or contest_of(ctx, ("running",)) or own(ctx)
    if campaign is None:
        return ctx.reply("campaign.none")
    if campaign.kind == "contest":
        said = contest_board(ctx, campaign)
        return replace(said, buttons=(*said.buttons, *_live(ctx, campaign), *others(ctx, "leaderboard", campaign)))
    places = leaderboard.top(ctx.session, ctx.brand.id, campaign.id, SHOWN)
    if not places:
        return ctx.reply(
            "leaderboard.empty",
            title=ctx.title(campaign),
            buttons=(_invite(ctx, campaign), *others(ctx, "leaderboard", campaign)),
        )
    lines = [
        ctx.say(
            "leaderboard.me" if place.member_id == ctx.member.id else "leaderboard.line",
            place=MEDALS.get(place.rank, f"{place.rank}."),
            name=name_of(ctx.session, ctx.brand.id, place.member_id, ctx.locale),
            n=place.score,
        )
        for place in places
    ]
    text = ctx.say("leaderboard.heading", title=ctx.title(campaign)) + "\n\n" + "\n".join(lines)
    mine = leaderboard.standing(ctx.session, ctx.brand.id, campaign.id, ctx.member.id)
    if mine is None:
        text += "\n\n" + ctx.say("leaderboard.not_yet")
    elif mine.rank > SHOWN:
        text += "\n\n" + ctx.say("leaderboard.mine", rank=mine.rank, of=mine.of, n=mine.score, gap=mine.gap or 0)
    # A board is for everybody: in a group it is said in the group.
    return Reply(text, buttons=(_invite(ctx, campaign), *_live(ctx, campaign), *others(ctx, "leaderboard", campaign)))


def _invite(ctx: Context, campaign: Campaign) -> tuple[Button, ...]:
    return (ctx.button("button.invite", f"do:invite {campaign.slug}"),)


def _live(ctx: Context, campaign: Campaign) -> tuple[tuple[Button, ...], ...]:
    """The board that moves, where the platform opens pages of ours and says who looks."""
    url = ctx.links.board(ctx.brand.slug, campaign.slug, ctx.locale)
    if url is None or not ctx.private or Capability.APPS not in ctx.capabilities:
        return ()
    return ((Button(i18n.text(ctx.locale, "button.live_board"), url=url, app=True),),)


LEADERBOARD = Command(
    CommandSpec(
        "leaderboard",
        ("排行榜", "排行", "榜单", "top"),
        {"en": "Who brought the most friends", "zh_Hans": "谁邀请的朋友最多"},
    ),
    board,
)
