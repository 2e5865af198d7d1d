"""News of contests: the prize somebody won, a disqualification with its public reason, and its end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from bots.context import Safe, sentences
from bots.message import Button, Reply
from bots.news import News, Voice, tell
from core import i18n
from core.events import Bus
from referral.campaigns import Campaign
from referral.contests.boards import Board, board_of, line_of
from referral.contests.decisions import MemberDisqualified, MemberReinstated
from referral.contests.results import ContestFrozen, result_of
from referral.contests.teams import team_of
from rewards.rewards import OF_CONTEST, Reward

AND = {"en": " and ", "zh_Hans": "、"}


def listen(bus: Bus) -> None:
    """Hear of finals and decisions; after the prizes were given."""
    bus.on(ContestFrozen, _on_frozen)
    bus.on(MemberDisqualified, _on_out)
    bus.on(MemberReinstated, _on_back)


def _on_frozen(session: Session, happened: Sequence[ContestFrozen]) -> None:
    """Whoever got something by this revision is told of it, all in one message."""
    news = []
    for event in happened:
        winners = session.scalars(
            select(col(Reward.member_id))
            .where(
                col(Reward.brand_id) == event.brand_id,
                col(Reward.campaign_id) == event.campaign_id,
                col(Reward.cause).startswith(f"{OF_CONTEST}{event.revision}/"),
            )
            .distinct()
        )
        facts = {"campaign": str(event.campaign_id), "revision": event.revision}
        cause = f"contest/{event.campaign_id}/{event.revision}"
        news += [News(event.brand_id, member, "contest_won", f"{cause}/{member}", facts) for member in winners]
    tell(session, news)


def _on_out(session: Session, happened: Sequence[MemberDisqualified]) -> None:
    tell(session, [_decision(event, "contest_out") for event in happened])


def _on_back(session: Session, happened: Sequence[MemberReinstated]) -> None:
    tell(session, [_decision(event, "contest_back") for event in happened])


def _decision(event: MemberDisqualified | MemberReinstated, kind: str) -> News:
    facts = {"campaign": str(event.campaign_id), "reason": event.reason}
    cause = f"{kind}/{event.campaign_id}/{event.member_id}/{event.at.isoformat()}"
    return News(event.brand_id, event.member_id, kind, cause, facts)


def _won(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    """The place, and what it brought; None where a later revision has taken it all back already."""
    campaign = _campaign(voice, facts)
    rewards = _rewards(voice, facts)
    board = board_of(voice.session, campaign)
    if not rewards or board.final is None:
        return None
    parts = [_place(voice, campaign, board, facts), *_given(voice, campaign, rewards, facts["revision"])]
    capped = [one for one in rewards if one.state == "capped"]
    if capped:
        parts.append(voice.say("contest.news.no_budget", amount=_amounts(voice, capped)))
    return _with_buttons(voice, sentences(voice.locale, *parts))


def _rewards(voice: Voice, facts: Mapping[str, Any]) -> list[Reward]:
    found = voice.session.scalars(
        select(Reward)
        .where(
            col(Reward.brand_id) == voice.brand.id,
            col(Reward.member_id) == voice.member.id,
            col(Reward.campaign_id) == UUID(facts["campaign"]),
            col(Reward.cause).startswith(f"{OF_CONTEST}{facts['revision']}/"),
        )
        .order_by(col(Reward.created_at), col(Reward.id))
    )
    return [one for one in found if one.taken_back < one.amount]


def _place(voice: Voice, campaign: Campaign, board: Board, facts: Mapping[str, Any]) -> str:
    """Which place it was; after a new revision, that the board was computed anew."""
    title = i18n.pick(campaign.title, voice.locale)
    team = team_of(voice.session, campaign, voice.member.id) if board.teams else None
    owner = team.id if team is not None else voice.member.id
    line = line_of(voice.session, board, owner)
    if line is None:  # who has left the team's table, or plays under another account now
        return voice.say("contest.news.decided", title=title)
    key = "contest.news.again" if facts["revision"] > 1 else "contest.news.place"
    name = {"team": team.name} if team is not None else {}
    return voice.say(f"{key}.team" if team else key, title=title, rank=line.rank, n=line.score, **name)


def _given(voice: Voice, campaign: Campaign, rewards: Sequence[Reward], revision: int) -> list[str]:
    """What is theirs now, and what will be when; by a later revision, what came on top."""
    said = []
    now = [one for one in rewards if one.state not in ("capped", "held")]
    if now:
        said.append(
            voice.say("contest.news.won" if revision == 1 else "contest.news.added", amount=_amounts(voice, now))
        )
    held: dict[str, list[Reward]] = defaultdict(list)
    for one in rewards:
        if one.state == "held":
            held[one.hold_until.isoformat()].append(one)
    for at, some in sorted(held.items()):
        said.append(voice.say("contest.news.held", amount=_amounts(voice, some), at=voice.moment(at, campaign)))
    return said


def _amounts(voice: Voice, rewards: Sequence[Reward]) -> Safe:
    sums: dict[str, int] = defaultdict(int)
    for one in rewards:
        sums[one.asset] += one.amount - one.taken_back
    return Safe(AND[voice.locale].join(f"**{voice.amount(amount, asset)}**" for asset, amount in sorted(sums.items())))


def _out(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    return _decided(voice, facts, "out")


def _back(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    return _decided(voice, facts, "back")


def _decided(voice: Voice, facts: Mapping[str, Any], what: str) -> Reply:
    campaign = _campaign(voice, facts)
    final = result_of(voice.session, voice.brand.id, campaign.id) is not None
    key = f"contest.news.{what}.final" if final else f"contest.news.{what}"
    title = i18n.pick(campaign.title, voice.locale)
    return _with_buttons(voice, voice.say(key, title=title, brand=voice.brand.name, reason=facts["reason"]))


def _campaign(voice: Voice, facts: Mapping[str, Any]) -> Campaign:
    return voice.session.get_one(Campaign, (voice.brand.id, UUID(facts["campaign"])))


def _with_buttons(voice: Voice, words: str) -> Reply:
    labels = (("button.leaderboard", "do:leaderboard"), ("button.rewards", "do:rewards"))
    row = tuple(Button(i18n.text(voice.locale, key), action=action) for key, action in labels)
    return Reply(words, buttons=(row,), private=True)


KINDS = {"contest_won": _won, "contest_out": _out, "contest_back": _back}
