"""`/link`: my accounts on other platforms become one person with one balance."""

from __future__ import annotations

from bots.command import Argument, CommandSpec
from bots.context import Command, Context, Safe, name_of
from bots.message import Reply
from core.errors import NotFound, Refused
from referral.linking import LINK_MINUTES, finish_link, start_link, undo_link

UNDO_WORDS = {"undo", "解除", "撤销", "解绑"}


def link(ctx: Context) -> Reply:
    argument = ctx.argument.strip()
    if not argument:
        code = start_link(ctx.session, ctx.brand.id, ctx.member.id)
        return ctx.reply("link.code", code=Safe(code), minutes=LINK_MINUTES)
    if argument.lower() in UNDO_WORDS:
        try:
            undo_link(ctx.session, ctx.brand.id, ctx.member.id)
        except NotFound:
            return ctx.reply("link.nothing_to_undo")
        return ctx.reply("link.undone")
    done = finish_link(ctx.session, ctx.brand.id, ctx.member.id, argument)
    if isinstance(done, Refused):  # told, not raised: the wrong try must be counted, so the unit of work stands
        return ctx.reply(f"error.{done.code}", **done.params)
    return ctx.reply("link.done", name=name_of(ctx.session, ctx.brand.id, done.kept_id, ctx.locale))


LINK = Command(
    CommandSpec(
        "link",
        ("绑定", "绑定账号", "关联"),
        {"en": "Join my accounts on other platforms", "zh_Hans": "绑定我在其他平台的账号"},
        Argument("code", {"en": "The code from your other account", "zh_Hans": "另一个账号上看到的绑定码"}),
    ),
    link,
)
