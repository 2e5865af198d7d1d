"""Changing a campaign that is there: its name, what it offers, what it pays. Decisions taken keep what they had."""

from __future__ import annotations

from typing import Any

from bots.commands.campaign.acting import (
    asks,
    begin_with,
    carry_out,
    confirm,
    read_amount,
    talk_with,
)
from bots.commands.campaign.steps_common import line
from bots.context import Context
from bots.message import Reply
from bots.questions import Question, Talk
from core import i18n
from referral.campaigns import Campaign
from rewards import campaign_edits
from rewards.campaign_edits import FIELDS

TITLE_LENGTH, BENEFIT_LENGTH = 80, 120
LANGUAGES = {"zh_Hans": "中文", "en": "English"}


def _field(facts: dict[str, Any]) -> str:
    return str(facts["field"])


def _read_value(ctx: Context, talk: Talk, text: str) -> str:
    name, _, locale = _field(talk.facts).partition(".")
    if locale:
        return line(TITLE_LENGTH if name == "title" else BENEFIT_LENGTH)(text)
    return read_amount(talk.facts["asset"], text)


def field_name(ctx: Context, field: str) -> str:
    """What a field is called: the title in Chinese, the advocate's reward."""
    name, _, locale = field.partition(".")
    return i18n.text(ctx.locale, f"campaign.field.{name}", language=LANGUAGES.get(locale, ""))


def _shown(ctx: Context, talk: Talk, value: Any) -> str:
    """A value as people read it."""
    asset = talk.facts["asset"]
    return ctx.points(int(value), asset) if asset else str(value)


def _before(ctx: Context, talk: Talk) -> str:
    return _shown(ctx, talk, talk.facts["before"])


def _ask_sure(ctx: Context, talk: Talk) -> Reply:
    ask = asks(
        "campaign.edit.sure_amount" if talk.facts["asset"] else "campaign.edit.sure",
        field=lambda ctx, talk: field_name(ctx, _field(talk.facts)),
        before=_before,
        after=lambda ctx, talk: _shown(ctx, talk, talk.answers["value"]),
    )
    return ask(ctx, talk)


def _edit(ctx: Context, given: dict[str, Any]) -> Reply:
    field = _field(given)
    value = given["value"] if "." in field else int(given["value"])
    return carry_out(
        ctx,
        given,
        lambda one: campaign_edits.edit(ctx.session, ctx.brand, one, given["version"], field, value, ctx.actor),
        lambda one: ctx.say("campaign.done.edit", field=field_name(ctx, field), version=one.version),
    )


EDIT = talk_with(
    "campaign_edit",
    (
        Question(
            "value",
            "campaign.edit.ask",
            lambda text: text,
            ask=asks("campaign.edit.ask", field=lambda ctx, talk: field_name(ctx, _field(talk.facts)), before=_before),
            read=_read_value,
            any_word=True,
        ),
        confirm("sure", _ask_sure),
    ),
    _edit,
)


def edit(ctx: Context, campaign: Campaign, which: str = "") -> Reply:
    """What is to be changed (`which`: its number), then how."""
    found = {field: campaign_edits.value_of(ctx.session, campaign, field) for field in FIELDS}
    here = [field for field, value in found.items() if value is not None]
    chosen = int(which) if which.isdecimal() and len(which) < 4 else 0
    if not (1 <= chosen <= len(FIELDS) and FIELDS[chosen - 1] in here):
        rows = [
            (ctx.button("button.field", f"do:campaign edit {campaign.slug} {number}", field=field_name(ctx, field)),)
            for number, field in enumerate(FIELDS, 1)
            if field in here
        ]
        rows.append((ctx.button("button.extend", f"do:campaign extend {campaign.slug}"),))
        return ctx.reply("campaign.edit.which", title=ctx.title(campaign), buttons=rows)
    field = FIELDS[chosen - 1]
    asset = campaign_edits.asset_of(ctx.session, campaign, field)
    return begin_with(ctx, EDIT, campaign, field=field, before=found[field], asset=asset)
