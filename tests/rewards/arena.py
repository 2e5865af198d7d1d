"""An arena for the tests of contests: a brand, a contest that counts joins, a group, and people who bring friends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

from sqlmodel import Session, col, select

from core import clock, events
from referral import members, stays
from referral.brands import Brand, Community, connect, create_brand
from referral.campaigns import Campaign, enroll
from referral.contests import decisions, teams
from referral.contests.results import ContestResult, result_of
from referral.lifecycle import follow_clock
from referral.linking import link, undo_link
from referral.referrals import referral_of, reverse
from rewards import ledger
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from rewards.contests import finals
from rewards.rewards import Reward, release_due
from rewards.verify import Problem, verify
from tests.house import House, person

T = TypeVar("T")
DAYS = 7
PRIZES = [{"first": 1, "last": 1, "amount": 300}, {"first": 2, "last": 3, "amount": 100}]


@dataclass
class Arena:
    """`people`: members by the name they speak under."""

    house: House
    brand: Brand
    campaign: Campaign
    group: Community
    people: dict[str, UUID] = field(default_factory=dict)
    _friends: count[int] = field(default_factory=lambda: count(1))

    def do(self, unit: Callable[[Session, Campaign], T]) -> T:
        key = (self.brand.id, self.campaign.id)
        return self.house.do(lambda session: unit(session, session.get_one(Campaign, key)))

    def talks(self, name: str) -> UUID:
        """Somebody speaks to the bot; who they are."""
        if name not in self.people:
            found = self.house.do(
                lambda session: members.meet(session, self.brand.id, [person(name)], [clock.now()], "message")
            )
            self.people[name] = found[0].member_id
        return self.people[name]

    def code(self, name: str) -> str:
        who = self.talks(name)
        return self.do(lambda session, campaign: enroll(session, campaign, who))

    def brings(self, name: str, friends: int = 1) -> list[str]:
        """Friends come with somebody's code and join the group, which counts; their names."""
        code, came = self.code(name), []
        for _ in range(friends):
            friend = f"Friend{next(self._friends)}"
            assert self.house.comes(friend, code).outcome == "referred"
            joined = partial(stays.joined, community=self.group, account=friend.lower(), at=clock.now())
            self.house.do(joined)
            came.append(friend)
        return came

    def reverses(self, friend: str) -> None:
        """A friend turns out to be a fraud."""

        def undo(session: Session, campaign: Campaign) -> None:
            identity = members.find_identity(session, self.brand.id, "telegram", friend.lower())
            assert identity is not None
            referral = referral_of(session, self.brand.id, identity.member_id, campaign.id)
            assert referral is not None
            events.emit(session, reverse(session, [referral], "fraud"))

        self.do(undo)

    def founds(self, name: str, team: str) -> None:
        who = self.talks(name)
        self.do(lambda session, campaign: teams.found_team(session, campaign, who, team))

    def joins(self, name: str, captain: str) -> None:
        who, code = self.talks(name), self.code(captain)
        self.do(lambda session, campaign: teams.join_team(session, campaign, who, code))

    def leaves(self, name: str) -> None:
        who = self.talks(name)
        self.do(lambda session, campaign: teams.leave_team(session, campaign, who))

    def disqualifies(self, name: str, reason: str = "bought accounts") -> None:
        who = self.talks(name)
        self.do(
            lambda session, campaign: decisions.disqualify(session, campaign, who, reason=reason, actor="telegram:1")
        )

    def reinstates(self, name: str, reason: str = "a mistake of ours") -> None:
        who = self.talks(name)
        self.do(
            lambda session, campaign: decisions.reinstate(session, campaign, who, reason=reason, actor="telegram:1")
        )

    def links(self, one: str, other: str) -> None:
        self.house.do(lambda session: link(session, self.brand.id, self.people[one], self.people[other]))

    def unlinks(self, name: str) -> None:
        self.house.do(lambda session: undo_link(session, self.brand.id, self.people[name]))

    def clock_strikes(self) -> None:
        """The jobs run until nothing is due."""
        for job in (follow_clock, stays.qualify_due, finals.freeze_due, release_due):
            while self.house.do(job):
                continue

    def result(self, revision: int | None = None) -> ContestResult | None:
        return self.house.ask(lambda session: result_of(session, self.brand.id, self.campaign.id, revision))

    def replay(self) -> finals.Replay:
        key = (self.brand.id, self.campaign.id)
        return self.house.ask(lambda session: finals.replay(session, session.get_one(Campaign, key)))

    def won(self, asset: str = "PTS") -> dict[str, int]:
        """What everybody has of this asset by the books, by name; nothing stands for nobody."""
        names = {member: name for name, member in self.people.items()}
        found = {}
        for member, name in names.items():
            purses = self.house.ask(partial(ledger.balances_of, brand_id=self.brand.id, owner_id=member))
            amount = sum(value for (_, held), value in purses.items() if held == asset)
            if amount:
                found[name] = amount
        return found

    def prizes(self, name: str) -> list[tuple[str, int, int, str, str | None]]:
        """(cause, amount, taken back, state, reason) of somebody's prizes, the oldest first."""
        rows = self.house.ask(
            lambda session: session.exec(
                select(Reward)
                .where(col(Reward.member_id) == self.people[name], col(Reward.rule) == "prize")
                .order_by(col(Reward.created_at), col(Reward.id))
            ).all()
        )
        return [(row.cause, row.amount, row.taken_back, row.state, row.reason) for row in rows]

    def budget(self, asset: str = "PTS") -> int:
        found = self.house.ask(lambda session: ledger.balances_of(session, self.brand.id, self.campaign.id))
        return found.get(("campaign.budget", asset), 0)

    def problems(self) -> list[Problem]:
        return self.house.ask(verify)


def contest_file(**changes: Any) -> dict[str, Any]:
    """The arena's contest as a file; `changes` as `rewards__budget=…`, sections whole."""
    raw: dict[str, Any] = {
        "campaign": {
            "slug": "race",
            "kind": "contest",
            "title": {"en": "Spring race", "zh_Hans": "春季拉新大赛"},
            "benefit": {"en": "A free cup.", "zh_Hans": "送你一杯茶。"},
            "timezone": "Asia/Shanghai",
            "starts_at": clock.now() - timedelta(minutes=1),
            "ends_at": clock.now() + timedelta(days=DAYS),
        },
        "qualify": {"event": "joined"},
        "rewards": {"budget": 600, "prizes": PRIZES},
        "contest": {"objection_hours": 24},
    }
    for name, value in changes.items():
        part, _, key = name.partition("__")
        if key:
            raw[part][key] = value
        else:
            raw[part] = value
    return raw


def open_arena(house: House, stock: Callable[[Session, Brand], object] | None = None, **changes: Any) -> Arena:
    """A running contest with its budget in the books; `stock` fills the catalogue before."""

    def build(session: Session) -> Arena:
        brand = create_brand(session, "Acme 茶")
        if stock is not None:
            stock(session, brand)
        group = connect(session, brand.id, "telegram", "-100 tea", "Tea friends")
        applied = apply_campaign(session, brand, build_campaign(contest_file(**changes)))
        return Arena(house, brand, applied.campaign, group)

    return house.do(build)
