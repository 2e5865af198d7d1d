"""Tells brands' programs of money: rewards and payouts, as `referral.webhooks` tells of the rest."""

from __future__ import annotations

from typing import Any

from core import clock
from core.events import Bus
from referral.webhooks.hearing import Fact, Hearing
from rewards.payouts.payouts import PayoutCompleted, PayoutFailed
from rewards.rewards import RewardGranted, RewardReleased, RewardVoided


def listen(bus: Bus, hearing: Hearing) -> None:
    """Hear of rewards and payouts."""
    hearing.on(bus, RewardGranted, _granted)
    hearing.on(bus, RewardReleased, lambda event: [_fact(event, "reward.released", _reward(event))])
    hearing.on(bus, RewardVoided, _taken_back)
    hearing.on(bus, PayoutCompleted, _completed)
    hearing.on(bus, PayoutFailed, _failed)


def _fact(event: Any, kind: str, data: dict[str, Any]) -> Fact:
    return Fact(event.brand_id, kind, clock.now(), data)


def _reward(event: RewardGranted | RewardReleased | RewardVoided) -> dict[str, Any]:
    named = {name: getattr(event, name) for name in ("reward_id", "campaign_id", "referral_id", "member_id")}
    shown = {name: str(value) if value is not None else None for name, value in named.items()}
    return {**shown, "role": event.role, "asset": event.asset, "amount": event.amount}


def _granted(event: RewardGranted) -> list[Fact]:
    more = {"state": event.state, "event": event.event, "hold_until": event.hold_until.isoformat()}
    return [_fact(event, "reward.granted", _reward(event) | more)]


def _taken_back(event: RewardVoided) -> list[Fact]:
    more = {"state": event.state, "reason": event.reason, "whole": event.whole}
    return [_fact(event, "reward.taken_back", _reward(event) | more)]


def _payout(event: PayoutCompleted | PayoutFailed) -> dict[str, Any]:
    return {
        "payout_id": str(event.payout_id),
        "member_id": str(event.member_id),
        "provider": event.provider,
        "asset": event.asset,
        "amount": event.amount,
        "fee": event.fee,
        "item_id": str(event.item_id) if event.item_id else None,
    }


def _completed(event: PayoutCompleted) -> list[Fact]:
    return [_fact(event, "payout.completed", _payout(event) | {"external_id": event.external_id})]


def _failed(event: PayoutFailed) -> list[Fact]:
    return [_fact(event, "payout.failed", _payout(event) | {"reason": event.reason})]
