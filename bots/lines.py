"""A line of what somebody earned, in words: for what, why, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bots.context import Context, Safe, name_of, say, sentences
from bots.markup import clean, escape
from core import i18n
from core.money import is_currency
from referral.attribution.decisions import share_of
from referral.attribution.split import WHOLE
from referral.brands import Community
from referral.campaigns import Campaign
from referral.conversions import Conversion
from referral.referrals import Referral
from rewards.adjustments import CAUSE as ADJUSTED
from rewards.adjustments import Adjustment
from rewards.conditions.dictionary import ATTRIBUTES, describe
from rewards.corrections import credited_in, order_in
from rewards.overview import Line
from rewards.plans import Plan, Rule, cached_plan
from rewards.rewards import OF_CONTEST, Reward

ORDER = "order/"
"""How the cause of a reward for an order begins."""
TAKEN = ("voided", "clawed_back")
GONE = ("capped", *TAKEN)
AND = {"en": "; ", "zh_Hans": "；"}
FACTS = 4
"""Facts of a decision told at most."""


def kind_of(asset: str) -> str:
    """money, points (which Stars are, too) or item: what words are chosen by."""
    if is_currency(asset):
        return "money"
    return "item" if asset.startswith("item:") else "points"


def line_words(ctx: Context, line: Line) -> str:
    """One thing that was given, refused or taken, with its reason."""
    campaign = ctx.session.get(Campaign, (ctx.brand.id, line.campaign_id))
    assert campaign is not None
    when = ctx.when(line.created_at, campaign, time=False)
    if isinstance(line, Adjustment):
        amount = ctx.points(-line.amount, line.asset)
        return ctx.say("rewards.line.deduction", when=when, amount=amount, brand=ctx.brand.name, reason=line.reason)
    facts: dict[str, Any] = {
        "when": when,
        "amount": ctx.points(line.amount, line.asset),
        "title": ctx.title(campaign),
        "state": Safe(_state(ctx, line, campaign)),
    }
    if line.cause.startswith(ADJUSTED):
        reason = str((line.facts or {}).get("reason", ""))
        return ctx.say("rewards.line.gift", brand=ctx.brand.name, reason=reason, **facts)
    if line.cause.startswith(OF_CONTEST):
        return ctx.say("rewards.line.prize", **facts)
    rule = rule_of(ctx, line)
    reach = _reach(rule, line)
    if reach is not None:
        text = ctx.say("rewards.line.milestone", reach=reach, **facts)
    else:
        about = "order." if line.cause.startswith(ORDER) else ""
        text = ctx.say(f"rewards.line.{about}{line.role}", name=_other(ctx, line), place=_place(ctx, line), **facts)
    if rule is not None and rule.why is not None:
        text = ctx.say("rewards.line.why", line=Safe(text), why=i18n.pick(rule.why, ctx.locale))
    share = _share(ctx, line)
    return ctx.say("rewards.line.share", line=Safe(text), share=share) if share is not None else text


def _share(ctx: Context, line: Reward) -> str | None:
    """The beneficiary's part of the credit for an order that several share, as a percentage."""
    order, credited = order_in(line.cause), credited_in(line.cause)
    if order is None or credited is None:
        return None
    share = share_of(ctx.session, ctx.brand.id, order, credited)
    return None if share in (0, WHOLE) else f"{round(100 * share / WHOLE, 1):g}%"


def _state(ctx: Context, reward: Reward, campaign: Campaign) -> str:
    kind = kind_of(reward.asset)
    key = f"rewards.state.{reward.state}"
    if reward.state in ("in_payout", "paid") and kind != "money":
        key += f".{kind}"
    state = ctx.say(key, until=ctx.when(reward.hold_until, campaign), reason=reason_of(ctx.locale, reward))
    if reward.taken_back and reward.state not in GONE:
        taken = ctx.points(reward.taken_back, reward.asset)
        reason = Safe(reason_words(ctx.locale, reward.reason, reward.role))
        state = ctx.say("rewards.state.partly", state=Safe(state), taken=taken, reason=reason)
    return state


def reason_of(locale: str, reward: Reward) -> Safe:
    """Why a reward was not given or taken back, said to its beneficiary; nothing where it stands."""
    if reward.reason is None or reward.state not in GONE:
        return Safe("")
    return Safe(reason_words(locale, reward.reason, reward.role))


def reason_words(locale: str, reason: str | None, role: str) -> str:
    """The words of a reason's code, for this side where it makes a difference."""
    known = i18n.catalogue(locale)
    keys = (f"reason.{reason}.{role}", f"reason.{reason}")
    return say(locale, next((key for key in keys if key in known), "reason.other"))


def plan_of(ctx: Context, reward: Reward) -> Plan:
    """The plan that decided about a reward."""
    return cached_plan(ctx.session, reward.brand_id, reward.campaign_id, reward.campaign_version)


def rule_of(ctx: Context, reward: Reward) -> Rule | None:
    """The rule of the plan that decided about a reward; None for what no plan decided."""
    return plan_of(ctx, reward).rule_named(reward.rule)


def _reach(rule: Rule | None, reward: Reward) -> int | None:
    """Which milestone the reward is for, where its amount says so."""
    steps = rule.milestones if rule is not None else ()
    return next((step.reach for step in steps if step.amount == reward.amount), None)


def _other(ctx: Context, reward: Reward) -> str:
    """The name of the other one of the two; for an admin, of the friend."""
    referral = ctx.session.get(Referral, (ctx.brand.id, reward.referral_id)) if reward.referral_id else None
    if referral is None:
        return i18n.text(ctx.locale, "member.unnamed")
    other = referral.advocate_id if reward.role == "friend" else referral.friend_id
    return name_of(ctx.session, ctx.brand.id, other, ctx.locale)


def _place(ctx: Context, reward: Reward) -> str:
    found = ctx.session.get(Community, (ctx.brand.id, reward.community_id)) if reward.community_id else None
    return found.title if found is not None and found.title else i18n.text(ctx.locale, "rewards.community")


def outcome(ctx: Context, campaign: Campaign, reward: Reward) -> str:
    """What a decision came to, in a sentence: the amount and when, or the rule and the facts that stood against it."""
    facts = {
        "amount": ctx.points(reward.amount, reward.asset),
        "until": ctx.when(reward.hold_until, campaign),
        "reason": reason_of(ctx.locale, reward),
    }
    if reward.state == "capped":
        return _refusal(ctx, reward, facts)
    text = ctx.say(f"why.reward.{reward.state}", **facts)
    if reward.taken_back and reward.state not in GONE:
        taken = ctx.points(reward.taken_back, reward.asset)
        reason = Safe(reason_words(ctx.locale, reward.reason, reward.role))
        return sentences(ctx.locale, text, ctx.say("why.reward.partly", taken=taken, reason=reason))
    return text


def _refusal(ctx: Context, reward: Reward, facts: dict[str, Any]) -> str:
    plan, rule = plan_of(ctx, reward), rule_of(ctx, reward)
    reason = reward.reason or ""
    most = getattr(rule.caps, reason.removeprefix("cap_"), None) if rule is not None else None
    if reason == "not_met":
        words = i18n.pick(rule.why, ctx.locale) if rule is not None and rule.why else ctx.say("why.rule")
        return ctx.say("why.reward.capped.not_met", rule=words, facts=Safe(_seen(ctx, reward)))
    return ctx.say(
        f"why.reward.capped.{reason}", friends=plan.cap or 0, most=ctx.points(most or 0, reward.asset), **facts
    )


def _seen(ctx: Context, reward: Reward) -> str:
    """The facts that a decision hung on, as a sentence."""
    facts = {name: value for name, value in (reward.facts or {}).items() if name in ATTRIBUTES}
    shown = [
        _what(ctx, name) + _value(ctx, reward, facts, name)
        for name in list(facts)[:FACTS]
        if name != "order.currency" or len(facts) == 1
    ]
    return ctx.say("why.facts", facts=Safe(AND[ctx.locale].join(shown))) if shown else ""


def _what(ctx: Context, name: str) -> str:
    """What a fact is called, up to where its value follows."""
    own = f"fact.{name}"
    known = own in i18n.catalogue(ctx.locale)
    words = i18n.text(ctx.locale, own) if known else describe(name, ctx.locale)
    return escape(words) + ("：" if ctx.locale == "zh_Hans" else ": ")


def _value(ctx: Context, reward: Reward, facts: Mapping[str, Any], name: str) -> str:
    value, attribute = facts[name], ATTRIBUTES[name]
    if isinstance(value, bool):
        return i18n.text(ctx.locale, "fact.yes" if value else "fact.no")
    if attribute.unit == "minor" and isinstance(value, int):
        return ctx.points(value, str(facts.get("order.currency") or _currency(ctx, reward)))
    if isinstance(value, int):
        return i18n.number(ctx.locale, value)
    return escape(clean(", ".join(map(str, value)) if isinstance(value, list) else str(value)))


def _currency(ctx: Context, reward: Reward) -> str:
    """Of the order a reward is for; without an order, amounts are in what the reward is paid in."""
    conversion_id = order_in(reward.cause)
    if conversion_id is not None and (found := ctx.session.get(Conversion, (ctx.brand.id, conversion_id))) is not None:
        return found.currency
    return reward.asset
