"""`/rewards`: what I earned, line by line, and when it becomes mine."""

from __future__ import annotations

from sqlmodel import Session

from bots.command import CommandSpec
from bots.context import Command, Context, Safe, name_of, say
from bots.message import Reply
from referral.campaigns import Campaign
from referral.referrals import Referral
from rewards.ledger import Purpose, balances_of
from rewards.rewards import Reward, rewards_of

SHOWN = 10


def rewards(ctx: Context) -> Reply:
    found = rewards_of(ctx.session, ctx.brand.id, ctx.member.id, SHOWN)
    if not found:
        return ctx.reply("rewards.none", buttons=((ctx.button("button.invite", "do:invite"),),))
    balances = balances_of(ctx.session, ctx.brand.id, ctx.member.id)
    totals = [
        ctx.say(
            "rewards.balance",
            payable=ctx.points(balances.get((Purpose.PAYABLE, asset), 0), asset),
            held=ctx.points(balances.get((Purpose.HELD, asset), 0), asset),
        )
        for asset in sorted({asset for _, asset in balances})
    ]
    lines = ["- " + _line(ctx, ctx.session, reward) for reward in found]
    text = "\n".join([*totals, "", *lines])
    return Reply(text, buttons=((ctx.button("button.why", "do:why"),),), private=True, brief=ctx.say("group.brief"))


def _line(ctx: Context, session: Session, reward: Reward) -> str:
    campaign = session.get(Campaign, (ctx.brand.id, reward.campaign_id))
    referral = session.get(Referral, (ctx.brand.id, reward.referral_id))
    assert campaign is not None
    assert referral is not None
    other = referral.friend_id if reward.role == "advocate" else referral.advocate_id
    state = ctx.say(
        f"rewards.state.{reward.state}",
        until=ctx.when(reward.hold_until, campaign),
        reason=reason_of(ctx.locale, reward),
    )
    return ctx.say(
        f"rewards.line.{reward.role}",
        amount=ctx.points(reward.amount, reward.asset),
        name=name_of(session, ctx.brand.id, other, ctx.locale),
        title=ctx.title(campaign),
        when=ctx.when(reward.created_at, campaign, time=False),
        state=Safe(state),
    )


def reason_of(locale: str, reward: Reward) -> Safe:
    """Why a reward was not given or taken back, said to its beneficiary; nothing where it stands."""
    if reward.reason is None or reward.state not in ("capped", "voided", "clawed_back"):
        return Safe("")
    return Safe(say(locale, f"reason.{reward.reason}.{reward.role}"))


REWARDS = Command(
    CommandSpec(
        "rewards",
        ("奖励", "我的奖励", "积分", "余额"),
        {"en": "What I earned, and when it is mine", "zh_Hans": "我得到的奖励和到账时间"},
    ),
    rewards,
)
