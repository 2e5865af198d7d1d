"""`/campaign` for group admins: start one, watch it, pause, resume and end it."""

from __future__ import annotations

from collections.abc import Sequence

from bots.command import Argument, CommandSpec
from bots.commands.campaign import wizard
from bots.commands.campaign.overview import buttons_of, campaign_list, under_way
from bots.context import Command, Context
from bots.message import Reply
from referral.campaigns import find_campaign, move

WORDS = {"列表": "list", "新建": "new", "暂停": "pause", "恢复": "resume", "结束": "end", "确定": "yes"}


def campaign(ctx: Context) -> Reply | Sequence[Reply]:
    if not ctx.is_admin:
        return ctx.reply("campaign.not_admin")
    words = [WORDS.get(word, word) for word in ctx.argument.split()]
    match words:
        case [] | ["list"]:
            return campaign_list(ctx)
        case ["new", *kind]:
            return wizard.new(ctx, kind)
        case ["draft", *which]:
            return wizard.draft(ctx, which)
        case ["end", slug]:
            found = find_campaign(ctx.session, ctx.brand.id, slug)
            buttons = ((ctx.button("button.end_yes", f"do:campaign end {found.slug} yes"),),)
            waiting = under_way(ctx, found)
            key = "campaign.end_sure" if waiting else "campaign.end_sure_nobody"
            return ctx.reply(key, title=ctx.title(found), n=waiting, buttons=buttons)
        case ["pause" | "resume" as what, slug] | ["end" as what, slug, "yes"]:
            found = find_campaign(ctx.session, ctx.brand.id, slug)
            move(ctx.session, found, what)
            return ctx.reply(f"campaign.done.{what}", title=ctx.title(found), buttons=buttons_of(ctx, found))
    return ctx.reply("campaign.how")


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
