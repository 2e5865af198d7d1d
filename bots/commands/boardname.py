"""`/boardname`: how my name stands on boards that strangers see."""

from __future__ import annotations

from bots.command import Argument, CommandSpec
from bots.context import Command, Context
from bots.message import Button, Reply
from core import i18n
from referral.boards.names import CHOICES, choices_of, choose, public_name

WORDS = {"full": "full", "全名": "full", "显示": "full", "公开": "full",
         "masked": "masked", "mask": "masked", "打码": "masked", "部分": "masked",
         "hidden": "hidden", "hide": "hidden", "隐藏": "hidden", "匿名": "hidden"}  # fmt: skip


def boardname(ctx: Context) -> Reply:
    chosen = WORDS.get(ctx.argument.strip().lower())
    if chosen is not None:
        choose(ctx.session, ctx.brand.id, ctx.member.id, chosen)
    now = chosen or choices_of(ctx.session, ctx.brand.id, [ctx.member.id])[ctx.member.id]
    shown = public_name(ctx.member.name, now) or i18n.text(ctx.locale, "board.anonymous")
    others = tuple(ctx.button(f"boardname.{one}", f"do:boardname {one}") for one in CHOICES if one != now)
    return ctx.reply("boardname.set" if chosen else "boardname.now", name=shown, buttons=_rows(others))


def _rows(buttons: tuple[Button, ...]) -> tuple[tuple[Button, ...], ...]:
    return tuple((button,) for button in buttons)


BOARDNAME = Command(
    CommandSpec(
        "boardname",
        ("榜单名称", "榜单昵称"),
        {"en": "How my name stands on public boards", "zh_Hans": "公开榜单上怎么显示我的名字"},
        Argument("how", {"en": "full, masked or hidden", "zh_Hans": "全名、打码 或 匿名"}),
    ),
    boardname,
)
