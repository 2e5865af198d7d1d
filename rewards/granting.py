"""Writes decided rewards down: once each, with the money behind them, and tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from core import events
from core.db import insert_new, table
from rewards.ledger import Move, transfer
from rewards.rewards import QUIET, Reward, RewardGranted, RewardReleased, grant_move, release_move, tell


def book(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert these rewards (all columns) unless they are there: held and payable ones are granted, capped ones kept."""
    target = table(Reward)
    made = insert_new(session, target, rows, ["brand_id", "referral_id", "cause", "rule"], returning=target.c.id)
    moves: list[Move] = []
    told: list[RewardGranted | RewardReleased] = []
    for row in rows:
        if row["id"] not in made or row["reason"] in QUIET:
            continue
        told.append(tell(RewardGranted, row))
        if row["state"] == "capped":
            continue
        owner = (row["member_id"], row["asset"], row["amount"])
        moves.append(grant_move(row["id"], row["brand_id"], row["campaign_id"], *owner))
        if row["state"] == "payable":
            moves.append(release_move(row["id"], row["brand_id"], *owner))
            told.append(tell(RewardReleased, row))
    if moves:
        transfer(session, moves)
    events.emit(session, told)
