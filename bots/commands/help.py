"""`/help`: every command in one message, in the words that work here."""

from __future__ import annotations

from bots.command import CommandSpec
from bots.context import Command, Context, Safe
from bots.message import Reply


def help_(ctx: Context) -> Reply:
    lines = []
    for spec in ctx.menu:
        if spec.admin and not ctx.may(spec.act):
            continue
        word = spec.aliases[0] if ctx.locale == "zh_Hans" and spec.aliases else f"/{spec.name}"
        lines.append("- " + ctx.say("help.line", word=Safe(word), help=spec.help[ctx.locale]))
    text = ctx.say("help.heading", brand=ctx.brand.name) + "\n\n" + "\n".join(lines)
    return Reply(text + "\n\n" + ctx.say("help.footer"), private=True, brief=ctx.say("group.brief"))


HELP = Command(CommandSpec("help", ("帮助", "菜单", "?", "？"), {"en": "All commands", "zh_Hans": "全部命令"}), help_)
