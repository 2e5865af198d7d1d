"""The town in which the stories of this folder happen: a brand, its campaign, its groups, and people with names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from core.errors import Refused
from referral import leaderboard, linking, members, stays
from referral.arrivals import Arrived
from referral.brands import Brand, Community, connect, create_brand
from referral.campaigns import Campaign, enroll, move
from referral.leaderboard import Score, ScoreCount, ScoreHour, Standing
from referral.members import Identity
from referral.referrals import Referral
from rewards import ledger, plans
from rewards.ledger import LedgerAccount
from rewards.rewards import Reward
from rewards.verify import verify
from tests.house import House, person

ADVOCATE, FRIEND = 100, 50
BUDGET = 100_000


@dataclass
class Town:
    """`group` is the Telegram group, `guild` the Discord one; both belong to the campaign."""

    house: House
    brand: Brand
    campaign: Campaign
    group: Community
    guild: Community

    def invites(self, name: str, platform: str = "telegram", campaign: Campaign | None = None) -> str:
        """Somebody known asks for their code."""
        who, key = self.talks(name, platform), (self.brand.id, (campaign or self.campaign).id)
        return self.house.do(lambda session: enroll(session, session.get_one(Campaign, key), who))

    def talks(self, name: str, platform: str = "telegram") -> UUID:
        """Somebody speaks to the bot; who they are."""
        return self.house.do(
            lambda session: (
                members.meet(session, self.brand.id, [person(name, platform)], [clock.now()], "message")[0].member_id
            )
        )

    def who(self, name: str, platform: str = "telegram") -> UUID:
        """The member behind an account that has spoken."""
        found = self.house.ask(lambda session: session.get(Identity, (self.brand.id, platform, name.lower())))
        assert found is not None, f"{name} has never spoken on {platform}"
        return found.member_id

    def comes(self, name: str, code: str, platform: str = "telegram", **more: Any) -> Arrived:
        """Somebody comes with a code."""
        return self.house.comes(name, code, platform, **more)

    def joins(self, name: str, place: Community | None = None) -> None:
        """Somebody joins a group (the Telegram one unless said)."""
        where = place or self.group
        self.house.do(lambda session: stays.joined(session, where, name.lower(), clock.now()))

    def leaves(self, name: str, place: Community | None = None) -> None:
        """Somebody leaves a group."""
        where = place or self.group
        self.house.do(lambda session: stays.left(session, where, name.lower(), clock.now()))

    def finds(self, names: Sequence[str], place: Community | None = None) -> None:
        """A complete reading of who is in a group."""
        where = place or self.group
        self.house.do(lambda session: stays.reconcile(session, where, [n.lower() for n in names], clock.now()))

    def night(self) -> tuple[int, int]:
        """The jobs run: how many friends qualified, how many referrals expired."""
        return self.house.do(stays.qualify_due), self.house.do(stays.expire)

    def brings(self, advocate: str, friend: str, platform: str = "telegram") -> str:
        """The advocate's code brings a friend who joins at once; the code."""
        code = self.invites(advocate)
        assert self.comes(friend, code, platform).outcome == "referred"
        self.joins(friend, self.group if platform == "telegram" else self.guild)
        return code

    def does(self, what: str, campaign: Campaign | None = None) -> None:
        """Somebody pauses, resumes, ends the campaign."""

        def act(session: Session) -> None:
            found = session.get_one(Campaign, (self.brand.id, (campaign or self.campaign).id))
            move(session, found, what)

        self.house.do(act)

    def referral(self, friend: str, platform: str = "telegram", campaign: Campaign | None = None) -> Referral:
        """How somebody came to the campaign."""
        return self.referral_of(self.who(friend, platform), campaign)

    def referral_of(self, friend_id: UUID, campaign: Campaign | None = None) -> Referral:
        """How a member came to the campaign."""
        wanted = (campaign or self.campaign).id
        return self.house.ask(
            lambda session: session.scalars(
                select(Referral).where(col(Referral.friend_id) == friend_id, col(Referral.campaign_id) == wanted)
            ).one()
        )

    def referrals(self) -> list[Referral]:
        """Every referral there is, in the order they came about."""
        return self.house.ask(
            lambda session: list(session.scalars(select(Referral).order_by(col(Referral.started_at), col(Referral.id))))
        )

    def standing(self, name: str, platform: str = "telegram") -> Standing | None:
        """Somebody's place on the board."""
        who = self.who(name, platform)
        return self.house.ask(lambda session: leaderboard.standing(session, self.brand.id, self.campaign.id, who))

    def score(self, name: str, platform: str = "telegram") -> int:
        """How many friends count for somebody."""
        found = self.standing(name, platform)
        return found.score if found else 0

    def purse(self, who: UUID) -> tuple[int, int]:
        """(held, payable) points of a member."""
        owned = self.house.ask(lambda session: ledger.balances_of(session, self.brand.id, who))
        return owned.get(("member.held", "PTS"), 0), owned.get(("member.payable", "PTS"), 0)

    def budget(self, campaign: Campaign | None = None) -> int:
        """What the campaign has left to give."""
        which = (campaign or self.campaign).id
        owned = self.house.ask(lambda session: ledger.balances_of(session, self.brand.id, which))
        return owned[("campaign.budget", "PTS")]

    def links(self, one: str, other: str, *, on: str = "telegram", and_on: str = "discord") -> linking.MemberLink:
        """Somebody links their accounts: the code is shown to the first and typed by the second."""
        shown, typed = self.talks(one, on), self.talks(other, and_on)
        code = self.house.do(lambda session: linking.start_link(session, self.brand.id, shown))
        link = self.house.do(lambda session: linking.finish_link(session, self.brand.id, typed, code))
        assert not isinstance(link, Refused), link
        return link

    def undoes(self, link: linking.MemberLink) -> None:
        """The link is undone."""
        self.house.do(lambda session: linking.undo_link(session, self.brand.id, link.id))

    def has_whole_books(self) -> None:
        """The books are proved, and members hold exactly what their rewards say."""
        problems = self.house.ask(verify)
        assert [problem for problem in problems if not problem.detail.startswith("spend/")] == []
        held, said = self.house.ask(
            lambda session: (
                dict(
                    session.execute(
                        select(col(LedgerAccount.owner_id), col(LedgerAccount.balance)).where(
                            col(LedgerAccount.purpose) == "member.held", col(LedgerAccount.balance) != 0
                        )
                    ).all()
                ),
                dict(
                    session.execute(
                        select(col(Reward.member_id), func.sum(col(Reward.amount)))
                        .where(col(Reward.state) == "held")
                        .group_by(col(Reward.member_id))
                    ).all()
                ),
            )
        )
        assert held == said

    def has_true_counters(self, without: Collection[UUID] = ()) -> None:
        """Scores are what the qualified referrals say (without the erased), the histogram what the scores say."""

        def read(session: Session) -> tuple[object, object, object, object, object, object]:
            by = (col(Referral.campaign_id), col(Referral.advocate_id))
            said = select(*by, func.count(), func.max(col(Referral.qualified_at)))
            said = said.where(col(Referral.state) == "qualified", col(Referral.advocate_id).not_in(without)).group_by(
                *by
            )
            kept = select(col(Score.campaign_id), col(Score.member_id), col(Score.score), col(Score.reached_at))
            scores = [tuple(row) for row in session.execute(kept)]
            hours: dict[tuple[UUID, int, int], int] = {}
            totals: dict[tuple[UUID, int], int] = {}
            for campaign_id, _, score, reached_at in scores:
                hour = int(reached_at.timestamp() // 3600)
                hours[(campaign_id, score, hour)] = hours.get((campaign_id, score, hour), 0) + 1
                totals[(campaign_id, score)] = totals.get((campaign_id, score), 0) + 1
            counted = {
                (row.campaign_id, row.score): row.members for row in session.scalars(select(ScoreCount)) if row.members
            }
            by_hour = {
                (row.campaign_id, row.score, row.hour): row.members
                for row in session.scalars(select(ScoreHour))
                if row.members
            }
            return set(scores), {tuple(row) for row in session.execute(said)}, totals, counted, hours, by_hour

        scores, said, totals, counted, hours, by_hour = self.house.ask(read)
        assert scores == said
        assert totals == counted
        assert hours == by_hour


def build_town(house: House, name: str = "Wildhill 山野咖啡", **terms: Any) -> Town:
    """A town whose campaign pays an advocate after a week's stay and three days' hold, the friend at once."""

    def build(session: Session) -> Town:
        brand = create_brand(session, name)
        campaign = open_campaign(session, brand, "spring", **terms)
        group = connect(session, brand.id, "telegram", f"-100 {brand.slug}", "Coffee lovers")
        guild = connect(session, brand.id, "discord", f"900 {brand.slug}", "Coffee guild")
        return Town(house, brand, campaign, group, guild)

    return house.do(build)


def open_campaign(session: Session, brand: Brand, slug: str, **terms: Any) -> Campaign:
    """A campaign that runs since yesterday and for two months, with a plan and money."""
    now = clock.now()
    usual: dict[str, Any] = {
        "starts_at": now - timedelta(days=1),
        "ends_at": now + timedelta(days=60),
        "state": "running",
    }
    titles: dict[str, Any] = {"en": slug.title(), "zh_Hans": "春日"}
    campaign = Campaign(brand_id=brand.id, slug=slug, title=titles, benefit={}, created_at=now, **(usual | terms))
    session.add(campaign)
    session.flush()
    rules = (plans.Rule(to="advocate", amount=ADVOCATE, hold_days=3), plans.Rule(to="friend", amount=FRIEND))
    plans.save_plan(session, brand.id, campaign.id, 1, plans.Plan(rules=rules, budget=BUDGET))
    ledger.fund(session, brand.id, campaign.id, "PTS", BUDGET, f"fund/{campaign.id}")
    return campaign


def at(moment: datetime) -> timedelta:
    """How far to move the clock so that it shows `moment`, for `clock.moved`."""
    return moment - clock.now()
