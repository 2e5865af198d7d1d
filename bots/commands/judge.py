"""`/judge` for staff: who leads a contest, and taking somebody out, or letting them back in, for a public reason."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

from bots.command import Argument, CommandSpec
from bots.contest_board import contest_of, state_words
from bots.context import Command, Context, name_of
from bots.dialog import begin
from bots.markup import clean
from bots.message import Button, Reply
from bots.questions import Choice, Dialog, Question, Talk
from core import i18n
from core.errors import BadInput, NotFound
from referral import leaderboard
from referral.campaigns import Campaign, find_campaign
from referral.contests import decisions
from referral.contests.boards import Board, board_of, people_out
from referral.contests.decisions import LONGEST_REASON
from referral.linking import person_of
from referral.members import Member

STATES = ("running", "paused", "ended", "settled")
SHOWN = 8
LABEL = 16
"""Characters of a name on a button."""
OUT, IN = "out", "in"
PRESETS = {OUT: ("fake", "bought", "rules"), IN: ("checked",)}


def judge(ctx: Context) -> Reply:
    if not ctx.may("campaign"):
        return ctx.reply("contest.staff_only")
    if not ctx.private:
        return ctx.reply("contest.judge_in_private")
    what, _, rest = ctx.argument.strip().partition(" ")
    if what in (OUT, IN):
        return _begin(ctx, what, rest)
    campaign = find_campaign(ctx.session, ctx.brand.id, what) if what else contest_of(ctx, STATES)
    if campaign is None or campaign.kind != "contest":
        return ctx.reply("team.no_contest")
    return _overview(ctx, board_of(ctx.session, campaign))


def _overview(ctx: Context, board: Board) -> Reply:
    """Who brought most, each with a button; and who is out, each with the reason and a way back."""
    campaign = board.campaign
    places = leaderboard.top(ctx.session, ctx.brand.id, campaign.id, SHOWN + len(board.out))
    listed = [place for place in places if place.member_id not in board.out][:SHOWN]
    lines = [
        ctx.say("leaderboard.line", place=f"{rank}.", name=_name(ctx, place.member_id), n=place.score)
        for rank, place in enumerate(listed, 1)
    ]
    parts = [ctx.say("leaderboard.heading", title=ctx.title(campaign)) + "\n" + state_words(ctx, board)]
    parts.append("\n".join(lines) if lines else ctx.say("contest.nobody"))
    people = people_out(ctx.session, board)
    if people:
        out = [ctx.say("contest.out", name=_name(ctx, one), reason=reason) for one, reason in people.items()]
        parts.append(ctx.say("contest.out_heading") + "\n" + "\n".join(f"- {line}" for line in out[:SHOWN]))
    if listed:
        parts.append(ctx.say("contest.how_to_judge"))
    rows = [(_button(ctx, OUT, campaign, place.member_id),) for place in listed]
    rows += [(_button(ctx, IN, campaign, one),) for one in list(people)[:SHOWN]]
    return Reply("\n\n".join(parts), buttons=tuple(rows), private=True, brief=ctx.say("group.brief"))


def _name(ctx: Context, member_id: UUID) -> str:
    return name_of(ctx.session, ctx.brand.id, member_id, ctx.locale)


def _button(ctx: Context, what: str, campaign: Campaign, member_id: UUID) -> Button:
    """Names contest and member, so that it still means them when it is pressed much later."""
    action = f"do:judge {what} {_packed(campaign.id)} {_packed(member_id)}"
    return ctx.button(f"button.contest_{what}", action, name=clean(_name(ctx, member_id), LABEL))


def _packed(one: UUID) -> str:
    return base64.urlsafe_b64encode(one.bytes).decode().rstrip("=")


def _unpacked(text: str) -> UUID:
    try:
        return UUID(bytes=base64.urlsafe_b64decode(text + "=="))
    except ValueError:
        raise NotFound("member") from None


def _begin(ctx: Context, what: str, names: str) -> Reply:
    campaign_name, _, member_name = names.partition(" ")
    campaign = ctx.session.get(Campaign, (ctx.brand.id, _unpacked(campaign_name)))
    member = person_of(ctx.session, ctx.brand.id, _unpacked(member_name))
    if campaign is None or ctx.session.get(Member, (ctx.brand.id, member)) is None:
        raise NotFound("member")
    if (member in board_of(ctx.session, campaign).out) == (what == OUT):  # somebody was first
        return _overview(ctx, board_of(ctx.session, campaign))
    facts = {"campaign": str(campaign.id), "member": str(member), "what": what}
    return begin(ctx, JUDGE, **facts, name=_name(ctx, member), title=ctx.title(campaign))


def _ask_reason(ctx: Context, talk: Talk) -> Reply:
    named = {name: talk.facts[name] for name in ("name", "title")}
    return Reply(ctx.say(f"contest.ask.{talk.facts['what']}", **named), private=True)


def _presets(ctx: Context, talk: Talk) -> list[Choice]:
    """The reasons there mostly are; each is its own answer, since it is what everybody reads."""
    said = [i18n.text(ctx.locale, f"contest.why.{one}") for one in PRESETS[talk.facts["what"]]]
    return [(one, one) for one in said]


def _ask_sure(ctx: Context, talk: Talk) -> Reply:
    named = {name: talk.facts[name] for name in ("name", "title")}
    reason = talk.answers.get("reason", "")
    return Reply(ctx.say(f"contest.sure.{talk.facts['what']}", reason=reason, **named), private=True)


def _yes(ctx: Context, talk: Talk) -> list[Choice]:
    return [(i18n.text(ctx.locale, f"button.contest_sure_{talk.facts['what']}"), "yes")]


def _reason(text: str) -> str:
    reason = " ".join(text.split())
    if not 0 < len(reason) <= LONGEST_REASON or not reason.isprintable() or reason.isdecimal():
        raise BadInput("contest_reason", limit=LONGEST_REASON)
    return reason


def _sure(text: str) -> str:
    if text != "yes":
        raise BadInput("contest_sure")
    return text


def _judge(ctx: Context, given: dict[str, Any]) -> Reply:
    campaign = ctx.session.get_one(Campaign, (ctx.brand.id, UUID(given["campaign"])))
    act = decisions.disqualify if given["what"] == OUT else decisions.reinstate
    act(ctx.session, campaign, UUID(given["member"]), reason=given["reason"], actor=ctx.actor)
    shown = _overview(ctx, board_of(ctx.session, campaign))
    done = ctx.say(f"contest.done.{given['what']}", name=given["name"], title=given["title"])
    return Reply(f"{done}\n\n{shown.text}", buttons=shown.buttons, private=True, brief=shown.brief)


JUDGE = Dialog(
    "contest_judge",
    None,
    (
        Question("reason", "contest.ask.out", _reason, ask=_ask_reason, choices=_presets, any_word=True),
        Question("sure", "contest.sure.out", _sure, ask=_ask_sure, choices=_yes, closed=True),
    ),
    _judge,
    admin=True,
)
COMMAND = Command(
    CommandSpec(
        "judge",
        ("裁定", "取消资格"),
        {"en": "Take somebody out of a contest (admins)", "zh_Hans": "取消或恢复参赛资格（管理员）"},
        Argument("slug", {"en": "which contest", "zh_Hans": "哪场大赛"}),
        admin=True,
    ),
    judge,
)
