"""Brands (tenants) and the communities that are run for them."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, select, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, col

from core import clock, ids
from core.db import Row, TenantRow, UtcDateTime
from core.errors import BadInput, Conflict, NotFound

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
NAME_LENGTH = 64
WEBCHAT_GROUP = "web"
"""Every brand has this one community on the web chat: whoever talks there is in it."""


class Brand(Row, table=True):
    """A tenant: who funds campaigns."""

    __tablename__ = "brand"

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    slug: str = Field(unique=True)
    name: str
    locale: str = "zh_Hans"
    timezone: str = "Asia/Shanghai"
    created_at: datetime = Field(sa_type=UtcDateTime)


class Community(TenantRow, table=True):
    """A chat, guild or room on one platform, run for a brand; it belongs to one brand at a time."""

    __tablename__ = "community"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        ForeignKeyConstraint(["brand_id", "admin_id"], ["member.brand_id", "member.id"]),
        UniqueConstraint("brand_id", "platform", "group_id"),
        Index("ix_community_group", "platform", "group_id"),
        # A group is one brand's at a time, whoever connects it at the same moment.
        Index(
            "uq_community_standing",
            "platform",
            "group_id",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
    )

    platform: str
    group_id: str
    title: str = ""
    invite_url: str | None = None
    """The community's own open invite, shown on the landing page where a member has none of their own."""
    open: bool = False
    """Whoever talks to us on this platform is in it (the web chat); elsewhere people join first."""
    connected_at: datetime = Field(sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    admin_id: UUID | None = None
    """The member who gets the admin's share of a campaign (see `referral.admins`)."""
    partner: bool = False
    """Run by somebody else than the brand: its admins see what came of their own group, and no more."""
    locale: str | None = None
    """The language of announcements there; None is the brand's."""


class WaitingGroup(Row, table=True):
    """A group the bot was added to that nobody has connected yet; `account`: who added it, if the platform said."""

    __tablename__ = "waiting_group"

    platform: str = Field(primary_key=True)
    group_id: str = Field(primary_key=True)
    title: str = ""
    account: str | None = None
    placed_at: datetime = Field(sa_type=UtcDateTime)


def slugify(name: str) -> str:
    """A slug from a name; a random one where the name has no Latin letters or digits."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-")
    return slug or "b-" + secrets.token_hex(4)


def create_brand(
    session: Session, name: str, *, slug: str | None = None, locale: str = "zh_Hans", timezone: str = "Asia/Shanghai"
) -> Brand:
    """A new brand with its web chat community. Raises `BadInput` for a bad name, `Conflict` for a taken slug."""
    name = " ".join(name.split())
    if not name or len(name) > NAME_LENGTH:
        raise BadInput("brand_name", limit=NAME_LENGTH)
    slug = slug or slugify(name)
    if not SLUG.fullmatch(slug):
        raise BadInput("slug", slug=slug[:60])
    if session.scalar(select(col(Brand.id)).where(col(Brand.slug) == slug)):
        raise Conflict("brand_exists", slug=slug)
    brand = Brand(slug=slug, name=name, locale=locale, timezone=timezone, created_at=clock.now())
    session.add(brand)
    session.flush()
    # The group id is global on a platform, so each brand's web community has its own.
    connect(session, brand.id, "webchat", f"{WEBCHAT_GROUP}:{slug}", name).open = True
    return brand


def find_brand(session: Session, slug: str) -> Brand:
    """The brand of this slug. Raises `NotFound`."""
    brand = session.scalar(select(Brand).where(col(Brand.slug) == slug)) if slug.isprintable() else None
    if brand is None:
        raise NotFound("brand", slug=slug[:60])
    return brand


def only_brand(session: Session) -> Brand | None:
    """The brand of an installation that has just one; None where it has none or several."""
    found = list(session.scalars(select(Brand).limit(2)))
    return found[0] if len(found) == 1 else None


def connect(
    session: Session, brand_id: UUID, platform: str, group_id: str, title: str, invite_url: str | None = None
) -> Community:
    """Connect a group to a brand, or connect it again. Raises `Conflict` if another brand has it."""
    current = community_of_group(session, platform, group_id)
    if current is not None and current.brand_id != brand_id:
        raise Conflict("community_taken", title=title)
    known = session.scalar(
        select(Community).where(
            col(Community.brand_id) == brand_id,
            col(Community.platform) == platform,
            col(Community.group_id) == group_id,
        )
    )
    community = known or Community(brand_id=brand_id, platform=platform, group_id=group_id, connected_at=clock.now())
    community.title = title or community.title
    community.invite_url = invite_url or community.invite_url
    community.removed_at = None
    try:
        with session.begin_nested():
            session.add(community)
            session.flush()
    except IntegrityError:
        raise Conflict("community_taken", title=title) from None
    return community


def community_of_group(session: Session, platform: str, group_id: str) -> Community | None:
    """The community a platform's group is connected as, to whichever brand."""
    return session.scalar(
        select(Community).where(
            col(Community.platform) == platform,
            col(Community.group_id) == group_id,
            col(Community.removed_at).is_(None),
        )
    )


def communities_of(session: Session, brand_id: UUID) -> list[Community]:
    """The brand's connected communities, in the order they were connected."""
    return list(
        session.scalars(
            select(Community)
            .where(col(Community.brand_id) == brand_id, col(Community.removed_at).is_(None))
            .order_by(col(Community.connected_at), col(Community.id))
        )
    )


def disconnect(session: Session, platform: str, group_id: str) -> None:
    """The bot was removed from the group; its history stays."""
    community = community_of_group(session, platform, group_id)
    if community is not None:
        community.removed_at = clock.now()
        session.add(community)
