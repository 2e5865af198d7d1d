"""Joins of which nobody can say for certain who brought them: each waits as a case, with the candidates as evidence.

A platform may name several invites that could have been used (`ambiguous`) or only who added somebody to a group
(`inviter_hint`). Neither pays by itself. The friend may still name a code, which settles it; or a person decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.errors import BadInput, Refused
from referral import cases, members, rules
from referral.arrivals import REVIEWED, Arrive, arrive
from referral.brands import Community
from referral.campaigns import Campaign, CodeOwner, campaigns_of, code_of, codes_of, owners_of, runs_in
from referral.cases import Case, CaseDecided
from referral.members import Account, Member, Membership, Sighting
from referral.referrals import referral_of, terms_of

CANDIDATES = 5
"""People one friend may have come through, at most; with more there is nothing left to tell them apart by."""
LOOKED_AT = 200
"""Open doubts of a campaign looked through at once, the oldest."""
ALIKE = 40
"""Cases decided together, at most: the others of the process wait meanwhile."""
OVER = ("settled",)
"""States of a campaign in which nobody can be credited any more: its books are closed."""


def codes_of_inviter(session: Session, community: Community, account: str) -> list[str]:
    """The codes that whoever added a friend has in the campaigns that run in this group."""
    identity = members.find_identity(session, community.brand_id, community.platform, account)
    if identity is None:
        return []
    running = campaigns_of(session, community.brand_id, ("running",))
    found = [code_of(session, campaign, identity.member_id) for campaign in running if runs_in(campaign, community.id)]
    return [code for code in found if code is not None]


def doubt(
    session: Session, community: Community, person: Account, at: datetime, codes: Sequence[str], certainty: str
) -> list[Case]:
    """Ask a person who of the owners of these codes brought somebody who joined; one case for each campaign.

    Call it before the join itself is noted. Nothing is asked about somebody who would not be new by the rules, or who
    came to the campaign by a code; asked again after coming back, the same case goes on with the later join.
    """
    brand_id = community.brand_id
    seen = session.get(Sighting, (brand_id, members.fingerprint(person.platform, person.account)))
    opened = []
    for campaign, candidates in _by_campaign(session, community, person, at, codes).items():
        key = key_of(person, campaign)
        if not _is_new(session, brand_id, campaign, seen, at) or _has_come(session, brand_id, person, campaign):
            continue
        facts = {
            "person": {"platform": person.platform, "account": person.account, "name": person.name},
            "locale": person.locale,
            "at": at.isoformat(),
            "community": str(community.id),
            "certainty": certainty,
            "codes": candidates,
            "seen_at": seen.seen_at.isoformat() if seen is not None and seen.seen_at < at else None,
        }
        case = cases.open_case(session, brand_id, "attribution", key, campaign_id=campaign, facts=facts)
        if case.state == "open" and case.facts != facts:
            case.facts = facts
            session.add(case)
            session.flush()
        opened.append(case)
    return opened


def key_of(person: Account, campaign_id: UUID) -> str:
    """What such a case is about: an account, named by its keyed hash, in a campaign."""
    return f"{members.fingerprint(person.platform, person.account)}/{campaign_id}"


def _is_new(session: Session, brand_id: UUID, campaign_id: UUID, seen: Sighting | None, at: datetime) -> bool:
    """Whether somebody first seen like this would be new at the join, by the rules that an approval is judged by."""
    if seen is None:
        return True
    campaign = session.get_one(Campaign, (brand_id, campaign_id))
    facts = rules.Facts(campaign_id, brand_id, at, seen.seen_at, seen.via, friend_created=False)
    return rules.is_new(terms_of(campaign), facts)


def _by_campaign(
    session: Session, community: Community, person: Account, at: datetime, codes: Sequence[str]
) -> dict[UUID, list[str]]:
    """The codes that may have brought somebody here, one for each advocate, by campaign."""
    found: dict[UUID, dict[UUID, str]] = defaultdict(dict)
    own = members.find_identity(session, community.brand_id, person.platform, person.account)
    owners = owners_of(session, codes)
    for code in dict.fromkeys(code for code in codes if code in owners):
        owner = owners[code]
        campaign = owner.campaign
        open_now = campaign.state == "running" and campaign.starts_at <= at < campaign.ends_at
        if owner.brand_id != community.brand_id or not open_now or not runs_in(campaign, community.id):
            continue
        if own is None or own.member_id != owner.advocate_id:
            found[campaign.id].setdefault(owner.advocate_id, code)
    return {campaign: list(by.values()) for campaign, by in found.items() if len(by) <= CANDIDATES}


def _has_come(session: Session, brand_id: UUID, person: Account, campaign_id: UUID) -> bool:
    identity = members.find_identity(session, brand_id, person.platform, person.account)
    return identity is not None and referral_of(session, brand_id, identity.member_id, campaign_id) is not None


def candidates_of(session: Session, case: Case) -> list[CodeOwner]:
    """Who may have brought this friend, as their codes stand now; who was forgotten is not among them."""
    owners = owners_of(session, case.facts.get("codes", ()), case.brand_id)
    gone = set(
        session.scalars(
            select(col(Member.id)).where(
                col(Member.brand_id) == case.brand_id,
                col(Member.id).in_([owner.advocate_id for owner in owners.values()]),
                col(Member.erased_at).is_not(None),
            )
        )
    )
    named = [owners[code] for code in case.facts.get("codes", ()) if code in owners]
    unique: dict[UUID, CodeOwner] = {}
    for owner in named:
        if owner.advocate_id not in gone:
            unique.setdefault(owner.advocate_id, owner)
    return list(unique.values())


def in_doubt(session: Session, campaign: Campaign, member_id: UUID) -> list[Case]:
    """Open cases in which this member may be who brought somebody, the oldest first."""
    mine = set(codes_of(session, campaign, member_id))
    if not mine:
        return []
    rows = session.scalars(
        select(Case)
        .where(
            col(Case.brand_id) == campaign.brand_id,
            col(Case.state) == "open",
            col(Case.kind) == "attribution",
            col(Case.campaign_id) == campaign.id,
        )
        .order_by(col(Case.opened_at), col(Case.id))
        .limit(LOOKED_AT)
    )
    return [case for case in rows if mine & set(case.facts.get("codes", ())) and moot(session, case) is None]


def moot(session: Session, case: Case) -> str | None:
    """Why nobody need decide any more who brought this friend, or None."""
    person, campaign_id = _person(case), case.campaign_id
    if person is None or campaign_id is None:
        return "gone"
    campaign = session.get(Campaign, (case.brand_id, campaign_id))
    if campaign is None or campaign.state in OVER:
        return "campaign_over"
    if _has_come(session, case.brand_id, person, campaign_id):
        return "came_by_code"
    return None if candidates_of(session, case) else "gone"


def _person(case: Case) -> Account | None:
    """The friend as the platform named them, without a chat to write to; None once they were forgotten."""
    kept: dict[str, Any] | None = case.facts.get("person")
    if not kept:
        return None
    return Account(kept["platform"], kept["account"], kept["name"], locale=case.facts.get("locale", "en"))


def check_choice(session: Session, case: Case, choice: str | None) -> str:
    """The code of the candidate that was chosen; where there is one, none need be. Raises `BadInput("case_choice")`."""
    owners = candidates_of(session, case)
    if choice is None and len(owners) == 1:
        return owners[0].code
    # Accounts may have been linked since the choice was offered: any code of the same person is theirs.
    meant = owners_of(session, [one for one in case.facts.get("codes", ()) if one == choice]).get(choice or "")
    for owner in owners:
        if meant is not None and owner.advocate_id == meant.advocate_id:
            return owner.code
    raise BadInput("case_choice")


def alike(session: Session, case: Case, until: datetime | None = None) -> list[Case]:
    """Other open cases of friends whom the same one person added to a group, in the same campaign, the oldest first;
    of those that were there at the moment `until`, at most `ALIKE`."""
    if case.facts.get("certainty") != "inviter_hint" or len(case.facts.get("codes", ())) != 1:
        return []
    rows = session.scalars(
        select(Case)
        .where(
            col(Case.brand_id) == case.brand_id,
            col(Case.state) == "open",
            col(Case.kind) == "attribution",
            col(Case.campaign_id) == case.campaign_id,
            col(Case.id) != case.id,
        )
        .order_by(col(Case.opened_at), col(Case.id))
        .limit(LOOKED_AT)
    )
    same = ("certainty", "codes")
    found = [one for one in rows if all(one.facts.get(name) == case.facts.get(name) for name in same)]
    return [one for one in found if until is None or one.opened_at <= until][:ALIKE]


def on_decided(session: Session, happened: Sequence[CaseDecided]) -> None:
    """Credit the candidate that was chosen, as of the join. Raises `Refused("case_cannot")` with the rule's `reason`
    where a rule stands against it all the same."""
    for event in happened:
        if event.kind == "attribution" and event.verdict == "approve":
            credit(session, cases.find_case(session, event.brand_id, event.case_id), event.choice)


def credit(session: Session, case: Case, choice: str | None) -> None:
    """Let the friend of a case have come through this code when they joined."""
    person = _person(case)
    if person is None or choice is None:
        raise Refused("case_cannot", reason="gone")
    community_id = UUID(case.facts["community"])
    here = select(col(Membership.account)).where(
        col(Membership.brand_id) == case.brand_id,
        col(Membership.community_id) == community_id,
        col(Membership.account) == person.account,
        col(Membership.left_at).is_(None),
    )
    stays = session.scalar(here) is not None
    came = Arrive(
        choice,
        person,
        clock.parse(case.facts["at"]),
        kind="join",
        certainty=REVIEWED,
        community_id=community_id if stays else None,
    )
    outcome = arrive(session, [came])[0].outcome
    if outcome != "referred":
        raise Refused("case_cannot", reason=outcome)
