"""Transfers: each has a cause that exists, and joins the accounts that its kind joins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    RowMapping,
    Select,
    Table,
    and_,
    case,
    func,
    or_,
    select,
)
from sqlmodel import Session, SQLModel

from core.db import table
from referral.campaigns import Campaign
from rewards.adjustments import Adjustment
from rewards.ledger import LedgerAccount, Purpose, Transfer
from rewards.payouts.payouts import Payout
from rewards.rewards import Reward
from rewards.verify.entitlements import reward_in
from rewards.verify.linked import Linked
from rewards.verify.problem import Problem, as_raw, raw, stream

Cause = Literal["reward", "payout", "campaign", "adjustment"]
Whose = Literal["brand", "campaign", "member", "payout"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of transfer: from where to where, by what cause, and how its reference begins and ends around that.

    `amount`: the column of the cause that says how much it moves (below zero with the `sign` -1), None where only the
    sum of several is known.
    """

    debit: Purpose
    credit: Purpose
    cause: Cause
    begins: str
    ends: str | None = ""
    amount: Literal["amount", "fee"] | None = None
    sign: Literal[1, -1] = 1


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
    "adjust": Kind(Purpose.PAYABLE, Purpose.BUDGET, "adjustment", "adjust/", amount="amount", sign=-1),
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
    linked = Linked(session)
    for cause in CAUSES:
        for row in stream(session, _doubtful(session, cause)):
            yield from _named(row, _wrong(row._mapping, KINDS[row.kind], linked))
    for row in stream(session, _others(session)):
        yield from _named(row, _link(row, linked) if row.kind == "link" else ("kind", f"its kind is {row.kind}"))


def _named(row: Row[Any], problem: tuple[str, str] | None) -> Iterator[Problem]:
    if problem is not None:
        yield Problem(problem[0], "transfer", str(row.id), f"{row.reference}: {problem[1]}")


def _doubtful(session: Session, cause: Cause) -> Select[Any]:
    """Transfers of one sort of cause but those that are surely in order, with their accounts and causes."""
    moved, behind = table(Transfer), table(CAUSES[cause])
    kinds = {name: kind for name, kind in KINDS.items() if kind.cause == cause}
    match cause:
        case "reward":
            found = raw(session, behind.c.id) == as_raw(session, reward_in(moved.c.reference, moved.c.kind))
        case "payout" | "adjustment":
            begins = len(next(iter(kinds.values())).begins) + 1
            found = raw(session, behind.c.id) == as_raw(session, func.substr(moved.c.reference, begins, NAMED))
        case "campaign":
            found = behind.c.id == case((moved.c.kind == "fund", CREDIT.c.owner_id), else_=DEBIT.c.owner_id)
    fine = or_(*(_fine(name, kind, behind) for name, kind in kinds.items()))
    facts = [name for name in ("id", *FACTS) if name in behind.c]
    return (
        _with_accounts(*(behind.c[name].label(f"cause_{name}") for name in facts))
        .outerjoin(behind, and_(behind.c.brand_id == moved.c.brand_id, found))
        .where(moved.c.kind.in_(kinds), case((fine, 1), else_=0) == 0)
    )


def _others(session: Session) -> Select[Any]:
    """Transfers of linked members, and of kinds that do not exist."""
    moved, reward = table(Transfer), table(Reward)
    again = raw(session, reward.c.id) == as_raw(session, reward_in(moved.c.reference, moved.c.kind))
    return (
        _with_accounts(*(reward.c[name].label(f"cause_{name}") for name in ("id", "member_id", "campaign_id")))
        .outerjoin(reward, and_(reward.c.brand_id == moved.c.brand_id, again))
        .where(moved.c.kind.not_in(list(KINDS)))
    )


def _with_accounts(*facts: ColumnElement[Any]) -> Select[Any]:
    """A transfer with its two accounts, and more to be joined."""
    moved = table(Transfer)
    return (
        select(
            *(moved.c[name] for name in ("brand_id", "id", "reference", "kind", "asset", "amount")),
            *(side.c[name].label(f"{side.name}_{name}") for side in (DEBIT, CREDIT) for name in _ACCOUNT),
            *facts,
        )
        .outerjoin(DEBIT, and_(DEBIT.c.brand_id == moved.c.brand_id, DEBIT.c.id == moved.c.debit_id))
        .outerjoin(CREDIT, and_(CREDIT.c.brand_id == moved.c.brand_id, CREDIT.c.id == moved.c.credit_id))
    )


DEBIT, CREDIT = table(LedgerAccount).alias("debit"), table(LedgerAccount).alias("credit")
CAUSES: dict[Cause, type[SQLModel]] = {
    "reward": Reward,
    "payout": Payout,
    "campaign": Campaign,
    "adjustment": Adjustment,
}
FACTS = ("member_id", "campaign_id", "asset", "amount", "fee")
_ACCOUNT = ("owner_id", "purpose", "asset")


def _owner(whose: Whose, kind: Kind) -> str:
    """Which column of a transfer with its cause names the owner that an account of its kind has."""
    if whose == "brand":
        return "brand_id"
    return "cause_id" if whose == kind.cause else f"cause_{whose}_id"


def _fine(name: str, kind: Kind, cause: Table) -> ColumnElement[bool]:
    """Whether a transfer is of this kind and all of it is as it must be."""
    moved = table(Transfer)
    reference = moved.c.reference
    tests = [moved.c.kind == name, moved.c.amount > 0, cause.c.id.is_not(None)]
    for side, purpose in ((DEBIT, kind.debit), (CREDIT, kind.credit)):
        owner = _owner(OWNERS[purpose], kind)
        whose = moved.c[owner] if owner in moved.c else cause.c[owner.removeprefix("cause_")]
        tests += [side.c.purpose == purpose, side.c.asset == moved.c.asset, side.c.owner_id == whose]
    tests.append(func.substr(reference, 1, len(kind.begins)) == kind.begins)
    if kind.cause == "campaign":
        return and_(*tests)
    # The cause was found by the identifier in the reference; what remains is what stands around it.
    length = len(kind.begins) + NAMED
    tests.append(cause.c.asset == moved.c.asset)
    if kind.ends is None:
        tests.append(func.substr(reference, length + 1, 1).in_(("", "/")))
    elif kind.ends:
        tests.append(func.substr(reference, length + 1) == kind.ends)
    else:
        tests.append(func.length(reference) == length)
    if kind.amount is not None:
        tests.append(moved.c.amount == kind.sign * cause.c[kind.amount])
    return and_(*tests)


def _wrong(found: RowMapping, kind: Kind, linked: Linked) -> tuple[str, str] | None:
    """What is wrong with a doubtful transfer as (kind, detail), if anything is."""
    asset, amount, reference = found["asset"], found["amount"], found["reference"]
    if amount <= 0:
        return "amount", f"moves {amount}"
    if (found["debit_asset"], found["credit_asset"]) != (asset, asset):
        return "account", "an account of it is missing or keeps another asset"
    if not reference.startswith(kind.begins):
        return "kind", f"its kind is {found['kind']}"
    if found["cause_id"] is None:
        return "orphan", f"there is no such {kind.cause}"
    if not _refers(reference, kind, found["cause_id"]):
        return "kind", f"its kind is {found['kind']}"
    if (found["debit_purpose"], found["credit_purpose"]) != (kind.debit, kind.credit):
        return "account", f"goes from {found['debit_purpose']} to {found['credit_purpose']}"
    for side, purpose in (("debit", kind.debit), ("credit", kind.credit)):
        whose, owner = OWNERS[purpose], found[f"{side}_owner_id"]
        theirs = found[_owner(whose, kind)]
        if owner != theirs and not (whose == "member" and linked.are(found["brand_id"], theirs, owner)):
            return "account", f"its {side} is not the {purpose} of the {whose} of its {kind.cause}"
    if kind.cause == "campaign":
        return None
    if asset != found["cause_asset"]:
        return "amount", f"moves {asset}, its {kind.cause} is in {found['cause_asset']}"
    if kind.amount is not None and amount != kind.sign * found[f"cause_{kind.amount}"]:
        return "amount", f"moves {amount}, its {kind.cause} says {found[f'cause_{kind.amount}']}"
    return None


def _refers(reference: str, kind: Kind, cause_id: UUID) -> bool:
    if kind.cause == "campaign":
        return True
    whole = f"{kind.begins}{cause_id}"
    return reference == whole + kind.ends if kind.ends is not None else f"{reference}/".startswith(f"{whole}/")


def _link(row: Row[Any], linked: Linked) -> tuple[str, str] | None:
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
    if row.cause_id is None:
        return "orphan", "there is no such reward"
    if row.debit_purpose != Purpose.BUDGET or row.credit_purpose not in (Purpose.HELD, Purpose.PAYABLE):
        return "account", f"goes from {row.debit_purpose} to {row.credit_purpose}"
    theirs = row.credit_owner_id == row.cause_member_id or linked.are(
        row.brand_id, row.cause_member_id, row.credit_owner_id
    )
    if row.debit_owner_id != row.cause_campaign_id or not theirs:
        return "account", "its accounts are not those of its reward"
    return None


CHECKS = (causes,)
