"""`/language`: Chinese or English, whatever the platform says."""

from __future__ import annotations

from dataclasses import replace

from bots.command import Argument, CommandSpec
from bots.context import Command, Context
from bots.message import Button, Reply
from core.i18n import LOCALES

WORDS = {"zh": "zh_Hans", "中文": "zh_Hans", "zh_hans": "zh_Hans", "汉语": "zh_Hans", "简体": "zh_Hans",
         "en": "en", "english": "en", "英文": "en", "英语": "en"}  # fmt: skip


def language(ctx: Context) -> Reply:
    chosen = WORDS.get(ctx.argument.strip().lower())
    if chosen is None:
        buttons = ((Button("中文", action="do:language zh_Hans"), Button("English", action="do:language en")),)
        return Reply(ctx.say("language.ask"), buttons=buttons, private=True, brief=ctx.say("group.brief"))
    assert chosen in LOCALES
    ctx.member.locale = chosen
    ctx.session.add(ctx.member)
    return replace(ctx, locale=chosen).reply("language.set", edit=True)


LANGUAGE = Command(
    CommandSpec(
        "language",
        ("语言", "lang"),
        {"en": "中文 / English", "zh_Hans": "中文 / English"},
        Argument("language", {"en": "zh or en", "zh_Hans": "zh 或 en"}),
    ),
    language,
)
