"""`/campaign` for staff: start one, watch it, steer it, change it, carry it away as a file."""

from __future__ import annotations

from collections.abc import Sequence

from bots.command import Argument, CommandSpec
from bots.commands.campaign import edit, files, manage, wizard
from bots.commands.campaign.overview import campaign_list, campaign_page, partner_page, under_way
from bots.context import Command, Context
from bots.message import Reply
from referral.campaigns import find_campaign
from rewards.campaign_edits import steer

WORDS = {
    "列表": "list",
    "新建": "new",
    "查看": "show",
    "暂停": "pause",
    "恢复": "resume",
    "结束": "end",
    "确定": "yes",
    "延长": "extend",
    "预算": "budget",
    "加预算": "budget",
    "修改": "edit",
    "复制": "duplicate",
    "导出": "export",
    "导入": "apply",
}


def campaign(ctx: Context) -> Reply | Sequence[Reply]:
    if not ctx.may("campaign"):
        return partner_page(ctx) if ctx.partner_of and not ctx.argument else ctx.reply("campaign.not_admin")
    if ctx.argument.startswith(files.BEGINS):
        return files.apply(ctx, ctx.argument)
    first, *rest = ctx.argument.split(maxsplit=1)[:2] or [""]
    if WORDS.get(first, first) == "apply":
        return files.apply(ctx, rest[0] if rest else "")
    match [WORDS.get(word, word) for word in ctx.argument.split()]:
        case [] | ["list"]:
            return campaign_list(ctx)
        case ["new", *kind]:
            return wizard.new(ctx, kind)
        case ["draft", *which]:
            return wizard.draft(ctx, which)
        case [what, slug, *more]:
            return _one(ctx, what, slug, more)
    return ctx.reply("campaign.how")


def _one(ctx: Context, what: str, slug: str, more: Sequence[str]) -> Reply | Sequence[Reply]:
    """Something that is done with one campaign."""
    found = find_campaign(ctx.session, ctx.brand.id, slug)
    which = more[0] if more else ""
    match what:
        case "show":
            return campaign_page(ctx, found)
        case "end" if which != "yes":
            buttons = ((ctx.button("button.end_yes", f"do:campaign end {found.slug} yes"),),)
            waiting = under_way(ctx, found)
            key = "campaign.end_sure" if waiting else "campaign.end_sure_nobody"
            return ctx.reply(key, title=ctx.title(found), n=waiting, buttons=buttons)
        case "pause" | "resume" | "end":
            steer(ctx.session, found, what, ctx.actor)
            return campaign_page(ctx, found, ctx.say(f"campaign.done.{what}", title=ctx.title(found)))
        case "extend":
            return manage.extend(ctx, found)
        case "budget":
            return manage.budget(ctx, found, which)
        case "edit":
            return edit.edit(ctx, found, which)
        case "duplicate":
            return manage.duplicate(ctx, found)
        case "export":
            return files.export(ctx, found)
    return ctx.reply("campaign.how")


CAMPAIGN = Command(
    CommandSpec(
        "campaign",
        ("活动", "活动管理"),
        {"en": "Run campaigns (admins)", "zh_Hans": "管理活动（管理员）"},
        Argument("what", {"en": "new, or nothing for the list", "zh_Hans": "新建，或留空看列表"}),
        admin=True,
        phrases={"new campaign": "new", "新建活动": "new"},
    ),
    campaign,
)
DIALOGS = (*manage.DIALOGS, edit.EDIT, files.APPLY)
