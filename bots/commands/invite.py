"""`/invite`: my link, my code and my card."""

from __future__ import annotations

from functools import partial

from bots.command import CommandSpec
from bots.commands.start import state_of
from bots.context import Command, Context, Safe
from bots.message import Button, Image, Reply
from bots.which import named, others
from core.outbox import Message, put
from referral import codes
from referral.brands import communities_of
from referral.campaigns import Campaign, enroll, invites_of, runs_in
from referral.cards import banner_of, card_of, draw_card

INVITE_TOPIC = "invite:"
"""Outbox topic (with the platform behind it) that asks an adapter to make a member's own invite into a group."""


def invite(ctx: Context) -> Reply:
    campaign = named(ctx) or ctx.campaign()
    if campaign is None or campaign.state != "running":
        return Reply(state_of(ctx, campaign), private=True, brief=ctx.say("group.brief"))
    code = enroll(ctx.session, campaign, ctx.member.id)
    _ask_for_invites(ctx, campaign, code)
    link = ctx.links.invite(code)
    picture = banner_of(ctx.session, campaign)
    spec = card_of(ctx.locale, campaign, ctx.brand.name, ctx.member.name, code, link, picture)
    buttons = (
        (Button(ctx.say("button.copy_link"), copy=link),),
        (
            ctx.button("button.me", f"do:me {campaign.slug}"),
            ctx.button("button.leaderboard", f"do:leaderboard {campaign.slug}"),
        ),
        *others(ctx, "invite", campaign),
    )
    return Reply(
        ctx.say(
            f"invite.ready.{campaign.event}",
            title=ctx.title(campaign),
            link=Safe(link),
            code=Safe(codes.display(code)),
            days=campaign.stay_days,
            ends=ctx.when(campaign.ends_at, campaign, time=False),
        ),
        buttons=buttons,
        image=Image(partial(draw_card, spec), f"invite-{code}.jpg", ctx.say("invite.card_alt")),
        private=True,
        brief=ctx.say("group.brief"),
    )


def _ask_for_invites(ctx: Context, campaign: Campaign, code: str) -> None:
    """Let the platforms make this member's own invites into the campaign's groups; the landing page shows them."""
    made = invites_of(ctx.session, ctx.brand.id, code)
    wanted = [
        Message(
            INVITE_TOPIC + community.platform,
            f"invite/{community.id}/{code}",
            {
                "brand": str(ctx.brand.id),
                "community": str(community.id),
                "group": community.group_id,
                "code": code,
                "name": ctx.member.name,
            },
            ctx.brand.id,
        )
        for community in communities_of(ctx.session, ctx.brand.id)
        if runs_in(campaign, community.id) and not community.open and community.id not in made
    ]
    put(ctx.session, wanted)


INVITE = Command(
    CommandSpec(
        "invite",
        ("邀请", "我的邀请", "邀请链接", "邀请海报", "海报"),
        {"en": "My invite link and card", "zh_Hans": "我的邀请链接和海报"},
        slow=True,
    ),
    invite,
)
