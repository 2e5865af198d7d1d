"""What the commands of `daixin` do in the database: units of work that return what is printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlmodel import Session

from core import outbox
from core.errors import BadInput, NotFound
from daixin.console import LOCALE, brand_named
from referral import admins, brands, campaigns, leaderboard
from referral.api_keys import create_api_key
from referral.connecting import connect_group
from referral.members import Member
from referral.pictures import KEPT, Prepared, picture_of, prepare, store
from referral.staff import OPERATOR
from rewards.campaign_edits import apply_file, steer, version_of
from rewards.campaign_files import read_campaign
from rewards.plan_check import explain_finding

Document = dict[str, Any]


def create_brand(session: Session, name: str, slug: str | None) -> Document:
    """A brand and its first API key, which cannot be read again."""
    made = brands.create_brand(session, name, slug=slug)
    key = create_api_key(session, made.id)
    return {"id": str(made.id), "slug": made.slug, "name": made.name, "api_key": key}


def connect_community(
    session: Session, brand: str | None, platform: str, group: str, title: str, invite_url: str | None
) -> Document:
    """A platform's group made the brand's."""
    owner = brand_named(session, brand)
    made = connect_group(session, owner.id, platform, group, title, OPERATOR, invite_url=invite_url)
    return {"id": str(made.id), "platform": platform, "group": group}


def name_admin(session: Session, brand: str | None, community: str, member: str) -> Document:
    """The member who has an account (`platform:account`) made the admin of a group (`platform:group`)."""
    platform, _, group = community.partition(":")
    place = brands.community_of_group(session, platform, group)
    if place is None or place.brand_id != brand_named(session, brand).id:
        raise NotFound("community", community=community[:60])
    where, _, account = member.partition(":")
    admin = admins.name_admin(session, place, where, account)
    return {"id": str(place.id), "title": place.title, "admin": str(admin)}


def read_text(file: Path) -> str:
    """A text file in UTF-8. Raises `BadInput`: no_file, not_utf8."""
    if not file.is_file():
        raise BadInput("no_file", path=str(file))
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("not_utf8", path=str(file)) from None


def picture_beside(file: Path, text: str) -> Prepared | None:
    """The picture a campaign file names beside itself. Raises `BadInput`: no_file, what is wrong with the picture."""
    name = read_campaign(text).campaign.picture
    if name is None or name.startswith(KEPT):
        return None
    found = file.parent / name
    if not found.is_file():
        raise BadInput("no_file", path=str(found))
    return prepare(found.read_bytes())


def apply_text(session: Session, brand: str | None, text: str, picture: Prepared | None = None) -> Document:
    """The campaign of a file, made what the file says; `picture`: the one it names beside itself."""
    owner, found = brand_named(session, brand), read_campaign(text)
    if picture is not None:
        about = found.campaign.model_copy(update={"picture": store(session, owner.id, picture)})
        found = found.model_copy(update={"campaign": about})
    version = version_of(session, owner.id, found.campaign.slug)
    applied = apply_file(session, owner, found, version, OPERATOR, text)
    return {
        "slug": applied.campaign.slug,
        "id": str(applied.campaign.id),
        "version": applied.campaign.version,
        "state": applied.campaign.state,
        "changed": applied.changed,
        "findings": [explain_finding(finding, LOCALE) for finding in applied.findings],
    }


def picture_of_campaign(session: Session, brand: str | None, slug: str) -> bytes:
    """The picture of a campaign's cards, as JPEG. Raises `NotFound("picture")`."""
    found = campaigns.find_campaign(session, brand_named(session, brand).id, slug)
    return picture_of(session, found.brand_id, found.picture or "")


def list_campaigns(session: Session, brand: str | None) -> list[Document]:
    """The brand's campaigns, newest first."""
    return [_shown(found) for found in campaigns.campaigns_of(session, brand_named(session, brand).id)]


def show_campaign(session: Session, brand: str | None, slug: str) -> Document:
    """One campaign with all its rules."""
    return _shown(campaigns.find_campaign(session, brand_named(session, brand).id, slug))


def _shown(campaign: campaigns.Campaign) -> Document:
    document: Document = campaign.model_dump(mode="json")
    return document


def move_campaign(session: Session, brand: str | None, slug: str, what: str) -> Document:
    """Pause, resume or end it. Raises `Refused("campaign_state")` where that is not possible now."""
    found = campaigns.find_campaign(session, brand_named(session, brand).id, slug)
    steer(session, found, what, OPERATOR)
    return {"slug": found.slug, "state": found.state}


def places(session: Session, brand: str | None, slug: str, limit: int) -> list[Document]:
    """The top of a campaign's board."""
    owner = brand_named(session, brand)
    found = campaigns.find_campaign(session, owner.id, slug)
    rows = []
    for place in leaderboard.top(session, owner.id, found.id, limit):
        member = session.get(Member, (owner.id, place.member_id))
        rows.append({"rank": place.rank, "name": member.name if member else "", "score": place.score})
    return rows


def dead_letters(session: Session) -> list[Document]:
    """Messages that were given up, newest first."""
    return [row.model_dump(mode="json") for row in outbox.dead_letters(session)]
