"""`/broadcast` for staff: write once, see it as people will, know how many it reaches, and only then send."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from bots.adapter import Capability
from bots.command import Argument, CommandSpec
from bots.context import Command, Context, sentences
from bots.dialog import Choice, Dialog, Question, Talk, begin
from bots.message import Button, Reply
from bots.outreach.words import broadcast_words
from bots.pace import seconds_for
from core import i18n
from core.errors import BadInput
from referral.outreach.audiences import AUDIENCES, Reach, offered, reach_of
from referral.outreach.broadcasts import (
    TEXT_LENGTH,
    UNDER_WAY,
    broadcasts_of,
    discard,
    draft,
    find_broadcast,
    start,
    stop,
    subject_of,
)
from referral.outreach.messages import tally
from referral.outreach.models import Broadcast
from referral.outreach.people import open_from, settings_of

LISTED = 3
WORDS = {"新建": "new", "停止": "stop", "发送": "send", "取消": "drop", "确定": "yes"}
OTHER = {"zh_Hans": "en", "en": "zh_Hans"}
WAITING = ("waiting", "sending")


def broadcast(ctx: Context) -> Reply:
    if not ctx.may("campaign"):
        return ctx.reply("broadcast.not_yours", brand=ctx.brand.name)
    if not (ctx.private or Capability.PRIVATE_IN_GROUP in ctx.capabilities):
        return ctx.reply("broadcast.in_private")
    match [WORDS.get(word, word) for word in ctx.argument.split()]:
        case []:
            return _overview(ctx)
        case ["new"]:
            first = ctx.brand.locale
            names = {one: i18n.text(ctx.locale, f"broadcast.language.{one}") for one in OTHER}
            return begin(ctx, NEW, first=names[first], second=names[OTHER[first]], limit=TEXT_LENGTH)
        case ["send", which]:
            return _send(ctx, _find(ctx, which))
        case ["drop", which]:
            discard(ctx.session, _find(ctx, which))
            return ctx.reply("broadcast.dropped", edit=True)
        case ["stop"]:
            running = [one for one in broadcasts_of(ctx.session, ctx.brand.id, LISTED) if one.state in UNDER_WAY]
            return _stop_sure(ctx, running[0]) if running else _overview(ctx)
        case ["stop", which]:
            return _stop_sure(ctx, _find(ctx, which))
        case ["stop", which, "yes"]:
            found = _find(ctx, which)
            stop(ctx.session, found, ctx.actor)
            return ctx.reply("broadcast.stopped", sent=_counts(ctx, found).get("sent", 0))
    return ctx.reply("broadcast.how")


def _find(ctx: Context, which: str) -> Broadcast:
    try:
        broadcast_id = UUID(which)
    except ValueError:
        raise BadInput("button_old") from None
    return find_broadcast(ctx.session, ctx.brand.id, broadcast_id)


def _stop_sure(ctx: Context, found: Broadcast) -> Reply:
    sure = Button(i18n.text(ctx.locale, "broadcast.stop_yes"), action=f"do:broadcast stop {found.id.hex} yes")
    return ctx.reply("broadcast.stop_sure", left=_left(ctx, found), buttons=((sure,),))


def _overview(ctx: Context) -> Reply:
    new = (ctx.button("broadcast.new", "do:broadcast new"),)
    found = broadcasts_of(ctx.session, ctx.brand.id, LISTED)
    if not found:
        return ctx.reply("broadcast.none_yet", buttons=(new,))
    lines = [ctx.say("broadcast.heading", brand=ctx.brand.name), *("- " + _line(ctx, one) for one in found)]
    running = [one for one in found if one.state in UNDER_WAY]
    again = [(ctx.button("broadcast.refresh", "do:broadcast"),)] if running else []
    stops = [(ctx.button("broadcast.stop", f"do:broadcast stop {one.id.hex}"),) for one in running]
    buttons = (*again, *stops, *(() if running else (new,)))
    return Reply("\n".join(lines), buttons=buttons, private=True, brief=ctx.say("group.brief"))


def _line(ctx: Context, one: Broadcast) -> str:
    counts = _counts(ctx, one)
    assert one.started_at is not None
    shown = {
        "when": ctx.when(one.started_at),
        "state": i18n.text(ctx.locale, f"broadcast.state.{one.state}"),
        "audience": i18n.text(ctx.locale, f"broadcast.audience.{one.audience}"),
        "sent": counts.get("sent", 0),
        "planned": one.planned,
    }
    line = ctx.say("broadcast.line", **shown)
    why = [
        i18n.text(ctx.locale, f"broadcast.skipped.{reason}", count=i18n.number(ctx.locale, counts[reason]))
        for reason in ("cap", "quiet", "unreachable", "failed", "stopped")
        if counts.get(reason)
    ]
    if not why:
        return line
    told = {"zh_Hans": "、"}.get(ctx.locale, ", ").join(why)
    return sentences(ctx.locale, line, ctx.say("broadcast.left_out", reasons=told))


def _counts(ctx: Context, one: Broadcast) -> dict[str, int]:
    return tally(ctx.session, ctx.brand.id, subject_of(one))


def _left(ctx: Context, one: Broadcast) -> int:
    counts = _counts(ctx, one)
    return sum(counts.get(state, 0) for state in WAITING)


def _text(text: str) -> str:
    words = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if not words:
        raise BadInput("broadcast_empty")
    if len(words) > TEXT_LENGTH:
        raise BadInput("broadcast_long", limit=TEXT_LENGTH)
    return words


def _second(text: str) -> str:
    return _text(text) if text.strip() else ""


def _audience(text: str) -> str:
    if text not in AUDIENCES:
        raise BadInput("audience")
    return text


def _choices(ctx: Context, talk: Talk) -> Sequence[Choice]:
    names = {name: i18n.text(ctx.locale, f"broadcast.audience.{name}") for name in offered(ctx.session, ctx.brand.id)}
    return [(label[:1].upper() + label[1:], name) for name, label in names.items()]


def _preview(ctx: Context, answers: dict[str, Any]) -> Reply:
    """What people will read, how many, and when; nothing is sent before somebody presses the button under it."""
    first = ctx.brand.locale
    text = {first: answers["first"], OTHER[first]: answers["second"]}
    made = draft(ctx.session, ctx.brand.id, text, answers["audience"], ctx.member.id)
    shown = [ctx.say("broadcast.preview")]
    for locale in (first, OTHER[first]):
        language = i18n.text(ctx.locale, f"broadcast.language.{locale}")
        shown.append(ctx.say("broadcast.as_read", language=language))
        shown.append(broadcast_words(locale, ctx.brand.name, made.text).text)
    reach = reach_of(ctx.session, ctx.brand.id, made.audience, ctx.now)
    shown.append(_whom(ctx, made, reach))
    drop = Button(i18n.text(ctx.locale, "broadcast.drop"), action=f"do:broadcast drop {made.id.hex}")
    if not reach.people:
        return Reply("\n\n".join(shown), buttons=((drop,),), private=True)
    label = i18n.text(ctx.locale, "broadcast.send", n=reach.people, people=i18n.number(ctx.locale, reach.people))
    send = Button(label, action=f"do:broadcast send {made.id.hex}")
    return Reply("\n\n".join(shown), buttons=((send,), (drop,)), private=True)


def _whom(ctx: Context, made: Broadcast, reach: Reach) -> str:
    audience = i18n.text(ctx.locale, f"broadcast.audience.{made.audience}")
    if not reach.people:
        parts = [ctx.say("broadcast.nobody", audience=audience)]
    else:
        platforms = {"zh_Hans": "、"}.get(ctx.locale, ", ").join(
            f"{i18n.text(ctx.locale, f'broadcast.platform.{platform}')} {i18n.number(ctx.locale, count)}"
            for platform, count in sorted(reach.by_platform.items(), key=lambda one: (-one[1], one[0]))
        )
        parts = [ctx.say("broadcast.whom", audience=audience, n=reach.people, people=reach.people, platforms=platforms)]
    if reach.quiet:
        parts.append(ctx.say("broadcast.asked_for_quiet", n=reach.quiet, people=reach.quiet))
    if reach.unreachable:
        parts.append(ctx.say("broadcast.unreachable", n=reach.unreachable, people=reach.unreachable))
    if reach.people:
        parts.append(_when(ctx, reach))
        parts.append(ctx.say("broadcast.cap", n=settings_of(ctx.session, ctx.brand.id).weekly_cap))
    return sentences(ctx.locale, *parts)


def _when(ctx: Context, reach: Reach) -> str:
    """How long it takes, and that it waits for the morning where it does."""
    minutes = math.ceil(seconds_for(reach.by_platform) / 60)
    lasts = ctx.say("broadcast.minutes", n=minutes) if minutes > 1 else ctx.say("broadcast.a_minute")
    opens = open_from(settings_of(ctx.session, ctx.brand.id), ctx.brand, ctx.now)
    if opens <= ctx.now:
        return lasts
    return sentences(ctx.locale, ctx.say("broadcast.waits", opens=ctx.when(opens)), lasts)


def _send(ctx: Context, found: Broadcast) -> Reply:
    start(ctx.session, found, ctx.actor)
    opens = open_from(settings_of(ctx.session, ctx.brand.id), ctx.brand, ctx.now)
    watch = ((ctx.button("broadcast.refresh", "do:broadcast"),),)
    if opens > ctx.now:
        return ctx.reply("broadcast.begins_later", opens=ctx.when(opens), buttons=watch)
    return ctx.reply("broadcast.begins", buttons=watch)


NEW = Dialog(
    "broadcast",
    "broadcast.form",
    (
        Question("first", "broadcast.ask.first", _text, any_word=True, multiline=True, longest=TEXT_LENGTH),
        Question(
            "second", "broadcast.ask.second", _second, optional=True, any_word=True, multiline=True, longest=TEXT_LENGTH
        ),
        Question("audience", "broadcast.ask.audience", _audience, choices=_choices, closed=True),
    ),
    _preview,
    admin=True,
    guided=True,
)
BROADCAST = Command(
    CommandSpec(
        "broadcast",
        ("群发",),
        {"en": "Write to members (admins)", "zh_Hans": "群发消息（管理员）"},
        Argument("what", {"en": "new, or nothing for the list", "zh_Hans": "新建，或留空看进度"}),
        admin=True,
    ),
    broadcast,
)
