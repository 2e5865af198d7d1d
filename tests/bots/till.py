"""The shop's till, the bank and the storeroom, for dialogues about money: what they do, by what a script calls it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from core import clock
from core.sheets import read_sheet
from referral.conversions import Order, RefundOrder
from referral.members import find_identity
from referral.orders import record_orders
from referral.refunds import record_refunds
from rewards.adjustments import adjust
from rewards.items import parcels
from rewards.items.items import ItemForm, save_item
from rewards.items.shipments import Shipment, arrive
from rewards.items.voucher_files import read_codes
from rewards.items.vouchers import import_vouchers
from rewards.ledger import fund
from rewards.payouts.batches import approve_batch, create_batch
from rewards.payouts.manual import export_batch, import_results
from rewards.payouts.payouts import Payout
from rewards.payouts.port import Answer
from rewards.payouts.settling import conclude
from tests.dialogue import Town


class Till:
    """What happens outside the chat. Amounts are whole yuan."""

    def __init__(self, town: Town, folder: Path) -> None:
        self.town = town
        self.folder = folder
        self.orders = self.refunds = 0

    def buys(self, who: str, yuan: int) -> Callable[[], object]:
        """Somebody orders, now."""

        def order() -> object:
            self.orders += 1
            one = Order(
                self.town.brand.id,
                "teashop",
                str(self.orders),
                "CNY",
                yuan * 100,
                clock.now(),
                account=("webchat", who.lower()),
            )
            return self.town.do(lambda session: record_orders(session, [one]))

        return order

    def refunds_last(self, yuan: int | None) -> Callable[[], object]:
        """So much of the last order goes back, or all that is left."""

        def refund() -> object:
            self.refunds += 1
            amount = yuan * 100 if yuan is not None else None
            one = RefundOrder(
                self.town.brand.id, "teashop", f"r{self.refunds}", str(self.orders), amount, "CNY", clock.now()
            )
            return self.town.do(lambda session: record_refunds(session, [one]))

        return refund

    def member(self, session: Session, name: str) -> Any:
        found = find_identity(session, self.town.brand.id, "webchat", name.lower())
        assert found is not None
        return found.member_id

    def gives(self, who: str, amount: int, why: str, asset: str = "PTS") -> Callable[[], object]:
        """Goodwill, or below zero a deduction, decided by Dora."""

        def give() -> object:
            campaign, brand = self.town.campaign(), self.town.brand.id

            def unit(session: Session) -> object:
                if amount > 0:
                    fund(session, brand, campaign.id, asset, amount, f"fund/{why}")
                who_it_is = self.member(session, who)
                told = {"reason": why, "actor": "dora", "key": why}
                return adjust(session, brand, who_it_is, campaign.id, asset, amount, **told)

            return self.town.do(unit)

        return give

    def bank(self, status: str, *said: str) -> Callable[[], object]:
        """A batch of everything that waits: made by Dora, approved by Eric, sent to the bank, its answer read."""

        def answer() -> object:
            brand = self.town.brand.id
            batch = self.town.do(lambda session: create_batch(session, brand, "manual", "CNY", "dora"))
            self.town.do(lambda session: approve_batch(session, brand, batch.id, "eric"))
            rows = self.town.do(lambda session: export_batch(session, brand, batch.id, "dora", "en"))
            path = self.folder / f"bank{batch.number}.csv"
            with path.open("w", newline="") as out:
                csv.writer(out).writerows(
                    [row if at == 0 else [*row[:-3], status, *(*said, "", "")[:2]] for at, row in enumerate(rows)]
                )
            return self.town.do(lambda session: import_results(session, brand, list(read_sheet(path)), "dora"))

        return answer

    def provider(self, state: Any, reason: str | None = None, **detail: str) -> Callable[[], object]:
        """A provider answers about every payout that is open."""

        def answer(session: Session) -> object:
            rows = session.scalars(select(Payout).where(col(Payout.state).in_(("pending", "processing")))).all()
            said = Answer(state, "10000542", reason, detail)
            return [conclude(session, row.brand_id, row.id, said, "notice") for row in rows]

        return lambda: self.town.do(answer)

    def offers(self, slug: str, kind: str, en: str, zh: str, price: int | None, **more: Any) -> None:
        """An item comes into the catalogue."""
        form = ItemForm(slug, kind, {"en": en, "zh_Hans": zh}, more.pop("about", {}), price, **more)
        self.town.do(lambda session: save_item(session, self.town.brand.id, form))

    def fills(self, slug: str, codes: Sequence[str]) -> None:
        """These codes come into an item's pool; with a comma, a code and its end."""
        header = "code,expires_at" if any("," in code for code in codes) else "code"
        rows = read_codes("\n".join([header, *codes]).encode(), "Asia/Shanghai")
        self.town.do(lambda session: import_vouchers(session, self.town.brand.id, slug, rows))

    def ships(self, carrier: str, tracking: str) -> Callable[[], object]:
        """The one parcel goes out."""

        def ship(session: Session) -> None:
            parcels.ship(session, session.scalars(select(Shipment)).one(), carrier, tracking)

        return lambda: self.town.do(ship)

    def delivers(self) -> object:
        """The one parcel arrives."""
        return self.town.do(lambda session: arrive(session, session.scalars(select(Shipment)).one()))
