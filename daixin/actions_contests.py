"""What `daixin contest` does in the database."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from core.errors import NotFound
from daixin.console import brand_named, member_named
from referral.campaigns import find_campaign
from referral.contests import boards, decisions
from referral.contests.results import ContestResult, result_of
from referral.contests.standings import mark_of
from referral.contests.teams import teams_by_id
from referral.members import Member
from referral.staff import OPERATOR
from rewards.contests import finals

Document = dict[str, Any]


def show(session: Session, brand: str | None, slug: str, limit: int) -> Document:
    """The board with names, as it stands; of a final also the marks by which the published document calls them."""
    campaign = find_campaign(session, brand_named(session, brand).id, slug)
    board = boards.board_of(session, campaign)
    lines = boards.top(session, board, limit)
    teams = teams_by_id(session, campaign.brand_id, [line.owner for line in lines]) if board.teams else {}
    final = board.final

    def called(line: boards.Line) -> str:
        if board.teams:
            return teams[line.owner].name
        member = session.get(Member, (campaign.brand_id, line.owner))
        return member.name if member is not None else ""

    return {
        "campaign": slug,
        "state": "final" if final is not None else campaign.state,
        "revision": final.revision if final is not None else None,
        "sha256": final.sha256 if final is not None else None,
        "final_at": board.terms.final_at(campaign.ends_at).isoformat(),
        "terms": board.terms.model_dump(mode="json"),
        "board": [
            {
                "rank": line.rank,
                "score": line.score,
                "reached_at": line.reached_at.isoformat(),
                "name": called(line),
                "id": str(line.owner),
                "mark": mark_of(final.salt, line.owner) if final is not None else None,
            }
            for line in lines
        ],
        "disqualified": [{"id": str(member), "reason": reason} for member, reason in board.out.items()],
    }


def document(session: Session, brand: str | None, slug: str, revision: int | None) -> str:
    """A revision of the final as it was published. Raises `NotFound("contest_final")`."""
    return _final(session, brand, slug, revision).document


def replay(session: Session, brand: str | None, slug: str) -> finals.Replay:
    """Every revision computed again. Raises `NotFound("contest_final")`."""
    return finals.replay(session, find_campaign(session, brand_named(session, brand).id, slug))


def judge(session: Session, brand: str | None, slug: str, member: str, reason: str, *, out: bool) -> Document:
    """Somebody taken out of the contest, or let back in, for a public reason."""
    campaign = find_campaign(session, brand_named(session, brand).id, slug)
    who = member_named(session, campaign.brand_id, member)
    act = decisions.disqualify if out else decisions.reinstate
    person = act(session, campaign, who, reason=reason, actor=OPERATOR)
    final = result_of(session, campaign.brand_id, campaign.id)
    return {"member": str(person), "out": out, "revision": final.revision if final is not None else None}


def _final(session: Session, brand: str | None, slug: str, revision: int | None) -> ContestResult:
    campaign = find_campaign(session, brand_named(session, brand).id, slug)
    found = result_of(session, campaign.brand_id, campaign.id, revision)
    if found is None:
        raise NotFound("contest_final", slug=slug)
    return found
