"""`/start [CODE]` and `/join CODE`: how people come in. The hot path: many arrivals are handled in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from bots.command import Argument, CommandSpec
from bots.context import Command, Context, Links, Safe, say
from bots.message import Button, Reply
from core import i18n
from referral import codes
from referral.arrivals import Arrive, Arrived, arrive
from referral.brands import Community, communities_of
from referral.campaigns import Campaign, invites_of, runs_in
from referral.members import Account, Member


@dataclass(frozen=True, slots=True)
class Arrival:
    """A person said a code."""

    command: Arrive
    links: Links


def start(ctx: Context) -> Reply:
    """Without a code: who we are and what one can do."""
    campaign = ctx.campaign()
    if campaign is not None and campaign.state == "running":
        text = ctx.say("start.welcome", name=ctx.member.name, brand=ctx.brand.name, title=ctx.title(campaign))
    else:
        text = ctx.say("start.quiet", name=ctx.member.name, brand=ctx.brand.name, news=state_of(ctx, campaign))
    buttons = home_buttons(ctx.locale)
    if campaign is not None and campaign.kind == "trial" and campaign.state == "running":
        buttons = ((trial_button(ctx.locale, campaign),), *buttons)
    return Reply(text, buttons=buttons, private=True, brief=ctx.say("group.brief"))


def state_of(ctx: Context, campaign: Campaign | None) -> Safe:
    """Why there is nothing to take part in now."""
    if campaign is None:
        return Safe(ctx.say("campaign.none"))
    starts = ctx.when(campaign.starts_at, campaign)
    return Safe(ctx.say(f"campaign.is_{campaign.state}", title=ctx.title(campaign), starts=starts))


def join(ctx: Context) -> Reply:
    """`/join` without a code asks for it; the router hands every code to `welcome`."""
    return ctx.reply("join.ask")


def home_buttons(locale: str) -> tuple[tuple[Button, ...], ...]:
    """The three things people want most."""
    return (
        (Button(i18n.text(locale, "button.invite"), action="do:invite"),),
        (
            Button(i18n.text(locale, "button.me"), action="do:me"),
            Button(i18n.text(locale, "button.leaderboard"), action="do:leaderboard"),
        ),
    )


def read_code(argument: str) -> tuple[str, UUID | None]:
    """The code, and the click that led here, in what follows `/start` (`CODE` or `CODE-<click as 32 hex>`)."""
    head, _, tail = argument.strip().rpartition("-")
    if len(tail) == 32 and head:
        try:
            return codes.normalize(head), UUID(hex=tail)
        except ValueError:
            pass
    return codes.normalize(argument), None


def welcome(session: Session, arrivals: Sequence[Arrival]) -> list[Reply]:
    """Judge these arrivals together and answer each. The batch function behind the hot commands."""
    results = arrive(session, [arrival.command for arrival in arrivals])
    doors = _doors(session, arrivals, results)
    people = _people(session, results)
    return [
        _answer(arrival, result, people, doors.get(index, ()))
        for index, (arrival, result) in enumerate(zip(arrivals, results, strict=True))
    ]


def _people(session: Session, results: Sequence[Arrived]) -> dict[UUID, tuple[str, str | None]]:
    """Name and chosen language of the advocates, and of the friends who were known before."""
    wanted = {result.owner.advocate_id for result in results if result.owner}
    wanted |= {result.member_id for result in results if result.member_id and not result.created}
    rows = session.execute(
        select(col(Member.id), col(Member.name), col(Member.locale)).where(
            col(Member.brand_id).in_({result.owner.brand_id for result in results if result.owner}),
            col(Member.id).in_(wanted),
        )
    )
    return {member_id: (name, locale) for member_id, name, locale in rows}


def _doors(
    session: Session, arrivals: Sequence[Arrival], results: Sequence[Arrived]
) -> dict[int, Sequence[tuple[Community, str]]]:
    """For those who still have to join: the communities on their platform with the link to press."""
    found: dict[int, Sequence[tuple[Community, str]]] = {}
    communities: dict[UUID, list[Community]] = {}
    invites: dict[str, dict[UUID, str]] = {}
    for index, (arrival, result) in enumerate(zip(arrivals, results, strict=True)):
        if result.state != "started" or result.owner is None:
            continue
        brand_id, code = result.owner.brand_id, result.owner.code
        if brand_id not in communities:
            communities[brand_id] = communities_of(session, brand_id)
        if code not in invites:
            invites[code] = invites_of(session, brand_id, code)
        found[index] = [
            (community, url)
            for community in communities[brand_id]
            if community.platform == arrival.command.person.platform
            and runs_in(result.owner.campaign, community.id)
            and (url := invites[code].get(community.id) or community.invite_url)
        ]
    return found


def _answer(
    arrival: Arrival,
    result: Arrived,
    people: dict[UUID, tuple[str, str | None]],
    doors: Sequence[tuple[Community, str]],
) -> Reply:
    person = arrival.command.person
    chosen = people[result.member_id][1] if result.member_id in people else None
    locale = chosen or person.locale
    if result.owner is None:
        return _private(locale, "error.code_unknown", given=codes.display(arrival.command.code))
    campaign = result.owner.campaign
    facts: dict[str, Any] = {
        "name": person.name,
        "advocate": people.get(result.owner.advocate_id, ("", None))[0] or i18n.text(locale, "member.unnamed"),
        "title": i18n.pick(campaign.title, locale),
        "benefit": i18n.pick(campaign.benefit, locale),
        "starts": Safe(i18n.moment(locale, campaign.starts_at, campaign.timezone)),
        "days": campaign.stay_days,
    }
    if result.outcome == "already_referred" and result.same_advocate:
        return _private(locale, "join.again", home=True, **facts)
    if result.outcome != "referred":
        return _private(locale, f"why.friend.{result.outcome}", home=True, **facts)
    buttons = tuple((Button(_door_label(locale, community), url=url),) for community, url in doors)
    if result.state == "started":
        key = ("join.step_in." if buttons else "join.find_group.") + campaign.event
    else:
        key = "join.done_at_once" if result.state == "qualified" else WAITING.get(campaign.event, "join.stay")
    if campaign.kind == "trial":
        buttons = (*buttons, (trial_button(locale, campaign),))
    return _private(locale, key, buttons=buttons, **facts)


WAITING = {"purchased": "join.buy", "trial_claimed": "join.try", "feedback_given": "join.try_and_tell"}
"""What a friend who is in the group has yet to do, where it is not just to stay."""


def trial_button(locale: str, campaign: Campaign) -> Button:
    """The way to a trial."""
    return Button(i18n.text(locale, "button.trial_see"), action=f"do:trial show {campaign.slug}")


def _door_label(locale: str, community: Community) -> str:
    return i18n.text(locale, "button.enter_group", title=community.title or community.platform)


def _private(
    locale: str, key: str, *, buttons: tuple[tuple[Button, ...], ...] = (), home: bool = False, **facts: Any
) -> Reply:
    return Reply(
        say(locale, key, **facts),
        buttons=buttons or (home_buttons(locale) if home else ()),
        private=True,
        brief=say(locale, "group.brief"),
    )


def arrival_of(person: Account, argument: str, kind: str, links: Links, at: datetime) -> Arrival:
    """Read what was said into an arrival. Raises `BadInput` for a mistyped or unreadable code."""
    code, click = read_code(argument)
    return Arrival(Arrive(code, person, at, kind=kind, click_id=click), links)


START = Command(
    CommandSpec("start", ("开始", "你好", "hi", "hello"), {"en": "Start here", "zh_Hans": "从这里开始"}), start
)
JOIN = Command(
    CommandSpec(
        "join",
        ("邀请码", "加入", "输入邀请码", "code"),
        {"en": "Enter a friend's invite code", "zh_Hans": "输入朋友给你的邀请码"},
        Argument("code", {"en": "The code, or the whole link", "zh_Hans": "邀请码或完整链接"}),
    ),
    join,
)
