"""Who invited whom, from counters: the certainty ladder of Discord. Pure.

The join event does not name the invite. What remains are two readings of the guild's invites, before and after:
one join and one changed counter between them belong together; anything else stays undecided, never guessed.
A single-use invite vanishes with the join that used it, which Discord tells by INVITE_DELETE.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

URL = "https://discord.gg/"


@dataclass(frozen=True, slots=True)
class Uses:
    """How often an invite was used; `limit` 0 means any number of times."""

    count: int
    limit: int = 0


Reading = Mapping[str, Uses]
"""All invites of a guild at one moment, by code."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a join came about; the words of `bots.message.Joined`."""

    certainty: str
    invite: str | None = None
    candidates: tuple[str, ...] = ()


UNKNOWN = Verdict("unknown")


def url(code: str) -> str:
    """The address members share, exactly as `make_invite` gave it."""
    return URL + code


def increases(before: Reading, after: Reading) -> dict[str, int]:
    """By code, how many uses were added; an invite made in between began at nought."""
    found = {}
    for code, uses in after.items():
        added = uses.count - (before[code].count if code in before else 0)
        if added > 0:
            found[code] = added
    return found


def used_up(before: Reading, after: Reading) -> set[str]:
    """Invites that had one use left and are gone: used, expired or deleted by hand."""
    return {code for code, uses in before.items() if code not in after and uses.limit and uses.count == uses.limit - 1}


def used(before: Reading, after: Reading) -> int:
    """How many joins the two readings account for."""
    return sum(increases(before, after).values()) + len(used_up(before, after))


def explain(before: Reading | None, after: Reading | None, deleted: Collection[str], joins: int) -> Verdict:
    """Judge all `joins` that lie between two readings (None: it could not be taken).

    `deleted`: codes of which INVITE_DELETE told between them. An expired invite vanishes without it, so a
    vanished single-use invite is believed only when it was deleted.
    """
    if before is None:
        return UNKNOWN
    if after is None:
        return _undecided({code for code in deleted if code in before and before[code].limit == 1})
    raised, gone = increases(before, after), used_up(before, after)
    suspects = set(raised) | gone
    if joins == 1 and len(suspects) == 1:
        code = suspects.pop()
        if raised.get(code) == 1:
            return Verdict("counter", url(code))
        if code in gone and before[code].limit == 1 and code in deleted:
            return Verdict("single_use", url(code))
        suspects = {code}
    return _undecided(suspects)


def missed(before: Reading | None, after: Reading | None) -> Verdict:
    """Judge joins of a time we were not connected: others may have come and gone, so nothing is certain."""
    if before is None or after is None:
        return UNKNOWN
    return _undecided(set(increases(before, after)) | used_up(before, after))


def _undecided(suspects: Collection[str]) -> Verdict:
    return Verdict("ambiguous", candidates=tuple(map(url, sorted(suspects)))) if suspects else UNKNOWN
