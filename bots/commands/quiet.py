"""`/quiet`: whether the bot may write of its own accord."""

from __future__ import annotations

from bots.command import Argument, CommandSpec
from bots.context import Command, Context
from bots.message import Button, Reply
from referral.outreach.people import choose, quiet_among

WORDS = {"on": True, "开": True, "开启": True, "打开": True, "是": True,
         "off": False, "关": False, "关闭": False, "取消": False, "否": False}  # fmt: skip


def quiet(ctx: Context) -> Reply:
    chosen = WORDS.get(ctx.argument.strip().lower())
    if chosen is None:
        now = bool(quiet_among(ctx.session, ctx.brand.id, [ctx.member.id]))
        return ctx.reply("quiet.is_on" if now else "quiet.is_off", brand=ctx.brand.name, buttons=_other(ctx, now))
    choose(ctx.session, ctx.brand.id, ctx.member.id, quiet=chosen)
    return ctx.reply("quiet.on" if chosen else "quiet.off", brand=ctx.brand.name, buttons=_other(ctx, chosen))


def _other(ctx: Context, now: bool) -> tuple[tuple[Button, ...], ...]:
    return ((ctx.button("button.quiet_off", "do:quiet off") if now else ctx.button("button.quiet_on", "do:quiet on"),),)


QUIET = Command(
    CommandSpec(
        "quiet",
        ("免打扰", "勿扰"),
        {"en": "No news from us, or news again", "zh_Hans": "开启或关闭免打扰"},
        Argument("what", {"en": "on or off", "zh_Hans": "开启 或 关闭"}),
    ),
    quiet,
)
