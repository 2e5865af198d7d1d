"""Canonical bytes, Merkle trees and the check of a proof: the standard library and nothing else.

This one file checks a proof without the rest of Daixin and without a network: `python merkle.py proof.json [ROOT]`.
The format is described in `docs/proofs.md`. Trees and paths are those of RFC 6962 (section 2.1) and RFC 9162
(section 2.1.3.2) over SHA-256; documents are written as RFC 8785 (JSON Canonicalization Scheme) says.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from json.encoder import encode_basestring as _quote
from pathlib import Path
from typing import Any

FORMAT = "daixin-proof-1"
START = "0" * 64
"""What the first block of a brand gives as the one before it."""
EXACT = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly."""
LARGEST_PROOF = 32 * 1024 * 1024
"""Bytes of a file that may still be a proof: a day has at most some thousand blocks of a few hundred bytes."""
TRANSFER = ("amount", "asset", "brand", "created_at", "credit", "debit", "id", "kind", "reference")
HEADER = ("brand", "count", "height", "previous", "root", "sealed_at")
_HASH = re.compile(r"[0-9a-f]{64}")


def canonical(document: Any) -> bytes:
    """The one way to write a document of texts, whole numbers, lists and objects with ASCII names (RFC 8785).

    Raises `ValueError` for anything else: fractions, numbers beyond `EXACT`, names that are not ASCII.
    """
    _require_plain(document)
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _require_plain(value: Any) -> None:
    match value:
        case str() | bool() | None:
            return
        case int() if abs(value) <= EXACT:
            return
        case list():
            for item in value:
                _require_plain(item)
        case dict() if all(isinstance(name, str) and name.isascii() for name in value):
            for item in value.values():
                _require_plain(item)
        case _:
            raise ValueError(f"{str(value)[:40]!r} has no canonical form here")


def transfer_leaf(
    brand: str, name: str, reference: str, kind: str, debit: str, credit: str, asset: str, amount: int, created_at: str
) -> bytes:
    """`leaf(canonical(…))` of a transfer (`name` is its id), several times as fast: books have millions."""
    return sha256(
        (
            f'\0{{"amount":"{amount}","asset":{_quote(asset)},"brand":"{brand}","created_at":"{created_at}",'
            f'"credit":"{credit}","debit":"{debit}","id":"{name}","kind":{_quote(kind)},"reference":{_quote(reference)}}}'
        ).encode()
    ).digest()


def leaf(data: bytes) -> bytes:
    """The hash of a leaf of the tree."""
    return sha256(b"\x00" + data).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of these leaf hashes, in their order."""
    if not leaves:
        return sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0]


def _above(level: Sequence[bytes]) -> list[bytes]:
    """The next level of the tree; a last one without a partner goes up as it is."""
    pairs = [sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
    return pairs if len(level) % 2 == 0 else [*pairs, level[-1]]


def path_of(leaves: Sequence[bytes], position: int) -> list[bytes]:
    """What a leaf must be hashed with, from the bottom up, to come to the root."""
    level, path = list(leaves), []
    while len(level) > 1:
        beside = position ^ 1
        if beside < len(level):
            path.append(level[beside])
        level, position = _above(level), position >> 1
    return path


def climb(start: bytes, position: int, count: int, path: Sequence[bytes]) -> bytes | None:
    """The root to which a path leads in a tree of `count` leaves; None if it has not the length of that place."""
    here, last, reached = position, count - 1, start
    for beside in path:
        if last == 0:
            return None
        if here % 2 or here == last:
            reached = sha256(b"\x01" + beside + reached).digest()
            while here % 2 == 0 and here:
                here, last = here >> 1, last >> 1
        else:
            reached = sha256(b"\x01" + reached + beside).digest()
        here, last = here >> 1, last >> 1
    return reached if last == 0 else None


def header_hash(header: Mapping[str, Any]) -> str:
    """The hash of a block: of its canonical header."""
    return sha256(canonical(dict(header))).hexdigest()


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. `code` is `proved` or names the failure, `words` say it in one sentence.

    `root`: the hash the proof leads to, to be compared with the published one; empty where it leads nowhere.
    """

    code: str
    words: str
    root: str = ""

    @property
    def ok(self) -> bool:
        """Whether the proof holds."""
        return self.code == "proved"


def check(document: Any, root: str | None = None) -> Checked:
    """Whether a proof holds and, where `root` is given, leads to that published root. Never raises."""
    problem = _shape(document)
    if problem:
        return Checked("not_a_proof", f"This is not a whole proof: {problem}.")
    transfer, headers = document["transfer"], document["headers"]
    if document["format"] != FORMAT:
        return Checked("format", f"This checker reads {FORMAT}, the proof is of another format.")
    if any(header["brand"] != transfer["brand"] for header in headers):
        return Checked("other_brand", "The transfer and the blocks are not all of one brand.")
    block, path = headers[0], [bytes.fromhex(step) for step in document["path"]]
    if document["position"] >= block["count"]:
        return Checked("position", f"The block has {block['count']} transfers, this would be one beyond them.")
    reached = climb(leaf(canonical(transfer)), document["position"], block["count"], path)
    if reached is None:
        return Checked("path", "The path has not the length that this place in the block needs.")
    if reached.hex() != block["root"]:
        return Checked(
            "not_in_block",
            f"The transfer is not in block {block['height']} as it stands here: it, its place or its path was changed.",
        )
    return _follow(document, headers, root)


def _follow(document: Mapping[str, Any], headers: Sequence[Mapping[str, Any]], root: str | None) -> Checked:
    """From the transfer's block, block by block, to the root."""
    for before, block in pairwise(headers):
        if block["height"] != before["height"] + 1 or block["previous"] != header_hash(before):
            return Checked("chain", f"Block {block['height']} does not follow block {before['height']} as given here.")
    end = header_hash(headers[-1])
    published = document["published"]
    if published is not None and published["root"] != end:
        return Checked("other_root", f"The proof says it leads to {published['root']}, but it leads to {end}.", end)
    if root is not None and root.strip().lower() != end:
        return Checked("other_root", f"The proof leads to {end}, which is not the root you gave.", end)
    block = headers[0]
    place = f"It is transfer {document['position'] + 1} of {block['count']} in block {block['height']}"
    compare = "" if root is not None else f" Compare this root with the published one: {end}"
    return Checked("proved", f"The transfer is in the books. {place}, sealed at {block['sealed_at']}.{compare}", end)


def _shape(document: Any) -> str:
    """What is missing or of the wrong kind, in words; empty for a whole proof."""
    if not isinstance(document, dict) or "format" not in document:
        return "it is no JSON object with a format"
    for name, kind in (("transfer", dict), ("position", int), ("path", list), ("headers", list)):
        if not isinstance(document.get(name), kind) or isinstance(document.get(name), bool):
            return f"“{name}” is missing or of the wrong kind"
    transfer = document["transfer"]
    if set(transfer) != set(TRANSFER) or not all(_text(value) for value in transfer.values()):
        return "the transfer has not exactly the texts " + ", ".join(TRANSFER)
    if document["position"] < 0 or not all(_is_hash(step) for step in document["path"]):
        return "the path is not a list of hashes from a position on"
    if not document["headers"] or not all(_is_header(header) for header in document["headers"]):
        return "the headers have not exactly " + ", ".join(HEADER)
    published = document.get("published", False)
    if published is not None and not (isinstance(published, dict) and _is_hash(published.get("root"))):
        return "“published” is neither null nor has it a root"
    return ""


def _is_header(header: Any) -> bool:
    return (
        isinstance(header, dict)
        and set(header) == set(HEADER)
        and all(_text(header[name]) for name in ("brand", "sealed_at"))
        and all(_is_hash(header[name]) for name in ("previous", "root"))
        and all(type(header[name]) is int and 0 <= header[name] <= EXACT for name in ("count", "height"))
    )


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def _text(value: Any) -> bool:
    """Whether it is a text that has bytes (half a character of UTF-16 has none)."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_proof(file: Path) -> Any:
    """The JSON of a proof's file. Raises `ValueError` for what is none, `OSError` for a file one cannot read."""
    if file.stat().st_size > LARGEST_PROOF:
        raise ValueError("too large")
    try:
        return json.loads(file.read_bytes().decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("too deep") from None


def check_file(file: Path, root: str | None = None) -> Checked:
    """`check` of a file. Raises `OSError` for one that cannot be read."""
    try:
        document = read_proof(file)
    except ValueError:
        return Checked("not_a_proof", "This is not a whole proof: the file holds no JSON.")
    return check(document, root)


if __name__ == "__main__":
    found = check_file(Path(sys.argv[1]), *sys.argv[2:3])
    sys.stdout.write(found.words + "\n")
    sys.exit(0 if found.ok else 1)
