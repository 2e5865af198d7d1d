"""`/purchases`: whether what I buy by my e-mail or phone alone is counted as mine."""

from __future__ import annotations

from bots.command import Argument, CommandSpec
from bots.context import Command, Context
from bots.message import Button, Reply
from referral.attribution.consent import agree, has_agreed, withdraw

WORDS = {"on": True, "开": True, "开启": True, "打开": True, "同意": True, "是": True,
         "off": False, "关": False, "关闭": False, "取消": False, "撤回": False, "否": False}  # fmt: skip


def purchases(ctx: Context) -> Reply:
    who = (ctx.session, ctx.brand.id, ctx.member.id)
    chosen = WORDS.get(ctx.argument.strip().lower())
    if chosen is None:
        now = has_agreed(*who)
        key = "purchases.is_on" if now else "purchases.is_off"
        return ctx.reply(key, brand=ctx.brand.name, buttons=_other(ctx, now))
    if chosen:
        agree(*who)
        return ctx.reply("purchases.on", brand=ctx.brand.name, buttons=_other(ctx, now=True))
    return ctx.reply("purchases.parted" if withdraw(*who) else "purchases.off", buttons=_other(ctx, now=False))


def _other(ctx: Context, now: bool) -> tuple[tuple[Button, ...], ...]:
    said = ("button.purchases_off", "do:purchases off") if now else ("button.purchases_on", "do:purchases on")
    return ((ctx.button(*said),),)


PURCHASES = Command(
    CommandSpec(
        "purchases",
        ("订单关联", "关联订单"),
        {"en": "Count what I buy online as mine", "zh_Hans": "网上下的单，算到我名下"},
        Argument("what", {"en": "on or off", "zh_Hans": "同意 或 撤回"}),
    ),
    purchases,
)
