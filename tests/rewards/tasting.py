"""A trial for the tests: a beauty brand gives boxes of a new serum, or codes for it, to people who apply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from core import clock
from referral import members
from referral.brands import Brand, Community, connect, create_brand
from referral.campaigns import Campaign, enroll, move
from referral.cases import Case
from referral.trials import applications, feedback
from referral.trials.funnel import Funnel, funnel
from referral.trials.line import Standing, standing
from referral.trials.places import Trial, TrialApplication, application_of
from rewards import trials
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from rewards.items import parcels
from rewards.items.items import ItemForm, save_item
from rewards.items.shipments import set_address, shipment_of
from rewards.items.voucher_files import Code
from rewards.items.vouchers import import_vouchers
from rewards.ledger import Account, Purpose, balance
from rewards.rewards import Reward, rewards_of
from rewards.verify import Problem, verify
from tests.house import House, person

ADDRESS = {"country": "CN", "name": "林小雨", "phone": "13800138000", "region": "浙江省", "city": "杭州市"} | {
    "district": "西湖区",
    "street": "文一路 1 号",
}
MEI = "telegram:mei"


@dataclass(slots=True)
class Tasting:
    """A running trial; people are called by their names, and live on Telegram."""

    house: House
    brand: Brand
    campaign: Campaign
    group: Community

    def who(self, name: str, platform: str = "telegram") -> UUID:
        """Somebody speaks to the bot; who they are."""
        return self.house.do(
            lambda session: (
                members.meet(session, self.brand.id, [person(name, platform)], [clock.now()], "message")[0].member_id
            )
        )

    def applies(self, name: str, platform: str = "telegram", **answers: str) -> str:
        """Somebody applies; where their application stands after it."""
        member = self.who(name, platform)
        return self.house.do(lambda session: applications.apply(session, self._mine(session), member, answers).state)

    def brings(self, advocate: str, friend: str) -> None:
        """The advocate's code brings a friend, who does not apply yet."""
        member = self.who(advocate)
        code = self.house.do(lambda session: enroll(session, self._mine(session), member))
        assert self.house.comes(friend, code).outcome == "referred"

    def _mine(self, session: Session) -> Campaign:
        return session.get_one(Campaign, (self.brand.id, self.campaign.id))

    def row(self, name: str, platform: str = "telegram") -> TrialApplication:
        """Somebody's application."""
        member = self.who(name, platform)
        found = self.house.ask(lambda session: application_of(session, self.brand.id, self.campaign.id, member))
        assert found is not None, f"{name} never applied"
        return found

    def state(self, name: str, platform: str = "telegram") -> str:
        return self.row(name, platform).state

    def states(self, *names: str) -> str:
        """Where these stand, in words one after another."""
        return " ".join(self.state(name) for name in names)

    def standing(self, name: str) -> Standing:
        row = self.row(name)
        return self.house.ask(lambda session: standing(session, row))

    def trial(self) -> Trial:
        found = self.house.ask(lambda session: session.get(Trial, (self.brand.id, self.campaign.id)))
        assert found is not None
        return found

    def decides(self, name: str, verdict: str = "approve", reason: str = "fits well", actor: str = MEI) -> None:
        """A person decides about somebody's application."""
        row = self.row(name)
        self.house.do(lambda session: applications.decide(session, self.brand.id, row.id, verdict, reason, actor))

    def takes(self, name: str) -> str:
        """Somebody takes the place that is kept for them; where they stand after it."""
        row = self.row(name)
        return self.house.do(lambda session: applications.take(session, self.brand.id, row.id).state)

    def withdraws(self, name: str) -> None:
        row = self.row(name)
        self.house.do(lambda session: applications.withdraw(session, self.brand.id, row.id))

    def says_where(self, name: str) -> None:
        """Somebody gives the address of their parcel."""
        row = self.row(name)

        def tell(session: Session) -> None:
            payout = trials.payout_behind(session, row)
            assert payout is not None
            set_address(session, payout, ADDRESS)

        self.house.do(tell)

    def is_sent(self, name: str) -> None:
        """Somebody's parcel is on its way."""
        row = self.row(name)

        def send(session: Session) -> None:
            payout = trials.payout_behind(session, row)
            assert payout is not None
            parcel = shipment_of(session, self.brand.id, payout.id)
            assert parcel is not None
            parcels.ship(session, parcel, "SF", f"SF{row.id.hex[:8]}")

        self.house.do(send)

    def receives(self, name: str) -> None:
        """Somebody says that it came."""
        row = self.row(name)
        self.house.do(lambda session: trials.arrived(session, self.brand.id, row.id))

    def gets(self, name: str) -> None:
        """All the way from a kept place to the parcel in somebody's hands."""
        self.takes(name)
        self.says_where(name)
        self.is_sent(name)
        self.receives(name)

    def reviews(self, name: str, rating: int = 5, text: str = "Lovely.", **more: Any) -> None:
        row = self.row(name)
        self.house.do(lambda session: feedback.give_feedback(session, self.brand.id, row.id, rating, text, **more))

    def night(self) -> None:
        """The job runs until there is nothing more to do."""
        while self.house.do(trials.draw_due) + self.house.do(trials.follow_clock):
            continue

    def does(self, what: str) -> None:
        """The campaign is paused, resumed, ended."""
        self.house.do(lambda session: move(session, self._mine(session), what))

    def funnel(self) -> Funnel:
        return self.house.ask(lambda session: funnel(session, self._mine(session)))

    def boxes(self) -> int:
        """What is left of the item in the campaign's budget."""
        account = Account(self.brand.id, self.campaign.id, Purpose.BUDGET, "item:serum")
        return self.house.ask(lambda session: balance(session, account))

    def rewards(self, name: str) -> list[tuple[str, str, int, str]]:
        """(event, asset, amount, state) of what somebody earned, the newest first."""
        member = self.who(name)

        def read(session: Session) -> list[Reward]:
            return rewards_of(session, self.brand.id, member)

        return [(one.event, one.asset, one.amount, one.state) for one in self.house.ask(read)]

    def cases(self) -> list[Case]:
        return self.house.ask(lambda session: list(session.scalars(select(Case).order_by(col(Case.opened_at)))))

    def problems(self) -> list[Problem]:
        return list(self.house.ask(verify))


def trial_file(**changes: Any) -> dict[str, Any]:
    """The file of the trial; `changes` by their dotted names with `__` for the dot."""
    now = clock.now()
    raw: dict[str, Any] = {
        "campaign": {
            "slug": "serum",
            "kind": "trial",
            "title": {"en": "Night serum trial", "zh_Hans": "夜间精华试用"},
            "benefit": {"en": "A full box, free.", "zh_Hans": "正装一盒，免费试用。"},
            "starts_at": now - timedelta(days=1),
            "ends_at": now + timedelta(days=14),
        },
        "qualify": {"event": "trial_claimed", "window_days": 10},
        "rewards": {
            "budget": 10_000,
            "rules": [
                {"to": "advocate", "amount": 100},
                {"to": "advocate", "name": "said", "on": "feedback_given", "amount": 50},
            ],
        },
        "trial": {"quota": 2, "item": "serum", "approve": "rule"},
    }
    for name, value in changes.items():
        part, _, key = name.partition("__")
        if key:
            raw[part][key] = value
        else:
            raw[part] = value
    return raw


def open_tasting(house: House, kind: str = "physical", slug: str = "mei", **changes: Any) -> Tasting:
    """The trial runs; `kind` of what is tried: physical, promo_code or voucher (five codes)."""

    def build(session: Session) -> Tasting:
        brand = create_brand(session, "Mei Beauty", slug=slug)
        group = connect(session, brand.id, "telegram", f"-100 {slug}", "Mei's fans")
        save_item(session, brand.id, ItemForm("serum", kind, {"en": "Night serum", "zh_Hans": "夜间精华"}, {}))
        if kind == "voucher":
            import_vouchers(session, brand.id, "serum", [Code(f"SERUM-{n}", None, n) for n in range(1, 6)])
        applied = apply_campaign(session, brand, build_campaign(trial_file(**changes)))
        return Tasting(house, brand, applied.campaign, group)

    return house.do(build)
