"""`/payouts`: what leaves the books, how far it is, why it did not arrive, and what a person has to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlmodel import Session, col
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from core import i18n
from core.errors import BadInput, DaixinError, NotFound
from referral import audit
from referral.campaigns import Campaign
from rewards.account_words import asset_words, names_of, rows_of
from rewards.case_words import actor_name
from rewards.items import redeem
from rewards.payouts import approvals, settling
from rewards.payouts.payouts import OPEN, STATES, Payee, Payout, PayoutBatch, PayoutLine, events_of, payout_of
from rewards.payouts.port import AUTOMATIC, Answer
from rewards.rewards import Reward
from web.dashboard.desk import Desk, Viewer
from web.dashboard.telling import amount_words, telling_for

PAGE = "/payouts"
SHOWN = 50
LONGEST = 100
"""Characters of a provider's number, or of the reason somebody gives."""
Act = Callable[[Session, UUID, UUID, str], Payout]


def routes(desk: Desk) -> list[BaseRoute]:
    async def listed(request: Request, viewer: Viewer) -> Response:
        which, before = request.query_params.get("which", ""), request.query_params.get("before", "")
        shown = await desk.read(viewer, lambda session: _listed(session, viewer, which, before))
        return desk.show(request, viewer, "dashboard/payouts.html", here="payouts", **shown)

    async def one(request: Request, viewer: Viewer, problem: DaixinError | None = None) -> Response:
        payout_id = id_of(request.path_params["payout"], "payout")
        shown = await desk.read(viewer, lambda session: _one(session, viewer, payout_id))
        return desk.show(request, viewer, "dashboard/payout.html", here="payouts", problem=problem, **shown)

    async def act(request: Request, viewer: Viewer) -> Response:
        payout_id, form = id_of(request.path_params["payout"], "payout"), await request.form()
        what = str(form.get("act", ""))
        number, reason = (_short(form.get(name)) for name in ("number", "reason"))
        acts: dict[str, Act] = {
            "approve": approvals.approve,
            "retry": settling.retry,
            "again": redeem.give_again,
            "cancel": settling.cancel_payout,
            "paid": partial(_decide, Answer("completed", number)),
            "failed": partial(_decide, Answer("failed", number, reason or "decided")),
        }
        try:
            if what not in acts:
                raise BadInput("payout_act")
            await desk.write(viewer, lambda session: _act(session, viewer, payout_id, what, acts[what]))
        except NotFound:
            raise
        except DaixinError as error:
            return await one(request, viewer, error)
        return desk.back(viewer, f"{PAGE}/{payout_id}", f"desk.payout_{what}")

    return [
        desk.route(PAGE, listed),
        desk.route(f"{PAGE}/{{payout}}", one),
        desk.route(f"{PAGE}/{{payout}}", act, act="money", methods=["POST"]),
    ]


def id_of(text: str, what: str) -> UUID:
    """The identifier in a path. Raises `NotFound(what)`."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(what) from None


def _short(said: object) -> str | None:
    text = " ".join(str(said or "").split())
    return text[:LONGEST] if text and text.isprintable() else None


def _decide(answer: Answer, session: Session, brand_id: UUID, payout_id: UUID, actor: str) -> Payout:
    return settling.decide(session, brand_id, payout_id, answer, actor)


def _act(session: Session, viewer: Viewer, payout_id: UUID, what: str, do: Act) -> None:
    payout_of(session, viewer.brand_id, payout_id)
    do(session, viewer.brand_id, payout_id, viewer.actor)
    audit.record(session, viewer.brand_id, viewer.actor, f"payout.{what}", str(payout_id))


def needs_approval() -> ColumnElement[bool]:
    """Somebody has to let it go."""
    return (col(Payout.state) == "pending") & ~col(Payout.approved)


def is_stuck() -> ColumnElement[bool]:
    """Nobody could say what became of it, and the house stopped asking."""
    return (
        col(Payout.state).in_(OPEN)
        & col(Payout.provider).in_(AUTOMATIC)
        & col(Payout.due_at).is_(None)
        & ~(needs_approval())
    )


WHICH: dict[str, Callable[[], ColumnElement[bool]]] = {
    "approval": needs_approval,
    "stuck": is_stuck,
    **{state: partial(lambda state: col(Payout.state) == state, state) for state in STATES},
}


def _listed(session: Session, viewer: Viewer, which: str, before: str) -> dict[str, Any]:
    mine = col(Payout.brand_id) == viewer.brand_id
    wanted = select(Payout).where(mine).order_by(col(Payout.created_at).desc(), col(Payout.id).desc()).limit(SHOWN + 1)
    if which in WHICH:
        wanted = wanted.where(WHICH[which]())
    if before:
        mark = payout_of(session, viewer.brand_id, id_of(before, "payout"))
        wanted = wanted.where(tuple_(col(Payout.created_at), col(Payout.id)) < (mark.created_at, mark.id))
    found = list(session.scalars(wanted))
    page = found[:SHOWN]
    by_state = session.execute(select(col(Payout.state), func.count()).where(mine).group_by(col(Payout.state)))
    counts: dict[str, int] = dict(by_state.all())
    for name in ("approval", "stuck"):
        counts[name] = int(session.scalar(select(func.count()).select_from(Payout).where(mine, WHICH[name]())) or 0)
    return {
        "payouts": page,
        "lines": lines_of(session, viewer, page),
        "which": which if which in WHICH else "",
        "counts": counts,
        "tabs": [name for name in WHICH if counts.get(name) or name == which],
        "older": page[-1].id if len(found) > SHOWN else None,
    }


def lines_of(session: Session, viewer: Viewer, payouts: Iterable[Payout]) -> dict[UUID, dict[str, Any]]:
    """What a list says of each payout, by id."""
    rows = list(payouts)
    names = names_of(session, viewer.brand_id, (row.member_id for row in rows), viewer.locale)
    payees = rows_of(session, Payee, viewer.brand_id, (row.payee_id for row in rows))
    batches = rows_of(session, PayoutBatch, viewer.brand_id, (row.batch_id for row in rows))
    items = asset_words(session, viewer.brand_id, viewer.locale)
    found = {}
    for row in rows:
        payee, batch = payees.get(row.payee_id or row.id), batches.get(row.batch_id or row.id)
        way = f"withdraw.way.{row.provider}"
        found[row.id] = {
            "member": names.get(row.member_id, ""),
            "amount": amount_words(items, viewer.locale, row.amount, row.asset),
            "fee": amount_words(items, viewer.locale, row.fee, row.asset) if row.fee else "",
            "way": i18n.text(viewer.locale, way) if way in i18n.catalogue(viewer.locale) else "",
            "payee": payee.masked if payee is not None else "",
            "batch": batch.number if batch is not None else None,
            "reference": f"P-{row.reference[-8:].upper()}",
            "state": _state(row),
            "why": _why(row, viewer.locale),
            "todo": _todo(row, viewer.locale),
            "stuck": stuck(row),
        }
    return found


def stuck(row: Payout) -> bool:
    """`is_stuck` of a row at hand."""
    waits = row.state == "pending" and not row.approved
    return row.state in OPEN and row.provider in AUTOMATIC and row.due_at is None and not waits


def _state(row: Payout) -> str:
    """The end of `desk.payout.<state>`."""
    if row.state == "pending" and not row.approved:
        return "approval"
    return "stuck" if stuck(row) else row.state


def _why(row: Payout, locale: str) -> str:
    """Why it waits for approval, or why it failed."""
    if row.state == "pending" and not row.approved:
        return i18n.text(locale, f"desk.flag.{row.flag or 'other'}")
    if row.state != "failed":
        return ""
    key = f"payout.reason.{row.reason}"
    if key in i18n.catalogue(locale):
        return i18n.text(locale, key)
    return row.reason if row.provider == "manual" and row.reason else i18n.text(locale, "payout.reason.other")


_THEIRS = (
    "payee_refused",
    "name_differs",
    "name_missing",
    "payee_missing",
    "account_gone",
    "unclaimed",
    "bank_refused",
)
_OURS = {"provider_funds": "funds", "provider_limit": "limit"}


def _todo(row: Payout, locale: str) -> str:
    """What somebody can do about it."""
    if stuck(row):
        return i18n.text(locale, "desk.todo.stuck")
    if row.state != "failed" or row.reason == "cancelled":
        return ""
    kind = "theirs" if row.reason in _THEIRS else _OURS.get(row.reason or "", "other")
    return i18n.text(locale, f"desk.todo.{kind}")


def _one(session: Session, viewer: Viewer, payout_id: UUID) -> dict[str, Any]:
    payout = payout_of(session, viewer.brand_id, payout_id)
    telling = telling_for(session, viewer)
    covered = session.execute(
        select(PayoutLine, Reward)
        .join(
            Reward, (col(Reward.brand_id) == col(PayoutLine.brand_id)) & (col(Reward.id) == col(PayoutLine.reward_id))
        )
        .where(col(PayoutLine.brand_id) == viewer.brand_id, col(PayoutLine.payout_id) == payout_id)
        .order_by(col(Reward.created_at), col(Reward.id))
        .limit(200)
    ).all()
    campaigns = rows_of(session, Campaign, viewer.brand_id, (reward.campaign_id for _, reward in covered))
    return {
        "payout": payout,
        "line": lines_of(session, viewer, [payout])[payout.id],
        "history": [
            {
                "at": event.at,
                "what": i18n.text(viewer.locale, f"desk.payout_event.{event.kind}"),
                "state": i18n.text(viewer.locale, f"desk.answer.{event.state}"),
                "by": actor_name(telling, event.actor) if event.actor else "",
                "number": event.external_id or "",
            }
            for event in events_of(session, viewer.brand_id, payout_id)
        ],
        "covered": [
            {
                "amount": telling.amount(line.amount, reward.asset),
                "campaign": i18n.pick(campaigns[reward.campaign_id].title, viewer.locale),
                "referral": reward.referral_id,
                "at": reward.created_at,
            }
            for line, reward in covered
        ],
        "approved_by": actor_name(telling, payout.approved_by) if payout.approved_by else "",
        "automatic": payout.provider in AUTOMATIC,
        "why_not": approvals.involved(session, payout, viewer.actor),
        "own": approvals.is_paid(session, payout, viewer.actor),
    }
