"""A new brand is led to its first campaign; a running one reads first who brings the most and what waits for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import Session

from referral import brands, shops
from referral.cases import decide, open_case
from rewards.payouts import approvals
from tests.web.brandsite import open_brand
from tests.web.dashboard.test_payouts_page import withdraws


@pytest.mark.parametrize(
    ("locale", "group", "campaign", "done"),
    [("en", "Connect your group", "Launch a campaign", "Done"), ("zh_Hans", "接入社群", "发起活动", "已完成")],
)
async def test_a_new_brand_is_led_step_by_step(
    tmp_path: Path, locale: str, group: str, campaign: str, done: str
) -> None:
    async with open_brand(tmp_path, locale, empty=True) as site:
        mei = await site.person("owner")
        page = (await mei.get("/")).text
        steps = page.partition('<ol class="begin">')[2].partition("</ol>")[0]
        assert steps.index(group) < steps.index(campaign)
        assert 'class="btn main" href="/b/wild/communities"' in steps
        assert done not in steps
        assert 'name="days"' not in page  # nothing to choose a period of

        site.house.do(lambda session: brands.connect(session, site.ours.brand_id, "telegram", "-100", "Club"))
        steps = (await mei.get("/")).text.partition('<ol class="begin">')[2].partition("</ol>")[0]
        assert steps.count('class="done"') == 1
        assert "/communities" not in steps

        def sells(session: Session) -> None:
            shops.connect_shop(session, site.ours.brand_id, "shopify", "Tea", {})

        site.house.do(sells)
        assert (await mei.get("/")).text.count('<li class="done">') == 2


async def test_who_may_not_connect_anything_reads_the_steps_without_buttons(tmp_path: Path) -> None:
    async with open_brand(tmp_path, empty=True) as site:
        page = (await (await site.person("reviewer")).get("/")).text
        assert "Connect your group" in page
        assert 'class="btn main"' not in page.partition('<ol class="begin">')[2].partition("</ol>")[0]


async def test_the_first_page_names_who_brings_the_most(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        page = (await (await site.person("owner")).get("/")).text
        top = page.partition("Top 5")[2].partition("</section>")[0]
        assert "Alice &lt;b&gt;&amp;" in top
        assert f"/b/wild/advocates/{site.ours.people['Alice']}" in top
        assert "/b/wild/leaderboard/spring-wild" in top


async def test_what_waits_for_somebody_is_said_to_who_may_decide_it(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        approvals.set_limits("CNY=1")
        mei, kit = await site.person("owner"), await site.person("reviewer")
        assert "wait" not in (await mei.get("/")).text.partition('id="flash"')[2].partition('class="figures"')[0]

        def doubts(session: Session) -> None:
            for brand in (site.ours, site.theirs):
                for friend in ("Bob", "Dora"):
                    open_case(session, brand.brand_id, "referral", friend, member_id=brand.people[friend])

        site.house.do(doubts)
        withdraws(site)
        page = (await mei.get("/")).text
        assert '<a href="/b/wild/review">2 cases wait for your decision</a>' in page
        assert '<a href="/b/wild/payouts?which=approval">1 payout waits for approval</a>' in page
        page = (await kit.get("/")).text
        assert "2 cases wait" in page
        assert "waits for approval" not in page

        def settled(session: Session) -> None:
            case = open_case(session, site.ours.brand_id, "referral", "Bob")
            decide(session, case, "approve", "genuine", "operator")

        site.house.do(settled)
        assert "1 case waits for your decision" in (await kit.get("/")).text
