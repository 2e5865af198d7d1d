"""Transfers: each has a cause that exists, and joins the accounts that its kind joins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    RowMapping,
    Select,
    String,
    Table,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlmodel import Session

from core.db import table
from referral.campaigns import Campaign
from referral.linking import MemberLink
from rewards.ledger import LedgerAccount, Purpose, Transfer
from rewards.payouts.payouts import Payout
from rewards.rewards import Reward
from rewards.verify.entitlements import reward_in
from rewards.verify.problem import Problem, as_raw, named, raw, stream

KNOWN = 100_000
"""Members whose links are remembered at once."""
Whose = Literal["brand", "campaign", "member", "payout"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of transfer: from where to where, by what cause, and how its reference begins and ends around that.

    `amount`: the column of the cause that says how much it moves, None where only the sum of several is known.
    """

    debit: Purpose
    credit: Purpose
    cause: Literal["reward", "payout", "campaign"]
    begins: str
    ends: str | None = ""
    amount: Literal["amount", "fee"] | None = None


OWNERS: dict[Purpose, Whose] = {
    Purpose.EXTERNAL: "brand",
    Purpose.FUNDING: "brand",
    Purpose.BUDGET: "campaign",
    Purpose.HELD: "member",
    Purpose.PAYABLE: "member",
    Purpose.CLEARING: "payout",
}
KINDS: dict[str, Kind] = {
    "grant": Kind(Purpose.BUDGET, Purpose.HELD, "reward", "grant/", amount="amount"),
    "release": Kind(Purpose.HELD, Purpose.PAYABLE, "reward", "release/"),
    "void": Kind(Purpose.HELD, Purpose.BUDGET, "reward", "void/", ends=None),
    "clawback": Kind(Purpose.PAYABLE, Purpose.BUDGET, "reward", "clawback/", ends=None),
    "fund": Kind(Purpose.EXTERNAL, Purpose.BUDGET, "campaign", "fund/"),
    "unfund": Kind(Purpose.BUDGET, Purpose.EXTERNAL, "campaign", "unfund/"),
    "payout_start": Kind(Purpose.PAYABLE, Purpose.CLEARING, "payout", "payout/", "/start", "amount"),
    "payout_fee": Kind(Purpose.PAYABLE, Purpose.FUNDING, "payout", "payout/", "/fee", "fee"),
    "payout_done": Kind(Purpose.CLEARING, Purpose.EXTERNAL, "payout", "payout/", "/done", "amount"),
    "payout_back": Kind(Purpose.CLEARING, Purpose.PAYABLE, "payout", "payout/", "/back", "amount"),
    "payout_fee_back": Kind(Purpose.FUNDING, Purpose.PAYABLE, "payout", "payout/", "/fee-back", "fee"),
}
"""Every kind but `link`, which joins the same account of two linked members, or brings a reward back."""
NAMED = 36
"""Letters of an identifier in a reference."""


def causes(session: Session) -> Iterator[Problem]:
    """Transfers without a cause, of an unknown kind, or between accounts that such a transfer never joins."""
    linked = _Linked(session)
    for row in stream(session, _doubtful(session)):
        problem = _link(row, linked) if row.kind == "link" else _wrong(row, linked)
        if problem is not None:
            yield Problem(problem[0], "transfer", str(row.id), f"{row.reference}: {problem[1]}")


def _doubtful(session: Session) -> Select[Any]:
    """All transfers but those that are surely in order, with their accounts and causes."""
    moved, reward, payout, campaign = (table(model) for model in (Transfer, Reward, Payout, Campaign))
    debit, credit = table(LedgerAccount).alias("debit"), table(LedgerAccount).alias("credit")
    rewarded = as_raw(session, reward_in(moved.c.reference, moved.c.kind))
    paid = as_raw(session, func.substr(moved.c.reference, 8, NAMED))
    budget = case((moved.c.kind == "fund", credit.c.owner_id), (moved.c.kind == "unfund", debit.c.owner_id))
    whose: dict[str, ColumnElement[Any]] = {
        "brand": moved.c.brand_id,
        "member": reward.c.member_id,
        "campaign": reward.c.campaign_id,
    }
    sides: dict[str, tuple[Table, dict[str, ColumnElement[Any]]]] = {
        "reward": (reward, whose),
        "payout": (payout, {**whose, "member": payout.c.member_id, "payout": payout.c.id}),
        "campaign": (campaign, {**whose, "campaign": campaign.c.id}),
    }
    fine = or_(*(_fine(session, name, kind, *sides[kind.cause], debit, credit) for name, kind in KINDS.items()))
    return (
        select(
            *(moved.c[name] for name in ("brand_id", "id", "reference", "kind", "asset", "amount")),
            *(side.c[name].label(f"{side.name}_{name}") for side in (debit, credit) for name in _ACCOUNT),
            *(reward.c[name].label(f"reward_{name}") for name in ("id", "campaign_id", "member_id", "asset", "amount")),
            *(payout.c[name].label(f"payout_{name}") for name in ("id", "member_id", "asset", "amount", "fee")),
            campaign.c.id.label("campaign_id"),
        )
        .outerjoin(debit, _same(debit, moved, "debit_id"))
        .outerjoin(credit, _same(credit, moved, "credit_id"))
        .outerjoin(reward, and_(reward.c.brand_id == moved.c.brand_id, raw(session, reward.c.id) == rewarded))
        .outerjoin(
            payout,
            and_(
                payout.c.brand_id == moved.c.brand_id,
                moved.c.kind.like("payout%"),
                raw(session, payout.c.id) == paid,
            ),
        )
        .outerjoin(campaign, and_(campaign.c.brand_id == moved.c.brand_id, campaign.c.id == budget))
        .where(case((fine, 1), else_=0) == 0)
    )


_ACCOUNT = ("owner_id", "purpose", "asset")


def _same(account: FromClause, moved: Table, side: str) -> ColumnElement[bool]:
    return and_(account.c.brand_id == moved.c.brand_id, account.c.id == moved.c[side])


def _fine(
    session: Session,
    name: str,
    kind: Kind,
    cause: Table,
    owners: dict[str, ColumnElement[Any]],
    debit: FromClause,
    credit: FromClause,
) -> ColumnElement[bool]:
    """Whether a transfer is of this kind and all of it is as it must be."""
    moved = table(Transfer)
    reference = moved.c.reference
    tests = [moved.c.kind == name, moved.c.amount > 0, cause.c.id.is_not(None)]
    for side, purpose in ((debit, kind.debit), (credit, kind.credit)):
        tests += [side.c.purpose == purpose, side.c.asset == moved.c.asset, side.c.owner_id == owners[OWNERS[purpose]]]
    if kind.cause == "campaign":
        return and_(*tests, reference.like(f"{kind.begins}%"))
    whole = literal(kind.begins, String) + named(session, cause.c.id)
    length = len(kind.begins) + NAMED
    tests.append(cause.c.asset == moved.c.asset)
    if kind.ends is None:
        tests += [func.substr(reference, 1, length) == whole, func.substr(reference, length + 1, 1).in_(("", "/"))]
    else:
        tests.append(reference == (whole + literal(kind.ends, String) if kind.ends else whole))
    if kind.amount is not None:
        tests.append(moved.c.amount == cause.c[kind.amount])
    return and_(*tests)


def _wrong(row: Row[Any], linked: _Linked) -> tuple[str, str] | None:
    """What is wrong with a doubtful transfer as (kind, detail), if anything is."""
    kind = KINDS.get(row.kind)
    if row.amount <= 0:
        return "amount", f"moves {row.amount}"
    if (row.debit_asset, row.credit_asset) != (row.asset, row.asset):
        return "account", "an account of it is missing or keeps another asset"
    if kind is None:
        return "kind", f"its kind is {row.kind}"
    found = row._mapping
    cause_id = found["campaign_id" if kind.cause == "campaign" else f"{kind.cause}_id"]
    if not row.reference.startswith(kind.begins):
        return "kind", f"its kind is {row.kind}"
    if cause_id is None:
        return "orphan", f"there is no such {kind.cause}"
    if not _refers(row.reference, kind, cause_id):
        return "kind", f"its kind is {row.kind}"
    if (row.debit_purpose, row.credit_purpose) != (kind.debit, kind.credit):
        return "account", f"goes from {row.debit_purpose} to {row.credit_purpose}"
    for side, purpose in (("debit", kind.debit), ("credit", kind.credit)):
        if not _is_theirs(found, kind, OWNERS[purpose], found[f"{side}_owner_id"], linked):
            return "account", f"its {side} is not the {purpose} of the {OWNERS[purpose]} of its {kind.cause}"
    return _differs(found, kind)


def _differs(found: RowMapping, kind: Kind) -> tuple[str, str] | None:
    """Whether it moves something else than its cause says."""
    if kind.cause == "campaign":
        return None
    asset = found[f"{kind.cause}_asset"]
    if found["asset"] != asset:
        return "amount", f"moves {found['asset']}, its {kind.cause} is in {asset}"
    if kind.amount is not None and found["amount"] != found[f"{kind.cause}_{kind.amount}"]:
        return "amount", f"moves {found['amount']}, its {kind.cause} says {found[f'{kind.cause}_{kind.amount}']}"
    return None


def _refers(reference: str, kind: Kind, cause_id: UUID) -> bool:
    if kind.cause == "campaign":
        return True
    whole = f"{kind.begins}{cause_id}"
    return reference == whole + kind.ends if kind.ends is not None else f"{reference}/".startswith(f"{whole}/")


def _is_theirs(found: RowMapping, kind: Kind, whose: Whose, owner: UUID, linked: _Linked) -> bool:
    """Whether an account is that of the cause's brand, campaign, member or payout; linked members are one."""
    if whose == "brand":
        return bool(owner == found["brand_id"])
    if whose == "campaign":
        return bool(owner == found["campaign_id" if kind.cause == "campaign" else "reward_campaign_id"])
    if whose == "payout":
        return bool(owner == found["payout_id"])
    member = found[f"{kind.cause}_member_id"]
    return bool(owner == member) or linked.are(found["brand_id"], member, owner)


def _link(row: Row[Any], linked: _Linked) -> tuple[str, str] | None:
    """What is wrong with a transfer between linked members, or one that brings a reward back."""
    if row.amount <= 0:
        return "amount", f"moves {row.amount}"
    if (row.debit_asset, row.credit_asset) != (row.asset, row.asset):
        return "account", "an account of it is missing or keeps another asset"
    if not row.reference.startswith("link/"):
        return "kind", "its kind is link"
    if "/again/" not in row.reference:
        same = row.debit_purpose == row.credit_purpose
        one = same and linked.are(row.brand_id, row.debit_owner_id, row.credit_owner_id)
        return None if one else ("orphan", "its two owners were never linked")
    if row.reward_id is None:
        return "orphan", "there is no such reward"
    if row.debit_purpose != Purpose.BUDGET or row.credit_purpose not in (Purpose.HELD, Purpose.PAYABLE):
        return "account", f"goes from {row.debit_purpose} to {row.credit_purpose}"
    theirs = row.credit_owner_id == row.reward_member_id or linked.are(
        row.brand_id, row.reward_member_id, row.credit_owner_id
    )
    if row.debit_owner_id != row.reward_campaign_id or not theirs:
        return "account", "its accounts are not those of its reward"
    return None


class _Linked:
    """Which members are, or were for a time, one person; each member is looked up once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[UUID, UUID], frozenset[UUID]] = {}

    def are(self, brand_id: UUID, one: UUID, other: UUID) -> bool:
        """Whether two members are one person."""
        key = (brand_id, one)
        if key not in self._known:
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[key] = frozenset(self._all(brand_id, one))
        return other in self._known[key]

    def _all(self, brand_id: UUID, one: UUID) -> set[UUID]:
        link = table(MemberLink)
        seen: set[UUID] = set()
        level = {one}
        while level:
            seen |= level
            pairs = self._session.execute(
                select(link.c.kept_id, link.c.absorbed_id).where(
                    link.c.brand_id == brand_id, or_(link.c.kept_id.in_(level), link.c.absorbed_id.in_(level))
                )
            )
            level = {member for pair in pairs for member in pair} - seen
        return seen


CHECKS = (causes,)
