"""What can be exported: the columns of each kind, and its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from core import i18n
from core.db import among_keys, table
from core.money import Money
from referral.conversions import Conversion
from referral.referrals import Referral
from rewards.account_words import account_words, asset_words, names_of
from rewards.exports.board import BOARD
from rewards.exports.exports import Export
from rewards.exports.people import PEOPLE
from rewards.exports.reading import Kind, Page, Row, always, by_id, counted, last_of, titles_of, why
from rewards.ledger import Transfer
from rewards.proofs.blocks import SealedTransfer
from rewards.rewards import Reward
from rewards.statements.campaign import REWARD_COLUMNS, reward_cells
from rewards.statements.sheets import Column, amounts, columns

_ORDERS = columns(
    ordered_at="moment",
    source="text",
    order="text",
    order_state="text",
    reason="text",
    campaign="text",
    advocate="text",
    buyer="text",
    code="text",
    asset="text",
    **amounts("gross", "discount", "shipping", "tax", "net", "refunded", "left"),
    received_at="moment",
    reference="text",
)


def _orders(session: Session, export: Export, after: Any) -> Page:
    rows = by_id(session, export, Conversion, "ordered_at", after)
    titles, locale = titles_of(session, export), export.locale
    brought = _advocates_behind(session, export, [row.referral_id for row in rows if row.referral_id])
    names = names_of(session, export.brand_id, [*(row.member_id for row in rows), *brought.values()], locale)
    found: list[Row] = [
        (
            row.ordered_at,
            row.source,
            row.external_id,
            i18n.text(locale, f"export.order.{row.status}"),
            why(row.reason, locale),
            titles.get(row.campaign_id, ""),
            names.get(brought.get(row.referral_id, row.id), ""),
            names.get(row.member_id, ""),
            row.code or "",
            row.currency,
            *(Money(amount, row.currency) for amount in (row.gross, row.discount, row.shipping, row.tax, row.net)),
            Money(row.refunded, row.currency),
            Money(row.net - row.refunded, row.currency),
            row.received_at,
            str(row.id),
        )
        for row in rows
    ]
    return found, last_of(rows)


def _advocates_behind(session: Session, export: Export, referrals: Sequence[UUID]) -> dict[UUID | None, UUID]:
    if not referrals:
        return {}
    t = table(Referral)
    keys = [(export.brand_id, one) for one in dict.fromkeys(referrals)]
    found = select(t.c.id, t.c.advocate_id).where(t.c.brand_id == export.brand_id)
    return dict(session.execute(found.where(among_keys(session, (t.c.brand_id, t.c.id), keys))).all())


def _rewards(session: Session, export: Export, after: Any) -> Page:
    rows = by_id(session, export, Reward, "created_at", after)
    titles = titles_of(session, export)
    names = names_of(session, export.brand_id, (row.member_id for row in rows), export.locale)
    found: list[Row] = [
        (titles.get(row.campaign_id, ""), *reward_cells(row, names.get(row.member_id, ""), export.locale))
        for row in rows
    ]
    return found, last_of(rows)


_TRANSFERS = columns(
    at="moment",
    kind="text",
    taken_from="text",
    given_to="text",
    asset="text",
    amount="amount",
    cause="text",
    reference="text",
    block="number",
)


def _transfers(session: Session, export: Export, after: Any) -> Page:
    rows = by_id(session, export, Transfer, "created_at", after)
    if not rows:
        return [], None
    locale, brand_id = export.locale, export.brand_id
    sides = {row.debit_id for row in rows} | {row.credit_id for row in rows}
    accounts, items = account_words(session, brand_id, sides, locale), asset_words(session, brand_id, locale)
    t = table(SealedTransfer)
    keys = [(brand_id, row.id) for row in rows]
    sealed = select(t.c.id, t.c.height).where(t.c.brand_id == brand_id)
    heights = dict(session.execute(sealed.where(among_keys(session, (t.c.brand_id, t.c.id), keys))).all())
    found: list[Row] = [
        (
            row.created_at,
            i18n.text(locale, f"statement.kind.{row.kind}"),
            accounts.get(row.debit_id, ""),
            accounts.get(row.credit_id, ""),
            items.get(row.asset, row.asset),
            Money(row.amount, row.asset),
            row.reference,
            str(row.id),
            heights.get(row.id),
        )
        for row in rows
    ]
    return found, last_of(rows)


KIND_OF: Mapping[str, Kind] = {
    "orders": Kind(always(_ORDERS), _orders, counted(Conversion, "ordered_at")),
    "rewards": Kind(always((Column("campaign"), *REWARD_COLUMNS)), _rewards, counted(Reward, "created_at")),
    "transfers": Kind(always(_TRANSFERS), _transfers, counted(Transfer, "created_at")),
    "leaderboard": BOARD,
    **PEOPLE,
}
"""By the names of `exports.KINDS`."""
