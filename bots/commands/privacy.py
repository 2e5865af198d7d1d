"""`/privacy`: what is kept about me, all of it to read, and forgetting me."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import delete
from sqlmodel import col

from bots.command import Argument, CommandSpec
from bots.context import Command, Context, as_code
from bots.drafts import forget_author
from bots.message import Image, Reply
from bots.state import Conversation
from referral.members import identities_of
from referral.pictures import is_kept, picture_of
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
    texts = (replace(first, text="\n".join(_as_code(part))) for part in parts)
    return [first, *texts, *_photos(ctx, data["trials"])]


def _photos(ctx: Context, trials: Sequence[Mapping[str, Any]]) -> Iterator[Reply]:
    """The photos that came with what somebody said of what they tried; each is a message of its own."""
    names = (one["feedback"]["picture"] for one in trials if one["feedback"])
    for name in dict.fromkeys(name for name in names if name and is_kept(ctx.session, ctx.brand.id, name)):
        body = picture_of(ctx.session, ctx.brand.id, name)
        said = ctx.reply("privacy.photo", name=as_code(name))
        yield replace(said, image=Image(partial(bytes, body), "photo.jpg", ctx.say("privacy.photo_alt")))


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
