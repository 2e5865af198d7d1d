"""Who wins a draw, and how anyone checks it: arithmetic on a published document, with nothing but a standard library.

The seed's SHA-256 is published before the first ticket. A ticket's rank is HMAC-SHA-256 with the seed (and the public
entropy, where one was agreed) as key and the ticket's number as message; the lowest rank wins the first prize, the
next lowest of another person the second, and so on: one prize a person. `docs/draws.md` says what this proves and
what it does not.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FORMAT = "daixin-draw/1"


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not agree in a document; `place` is where."""

    what: str
    place: str = ""


def commitment_of(seed: str) -> str:
    """SHA-256 of the seed's 32 bytes, in hexadecimal."""
    return hashlib.sha256(bytes.fromhex(seed)).hexdigest()


def tickets_digest(tickets: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 over all tickets in order: a line `number person` for each."""
    lines = "".join(f"{ticket['number']} {ticket['person']}\n" for ticket in tickets)
    return hashlib.sha256(lines.encode()).hexdigest()


def rank_of(seed: str, entropy: str, number: int) -> str:
    """A ticket's rank in hexadecimal; lower is better."""
    key = bytes.fromhex(seed) + entropy.encode()
    return hmac.new(key, str(number).encode(), hashlib.sha256).hexdigest()


def winners_of(
    seed: str, entropy: str, tickets: Sequence[Mapping[str, Any]], prizes: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The winning tickets with their prizes, first prize first; shorter than the prizes if there are fewer people."""
    places = [str(prize["asset"]) for prize in prizes for _ in range(int(prize["winners"]))]
    amounts = [int(prize["amount"]) for prize in prizes for _ in range(int(prize["winners"]))]
    ranked = sorted(tickets, key=lambda ticket: (rank_of(seed, entropy, int(ticket["number"])), int(ticket["number"])))
    won: list[dict[str, Any]] = []
    people: set[str] = set()
    for ticket in ranked:
        if len(won) == len(places):
            break
        if ticket["person"] in people:
            continue
        people.add(ticket["person"])
        place = len(won)
        won.append(
            {
                "place": place + 1,
                "number": ticket["number"],
                "person": ticket["person"],
                "asset": places[place],
                "amount": amounts[place],
            }
        )
    return won


def read_document(text: str) -> dict[str, Any]:
    """A published document. Raises `ValueError` with what is wrong with its form."""
    try:
        document = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"this is no document of the format {FORMAT}")
    if document.get("seed") is None:
        raise ValueError("the draw is not revealed yet")
    needed = {
        "commitment": str,
        "prizes": list,
        "tickets": list,
        "tickets_digest": str,
        "seed": str,
        "entropy": (dict, type(None)),
        "winners": list,
    }
    for name, kind in needed.items():
        if not isinstance(document.get(name), kind):  # type: ignore[arg-type]
            raise ValueError(f"{name} is missing or not what it should be")
    for place, ticket in enumerate(document["tickets"], 1):
        if (
            not isinstance(ticket, dict)
            or type(ticket.get("number")) is not int
            or not isinstance(ticket.get("person"), str)
        ):
            raise ValueError(f"tickets: entry {place} has no number or no person")
    for place, prize in enumerate(document["prizes"], 1):
        if not isinstance(prize, dict) or not all(type(prize.get(name)) is int for name in ("amount", "winners")):
            raise ValueError(f"prizes: entry {place} has no amount or no number of winners")
        if not isinstance(prize.get("asset"), str):
            raise ValueError(f"prizes: entry {place} has no asset")
    return document


def check_document(
    document: Mapping[str, Any], *, commitment: str | None = None, digest: str | None = None, entropy: str | None = None
) -> list[Fault]:
    """Everything that does not agree; empty for an honest draw.

    `commitment`, `digest` (of the tickets) and `entropy`: what the reader saw published elsewhere, if they did.
    """
    faults: list[Fault] = []
    seed, tickets = document["seed"], document["tickets"]
    try:
        own = commitment_of(seed)
    except ValueError:
        return [Fault("seed_unreadable", "seed")]
    if len(seed) != 64:
        faults.append(Fault("seed_unreadable", "seed"))
    if own != document["commitment"]:
        faults.append(Fault("commitment_differs", "commitment"))
    if commitment is not None and commitment.lower() != document["commitment"]:
        faults.append(Fault("commitment_other", "commitment"))
    for place, ticket in enumerate(tickets, 1):
        if ticket["number"] != place:
            faults.append(Fault("ticket_missing", f"tickets: {place} is followed by {ticket['number']}"))
            break
    found = tickets_digest(tickets)
    if found != document["tickets_digest"]:
        faults.append(Fault("tickets_differ", "tickets"))
    if digest is not None and digest.lower() != document["tickets_digest"]:
        faults.append(Fault("tickets_other", "tickets_digest"))
    value = str((document["entropy"] or {}).get("value", ""))
    if document["entropy"] and not value:
        faults.append(Fault("entropy_missing", "entropy"))
    if entropy is not None and entropy != value:
        faults.append(Fault("entropy_other", "entropy"))
    return faults + _compare(winners_of(seed, value, tickets, document["prizes"]), document["winners"])


def _compare(right: Sequence[Mapping[str, Any]], said: Sequence[Any]) -> list[Fault]:
    faults = [
        Fault("winner_differs", f"place {place}: should be ticket {mine['number']}")
        for place, (mine, theirs) in enumerate(zip(right, said, strict=False), 1)
        if not isinstance(theirs, dict) or any(theirs.get(name) != value for name, value in mine.items())
    ]
    if len(right) != len(said):
        faults.append(Fault("winners_count", f"{len(said)} instead of {len(right)}"))
    return faults
