"""A campaign as a file: applied, applied again, changed; and every mistake answered with its place and a hint."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from core import clock, i18n
from core.errors import BadInput, Refused
from referral.brands import Brand, connect, create_brand
from referral.campaigns import Campaign, move
from rewards import ledger
from rewards.campaign_files import Applied, apply_campaign, explain, new_campaign, read_campaign, write_campaign
from rewards.items.items import ItemForm, save_item
from rewards.plan_check import explain_finding
from rewards.verify import verify
from tests.house import House

EXAMPLES = sorted((Path(__file__).parents[2] / "examples/campaigns").glob("*.toml"))
GOOD = """
[campaign]
slug = "spring-tea"
title = { zh_Hans = "春茶", en = "Spring tea" }
benefit = { zh_Hans = "50 积分", en = "50 points" }
starts_at = 2026-03-01T00:00:00
ends_at = 2026-05-01T00:00:00
[qualify]
event = "retained"
stay_days = 7
window_days = 30
[rewards]
budget = 1000
rules = [{ to = "advocate", amount = 100, hold_days = 3 }, { to = "friend", amount = 50 }]
"""


@pytest.fixture(autouse=True)
def in_spring() -> object:
    """It is the second of March 2026, noon in Shanghai, while these tests run."""
    with clock.moved(clock.parse("2026-03-02T04:00:00Z") - clock.now()):
        yield


@pytest.fixture
def brand(house: House) -> Brand:
    def build(session: Session) -> Brand:
        made = create_brand(session, "Acme 茶")
        connect(session, made.id, "telegram", "-1001", "Tea")
        connect(session, made.id, "discord", "55", "Tea guild")
        save_item(session, made.id, ItemForm("serum-box", "physical", {"en": "Serum", "zh_Hans": "精华"}, {}))
        return made

    return house.do(build)


def apply(house: House, brand: Brand, text: str, *, launch: bool = True) -> Applied:
    return house.do(lambda session: apply_campaign(session, brand, read_campaign(text), launch=launch))


def budget(house: House, campaign: Campaign) -> int:
    account = ledger.Account(campaign.brand_id, campaign.id, ledger.Purpose.BUDGET, "PTS")
    return house.ask(lambda session: ledger.balance(session, account))


def complaints(text: str) -> list[str]:
    try:
        read_campaign(text)
    except BadInput as refused:
        problems = refused.params["problems"]
    else:
        return []
    for problem in problems:
        for locale in i18n.LOCALES:
            assert not explain(problem, locale).endswith(problem.code), "the catalogue lacks " + problem.code
    return [
        f"{problem.line}{f':{problem.column}' if problem.column else ''} {problem.code} {problem.where}".strip()
        for problem in problems
    ]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_applied_and_written_back(house: House, brand: Brand, path: Path) -> None:
    file = read_campaign(path.read_text())
    with clock.moved(file.campaign.starts_at + timedelta(days=1) - clock.now()):
        first = apply(house, brand, path.read_text())
        assert (first.changed, first.campaign.state, first.findings) == ("created", "running", [])
        assert budget(house, first.campaign) == file.rewards.budget
        again = apply(house, brand, path.read_text())
        assert (again.changed, again.campaign.version) == ("unchanged", 1)
        written = house.ask(lambda session: write_campaign(session, first.campaign))
        assert read_campaign(written) == file
        assert apply(house, brand, written).changed == "unchanged"
    assert house.ask(verify) == []


def test_a_moment_without_offset_is_the_campaigns_own() -> None:
    assert read_campaign(GOOD).campaign.starts_at == clock.parse("2026-02-28T16:00:00Z")
    berlin = GOOD.replace("[qualify]", 'timezone = "Europe/Berlin"\n[qualify]')
    assert read_campaign(berlin).campaign.starts_at == clock.parse("2026-02-28T23:00:00Z")


def test_a_change_makes_a_new_version_and_moves_the_budget_by_the_difference(house: House, brand: Brand) -> None:
    campaign = apply(house, brand, GOOD).campaign
    more = apply(house, brand, GOOD.replace("budget = 1000", "budget = 1500"))
    assert (more.changed, more.campaign.version, budget(house, campaign)) == ("updated", 2, 1500)
    apply(house, brand, GOOD.replace("budget = 1000", "budget = 200"))
    assert budget(house, campaign) == 200
    back = apply(house, brand, GOOD)
    assert (back.campaign.version, budget(house, campaign)) == (4, 1000)
    assert house.ask(verify) == []


def test_a_budget_is_not_lowered_below_what_was_spent(house: House, brand: Brand) -> None:
    campaign = apply(house, brand, GOOD).campaign

    def spend(session: Session) -> None:
        source = ledger.Account(brand.id, campaign.id, ledger.Purpose.BUDGET, "PTS")
        held = ledger.Account(brand.id, campaign.id, ledger.Purpose.HELD, "PTS")
        ledger.transfer(session, [ledger.Move("spent", "spent", source, held, 900)])

    house.do(spend)
    with pytest.raises(Refused, match=r"budget_below_spent.*900"):
        apply(house, brand, GOOD.replace("budget = 1000", "budget = 899"))
    assert budget(house, campaign) == 100
    assert house.ask(lambda s: s.get_one(Campaign, (brand.id, campaign.id)).version) == 1


def test_a_campaign_of_the_future_is_scheduled_and_a_draft_waits(house: House, brand: Brand) -> None:
    future = GOOD.replace("2026-03-01T00", "2026-04-01T00")
    draft = apply(house, brand, future, launch=False)
    assert draft.campaign.state == "draft"
    assert apply(house, brand, future).campaign.state == "scheduled"
    assert apply(house, brand, GOOD).campaign.state == "running"
    with pytest.raises(Refused, match="campaign_started"):
        apply(house, brand, future)


def test_what_is_over_is_not_changed(house: House, brand: Brand) -> None:
    campaign = apply(house, brand, GOOD).campaign
    house.do(lambda session: move(session, session.get_one(Campaign, (brand.id, campaign.id)), "end"))
    with pytest.raises(Refused, match="campaign_over"):
        apply(house, brand, GOOD.replace("budget = 1000", "budget = 2000"))
    assert apply(house, brand, GOOD).changed == "unchanged"


def test_join_rewards_meet_the_platforms_policy(house: House, brand: Brand) -> None:
    joined = GOOD.replace('"retained"', '"joined"')
    with pytest.raises(Refused, match=r"plan_refused.*discord_join"):
        apply(house, brand, joined)
    allowed = apply(house, brand, joined + "[policy]\nallow_join_rewards_on_discord = true\n")
    assert [finding.code for finding in allowed.findings] == ["bare_join", "join_without_cap", "join_without_hold"]
    written = house.ask(lambda session: write_campaign(session, allowed.campaign))
    assert read_campaign(written).policy.allow_join_rewards_on_discord
    only_telegram = joined.replace("spring-tea", "only-tg").replace(
        "[qualify]", 'communities = ["telegram:-1001"]\n[qualify]'
    )
    assert apply(house, brand, only_telegram).changed == "created"


def test_a_community_must_be_connected_to_this_brand(house: House, brand: Brand) -> None:
    with pytest.raises(BadInput) as refused:
        apply(house, brand, GOOD.replace("[qualify]", 'communities = ["telegram:-9"]\n[qualify]'))
    [problem] = refused.value.params["problems"]
    assert (problem.code, problem.where) == ("unknown_community", "campaign.communities.0")


def test_a_chat_makes_a_campaign_from_a_few_words(house: House, brand: Brand) -> None:
    def make(session: Session) -> Applied:
        return new_campaign(session, brand, "秋茶 Tea", advocate=10, friend=5, budget=100)

    names = [house.do(make).campaign.slug for _ in range(3)]
    assert names == ["tea", "tea-2", "tea-3"]
    with pytest.raises(Refused, match="budget_below_one"):
        house.do(lambda session: new_campaign(session, brand, "X", advocate=10, friend=5, budget=1))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[campaign]", "[campaign", "2 syntax"),
        ('slug = "spring-tea"\n', "", "2 missing campaign.slug"),
        ('"spring-tea"', '"Spring Tea"', "3 slug campaign.slug"),
        (', en = "Spring tea"', "", "4 missing campaign.title.en"),
        ('"Spring tea"', '"' + "x" * 81 + '"', "4 too_long campaign.title.en"),
        ('"50 points"', '"' + "x" * 121 + '"', "5 too_long campaign.benefit.en"),
        ('"50 points"', r'"a\nb"', "5 unreadable campaign.benefit.en"),
        ('"50 points"', '" "', "5 empty campaign.benefit.en"),
        ("2026-03-01T00:00:00", "2026-03-01", "6 wants_moment campaign.starts_at"),
        ("2026-03-01T00:00:00", '"soon"', "6 wants_moment campaign.starts_at"),
        ("2026-05-01", "2026-03-01", "7 ends_before_start campaign.ends_at"),
        ("2026-05-01", "2028-05-01", "7 campaign_too_long campaign.ends_at"),
        ('"retained"', '"bought"', "9 not_one_of qualify.event"),
        ("stay_days = 7", "stay_days = 0", "10 too_small qualify.stay_days"),
        ("stay_days = 7", "stay_days = 366", "10 too_large qualify.stay_days"),
        ("stay_days = 7", "stay_days = 30", "10 stay_beyond_window qualify.stay_days"),
        ("stay_days = 7", "stay_dayz = 7", "10 unknown_field qualify.stay_dayz"),
        ("window_days = 30", 'window_days = "30"', "11 wants_number qualify.window_days"),
        ("budget = 1000", "budget = -1", "13 too_small rewards.budget"),
        ("budget = 1000", "levels = 2", "13 only_direct rewards.levels"),
        ('to = "friend"', 'to = "advocate_of_advocate"', "14 only_direct rewards.rules.1.to"),
        ('to = "friend"', 'to = "stranger"', "14 not_one_of rewards.rules.1.to"),
        ("amount = 50", "amount = 0.5", "14 wants_number rewards.rules.1.amount"),
        ("[rewards]", 'communities = ["x"]\n[rewards]', "12 unknown_field qualify.communities"),
        ("[qualify]", 'communities = ["x"]\n[qualify]', "8 unreadable_community campaign.communities.0"),
        ("[qualify]", 'timezone = "Mars/One"\n[qualify]', "8 unknown_timezone campaign.timezone"),
    ],
)
def test_a_mistake_is_named_with_its_place(old: str, new: str, said: str) -> None:
    assert old in GOOD
    assert complaints(GOOD.replace(old, new)) == [said]


LONG = GOOD.replace(
    "rules = [{ to",
    """# a comment with ] and [x]
rules = [
  { to = "advocate", on = "purchased", asset = "CNY", basis_points = 500, when = 'order.net > 5' },
  { name = "more", to = "friend", amount = 5, caps = { day = 50 }, when = \"\"\"
order.present &&
order.net > 5\"\"\" },
  { to""",
).replace("budget = 1000", 'budget = 1000\nbudgets = { CNY = 100, "item:mug" = 5 }')


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("'order.net > 5'", "'order.nett > 5'", "17:83 expression rewards.rules.0.when"),
        ("'order.net > 5'", "'order.net > \"x\"'", "17:93 expression rewards.rules.0.when"),
        ("'order.net > 5'", '"order.net > \\"x\\""', "17:82 expression rewards.rules.0.when"),
        ("'order.net > 5'", "'order.net + 5'", "17:83 expression rewards.rules.0.when"),
        ("order.present &&\norder.net", "order.present &&\norder.gone", "20:1 expression rewards.rules.1.when"),
        ("day = 50", "day = 5.5", "18 wants_number rewards.rules.1.caps.day"),
        ("day = 50", "dey = 50", "18 unknown_field rewards.rules.1.caps.dey"),
        ("CNY = 100", "CNZ = 100", "14 unknown_asset rewards.budgets.CNZ"),
        ("CNY = 100", "CNY = 0", "14 too_small rewards.budgets.CNY"),
        ('"item:mug" = 5', '"item:Mug!" = 5', "14 unknown_asset rewards.budgets.item:Mug!"),
        ('asset = "CNY"', 'asset = "coins"', "17 unknown_asset rewards.rules.0.asset"),
        ("basis_points = 500", "basis_points = 20000", "17 too_large rewards.rules.0.basis_points"),
        ('name = "more"', 'name = "More!"', "18 slug rewards.rules.1.name"),
        ("budget = 1000", "budget = 1000\nrisky = 'friend.hat'", "14:10 expression rewards.risky"),
        ("[rewards]", "[payout]\nfee = -1\n[rewards]", "13 too_small payout.fee"),
        ("[rewards]", "[payout]\nfee_basis_points = 10000\n[rewards]", "13 too_large payout.fee_basis_points"),
        ("[rewards]", "[payout]\nprovider = 'cash'\n[rewards]", "13 not_one_of payout.provider"),
    ],
)
def test_a_mistake_deep_in_a_plan_is_named_with_its_place(old: str, new: str, said: str) -> None:
    assert old in LONG
    assert complaints(LONG) == []
    assert complaints(LONG.replace(old, new)) == [said]


def test_findings_are_told_with_their_lines(house: House, brand: Brand) -> None:
    bad = LONG.replace("day = 50", "day = 4")
    with pytest.raises(Refused) as refused:
        house.do(lambda s: apply_campaign(s, brand, read_campaign(bad), text=bad))
    told = [explain_finding(finding, "en") for finding in refused.value.params["findings"]]
    assert [line.partition(", so")[0] for line in told] == ["18: rewards.rules.1.caps.day: the cap is below one reward"]


def test_an_item_must_be_in_the_catalogue(house: House, brand: Brand) -> None:
    mug = GOOD.replace('to = "friend", amount = 50', 'to = "friend", asset = "item:mug", amount = 1').replace(
        "budget = 1000", 'budget = 1000\nbudgets = { "item:mug" = 9 }'
    )
    with pytest.raises(Refused, match="unknown_item"):
        apply(house, brand, mug)
    both = {"en": "Mug", "zh_Hans": "杯子"}
    house.do(lambda s: save_item(s, brand.id, ItemForm("mug", "physical", both, both)))
    applied = apply(house, brand, mug)
    account = ledger.Account(brand.id, applied.campaign.id, ledger.Purpose.BUDGET, "item:mug")
    assert house.ask(lambda s: ledger.balance(s, account)) == 9
    # What a later version does not pay in any more goes back.
    last = apply(house, brand, GOOD)
    assert house.ask(lambda s: ledger.balance(s, account)) == 0
    written = house.ask(lambda s: write_campaign(s, last.campaign))
    assert read_campaign(written) == read_campaign(GOOD)
    assert house.ask(verify) == []


@pytest.mark.parametrize("text", ["a = " + "[" * 3000 + "]" * 3000, "[rewards]\nbudget = " + "9" * 5000])
def test_a_file_beyond_all_measure_is_one_mistake(text: str) -> None:
    assert complaints(text) == ["None syntax"]


def test_all_mistakes_are_told_at_once() -> None:
    bad = (
        GOOD.replace("spring-tea", "A B").replace("stay_days = 7", "stay_days = 0").replace("amount = 50", "amount = 0")
    )
    assert len(complaints(bad)) == 3
