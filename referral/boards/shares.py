"""Boards that anybody with the link may look at, where the brand has said so, and the sites that may show them.

A campaign has at most one link at a time, by a unique key; a new one ends the old one, and an ended one never opens
again. The token alone is the key, as with invite codes: it is looked up before the brand is known.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Column, ColumnElement, ForeignKeyConstraint, Index, and_, select, text, update
from sqlmodel import Field, Session, col

from core import clock
from core.db import Json, Row, UtcDateTime, insert, table
from core.errors import BadInput, NotFound
from referral import audit
from referral.campaigns import Campaign

TOKEN_BYTES = 16
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
MOST_HOSTS = 20
_HOST = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_HERE = ("localhost", "127.0.0.1")
_STANDS = text("revoked_at IS NULL")


class BoardShare(Row, table=True):
    """A link to a campaign's board. `hosts`: origins that may show it in a frame, as a browser's policy names them."""

    __tablename__ = "board_share"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        # One link stands at a time, whoever makes one at the same moment.
        Index(
            "uq_board_share_standing",
            *("brand_id", "campaign_id"),
            unique=True,
            sqlite_where=_STANDS,
            postgresql_where=_STANDS,
        ),
    )

    token: str = Field(primary_key=True)
    brand_id: UUID
    campaign_id: UUID
    hosts: list[str] = Field(sa_column=Column(Json, nullable=False))
    made_by: str
    made_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def share(session: Session, campaign: Campaign, actor: str, *, renew: bool = False) -> BoardShare:
    """The campaign's link, made now if there is none; `renew` ends the one there is and makes another."""
    if renew:
        _revoke(session, campaign)
    before = share_of(session, campaign)
    if before is not None:
        return before
    hosts = _last_hosts(session, campaign)
    row = {"token": secrets.token_urlsafe(TOKEN_BYTES), "brand_id": campaign.brand_id, "campaign_id": campaign.id}
    made = row | {"hosts": hosts, "made_by": actor, "made_at": clock.now()}
    session.execute(insert(session, table(BoardShare)).values(made).on_conflict_do_nothing())
    found = share_of(session, campaign)
    assert found is not None
    if found.token == row["token"]:
        audit.record(session, campaign.brand_id, actor, "board.share", campaign.slug, renewed=renew)
    return found


def unshare(session: Session, campaign: Campaign, actor: str) -> None:
    """End the campaign's link; nothing happens if there is none."""
    if _revoke(session, campaign):
        audit.record(session, campaign.brand_id, actor, "board.unshare", campaign.slug)


def allow_hosts(session: Session, campaign: Campaign, actor: str, said: str) -> None:
    """Say which sites may show the board, one a line. Raises `NotFound("board")` without a link,
    `BadInput("board_host" | "board_hosts")`."""
    found = share_of(session, campaign)
    if found is None:
        raise NotFound("board")
    hosts = read_hosts(said)
    if hosts != found.hosts:
        found.hosts = hosts
        session.add(found)
        session.flush()
        audit.record(session, campaign.brand_id, actor, "board.hosts", campaign.slug, hosts=hosts)


def share_of(session: Session, campaign: Campaign) -> BoardShare | None:
    """The campaign's link, if it is shared."""
    mine = select(BoardShare).where(_standing(campaign.brand_id), col(BoardShare.campaign_id) == campaign.id)
    return session.scalar(mine, execution_options={"populate_existing": True})


def shares_of(session: Session, brand_id: UUID) -> dict[UUID, BoardShare]:
    """The links of a brand, by campaign."""
    return {one.campaign_id: one for one in session.scalars(select(BoardShare).where(_standing(brand_id)))}


def _standing(brand_id: UUID) -> ColumnElement[bool]:
    return and_(col(BoardShare.brand_id) == brand_id, col(BoardShare.revoked_at).is_(None))


def find_share(session: Session, token: str) -> BoardShare:
    """What a link opens. Raises `NotFound("board")`, for one that has ended too."""
    found = session.get(BoardShare, token, populate_existing=True) if _TOKEN.fullmatch(token) else None
    if found is None or found.revoked_at is not None:
        raise NotFound("board")
    return found


def read_hosts(said: str) -> list[str]:
    """Origins out of what a person typed, in order, each once: `shop.example.com`, `https://*.example.com:8443`.

    Raises `BadInput("board_host", said=…)` for what is none, `BadInput("board_hosts", most=…)` for too many.
    """
    found = list(dict.fromkeys(_origin(part) for part in re.split(r"[\s,，;；]+", said) if part))
    if len(found) > MOST_HOSTS:
        raise BadInput("board_hosts", most=MOST_HOSTS)
    return found


def _origin(said: str) -> str:
    try:
        parts = urlsplit(said if "://" in said else f"https://{said}")
        host = (parts.hostname or "").encode("idna").decode() if "*" not in said else (parts.hostname or "")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise BadInput("board_host", said=said[:60]) from None
    plain = parts.scheme == "http" and host in _HERE
    named = "." in host.removeprefix("*.") or host in _HERE
    if not (_HOST.fullmatch(host) and named) or not (parts.scheme == "https" or plain):
        raise BadInput("board_host", said=said[:60])
    if parts.username or parts.password or parts.query or parts.fragment:
        raise BadInput("board_host", said=said[:60])
    return f"{parts.scheme}://{host}{port}"


def _last_hosts(session: Session, campaign: Campaign) -> Sequence[str]:
    """The sites of the link before this one: they go on as they were."""
    last = session.scalar(
        select(BoardShare)
        .where(col(BoardShare.brand_id) == campaign.brand_id, col(BoardShare.campaign_id) == campaign.id)
        .order_by(col(BoardShare.made_at).desc(), col(BoardShare.token))
        .limit(1)
    )
    return last.hosts if last is not None else []


def _revoke(session: Session, campaign: Campaign) -> bool:
    t = table(BoardShare)
    mine = (t.c.brand_id == campaign.brand_id, t.c.campaign_id == campaign.id, t.c.revoked_at.is_(None))
    ended = session.execute(update(t).where(*mine).values(revoked_at=clock.now()).returning(t.c.token))
    return bool(ended.all())
