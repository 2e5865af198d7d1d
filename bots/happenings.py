"""What happened in groups without a word to us: joins, leaves, blocks, the bot itself being added."""

from __future__ import annotations

import structlog
from sqlmodel import Session

from bots.markup import clean
from bots.message import BotPlaced, Incoming, Joined, JoinRequested, Left, Person, Place, Present, Reachable
from core import i18n
from referral import members, stays
from referral.arrivals import Arrive, arrive
from referral.brands import Community, community_of_group, connect, disconnect, only_brand
from referral.campaigns import code_of_invite
from referral.members import Account

log = structlog.get_logger()
PAYING_CERTAINTIES = ("code", "invite", "single_use", "counter", "search")
"""Only what the platform or the friend said for certain makes a referral; a hint waits for the friend's code."""


def record(session: Session, platform: str, incoming: Incoming) -> bool:
    """Write down what happened; for a join request whether it came by an invite of ours."""
    match incoming:
        case Joined():
            community = _community(session, incoming.place)
            if community is not None:
                _joined(session, community, incoming)
        case Left():
            community = community_of_group(session, platform, incoming.place.group or "")
            if community is not None:
                stays.left(session, community, incoming.person.account, incoming.at)
        case Present():
            community = _community(session, incoming.place)
            if community is not None:
                _present(session, community, incoming)
        case Reachable():
            members.set_reachable(session, platform, incoming.person.account, incoming.reachable)
        case BotPlaced():
            _placed(session, platform, incoming)
        case JoinRequested():
            community = community_of_group(session, platform, incoming.place.group or "")
            return community is not None and bool(
                incoming.invite and code_of_invite(session, community.brand_id, community.id, incoming.invite)
            )
    return False


def _community(session: Session, place: Place) -> Community | None:
    """The group's community. Where there is only one brand, a group nobody connected is that brand's."""
    assert place.group is not None
    platform = place.address.platform
    found = community_of_group(session, platform, place.group)
    if found is not None:
        return found
    brand = only_brand(session)
    if brand is None:
        log.info("group.not_connected", platform=platform, group=place.group)
        return None
    return connect(session, brand.id, platform, place.group, clean(place.title))


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
        members.notice(session, community.brand_id, [(person.platform, person.account)], event.at, "join")
    stays.joined(session, community, event.person.account, event.at)


def _present(session: Session, community: Community, event: Present) -> None:
    accounts = [person.account for person in event.people]
    if event.complete:
        stays.reconcile(session, community, accounts, event.at)
    else:
        members.notice(
            session, community.brand_id, [(community.platform, account) for account in accounts], event.at, "present"
        )


def _placed(session: Session, platform: str, event: BotPlaced) -> None:
    if not event.present:
        disconnect(session, platform, event.place.group or "")
        return
    _community(session, event.place)
    if event.missing:
        log.warning("group.rights_missing", platform=platform, group=event.place.group, missing=event.missing)
