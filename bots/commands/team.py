"""`/team`: found a team of a contest, join one, leave it before the first friend counts, see how it stands."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from bots.command import Argument, CommandSpec
from bots.contest_board import contest_of, state_words
from bots.context import Command, Context, as_code, name_of
from bots.dialog import begin
from bots.markup import clean
from bots.message import Button, Reply
from bots.questions import Dialog, Question
from core.errors import BadInput, NotFound
from referral import codes
from referral.campaigns import Campaign, enroll, find_campaign
from referral.contests import teams
from referral.contests.boards import Board, board_of, how_many, line_of, team_scores
from referral.contests.teams import NAME_LENGTH, Team

WORDS = {
    "新建": "new",
    "创建": "new",
    "建队": "new",
    "加入": "join",
    "退出": "leave",
    "离开": "leave",
    "确定": "yes",
}
STATES = ("running", "paused", "scheduled", "ended", "settled")
MEMBERS = 20
"""Members named on a team's card."""
OFFERED = 5
"""Teams offered to somebody who is in none."""
LABEL = 14
"""Characters of a team's name on a button."""


def team(ctx: Context) -> Reply:
    what, _, rest = ctx.argument.strip().partition(" ")
    what = WORDS.get(what, what.lower())
    campaign = _named_by(ctx, what, rest) or contest_of(ctx, STATES)
    if campaign is None:
        return ctx.reply("team.no_contest")
    board = board_of(ctx.session, campaign)
    if not board.teams:
        return ctx.reply("error.no_teams", buttons=((ctx.button("button.leaderboard", "do:leaderboard"),),))
    match what, rest.strip():
        case "", _:
            return _card(ctx, board)
        case "new", "":
            return begin(ctx, NEW, campaign=str(campaign.id))
        case "new", name:
            return _founded(ctx, campaign, name)
        case "join", "":
            return ctx.reply("team.how_to_join")
        case "join", code:
            return _joined(ctx, campaign, teams.join_team(ctx.session, campaign, ctx.member.id, code))
        case "into", found:
            return _joined(ctx, campaign, teams.enter_team(ctx.session, campaign, ctx.member.id, _team(ctx, found)))
        case "leave", more:
            sure = more.partition(" ")[0]
            return _leave(ctx, campaign, sure=WORDS.get(sure, sure) == "yes")
    return ctx.reply("team.how", title=ctx.title(campaign))


def _named_by(ctx: Context, what: str, rest: str) -> Campaign | None:
    """The contest that a button is about, by its team or its slug: there may be another one by now."""
    if what == "into":
        return ctx.session.get(Campaign, (ctx.brand.id, _team(ctx, rest.strip()).campaign_id))
    words = rest.split()
    if what != "leave" or len(words) != 2:
        return None
    found = find_campaign(ctx.session, ctx.brand.id, words[1])
    return found if found.kind == "contest" and found.state in STATES else None


def _team(ctx: Context, text: str) -> Team:
    try:
        found = ctx.session.get(Team, (ctx.brand.id, UUID(text)))
    except ValueError:
        found = None
    if found is None:
        raise NotFound("team_gone")
    return found


def _founded(ctx: Context, campaign: Campaign, name: str) -> Reply:
    made = teams.found_team(ctx.session, campaign, ctx.member.id, name)
    facts: dict[str, Any] = {"name": made.name, "title": ctx.title(campaign), "buttons": _mine_buttons(ctx, campaign)}
    if not _runs(campaign):
        return ctx.reply("team.founded_early", **facts)
    code = as_code(codes.display(enroll(ctx.session, campaign, ctx.member.id)))
    return ctx.reply("team.founded", code=code, **facts)


def _runs(campaign: Campaign) -> bool:
    return campaign.state == "running"


def _joined(ctx: Context, campaign: Campaign, found: Team) -> Reply:
    n = len(teams.members_of(ctx.session, found))
    return ctx.reply("team.joined", name=found.name, n=n, buttons=_mine_buttons(ctx, campaign))


def _mine_buttons(ctx: Context, campaign: Campaign) -> tuple[tuple[Button, ...], ...]:
    return ((ctx.button("button.invite", f"do:invite {campaign.slug}"), ctx.button("button.my_team", "do:team")),)


def _leave(ctx: Context, campaign: Campaign, *, sure: bool) -> Reply:
    if not sure:
        mine = teams.team_to_leave(ctx.session, campaign, ctx.member.id)
        row = (
            ctx.button("button.team_leave_yes", f"do:team leave yes {campaign.slug}"),
            ctx.button("button.my_team", "do:team"),
        )
        return ctx.reply("team.leave_sure", name=mine.name, buttons=(row,))
    name = teams.leave_team(ctx.session, campaign, ctx.member.id)
    return ctx.reply("team.left", name=name, buttons=((ctx.button("button.teams", "do:team"),),))


def _card(ctx: Context, board: Board) -> Reply:
    """One's own team; without one, those that can be joined. Said in a group it is for the group, to be joined."""
    mine = teams.team_of(ctx.session, board.campaign, ctx.member.id)
    is_open = board.campaign.state in teams.OPEN
    if mine is None:
        button = ((ctx.button("button.leaderboard", "do:leaderboard"),),)
        return _offers(ctx, board) if is_open else ctx.reply("error.teams_closed", buttons=button)
    text = "\n\n".join([_heading(ctx, board, mine), _members(ctx, board, mine), *_how_to_join(ctx, board, mine)])
    slug = board.campaign.slug
    standings = ctx.button("button.leaderboard", f"do:leaderboard {slug}")
    rows: list[tuple[Button, ...]] = [(ctx.button("button.invite", f"do:invite {slug}"), standings)]
    if not ctx.private:
        full = len(teams.members_of(ctx.session, mine)) >= board.terms.team_most
        rows = rows if full or not is_open else [(_join_button(ctx, mine),), *rows]
    elif is_open and not teams.scored_in_team(ctx.session, board.campaign, ctx.member.id):
        rows.append((ctx.button("button.team_leave", f"do:team leave ? {slug}"),))
    return Reply(text, buttons=tuple(rows))


def _join_button(ctx: Context, found: Team) -> Button:
    return ctx.button("button.team_join", f"do:team into {found.id.hex}", name=clean(found.name, LABEL))


def _heading(ctx: Context, board: Board, mine: Team) -> str:
    line = line_of(ctx.session, board, mine.id)
    heading = ctx.say("team.heading", name=mine.name, title=ctx.title(board.campaign))
    if line is None:
        stands = ctx.say("contest.team_not_yet")
    else:
        stands = ctx.say("team.stands", rank=line.rank, of=how_many(ctx.session, board), n=line.score)
    return "\n".join([heading, state_words(ctx, board), stands])


def _members(ctx: Context, board: Board, mine: Team) -> str:
    """Who is in the team, the captain first, with what each brought."""
    scores = team_scores(ctx.session, board, mine.id)
    listed = teams.members_of(ctx.session, mine)
    lines = []
    for place, member in enumerate(listed[:MEMBERS]):
        key = "team.captain" if place == 0 else "team.member"
        name = name_of(ctx.session, ctx.brand.id, member, ctx.locale)
        lines.append("- " + ctx.say(key, name=name, n=scores.get(member, 0)))
    if len(listed) > MEMBERS:
        lines.append("- " + ctx.say("team.more", n=len(listed) - MEMBERS))
    heading = ctx.say("team.members", n=len(listed), most=board.terms.team_most)
    return heading + "\n" + "\n".join(lines)


def _how_to_join(ctx: Context, board: Board, mine: Team) -> list[str]:
    """What a teammate-to-be says, while there is room."""
    room = len(teams.members_of(ctx.session, mine)) < board.terms.team_most
    if not room or not _runs(board.campaign):
        return []
    code = codes.display(enroll(ctx.session, board.campaign, ctx.member.id))
    return [ctx.say("team.recruit", code=as_code(code))]


def _offers(ctx: Context, board: Board) -> Reply:
    found = teams.open_teams(ctx.session, board.campaign, board.terms.team_most, OFFERED)
    rows = [(_join_button(ctx, one),) for one in found]
    rows.append((ctx.button("button.team_new", "do:team new"),))
    key = "team.none_yet" if not found else "team.choose"
    return ctx.reply(key, title=ctx.title(board.campaign), most=board.terms.team_most, buttons=tuple(rows))


def _read_name(text: str) -> str:
    name = " ".join(text.split())
    if not 0 < len(name) <= NAME_LENGTH or not name.isprintable():
        raise BadInput("team_name", limit=NAME_LENGTH)
    return name


def _named(ctx: Context, answers: dict[str, Any]) -> Reply:
    campaign = ctx.session.get_one(Campaign, (ctx.brand.id, UUID(answers["campaign"])))
    return _founded(ctx, campaign, answers["name"])


NEW = Dialog("team", "team.form", (Question("name", "team.ask_name", _read_name, any_word=True),), _named)
TEAM = Command(
    CommandSpec(
        "team",
        ("战队", "组队", "我的战队"),
        {"en": "My team in the contest", "zh_Hans": "我的战队"},
        Argument("what", {"en": "new, join with a code, or leave", "zh_Hans": "新建、加入 邀请码，或退出"}),
    ),
    team,
)
