"""Files of orders and refunds: a row is an order, or a refund of the order it names, where it has a `refund`.

Columns, in any order: `order`, `at`, `currency`, `gross`, and if there are any `discount`, `shipping`, `tax`, `code`,
`contact` (e-mail or phone), `account` (such as `telegram:12345`), `member`; for refunds `refund` and `amount` (of the
net; nothing: all that is left). Amounts as people write them: 128.00.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from core.errors import BadInput, DaixinError
from core.money import Money
from core.sheets import read_sheet
from referral.conversions import Order, RefundOrder, check_order, check_refund, customer_hash

NEEDED = ("order", "at", "currency")
MONEY = ("gross", "discount", "shipping", "tax")
COLUMNS = (*NEEDED, *MONEY, "code", "contact", "account", "member", "refund", "amount")


@dataclass(frozen=True, slots=True)
class Wrong:
    """A line that cannot be taken, and why."""

    line: int
    error: DaixinError


@dataclass(frozen=True, slots=True)
class Table:
    """What a file says: orders and refunds with their lines, and what is wrong with the others."""

    rows: list[tuple[int, Order | RefundOrder]]
    wrong: list[Wrong]


def read_orders(path: Path, brand_id: UUID, source: str, timezone: str) -> Table:
    """Read a CSV or XLSX file. Moments without a zone are the brand's (`timezone`).

    Raises `BadInput` for what is no such file: no_file, those of `core.sheets`, order_columns (columns).
    """
    if not path.is_file():
        raise BadInput("no_file", path=str(path))
    lines = read_sheet(path)
    _, head = next(lines, (0, []))
    names = [name.casefold().replace(" ", "_") for name in head]
    missing = [name for name in NEEDED if name not in names]
    unknown = [name for name in names if name and name not in COLUMNS]
    if missing or unknown or len(set(names)) < len(names):
        raise BadInput("order_columns", columns=", ".join(missing or unknown or names))
    table = Table([], [])
    for line, cells in lines:
        fields = {name: cell for name, cell in zip(names, cells, strict=False) if cell}
        try:
            if len(cells) > len(names):
                raise BadInput("order_cells", given=len(cells), columns=len(names))
            table.rows.append((line, _row(fields, brand_id, source, ZoneInfo(timezone))))
        except DaixinError as error:
            table.wrong.append(Wrong(line, error))
    return table


def _row(fields: Mapping[str, str], brand_id: UUID, source: str, zone: ZoneInfo) -> Order | RefundOrder:
    currency = fields.get("currency", "")
    at = read_moment(fields.get("at", ""), zone)
    if "refund" in fields:
        amount = Money.parse(fields["amount"], currency).minor if "amount" in fields else None
        refund = RefundOrder(brand_id, source, fields["refund"], fields.get("order", ""), amount, currency, at)
        check_refund(refund)
        return refund
    money: dict[str, Any] = {name: Money.parse(fields[name], currency).minor for name in MONEY if name in fields}
    order = Order(
        brand_id,
        source,
        fields.get("order", ""),
        currency,
        money.pop("gross", -1),
        at,
        **money,
        **buyer(fields),
    )
    check_order(order)
    return order


def buyer(fields: Mapping[str, str | None]) -> dict[str, Any]:
    """Who bought, as an order has it, from `code`, `contact`, `account` and `member`."""
    found: dict[str, Any] = {}
    if code := fields.get("code"):
        found["code"] = code
    if contact := fields.get("contact"):
        found["customer_hash"] = customer_hash(contact)
    if account := fields.get("account"):
        platform, _, name = account.partition(":")
        found["account"] = (platform, name)
    if member := fields.get("member"):
        try:
            found["member_id"] = UUID(member)
        except ValueError:
            raise BadInput("member") from None
    return found


def read_moment(text: str, zone: ZoneInfo) -> datetime:
    """A moment in ISO 8601, of this zone where it names none; in UTC. Raises `BadInput("order_moment")`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("order_moment", given=text[:40]) from None
    try:
        # In UTC: days of a window are 24 hours, also where a zone changes its clocks in between.
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise BadInput("order_moment", given=text[:40]) from None
