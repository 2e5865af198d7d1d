"""`/rewards`: what I have, what is on hold until when, and line by line what I earned and why."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID
from zoneinfo import ZoneInfo

from bots.command import CommandSpec
from bots.context import Command, Context, Safe
from bots.lines import line_words, reason_words
from bots.markup import escape, plain
from bots.message import Button, Image, Reply
from core import clock, i18n
from core.errors import Refused
from core.money import ITEM, is_currency
from rewards.items.redeem import catalogue
from rewards.overview import Line, Purse, lines_of, purses_of, why_owed
from rewards.payouts.withdrawals import withdrawable
from rewards.proofs.proofs import check, proof_of_reward
from rewards.rewards import Reward
from rewards.statements.files import write
from rewards.statements.member import member_lines, member_statement

SHOWN = 8
"""Lines on one page."""
PAGES = 1000
MOVEMENTS = 20
"""Movements in a statement in the chat."""


def rewards(ctx: Context) -> Reply:
    match ctx.argument.split():
        case ["statement"] | ["对账单"]:
            return _statement(ctx)
        case ["proof"]:
            return _choose_proof(ctx)
        case ["proof", which]:
            return _proof(ctx, which)
        case [number] if number.isdecimal() and len(number) < 5:
            return _page(ctx, min(max(int(number), 1), PAGES))
    return _page(ctx, 1)


def _page(ctx: Context, number: int) -> Reply:
    lines, more = lines_of(ctx.session, ctx.brand.id, ctx.member.id, (number - 1) * SHOWN, SHOWN)
    purses = purses_of(ctx.session, ctx.brand.id, ctx.member.id)
    if not lines and not purses:
        return ctx.reply("rewards.none", buttons=((ctx.button("button.invite", "do:invite"),),))
    head = list(filter(None, [_purse(ctx, purse) for purse in purses])) if number == 1 else []
    shown = ["- " + line_words(ctx, line) for line in lines]
    text = "\n\n".join(filter(None, ["\n".join(head), "\n".join(shown)]))
    return Reply(text, buttons=_buttons(ctx, number, more, lines), private=True, brief=ctx.say("group.brief"))


def _purse(ctx: Context, purse: Purse) -> str:
    kind = "money" if is_currency(purse.asset) else "points"
    parts = []
    item = purse.asset.startswith(ITEM)
    if purse.payable > 0 or not item:
        parts.append(ctx.say(f"rewards.purse.{kind}", amount=ctx.points(max(purse.payable, 0), purse.asset)))
    if purse.held and purse.next_release:
        when = ctx.when(purse.next_release, time=False)
        parts.append(ctx.say("rewards.purse.held", amount=ctx.points(purse.held, purse.asset), when=when))
    if purse.under_way:
        parts.append(ctx.say(f"rewards.purse.under_way.{kind}", amount=ctx.points(purse.under_way, purse.asset)))
    if purse.paid and not item:
        parts.append(ctx.say(f"rewards.purse.paid.{kind}", amount=ctx.points(purse.paid, purse.asset)))
    line = " · ".join(parts)
    return "\n".join(filter(None, [line, _debt(ctx, purse)]))


def _debt(ctx: Context, purse: Purse) -> str:
    """What is owed, and why; nothing for most."""
    if purse.payable >= 0:
        return ""
    cause = why_owed(ctx.session, ctx.brand.id, ctx.member.id, purse.asset)
    if isinstance(cause, Reward):
        reason = Safe(reason_words(ctx.locale, cause.reason, cause.role))
        why: str = Safe(ctx.say("rewards.owed.paid", reason=reason))
    else:
        why = cause.reason if cause is not None else Safe(ctx.say("rewards.owed.other"))
    return ctx.say("rewards.debt", amount=ctx.points(-purse.payable, purse.asset), why=why)


def _buttons(ctx: Context, number: int, more: bool, lines: Sequence[Line]) -> tuple[tuple[Button, ...], ...]:
    use = []
    if any(offer.most for offer in withdrawable(ctx.session, ctx.brand.id, ctx.member.id)):
        use.append(ctx.button("button.withdraw", "do:withdraw"))
    if catalogue(ctx.session, ctx.brand.id):
        use.append(ctx.button("button.shop", "do:shop"))
    turn = []
    if number > 1:
        turn.append(ctx.button("button.newer", f"do:rewards {number - 1}"))
    if more:
        turn.append(ctx.button("button.older", f"do:rewards {number + 1}"))
    check_it = [ctx.button("button.why", "do:why")]
    if lines:
        check_it.append(ctx.button("button.statement", "do:rewards statement"))
        check_it.append(ctx.button("button.proof", "do:rewards proof"))
    return tuple(tuple(row) for row in (use, turn, check_it) if row)


def _statement(ctx: Context) -> Reply:
    """The last movements, as the books have them, and all of them in a file."""
    zone = ctx.brand.timezone
    book = member_statement(ctx.session, ctx.brand.id, ctx.member.id, locale=ctx.locale, timezone=zone)
    table = io.BytesIO()
    write(book, "csv", table)
    file = _file(ctx, "statement", table.getvalue(), "csv", "text/csv")
    lines = member_lines(
        ctx.session,
        ctx.brand.id,
        ctx.member.id,
        locale=ctx.locale,
        timezone=zone,
        limit=MOVEMENTS,
    )
    text = ctx.say("rewards.statement") + "\n\n" + "\n".join("- " + escape(line) for line in lines)
    return Reply(text, private=True, brief=ctx.say("group.brief"), image=file)


def _file(ctx: Context, name: str, data: bytes, ending: str, media_type: str) -> Image:
    day = ctx.now.astimezone(ZoneInfo(ctx.brand.timezone)).date()
    return Image(lambda: data, f"{name}-{day}.{ending}", i18n.text(ctx.locale, f"file.{name}"), media_type)


def _choose_proof(ctx: Context) -> Reply:
    """Which line to prove: a button for each of the newest that moved anything."""
    lines, _ = lines_of(ctx.session, ctx.brand.id, ctx.member.id, 0, SHOWN)
    provable = [line for line in lines if isinstance(line, Reward) and line.state != "capped"]
    if not provable:
        return ctx.reply("proof.nothing")
    buttons = [(Button(_label(ctx, line), action=f"do:rewards proof {line.id.hex}"),) for line in provable]
    return ctx.reply("proof.which", buttons=buttons)


def _label(ctx: Context, line: Line) -> str:
    """A line on a button, which knows no markup."""
    return plain(f"{ctx.when(line.created_at, time=False)} · {ctx.points(abs(line.amount), line.asset)}")


def _proof(ctx: Context, which: str) -> Reply:
    try:
        reward = ctx.session.get(Reward, (ctx.brand.id, UUID(hex=which)))
    except ValueError:
        reward = None
    if reward is None or reward.member_id != ctx.member.id:
        return ctx.reply("error.button_old")
    try:
        document = proof_of_reward(ctx.session, ctx.brand.id, reward.id)
    except Refused as error:
        return Reply(ctx.refusal(error), private=True, brief=ctx.say("group.brief"))
    block, published = document["headers"][0], document["published"]
    shown = ctx.reply(
        "proof.shown" if published else "proof.shown_unpublished",
        line=Safe(line_words(ctx, reward)),
        place=document["position"] + 1,
        count=block["count"],
        height=block["height"],
        sealed=ctx.when(clock.parse(block["sealed_at"])),
        root=Safe(check(document).root or ""),
        day=published["day"] if published else "",
    )
    text = json.dumps(document, ensure_ascii=False, indent=1)
    return replace(shown, image=_file(ctx, "proof", text.encode(), "json", "application/json"))


REWARDS = Command(
    CommandSpec(
        "rewards",
        ("奖励", "我的奖励", "积分", "余额"),
        {"en": "What I earned, and when it is mine", "zh_Hans": "我得到的奖励和到账时间"},
    ),
    rewards,
)
