"""The policy check: what platforms, the law of one level, and plain sense have against a campaign as a whole.

The plan by itself is checked in `rewards.plan_check`; here it is looked at together with where the campaign runs, how
long, what its words promise, and what kind it is. Sources of the rules are in `docs/contests.md`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session

from core.money import ITEM, Money
from rewards.campaign_format import CampaignFile, Policy
from rewards.items.items import items_of
from rewards.plan_check import Finding, names_in
from rewards.plans import Plan, Prize

OVERRIDES = {
    "discord_join": "allow_join_rewards_on_discord",
    "wechat_join": "allow_join_rewards_on_wechat",
    "wechat_sharing": "allow_sharing_words_on_wechat",
}
"""What an operator may allow under `[policy]` nevertheless, by the finding's code."""
REFUND_DAYS = 7
"""Days in which most orders that go back do: in China a buyer online may return without a reason for as long."""

_GAIN = "(?:有奖|有礼|得|领|送|赢|赚|返|抽|拿|换|享|奖|红包|现金|优惠券|免单)"
SHARING = re.compile(
    "|".join(
        (
            rf"(?:转发|分享|转评赞|发朋友圈|转朋友圈|晒朋友圈)[^。.!！]{{0,8}}{_GAIN}",
            rf"{_GAIN}[^。，,.!！]{{0,4}}(?:转发|分享到|转朋友圈|发朋友圈)",
            r"集赞|攒赞|求赞|点赞[^。，,.!！]{0,6}(?:得|领|送|赢|换|抽|有奖)",
            r"(?:好友|朋友|帮我|帮忙|求|邀人|邀请)助力|助力(?:得|领|拿|赢|砍|免费|享|抽)",
            r"砍价|砍一刀|帮砍|拉人头",
            rf"(?:邀请|拉)[^。，,.!！]{{0,6}}(?:好友|朋友|新人|人)[^。，,.!！]{{0,6}}{_GAIN}",
            r"\b(?:share|repost|retweet|forward)\b[^.!?]{0,20}\b(?:to|and|&)\b[^.!?]{0,12}\b(?:win|get|earn|receive|claim)\b",
            r"\b(?:invite|refer)\b[^.!?]{0,20}\b(?:to|and|&)\b[^.!?]{0,12}\b(?:win|get|earn|receive|claim)\b",
            r"\b(?:collect|gather)\s+(?:likes|thumbs)\b",
        )
    ),
    re.IGNORECASE,
)
"""Words that promise something for sharing, which WeChat's rules for external links ban (诱导分享)."""


def check_file(file: CampaignFile, platforms: frozenset[str]) -> list[Finding]:
    """What is wrong or unwise with a campaign on those platforms, beyond its plan; overrides are not looked at."""
    return [
        *_wechat(file, platforms),
        *_times(file),
        *_refunds(file),
        *_prizes(file),
        *_credit(file),
    ]


def allowed(findings: Sequence[Finding], policy: Policy) -> tuple[list[Finding], list[str]]:
    """The findings without those that `[policy]` overrides, and the names of the overrides that were needed."""
    used = {code for code, name in OVERRIDES.items() if getattr(policy, name)} & {one.code for one in findings}
    return [one for one in findings if one.code not in used], sorted(OVERRIDES[code] for code in used)


def _wechat(file: CampaignFile, platforms: Collection[str]) -> Iterator[Finding]:
    if "wechat" not in platforms:
        return
    if any((rule.on or file.qualify.event) == "joined" for rule in file.rewards.rules):
        yield Finding("refuse", "wechat_join")
    about = file.campaign
    for name, said in (("title", about.title), ("benefit", about.benefit)):
        for locale, words in said.model_dump().items():
            found = SHARING.search(words)
            if found is not None:
                yield Finding("refuse", "wechat_sharing", f"campaign.{name}.{locale}", {"words": found[0]})


def _times(file: CampaignFile) -> Iterator[Finding]:
    about, terms = file.campaign, file.qualify
    lasts = about.ends_at - about.starts_at
    if terms.event == "retained" and timedelta(days=terms.stay_days) >= lasts > timedelta():
        days = -(-lasts // timedelta(days=1))
        yield Finding("refuse", "stay_beyond_campaign", "qualify.stay_days", {"stay": terms.stay_days, "days": days})
    elif terms.event == "retained" and 2 * timedelta(days=terms.stay_days) > lasts > timedelta():
        yield Finding("warn", "stay_eats_campaign", "qualify.stay_days", {"stay": terms.stay_days})


def _refunds(file: CampaignFile) -> Iterator[Finding]:
    """Orders go back: what is paid for them before that is hard to get again."""
    for index, rule in enumerate(file.rewards.rules):
        early = (rule.on or file.qualify.event) == "purchased" and rule.hold_days < REFUND_DAYS
        if early and rule.basis_points is None:  # a percentage is warned of by the plan check
            yield Finding("warn", "order_without_hold", f"rewards.rules.{index}.hold_days", {"days": REFUND_DAYS})
    contest = file.contest
    if contest is not None and file.qualify.event == "purchased" and contest.objection_hours < REFUND_DAYS * 24:
        yield Finding("warn", "final_before_refunds", "contest.objection_hours", {"hours": REFUND_DAYS * 24})


def _credit(file: CampaignFile) -> Iterator[Finding]:
    """What is counted by friends cannot follow credit that goes order by order."""
    if file.attribution is None:
        return
    rules = [
        (index, rule)
        for index, rule in enumerate(file.rewards.rules)
        if rule.to == "advocate" and (rule.on or file.qualify.event) == "purchased"
    ]
    if rules and file.rewards.cap is not None:
        yield Finding("refuse", "credit_cap", "rewards.cap")
    for index, rule in rules:
        where = f"rewards.rules.{index}"
        if rule.scheduled:
            yield Finding("refuse", "credit_schedule", where)
        if any(name.startswith("advocate.") for name in names_in(rule.when)):
            yield Finding("refuse", "credit_condition", f"{where}.when")


def _prizes(file: CampaignFile) -> Iterator[Finding]:
    plan = file.plan
    if file.campaign.kind == "contest" and not plan.prizes:
        yield Finding("refuse", "contest_without_prizes", "rewards.prizes")
    if file.campaign.kind != "contest" and plan.prizes:
        yield Finding("refuse", "prizes_without_contest", "rewards.prizes")
    sound = True
    for index, prize in enumerate(plan.prizes):
        found = list(_prize(file, index, prize))
        sound = sound and not found
        yield from found
    if sound:
        yield from _order(plan)


def _prize(file: CampaignFile, index: int, prize: Prize) -> Iterator[Finding]:
    where = f"rewards.prizes.{index}"
    placed = prize.first is not None or prize.last is not None
    if placed == (prize.reach is not None) or (placed and (prize.first is None or not prize.places)):
        yield Finding("refuse", "prize_unclear", where)
    elif placed and prize.winners is not None:
        yield Finding("refuse", "prize_unclear", f"{where}.winners")
    elif prize.reach is not None and file.contest is not None and prize.reach < file.contest.least:
        yield Finding("refuse", "reach_below_floor", f"{where}.reach", {"floor": file.contest.floor})


def _order(plan: Plan) -> Iterator[Finding]:
    """Prizes that give twice for the same, and later places that get more than earlier ones."""
    placed: dict[str, list[Prize]] = {}
    reached: set[tuple[str, int | None]] = set()
    for index, prize in enumerate(plan.prizes):
        asset, where = plan.prize_asset(prize), f"rewards.prizes.{index}"
        if prize.reach is not None:
            if (asset, prize.reach) in reached:
                yield Finding("refuse", "prize_twice", where)
            reached.add((asset, prize.reach))
            continue
        others = placed.setdefault(asset, [])
        if any(_span(one)[0] <= _span(prize)[1] and _span(prize)[0] <= _span(one)[1] for one in others):
            yield Finding("refuse", "prize_twice", where)
        elif any(_rises(one, prize) or _rises(prize, one) for one in others):
            yield Finding("warn", "prize_rises", where, {"amount": Money(prize.amount, asset)})
        others.append(prize)


def _rises(better: Prize, worse: Prize) -> bool:
    """Whether somebody further down gets more."""
    return _span(better) < _span(worse) and better.amount < worse.amount


def _span(prize: Prize) -> tuple[int, int]:
    first = prize.first or 1
    return first, prize.last or first


def unknown_items(session: Session, brand_id: UUID, plan: Plan) -> Iterator[Finding]:
    """What is paid, or to be won, in an item the brand's catalogue has not."""
    given = [("rules", number, rule.asset) for number, rule in enumerate(plan.rules)]
    given += [("prizes", number, prize.asset) for number, prize in enumerate(plan.prizes)]
    paid = [
        (f"rewards.{part}.{number}.asset" if asset else "rewards.asset", asset or plan.asset)
        for part, number, asset in given
    ]
    wanted = [(where, asset.removeprefix(ITEM)) for where, asset in paid if asset.startswith(ITEM)]
    known = {item.slug for item in items_of(session, brand_id) if item.active} if wanted else set()
    for where, slug in wanted:
        if slug not in known:
            yield Finding("refuse", "unknown_item", where, {"item": slug})
