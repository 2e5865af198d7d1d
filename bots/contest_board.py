"""The board of a contest in words: who stands where, what it wins, how far the next prize is, how long it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from bots.context import Context, Safe, as_code, name_of
from bots.message import Button, Reply
from core import i18n
from referral.campaigns import Campaign, campaigns_of
from referral.contests.boards import Board, Line, board_of, how_many, line_of, people_out, top
from referral.contests.standings import mark_of
from referral.contests.teams import Team, team_of, teams_by_id
from rewards.contests.gaps import next_prize, prizes_at
from rewards.plans import Plan, Prize, plan_of

SHOWN = 10
OUT_SHOWN = 3
"""Disqualified members named on a board."""
MEDALS = {1: "🥇", 2: "🥈", 3: "🥉"}


def contest_of(ctx: Context, states: Sequence[str]) -> Campaign | None:
    """The brand's newest contest in the first of these states in which there is one."""
    for state in states:
        for campaign in campaigns_of(ctx.session, ctx.brand.id, (state,)):
            if campaign.kind == "contest":
                return campaign
    return None


def contest_board(ctx: Context, campaign: Campaign) -> Reply:
    """The board, for everybody; what is about the person alone is said in private only."""
    board = board_of(ctx.session, campaign)
    version = board.final.version if board.final else campaign.version
    plan = plan_of(ctx.session, campaign.brand_id, campaign.id, version)
    lines = top(ctx.session, board, SHOWN)
    team = team_of(ctx.session, campaign, ctx.member.id) if board.teams else None
    owner = team.id if team is not None else ctx.member.id
    heading = ctx.say("leaderboard.heading", title=ctx.title(campaign)) + "\n" + state_words(ctx, board)
    ranked = _lines(ctx, board, plan, lines, owner) if lines else ctx.say("contest.nobody")
    mine = _mine(ctx, board, plan, lines, team) if ctx.private else []
    parts = [heading, ranked, *mine, *_out(ctx, board)]
    if campaign.state not in ("ended", "settled"):
        parts.append(prize_words(ctx, board, plan))
    return Reply("\n\n".join(parts), buttons=_buttons(ctx, board, team))


def first_places(ctx: Context, campaign: Campaign, most: int) -> list[str]:
    """The first places of a contest with what they win, and once it is over how final they are; for who runs it."""
    board = board_of(ctx.session, campaign)
    version = board.final.version if board.final else campaign.version
    plan = plan_of(ctx.session, campaign.brand_id, campaign.id, version)
    lines = top(ctx.session, board, most)
    state = [state_words(ctx, board)] if campaign.state in ("ended", "settled") else []
    return [*state, *([_lines(ctx, board, plan, lines, ctx.member.id)] if lines else [])]


def state_words(ctx: Context, board: Board) -> str:
    """Whether it runs and until when, or whether the board is final."""
    campaign = board.campaign
    if board.final is not None:
        key = "contest.final" if board.final.revision == 1 else "contest.final_again"
        return ctx.say(key, revision=board.final.revision)
    if campaign.state in ("ended", "settled"):
        at = board.terms.final_at(campaign.ends_at)
        return ctx.say("contest.provisional", at=ctx.when(at, campaign))
    if campaign.state == "running":
        left = Safe(left_words(ctx, campaign.ends_at - ctx.now))
        return ctx.say("contest.runs", left=left, at=ctx.when(campaign.ends_at, campaign))
    at = campaign.starts_at if campaign.state == "scheduled" else campaign.ends_at
    return ctx.say(f"contest.{campaign.state}", at=ctx.when(at, campaign))


def left_words(ctx: Context, left: timedelta) -> str:
    """A time that is left, in the largest unit that says enough."""
    minutes = max(1, round(left.total_seconds() / 60))
    for unit, size in (("days", 24 * 60), ("hours", 60)):
        if minutes >= 2 * size:
            return i18n.text(ctx.locale, f"contest.left.{unit}", n=round(minutes / size))
    return i18n.text(ctx.locale, "contest.left.minutes", n=minutes)


def prize_words(ctx: Context, board: Board, plan: Plan) -> str:
    """Every prize, and the rules that decide between people: they are published before anybody wins."""
    lines = [ctx.say("contest.prizes")]
    lines += ["- " + prize_line(ctx, board, plan, prize) for prize in plan.prizes]
    rules = [ctx.say("contest.tie")]
    if board.terms.floor > 1:
        rules.append(ctx.say("contest.floor", n=board.terms.floor))
    if board.teams:
        rules.append(ctx.say("contest.shared"))
    return "\n".join(lines) + "\n\n" + ("" if ctx.locale == "zh_Hans" else " ").join(rules)


def prize_line(ctx: Context, board: Board, plan: Plan, prize: Prize) -> str:
    """Who gets a prize, and what it is."""
    amount = ctx.points(prize.amount, plan.prize_asset(prize))
    if prize.reach is not None:
        who = "team" if board.teams else "single"
        return ctx.say(f"contest.prize.reach.{who}", reach=prize.reach, winners=prize.places, amount=amount)
    if prize.places == 1:
        return ctx.say("contest.prize.one", first=prize.first, amount=amount)
    return ctx.say("contest.prize.span", first=prize.first, last=prize.last, amount=amount)


def _lines(ctx: Context, board: Board, plan: Plan, lines: list[Line], mine: UUID) -> str:
    teams = teams_by_id(ctx.session, ctx.brand.id, [line.owner for line in lines]) if board.teams else {}
    shown = []
    for line in lines:
        key = "leaderboard.me" if line.owner == mine else "leaderboard.line"
        place = MEDALS.get(line.rank, f"{line.rank}.")
        words = ctx.say(key, place=place, name=_name(ctx, board, teams, line), n=line.score)
        won: Counter[str] = Counter()
        for prize in prizes_at(plan, board, line):
            won[plan.prize_asset(prize)] += prize.amount
        amounts = " + ".join(ctx.points(amount, asset) for asset, amount in won.items())
        shown.append(f"{words} · 🎁 {amounts}" if won else words)
    return "\n".join(shown)


def _name(ctx: Context, board: Board, teams: Mapping[UUID, Team], line: Line) -> str:
    if not board.teams:
        return name_of(ctx.session, ctx.brand.id, line.owner, ctx.locale)
    team = teams.get(line.owner)
    return team.name if team is not None and team.name else i18n.text(ctx.locale, "contest.team_unnamed")


def _mine(ctx: Context, board: Board, plan: Plan, lines: list[Line], team: Team | None) -> list[str]:
    """Where the person stands, or their team, what is next, and their mark in what was published."""
    if ctx.member.id in board.out:
        return [ctx.say("contest.you_are_out", reason=board.out[ctx.member.id])]
    running = board.campaign.state in ("running", "paused")
    if board.teams and team is None:
        return [ctx.say("contest.no_team")] if running else []
    line = line_of(ctx.session, board, team.id if team is not None else ctx.member.id)
    said = []
    if line is None and running:
        said.append(ctx.say("contest.team_not_yet" if team else "leaderboard.not_yet"))
    elif line is not None and all(one.owner != line.owner for one in lines):
        key = "contest.team_mine" if team else "contest.mine"
        said.append(ctx.say(key, rank=line.rank, of=how_many(ctx.session, board), n=line.score))
    gap = next_prize(ctx.session, board, plan, line) if running else None
    if gap is not None:
        amount = ctx.points(gap.prize.amount, plan.prize_asset(gap.prize))
        said.append(ctx.say("contest.gap.team" if board.teams else "contest.gap", n=gap.more, amount=amount))
    parts = [("" if ctx.locale == "zh_Hans" else " ").join(said)] if said else []
    if board.final is not None and line is not None:
        parts.append(ctx.say("contest.mark", mark=as_code(mark_of(board.final.salt, ctx.member.id))))
    return parts


def _out(ctx: Context, board: Board) -> list[str]:
    """Who is out, and why: both are public."""
    people = people_out(ctx.session, board)
    lines = [
        "- " + ctx.say("contest.out", name=name_of(ctx.session, ctx.brand.id, member, ctx.locale), reason=reason)
        for member, reason in list(people.items())[:OUT_SHOWN]
    ]
    if len(people) > OUT_SHOWN:
        lines.append("- " + ctx.say("contest.out_more", n=len(people) - OUT_SHOWN))
    return [ctx.say("contest.out_heading") + "\n" + "\n".join(lines)] if lines else []


def _buttons(ctx: Context, board: Board, team: Team | None) -> tuple[tuple[Button, ...], ...]:
    if board.campaign.state in ("ended", "settled"):
        return ((ctx.button("button.rewards", "do:rewards"),),) if ctx.private else ()
    row = (ctx.button("button.invite", f"do:invite {board.campaign.slug}"),)
    return ((*row, ctx.button("button.my_team" if team else "button.teams", "do:team")),) if board.teams else (row,)
