"""`/me`: how my friends get on; `/why`: why each of them did or did not count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from bots.case_words import Telling
from bots.command import Argument, CommandSpec
from bots.commands import appeal
from bots.context import Command, Context, Safe, name_of, sentences
from bots.lines import outcome
from bots.message import Reply
from bots.questions import plain
from bots.trial_words import trying
from bots.which import named, others, own
from core import clock
from referral import doubts, leaderboard
from referral.campaigns import Campaign, codes_of
from referral.cases import Case
from referral.referrals import Referral, referral_of, referrals_by
from referral.rules import REFUSALS
from referral.touches import Touch
from referral.trials.credit import OWN as OF_TRIALS
from rewards.case_words import friend_name
from rewards.corrections import first_cause
from rewards.rewards import Reward, rewards_for

SHOWN = 8
"""Friends named in one answer; the counts cover all."""
ASKED = 40
"""Characters of a name that are said back."""
DECISIONS = 6
"""Decisions told of each friend."""


def me(ctx: Context) -> Reply:
    campaign = named(ctx) or own(ctx)
    if campaign is None:
        return ctx.reply("campaign.none")
    friends = referrals_by(ctx.session, ctx.brand.id, ctx.member.id, campaign.id)
    buttons = (
        (ctx.button("button.invite", f"do:invite {campaign.slug}"),),
        (ctx.button("button.why", f"do:why {campaign.slug}"), ctx.button("button.rewards", "do:rewards")),
        *others(ctx, "me", campaign),
    )
    came = _own_line(ctx, campaign)
    if not friends:
        text = "\n\n".join([*came, ctx.say("me.nobody", title=ctx.title(campaign))])
        return Reply(text, buttons=buttons, private=True, brief=ctx.say("group.brief"))
    counts = Counter(friend.state for friend in friends)
    lines = [
        ctx.say(
            "me.counts",
            title=ctx.title(campaign),
            qualified=counts["qualified"],
            underway=counts["joined"] + counts["started"],
            lost=counts["expired"] + counts["reversed"] + counts["rejected"],
        )
    ]
    place = leaderboard.standing(ctx.session, ctx.brand.id, campaign.id, ctx.member.id)
    if place is not None:
        lines.append(_standing_line(ctx, place))
    lines.append("\n".join("- " + friend_line(ctx, campaign, friend) for friend in friends[:SHOWN]))
    if len(friends) > SHOWN:
        lines.append(ctx.say("me.more", n=len(friends) - SHOWN))
    lines += came
    return Reply("\n\n".join(lines), buttons=buttons, private=True, brief=ctx.say("group.brief"))


def _standing_line(ctx: Context, place: leaderboard.Standing) -> str:
    key = "me.top" if place.gap is None else "me.standing"
    return ctx.say(key, rank=place.rank, of=place.of, gap=place.gap or 0)


def _state(ctx: Context, campaign: Campaign, referral: Referral) -> str:
    """The state as people see it: who left has to come back, who came where purchases count has to buy, and who came
    to a trial has to have a place."""
    if campaign.event == "purchased" and referral.state in ("started", "joined"):
        return "waiting"
    if campaign.event in OF_TRIALS and referral.state in ("started", "joined"):
        return "trying." + trying(ctx.session, campaign, referral.friend_id)
    return "left" if referral.state == "joined" and referral.stay_since is None else referral.state


def friend_line(ctx: Context, campaign: Campaign, friend: Referral) -> str:
    """One friend and how they get on."""
    state = _state(ctx, campaign, friend)
    return ctx.say(
        f"me.friend.{state}",
        friend=_name(ctx, friend.friend_id),
        due=ctx.when(friend.due_at, campaign) if friend.due_at else "",
        when=ctx.when(friend.qualified_at or friend.started_at, campaign, time=False),
    )


def why(ctx: Context) -> Reply:
    """For each friend one sentence with the rule and its facts; also how the person came here themselves.

    Behind the command may stand a friend's name, with other words around it or only a part of it.
    """
    campaign = named(ctx)
    asked = "" if campaign is not None else plain(ctx.argument)
    campaign = campaign or own(ctx)
    if campaign is None:
        return ctx.reply("campaign.none")
    friends = referrals_by(ctx.session, ctx.brand.id, ctx.member.id, campaign.id)
    if asked:
        friends = [friend for friend in friends if _means(asked, _name(ctx, friend.friend_id))]
    friends = friends[:SHOWN]
    rewards = rewards_for(ctx.session, ctx.brand.id, [friend.id for friend in friends])
    lines = [_why_line(ctx, campaign, friend, rewards) for friend in friends]
    lines += [_refused_line(ctx, campaign, touch) for touch in _refused(ctx, campaign, mine=True, asked=asked)]
    if not asked:
        lines += [
            _doubt_line(ctx, campaign, case) for case in doubts.in_doubt(ctx.session, campaign, ctx.member.id)[:SHOWN]
        ]
        lines += _own_line(ctx, campaign)
        lines += [_tried_line(ctx, campaign, touch) for touch in _refused(ctx, campaign, mine=False)]
    if not lines and asked:
        row = (ctx.button("button.me", f"do:me {campaign.slug}"), ctx.button("button.why", f"do:why {campaign.slug}"))
        return ctx.reply("why.unknown", asked=ctx.argument[:ASKED], title=ctx.title(campaign), buttons=(row,))
    if not lines:
        rows = ((ctx.button("button.invite", f"do:invite {campaign.slug}"),), *others(ctx, "why", campaign))
        return ctx.reply("why.nothing", title=ctx.title(campaign), buttons=rows)
    text = ctx.say("why.heading", title=ctx.title(campaign)) + "\n\n" + "\n".join("- " + line for line in lines)
    mine = None if asked else referral_of(ctx.session, ctx.brand.id, ctx.member.id, campaign.id)
    judged = appeal.buttons(ctx, [*friends, mine] if mine is not None else friends)
    rows = (*judged, *others(ctx, "why", campaign))
    return Reply(text, buttons=rows, private=True, brief=ctx.say("group.brief"))


def _name(ctx: Context, member_id: UUID) -> str:
    return name_of(ctx.session, ctx.brand.id, member_id, ctx.locale)


def _means(asked: str, name: str) -> bool:
    """Whether these words are about somebody of this name."""
    name = plain(name)
    return asked in name or (len(name) > 1 and name in asked)


def _own_line(ctx: Context, campaign: Campaign) -> list[str]:
    """How the person came here themselves, if through somebody."""
    came = referral_of(ctx.session, ctx.brand.id, ctx.member.id, campaign.id)
    if came is None:
        return []
    state = _state(ctx, campaign, came)
    if came.reason in ("advocate_gone", "left_during_hold", "refunded"):
        state += f".{came.reason}"
    advocate = _name(ctx, came.advocate_id)
    return [ctx.say(f"why.own.{state}", advocate=advocate, **_facts(ctx, campaign, came))]


def _why_line(ctx: Context, campaign: Campaign, friend: Referral, rewards: Sequence[Reward]) -> str:
    name = _name(ctx, friend.friend_id)
    facts = _facts(ctx, campaign, friend)
    state = _state(ctx, campaign, friend)
    if state in ("reversed", "expired", "rejected") and friend.reason:
        state = f"{state}.{friend.reason}"
    if state in ("qualified", "expired.window_over"):
        state += f".{campaign.event}"
    line = ctx.say(f"why.{state}", friend=name, **facts)
    mine = [reward for reward in rewards if reward.referral_id == friend.id and reward.member_id == ctx.member.id]
    if friend.state != "qualified":
        mine = [reward for reward in mine if reward.event != campaign.event]
    mine.sort(key=lambda reward: (reward.created_at, reward.id))
    # Of what was granted anew after a review only its last life is told.
    mine = list({(first_cause(reward.cause), reward.rule): reward for reward in mine}.values())
    told = [outcome(ctx, campaign, reward) for reward in mine[:DECISIONS]]
    return sentences(ctx.locale, line, *told)


def _facts(ctx: Context, campaign: Campaign, referral: Referral) -> dict[str, object]:
    return {
        "days": campaign.stay_days,
        "window": campaign.window_days,
        "started": ctx.when(referral.started_at, campaign),
        "since": ctx.when(referral.stay_since, campaign) if referral.stay_since else "",
        "due": ctx.when(referral.due_at, campaign) if referral.due_at else "",
        "qualified": ctx.when(referral.qualified_at, campaign) if referral.qualified_at else "",
        "expires": ctx.when(referral.expires_at, campaign),
    }


def _refused(ctx: Context, campaign: Campaign, *, mine: bool, asked: str = "") -> Sequence[Touch]:
    """Arrivals that made no referral: with my code (`mine`), or my own with somebody's. `asked`: whose."""
    my_codes = codes_of(ctx.session, campaign, ctx.member.id)
    from_me = col(Touch.code).in_(my_codes) & (col(Touch.member_id) != ctx.member.id)
    of_me = col(Touch.member_id) == ctx.member.id
    rows = ctx.session.scalars(
        select(Touch)
        .where(
            col(Touch.brand_id) == ctx.brand.id,
            col(Touch.campaign_id) == campaign.id,
            from_me if mine else of_me,
            col(Touch.outcome).in_(REFUSALS),
        )
        .order_by(col(Touch.touched_at).desc())
        .limit(SHOWN * 4)
    )
    # Trying ten times is one thing that happened, not ten.
    newest: dict[tuple[object, str | None], Touch] = {}
    for touch in rows:
        if not asked or (touch.member_id is not None and _means(asked, _name(ctx, touch.member_id))):
            newest.setdefault((touch.member_id, touch.outcome), touch)
    return list(newest.values())[:SHOWN]


def _refused_line(ctx: Context, campaign: Campaign, touch: Touch) -> str:
    assert touch.member_id is not None
    name = _name(ctx, touch.member_id)
    return ctx.say(f"why.refused.{touch.outcome}", friend=name, **_touch_facts(ctx, campaign, touch))


def _doubt_line(ctx: Context, campaign: Campaign, case: Case) -> str:
    """Somebody of whom it is not known yet who brought them."""
    friend = friend_name(Telling(ctx.session, ctx.brand, ctx.locale), case)
    return ctx.say("why.in_doubt", friend=friend, when=ctx.when(clock.parse(case.facts["at"]), campaign))


def _tried_line(ctx: Context, campaign: Campaign, touch: Touch) -> str:
    facts = _touch_facts(ctx, campaign, touch)
    return ctx.say("why.tried", reason=Safe(ctx.say(f"why.friend.{touch.outcome}", **facts)), **facts)


def _touch_facts(ctx: Context, campaign: Campaign, touch: Touch) -> dict[str, object]:
    seen = (touch.facts or {}).get("seen_at")
    return {
        "title": ctx.title(campaign),
        "name": ctx.member.name,
        "when": ctx.when(touch.touched_at, campaign),
        "seen": ctx.when(clock.parse(seen), campaign) if seen else "",
        "starts": ctx.when(campaign.starts_at, campaign),
        "ends": ctx.when(campaign.ends_at, campaign),
    }


ME = Command(
    CommandSpec(
        "me", ("我的", "我的朋友", "好友", "进度"), {"en": "How my friends get on", "zh_Hans": "我邀请的朋友和进度"}
    ),
    me,
)
WHY = Command(
    CommandSpec(
        "why",
        ("为什么", "原因", "为何"),
        {"en": "Why a friend did or did not count", "zh_Hans": "朋友为什么算数或没算数"},
        Argument("friend", {"en": "a friend’s name, or nothing for the newest", "zh_Hans": "朋友的名字，或留空"}),
    ),
    why,
)
