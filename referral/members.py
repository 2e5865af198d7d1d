"""Members (one person known to a brand) and their identities (platform accounts); who was ever seen; who is where."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, delete, select, tuple_, update
from sqlmodel import Field, Session, col

from core import ids
from core.db import Row, TenantRow, UtcDateTime, insert_all, insert_missing, insert_new, table
from referral.brands import Community

NAME_LENGTH = 64


class Member(TenantRow, table=True):
    """One person known to a brand, over all platforms."""

    __tablename__ = "member"
    __table_args__ = (ForeignKeyConstraint(["brand_id"], ["brand.id"]),)

    name: str
    locale: str | None = None
    """What the person chose; None follows the platform's."""
    created_at: datetime = Field(sa_type=UtcDateTime)
    erased_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Identity(Row, table=True):
    """A member's account on one platform. `chat` is where to write to them in private."""

    __tablename__ = "identity"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),
        Index("ix_identity_member", "brand_id", "member_id"),
        Index("ix_identity_account", "platform", "account"),
    )

    brand_id: UUID = Field(primary_key=True)
    platform: str = Field(primary_key=True)
    account: str = Field(primary_key=True)
    member_id: UUID
    handle: str | None = None
    locale: str = "en"
    chat: str | None = None
    reachable: bool = True
    seen_at: datetime = Field(sa_type=UtcDateTime)


class Sighting(Row, table=True):
    """When a brand first saw a platform account. Keeps no name, only a keyed hash, so it outlives leaving and
    erasure: somebody once seen is never new again. `via`: join, hello (a first word that
    was no more than a greeting), message, code, order (bought something), present (found already there) or
    erased (whoever it was asked to be forgotten)."""

    __tablename__ = "sighting"

    brand_id: UUID = Field(primary_key=True)
    fingerprint: str = Field(primary_key=True)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    via: str


class Membership(Row, table=True):
    """A platform account's stay in a community; leaving and coming back is the same row."""

    __tablename__ = "membership"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "community_id"], ["community.brand_id", "community.id"]),
        Index("ix_membership_member", "brand_id", "member_id"),
    )

    brand_id: UUID = Field(primary_key=True)
    community_id: UUID = Field(primary_key=True)
    account: str = Field(primary_key=True)
    member_id: UUID | None = None
    joined_at: datetime = Field(sa_type=UtcDateTime)
    left_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class Account:
    """A person as a platform knows them, cleaned by whoever heard them."""

    platform: str
    account: str
    name: str
    handle: str | None = None
    locale: str = "en"
    chat: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """The member behind an account, and when and how the brand first saw the account."""

    member_id: UUID
    first_seen_at: datetime
    via: str
    created: bool


_key = b""


def set_fingerprint_key(secret: str) -> None:
    """Key the hashes of accounts and addresses; called once at start with the installation's secret."""
    global _key
    _key = hashlib.sha256(b"fingerprint:" + secret.encode()).digest()


def fingerprint(platform: str, account: str) -> str:
    """A keyed hash of a platform account, as `keyed_hash`."""
    return keyed_hash(platform, account)


def keyed_hash(what: str, value: str) -> str:
    """A keyed hash (BLAKE2b with its own key, RFC 7693, 128 bits) of something that is recognized but not kept."""
    return hashlib.blake2b(f"{what}:{value}".encode(), digest_size=16, key=_key).hexdigest()


def meet(
    session: Session, brand_id: UUID, accounts: Sequence[Account], at: Sequence[datetime], via: str
) -> list[Known]:
    """Know these people: members and identities are made where they are missing. One result per account.

    Set-based: four statements at most whatever the number. The same account may stand in the list more than once.
    """
    keys = {(person.platform, person.account) for person in accounts}
    prints = {key: fingerprint(*key) for key in keys}
    member_of = _members_of(session, brand_id, keys)
    seen = _sightings(session, brand_id, list(prints.values()))
    members: list[dict[str, object]] = []
    identities: list[dict[str, object]] = []
    sightings: list[dict[str, object]] = []
    fresh: set[tuple[str, str]] = set()
    for person, moment in zip(accounts, at, strict=True):
        key = (person.platform, person.account)
        if key not in member_of:
            member_of[key] = ids.new()
            fresh.add(key)
            name = person.name[:NAME_LENGTH]
            members.append({"brand_id": brand_id, "id": member_of[key], "name": name, "created_at": moment})
            identities.append(_identity_row(brand_id, person, member_of[key], moment))
        if prints[key] not in seen:
            seen[prints[key]] = (moment, via)
            sightings.append({"brand_id": brand_id, "fingerprint": prints[key], "seen_at": moment, "via": via})
    insert_all(session, table(Member), members)
    _insert_identities(session, brand_id, identities, member_of, fresh)
    _insert_sightings(session, brand_id, sightings, seen)
    _adopt_memberships(session, brand_id, fresh)
    results = []
    for person in accounts:
        key = (person.platform, person.account)
        results.append(Known(member_of[key], *seen[prints[key]], created=key in fresh))
    return results


def _insert_identities(
    session: Session,
    brand_id: UUID,
    rows: list[dict[str, object]],
    member_of: dict[tuple[str, str], UUID],
    fresh: set[tuple[str, str]],
) -> None:
    """Insert them; where another process met the same person at this moment, theirs stands and ours is dropped."""
    target = table(Identity)
    rows.sort(key=lambda row: (str(row["platform"]), str(row["account"])))
    made = insert_new(session, target, rows, ["brand_id", "platform", "account"], returning=target.c.member_id)
    lost = {key for key in fresh if member_of[key] not in made}
    if not lost:
        return
    orphans = [member_of[key] for key in lost]
    session.execute(delete(table(Member)).where(col(Member.brand_id) == brand_id, col(Member.id).in_(orphans)))
    member_of.update(_members_of(session, brand_id, lost))
    fresh -= lost


def _insert_sightings(
    session: Session, brand_id: UUID, rows: list[dict[str, object]], seen: dict[str, tuple[datetime, str]]
) -> None:
    """Insert them; the first sight of a person is the one that stands."""
    target = table(Sighting)
    rows.sort(key=lambda row: str(row["fingerprint"]))
    made = insert_new(session, target, rows, ["brand_id", "fingerprint"], returning=target.c.fingerprint)
    lost = [str(row["fingerprint"]) for row in rows if row["fingerprint"] not in made]
    if lost:
        seen.update(_sightings(session, brand_id, lost))


def _adopt_memberships(session: Session, brand_id: UUID, fresh: set[tuple[str, str]]) -> None:
    """People who were in a community before they spoke to us: their stay becomes the new member's."""
    if not fresh:
        return
    whose = (
        select(col(Identity.member_id))
        .join(Community, (col(Community.brand_id) == col(Identity.brand_id)))
        .where(
            col(Community.brand_id) == brand_id,
            col(Community.id) == col(Membership.community_id),
            col(Identity.platform) == col(Community.platform),
            col(Identity.account) == col(Membership.account),
        )
        .correlate(table(Membership))
        .scalar_subquery()
    )
    session.execute(
        update(table(Membership))
        .where(
            col(Membership.brand_id) == brand_id,
            col(Membership.account).in_({account for _, account in fresh}),
            col(Membership.member_id).is_(None),
        )
        .values(member_id=whose)
    )


def _identity_row(brand_id: UUID, person: Account, member_id: UUID, moment: datetime) -> dict[str, object]:
    return {
        "brand_id": brand_id,
        "platform": person.platform,
        "account": person.account,
        "member_id": member_id,
        "handle": person.handle,
        "locale": person.locale,
        "chat": person.chat,
        "reachable": person.chat is not None,
        "seen_at": moment,
    }


def _members_of(session: Session, brand_id: UUID, keys: set[tuple[str, str]]) -> dict[tuple[str, str], UUID]:
    rows = session.execute(
        select(col(Identity.platform), col(Identity.account), col(Identity.member_id)).where(
            col(Identity.brand_id) == brand_id,
            tuple_(col(Identity.platform), col(Identity.account)).in_(list(keys)),
        )
    )
    return {(platform, account): member_id for platform, account, member_id in rows}


def _sightings(session: Session, brand_id: UUID, prints: Sequence[str]) -> dict[str, tuple[datetime, str]]:
    rows = session.execute(
        select(col(Sighting.fingerprint), col(Sighting.seen_at), col(Sighting.via)).where(
            col(Sighting.brand_id) == brand_id, col(Sighting.fingerprint).in_(prints)
        )
    )
    return {found: (seen_at, via) for found, seen_at, via in rows}


def notice(session: Session, brand_id: UUID, accounts: Sequence[tuple[str, str]], at: datetime, via: str) -> None:
    """Remember that these (platform, account) were seen, without making members of them."""
    rows = [
        {"brand_id": brand_id, "fingerprint": fingerprint(*account), "seen_at": at, "via": via} for account in accounts
    ]
    target = table(Sighting)
    insert_missing(session, target, rows, ["brand_id", "fingerprint"])


def find_identity(session: Session, brand_id: UUID, platform: str, account: str) -> Identity | None:
    """The identity of this account with this brand."""
    return session.get(Identity, (brand_id, platform, account))


def identities_of(session: Session, brand_id: UUID, members: Sequence[UUID]) -> list[Identity]:
    """The accounts of these members, the one most recently heard first."""
    return list(
        session.scalars(
            select(Identity)
            .where(col(Identity.brand_id) == brand_id, col(Identity.member_id).in_(members))
            .order_by(col(Identity.seen_at).desc(), col(Identity.platform))
        )
    )


def heard(session: Session, brand_id: UUID, person: Account, at: datetime) -> None:
    """Keep what a known person's message tells: that they can be written to, where, and in which language."""
    values: dict[str, object] = {"seen_at": at, "handle": person.handle, "locale": person.locale}
    if person.chat is not None:
        values |= {"chat": person.chat, "reachable": True}
    session.execute(
        update(table(Identity))
        .where(
            col(Identity.brand_id) == brand_id,
            col(Identity.platform) == person.platform,
            col(Identity.account) == person.account,
        )
        .values(**values)
    )


def set_reachable(session: Session, platform: str, account: str, reachable: bool) -> None:
    """The platform says whether we may write to this account, whatever brand it belongs to."""
    session.execute(
        update(table(Identity))
        .where(col(Identity.platform) == platform, col(Identity.account) == account)
        .values(reachable=reachable)
    )


def active_memberships(session: Session, brand_id: UUID, members: Sequence[UUID]) -> dict[UUID, list[Membership]]:
    """Where these members are now, per member."""
    found: dict[UUID, list[Membership]] = {}
    for row in session.scalars(
        select(Membership).where(
            col(Membership.brand_id) == brand_id,
            col(Membership.member_id).in_(members),
            col(Membership.left_at).is_(None),
        )
    ):
        assert row.member_id is not None
        found.setdefault(row.member_id, []).append(row)
    return found


def erase(session: Session, brand_id: UUID, member_id: UUID, at: datetime) -> None:
    """Forget who a member is. The books keep the member's number; sightings keep a keyed hash without a name."""
    member = session.get(Member, (brand_id, member_id))
    assert member is not None
    prints = [fingerprint(row.platform, row.account) for row in identities_of(session, brand_id, [member_id])]
    session.execute(
        update(table(Sighting))
        .where(col(Sighting.brand_id) == brand_id, col(Sighting.fingerprint).in_(prints))
        .values(via="erased")
    )
    member.name, member.locale, member.erased_at = "", None, at
    session.add(member)
    session.execute(
        delete(Membership).where(col(Membership.brand_id) == brand_id, col(Membership.member_id) == member_id)
    )
    session.execute(delete(Identity).where(col(Identity.brand_id) == brand_id, col(Identity.member_id) == member_id))
