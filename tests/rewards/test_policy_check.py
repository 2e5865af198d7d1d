"""Every configuration that is refused, or warned of, before anybody is promised anything: each with its reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from core import clock, i18n
from core.errors import BadInput, Refused
from core.money import Money
from referral import audit
from referral.brands import Brand, connect, create_brand
from rewards.campaign_files import apply_campaign, findings_of
from rewards.campaign_format import CampaignFile, build_campaign
from rewards.plan_check import Finding, check, explain_finding
from rewards.policy_check import OVERRIDES, allowed, check_file
from tests.house import House

START = datetime(2026, 3, 2, tzinfo=UTC)
EVERYWHERE = frozenset({"telegram", "discord", "wechat", "webchat"})
RANKS = [{"first": 1, "last": 1, "amount": 300}, {"first": 2, "last": 3, "amount": 100}]


def raw(**changes: Any) -> dict[str, Any]:
    """A sound campaign; `changes` by their dotted names with `__` for the dot, `None` takes away."""
    file: dict[str, Any] = {
        "campaign": {
            "slug": "spring",
            "title": {"zh_Hans": "春茶会", "en": "Spring tea"},
            "benefit": {"zh_Hans": "送你一杯新茶。", "en": "A free cup for you."},
            "starts_at": START,
            "ends_at": START + timedelta(days=30),
        },
        "qualify": {"event": "retained", "stay_days": 7},
        "rewards": {
            "budget": 1000,
            "rules": [{"to": "advocate", "amount": 100, "hold_days": 7}, {"to": "friend", "amount": 50}],
        },
    }
    for name, value in changes.items():
        part, _, key = name.partition("__")
        if key:
            file.setdefault(part, {})[key] = value
        else:
            file[part] = value
    return file


def contest(**changes: Any) -> dict[str, Any]:
    """A sound contest, without rewards for single friends."""
    return raw(**{"campaign__kind": "contest", "contest": {}, "rewards": {"budget": 500, "prizes": RANKS}, **changes})


def found(file: dict[str, Any], platforms: frozenset[str] = EVERYWHERE) -> list[Finding]:
    read = build_campaign(file)
    findings = [*check(read.plan, read.qualify.event, platforms), *check_file(read, platforms)]
    return allowed(findings, read.policy)[0]


def said(findings: list[Finding], severity: str = "refuse") -> list[tuple[str, str]]:
    return [(one.code, one.where) for one in findings if one.severity == severity]


def benefit(zh: str, en: str = "A free cup for you.") -> dict[str, str]:
    return {"zh_Hans": zh, "en": en}


def prizes(*them: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"budget": 100_000, "prizes": list(them), **more}


JOINED = {"qualify__event": "joined", "rewards__cap": 5}
BOUGHT = [{"to": "advocate", "amount": 100, "hold_days": 1}]


def test_a_sound_campaign_and_a_sound_contest_pass() -> None:
    assert found(raw()) == []
    assert found(contest()) == []


@pytest.mark.parametrize(
    ("file", "platforms", "code", "where"),
    [
        # Platforms.
        (raw(**JOINED), {"discord"}, "discord_join", ""),
        (raw(rewards__rules=[{"to": "friend", "on": "joined", "amount": 5}]), {"discord"}, "discord_join", ""),
        (raw(**JOINED), {"wechat"}, "wechat_join", ""),
        (raw(rewards__rules=[{"to": "friend", "on": "joined", "amount": 5}]), {"wechat"}, "wechat_join", ""),
        *(
            (raw(campaign__benefit=benefit(words)), {"wechat"}, "wechat_sharing", "campaign.benefit.zh_Hans")
            for words in (
                "转发有奖",
                "转发到朋友圈，即可领红包",
                "分享得 10 元优惠券",
                "集赞 38 个换面膜",
                "点赞满 20 送小样",
                "好友助力，免费领面霜",
                "助力领免单",
                "帮我砍价",
                "砍一刀就到手",
                "邀请 3 位好友得现金红包",
                "拉 5 个新人送口红",
            )
        ),
        *(
            (raw(campaign__benefit=benefit("送茶", words)), {"wechat"}, "wechat_sharing", "campaign.benefit.en")
            for words in ("Share this post and win a cup", "Invite three friends to earn 30 points", "Collect likes!")
        ),
        (raw(campaign__title=benefit("春茶会：转发就送")), {"wechat"}, "wechat_sharing", "campaign.title.zh_Hans"),
        # Window, budget, hold.
        (raw(campaign__ends_at=START + timedelta(days=7)), EVERYWHERE, "stay_beyond_campaign", "qualify.stay_days"),
        (raw(rewards__budget=149), EVERYWHERE, "budget_below_one", "rewards.budget"),
        (contest(rewards=prizes(*RANKS, budget=499)), EVERYWHERE, "budget_below_prizes", "rewards.budget"),
        (
            contest(rewards=prizes(*RANKS, budget=549, rules=[{"to": "friend", "amount": 50}])),
            EVERYWHERE,
            "budget_below_prizes",
            "rewards.budget",
        ),
        (
            contest(rewards=prizes({"reach": 10, "amount": 10}, budget=999)),  # a hundred people may win it
            EVERYWHERE,
            "budget_below_prizes",
            "rewards.budget",
        ),
        (
            contest(rewards=prizes({"first": 1, "asset": "CNY", "amount": 10})),
            EVERYWHERE,
            "budget_below_prizes",
            "rewards.budgets.CNY",
        ),
        # Prizes.
        (contest(rewards={"budget": 500}), EVERYWHERE, "contest_without_prizes", "rewards.prizes"),
        (raw(rewards=prizes(*RANKS)), EVERYWHERE, "prizes_without_contest", "rewards.prizes"),
        (contest(rewards=prizes({"amount": 5})), EVERYWHERE, "prize_unclear", "rewards.prizes.0"),
        (contest(rewards=prizes({"last": 5, "amount": 5})), EVERYWHERE, "prize_unclear", "rewards.prizes.0"),
        *(
            (contest(rewards=prizes({"amount": 5} | them)), EVERYWHERE, "prize_unclear", "rewards.prizes.0")
            for them in ({"first": 3, "last": 2}, {"first": 3, "reach": 2})
        ),
        (
            contest(rewards=prizes({"first": 1, "winners": 2, "amount": 5})),
            EVERYWHERE,
            "prize_unclear",
            "rewards.prizes.0.winners",
        ),
        (
            contest(rewards=prizes({"first": 1, "last": 3, "amount": 5}, {"first": 3, "amount": 1})),
            EVERYWHERE,
            "prize_twice",
            "rewards.prizes.1",
        ),
        (
            contest(rewards=prizes({"reach": 5, "amount": 5}, {"reach": 5, "amount": 1})),
            EVERYWHERE,
            "prize_twice",
            "rewards.prizes.1",
        ),
        (
            contest(contest={"floor": 10}, rewards=prizes({"reach": 9, "amount": 5})),
            EVERYWHERE,
            "reach_below_floor",
            "rewards.prizes.0.reach",
        ),
        (
            contest(rewards=prizes({"first": 1, "asset": "CNY", "amount": 5}, budgets={"CNY": 5}),
                    payout={"provider": "telegram_gift"}),
            EVERYWHERE,
            "not_carried",
            "payout.provider",
        ),
    ],
)  # fmt: skip
def test_each_of_these_is_refused_with_its_reason(
    file: dict[str, Any], platforms: set[str], code: str, where: str
) -> None:
    findings = found(file, frozenset(platforms))
    assert said(findings) == [(code, where)]
    for locale in i18n.LOCALES:
        words = explain_finding(next(one for one in findings if one.code == code), locale)
        assert len(words) > 10
        assert "plan." not in words
        assert "{" not in words


@pytest.mark.parametrize(
    ("file", "code", "where"),
    [
        (raw(campaign__ends_at=START + timedelta(days=13)), "stay_eats_campaign", "qualify.stay_days"),
        (raw(qualify__event="purchased", rewards__rules=BOUGHT), "order_without_hold", "rewards.rules.0.hold_days"),
        (contest(qualify__event="purchased"), "final_before_refunds", "contest.objection_hours"),
        (
            contest(rewards=prizes({"first": 1, "amount": 5}, {"first": 2, "amount": 6})),
            "prize_rises",
            "rewards.prizes.1",
        ),
    ],
)
def test_each_of_these_is_warned_of(file: dict[str, Any], code: str, where: str) -> None:
    findings = found(file, frozenset({"telegram"}))
    assert said(findings) == []
    assert said(findings, "warn") == [(code, where)]
    assert all("{" not in explain_finding(one, locale) for one in findings for locale in i18n.LOCALES)


@pytest.mark.parametrize(
    "words",
    ["送你一杯新茶。", "新人专享：首杯半价", "朋友来了有茶喝", "分享一杯好茶", "爱心助力山区孩子", "春季拉新大赛"],
)
def test_words_that_promise_nothing_for_sharing_pass_on_wechat(words: str) -> None:
    assert found(raw(campaign__benefit=benefit(words)), frozenset({"wechat"})) == []


def test_the_same_words_are_nobodys_business_elsewhere() -> None:
    assert found(raw(campaign__benefit=benefit("转发有奖")), frozenset({"telegram", "discord"})) == []


RULE = {"to": "advocate", "amount": 5}


@pytest.mark.parametrize(
    "rule",
    [
        RULE | {"level": 2},
        RULE | {"levels": [10, 5]},
        RULE | {"depth": 2},
        RULE | {"second_level": 5},
        RULE | {"indirect": True},
        RULE | {"to": "advocate.advocate"},
        RULE | {"to": "grand_advocate"},
        RULE | {"to": "upline"},
        RULE | {"to": "上级"},
        RULE | {"to": "二级推荐人"},
    ],
)
def test_a_second_level_cannot_be_written_in_any_way(rule: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        build_campaign(raw(rewards__rules=[rule]))
    assert [problem.code for problem in refused.value.params["problems"]] == ["only_direct"]


@pytest.mark.parametrize("place", ["rewards", "campaign", "qualify"])
def test_nor_anywhere_else_in_the_file(place: str) -> None:
    file = raw()
    file[place]["levels"] = 2
    with pytest.raises(BadInput) as refused:
        build_campaign(file)
    assert [problem.code for problem in refused.value.params["problems"]] == ["only_direct"]


def test_no_condition_can_ask_who_brought_the_advocate() -> None:
    with pytest.raises(BadInput):
        build_campaign(raw(rewards__rules=[RULE | {"when": "advocate.advocate.friends > 3"}]))


def test_the_end_comes_after_the_start() -> None:
    for end in (START, START - timedelta(days=1)):
        with pytest.raises(BadInput) as refused:
            build_campaign(raw(campaign__ends_at=end))
        assert [problem.code for problem in refused.value.params["problems"]] == ["ends_before_start"]


@pytest.mark.parametrize("kind", ["referral", "contest"])
def test_a_contest_has_its_section_and_nothing_else_has(kind: str) -> None:
    file = raw(campaign__kind=kind)
    if kind == "referral":
        file["contest"] = {}
    with pytest.raises(BadInput) as refused:
        build_campaign(file)
    code = "section_missing" if kind == "contest" else "section_unwanted"
    assert [problem.code for problem in refused.value.params["problems"]] == [code]


def test_an_operator_may_override_what_platforms_forbid_and_it_is_audited(house: House) -> None:
    bare = [{"to": "friend", "amount": 5, "hold_days": 3}]
    file = raw(
        **JOINED,
        rewards__rules=bare,
        campaign__starts_at=clock.now(),
        campaign__ends_at=clock.now() + timedelta(days=30),
        campaign__benefit=benefit("转发有奖"),
    )

    def open_brand(session: Session) -> Brand:
        brand = create_brand(session, "Acme")
        connect(session, brand.id, "wechat", "1@chatroom", "Tea")
        return brand

    brand = house.do(open_brand)
    with pytest.raises(Refused, match="plan_refused") as refused:
        house.do(lambda session: apply_campaign(session, brand, build_campaign(file)))
    assert {one.code for one in refused.value.params["findings"]} == {"wechat_join", "wechat_sharing"}
    file["policy"] = dict.fromkeys(OVERRIDES.values(), True)
    for _ in range(2):
        house.do(lambda session: apply_campaign(session, brand, build_campaign(file), actor="telegram:7"))
    written = house.ask(lambda session: audit.entries_of(session, brand.id))
    assert [(one.actor, one.act, one.details) for one in reversed(written) if one.act == "policy.override"] == [
        ("telegram:7", "policy.override", {"policy": "allow_join_rewards_on_wechat"}),
        ("telegram:7", "policy.override", {"policy": "allow_sharing_words_on_wechat"}),
    ]


def test_what_is_said_before_is_what_is_refused_then(house: House) -> None:
    brand = house.do(lambda session: create_brand(session, "Acme"))
    file: CampaignFile = build_campaign(contest(rewards=prizes({"first": 1, "asset": "item:teapot", "amount": 1})))
    told = house.ask(lambda session: findings_of(session, brand, file))
    assert said(told) == [
        ("budget_below_prizes", "rewards.budgets.item:teapot"),
        ("unknown_item", "rewards.prizes.0.asset"),
    ]


def test_a_prize_is_counted_for_everybody_who_may_win_it() -> None:
    plan = build_campaign(contest(rewards=prizes(*RANKS, {"reach": 9, "winners": 7, "amount": 10}))).plan
    assert plan.reserve("PTS") == 300 + 2 * 100 + 7 * 10
    told = check(plan.model_copy(update={"budget": 1}), "retained", EVERYWHERE)
    assert told[0].params["least"] == Money(570, "PTS")
