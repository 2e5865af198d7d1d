"""What happens behind the scenes of the stories about reviews: joins with a hint, roles, one card for two."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session, col, select

from bots import happenings
from bots.message import Joined
from bots.webchat.visitor import room
from core import clock
from referral import members, staff
from referral.brands import community_of_group
from referral.campaigns import keep_invite
from referral.members import Identity
from referral.privacy import forget_member
from rewards.payouts.payees import set_payee
from tests.dialogue import GROUP, Town
from tests.house import person


def member(session: Session, name: str) -> UUID:
    """Who speaks under this name."""
    return session.scalars(select(col(Identity.member_id)).where(col(Identity.account) == name.lower())).one()


async def prepare(town: Town) -> None:
    """Carol, who runs the place, has been heard; and what happens behind the scenes of these stories."""

    def adds(friend: str, inviter: str) -> None:
        event = Joined(town.person(friend), room(GROUP), clock.now(), inviter=inviter.lower(), certainty="inviter_hint")
        town.do(lambda session: happenings.record(session, "webchat", event))

    def came_by_one_of(friend: str, *names: str) -> None:
        """Several links of the group were used at about the same time."""

        def happen(session: Session) -> None:
            place = community_of_group(session, "webchat", GROUP)
            assert place is not None
            links = []
            for name in names:
                code = town.codes[f"{name}'s code"].replace("-", "")
                links.append(f"https://chat.example/{code}")
                keep_invite(session, town.brand.id, place.id, code, links[-1])
            event = Joined(
                town.person(friend), room(GROUP), clock.now(), candidates=tuple(links), certainty="ambiguous"
            )
            happenings.record(session, "webchat", event)

        town.do(happen)

    def gives(name: str) -> None:
        town.do(lambda session: staff.give(session, town.brand.id, member(session, name), "reviewer", "operator"))

    def takes(name: str) -> None:
        town.do(lambda session: staff.take(session, town.brand.id, member(session, name), "operator"))

    def shares(*names: str) -> None:
        card = {"name": "Li", "account": "6222 0212 3456 7894"}

        def same(session: Session) -> None:
            for name in names:
                set_payee(session, town.brand.id, member(session, name), "manual", card)

        town.do(same)

    def forgets(name: str) -> None:
        def forget(session: Session) -> None:
            who = members.meet(session, town.brand.id, [person(name, "webchat")], [clock.now()], "message")[0]
            forget_member(session, town.brand.id, who.member_id)

        town.do(forget)

    town.stage |= {
        "Alice adds Bob to the group.": lambda: adds("Bob", "Alice"),
        "Alice adds Dan to the group.": lambda: adds("Dan", "Alice"),
        "Alice adds Eve to the group.": lambda: adds("Eve", "Alice"),
        "Bob comes by Alice's link or Dan's.": lambda: came_by_one_of("Bob", "Alice", "Dan"),
        "Eve comes by Alice's link, perhaps.": lambda: came_by_one_of("Eve", "Alice"),
        "Lin becomes a reviewer.": lambda: gives("Lin"),
        "Lin is no reviewer any more.": lambda: takes("Lin"),
        "Bob's payee is Alice's.": lambda: shares("Alice", "Bob"),
        "Bob is forgotten.": lambda: forgets("Bob"),
    }
    await hear_carol(town)


async def hear_carol(town: Town) -> None:
    """Carol, who runs the place, has spoken, and has read what came to her since."""
    await town.say("Carol", "/me")
    await town.settle()
    town.news("Carol")
