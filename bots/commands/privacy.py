"""`/privacy`: what is kept about me, all of it to read, and forgetting me."""

from __future__ import annotations

import json
from dataclasses import replace

from sqlalchemy import delete
from sqlmodel import col

from bots.command import Argument, CommandSpec
from bots.context import Command, Context
from bots.drafts import forget_author
from bots.message import Reply
from bots.state import Conversation
from referral.members import identities_of
from referral.privacy import export_member, forget_member
from rewards.privacy import export_rewards, forget_rewards

CHUNK = 3000
"""Characters of an export in one message; a long export is several messages."""


def privacy(ctx: Context) -> Reply | list[Reply]:
    match ctx.argument.strip().lower():
        case "export" | "导出":
            return _export(ctx)
        case "forget" | "删除":
            sure = ctx.button("button.forget_yes", "do:privacy forget yes")
            return ctx.reply("privacy.forget_sure", buttons=((sure,),))
        case "forget yes":
            return _forget(ctx)
    buttons = (
        (ctx.button("button.export", "do:privacy export"),),
        (ctx.button("button.forget", "do:privacy forget"),),
    )
    return ctx.reply("privacy.what", brand=ctx.brand.name, buttons=buttons)


def _export(ctx: Context) -> list[Reply]:
    data = export_member(ctx.session, ctx.brand.id, ctx.member.id)
    data["rewards"] = export_rewards(ctx.session, ctx.brand.id, ctx.member.id)
    text = json.dumps(data, ensure_ascii=False, indent=1, default=str).replace("`", "'")
    parts = [text[at : at + CHUNK] for at in range(0, len(text), CHUNK)]
    first = ctx.reply("privacy.export", n=len(parts))
    return [first, *(replace(first, text="\n".join(_as_code(part))) for part in parts)]


def _as_code(part: str) -> list[str]:
    """Each line as code, so that nothing in it is read as markup."""
    return [f"`{line}`" if line.strip() else "" for line in part.split("\n")]


def _forget(ctx: Context) -> Reply:
    for identity in identities_of(ctx.session, ctx.brand.id, [ctx.member.id]):
        ctx.session.execute(
            delete(Conversation).where(
                col(Conversation.platform) == identity.platform, col(Conversation.account) == identity.account
            )
        )
        forget_author(ctx.session, ctx.brand.id, f"{identity.platform}:{identity.account}")
    forget_rewards(ctx.session, ctx.brand.id, ctx.member.id)
    forget_member(ctx.session, ctx.brand.id, ctx.member.id)
    return ctx.reply("privacy.forgotten")


PRIVACY = Command(
    CommandSpec(
        "privacy",
        ("隐私", "我的数据"),
        {"en": "Read my data, or have it deleted", "zh_Hans": "查看或删除我的数据"},
        Argument("what", {"en": "export or forget", "zh_Hans": "导出 或 删除"}),
    ),
    privacy,
)
