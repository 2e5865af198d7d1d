"""What happened in groups without a word to us: joins, leaves, blocks."""

from __future__ import annotations

import structlog
from sqlmodel import Session

from bots.markup import clean
from bots.message import Incoming, Joined, JoinRequested, Left, Person, Place, Present, Reachable
from core import i18n
from referral import connecting, doubts, members, stays
from referral.arrivals import Arrive, arrive
from referral.brands import Community, community_of_group, only_brand
from referral.campaigns import code_of_invite
from referral.members import Account

log = structlog.get_logger()
PAYING_CERTAINTIES = ("code", "invite", "single_use", "counter", "search")
"""Only what the platform or the friend said for certain makes a referral; a hint waits for the friend's code, or for a
person's decision."""


def record(session: Session, platform: str, incoming: Incoming, *, named: bool = False) -> bool:
    """Write down what happened; for a join request whether it came by an invite of ours. `named`: the operator named
    who runs the installation, so no group is taken without asking."""
    match incoming:
        case Joined():
            community = community_at(session, incoming.place, named=named)
            if community is not None:
                _joined(session, community, incoming)
        case Left():
            community = community_of_group(session, platform, incoming.place.group or "")
            if community is not None:
                stays.left(session, community, incoming.person.account, incoming.at)
        case Present():
            community = community_at(session, incoming.place, named=named)
            if community is not None:
                _present(session, community, incoming)
        case Reachable():
            members.set_reachable(session, platform, incoming.person.account, incoming.reachable)
        case JoinRequested():
            community = community_of_group(session, platform, incoming.place.group or "")
            return community is not None and bool(
                incoming.invite and code_of_invite(session, community.brand_id, community.id, incoming.invite)
            )
    return False


def community_at(session: Session, place: Place, *, named: bool) -> Community | None:
    """The group's community. A brand that is alone in the installation and that nobody runs yet takes the first group
    of each platform as its own, so that who tries it out has nothing to connect; every other group waits for an admin
    (`named`: the operator named some)."""
    assert place.group is not None
    platform = place.address.platform
    found = community_of_group(session, platform, place.group)
    if found is not None:
        return found
    brand = only_brand(session)
    if brand is None or named or not connecting.nobody_runs(session, brand.id, platform):
        log.info("group.not_connected", platform=platform, group=place.group)
        return None
    return connecting.connect_group(session, brand.id, platform, place.group, clean(place.title), "first_group")


def _account(platform: str, person: Person) -> Account:
    return Account(
        platform,
        person.account,
        clean(person.name) or person.account[:16],
        clean(person.handle) if person.handle else None,
        i18n.negotiate(person.locale),
    )


def _joined(session: Session, community: Community, event: Joined) -> None:
    person = _account(community.platform, event.person)
    code = None
    if event.invite and event.certainty in PAYING_CERTAINTIES:
        code = code_of_invite(session, community.brand_id, community.id, event.invite)
    if code is not None:
        arrive(
            session,
            [Arrive(code, person, event.at, kind="invite", certainty=event.certainty, community_id=community.id)],
        )
    else:
        doubts.doubt(session, community, person, event.at, _suspects(session, community, event), event.certainty)
        members.notice(session, community.brand_id, [(person.platform, person.account)], event.at, "join")
    stays.joined(session, community, event.person.account, event.at)


def _suspects(session: Session, community: Community, event: Joined) -> list[str]:
    """The codes of whoever may have brought somebody, where the platform named more than one or was not sure."""
    if event.certainty == "inviter_hint" and event.inviter:
        return doubts.codes_of_inviter(session, community, event.inviter)
    if event.certainty == "ambiguous":
        found = [code_of_invite(session, community.brand_id, community.id, invite) for invite in event.candidates]
        return [code for code in found if code is not None]
    return []


def _present(session: Session, community: Community, event: Present) -> None:
    accounts = [person.account for person in event.people]
    if event.complete:
        stays.reconcile(session, community, accounts, event.at)
    else:
        members.notice(
            session, community.brand_id, [(community.platform, account) for account in accounts], event.at, "present"
        )
