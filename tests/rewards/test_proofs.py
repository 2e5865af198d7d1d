"""A member carries the proof of a transfer away; it holds against the published root, and nothing else holds."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from core import ids
from core.db import table
from core.errors import NotFound, Refused
from rewards import rewards
from rewards.ledger import Transfer
from rewards.proofs import blocks, proofs
from rewards.proofs.merkle import (
    FORMAT,
    START,
    TRANSFER,
    canonical,
    check,
    check_file,
    climb,
    header_hash,
    leaf,
    path_of,
    root_of,
    transfer_leaf,
)
from tests.house import House, later
from tests.rewards.shop import Shop, open_shop

CHECKER = Path(__file__).parents[2] / "rewards/proofs/merkle.py"
LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = """
6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77
d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4
76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef
ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c
5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
""".split()
"""What implementations of Certificate Transparency (RFC 6962) test their trees with."""

Document = dict[str, Any]


@pytest.mark.parametrize("count", range(1, 9))
def test_the_tree_is_that_of_certificate_transparency(count: int) -> None:
    leaves = [leaf(bytes.fromhex(data)) for data in LEAVES[:count]]
    assert root_of(leaves).hex() == ROOTS[count - 1]
    assert root_of([]) == sha256(b"").digest()


def test_every_path_leads_to_the_root_and_from_no_other_place() -> None:
    for count in range(1, 34):
        leaves = [leaf(bytes([number])) for number in range(count)]
        root = root_of(leaves)
        for position, start in enumerate(leaves):
            path = path_of(leaves, position)
            assert climb(start, position, count, path) == root
            wrong = [climb(start, other, count, path) for other in range(count) if other != position]
            assert root not in wrong
            assert climb(start, position, count, [*path, start]) is None
            assert count == 1 or climb(start, position, count, path[:-1]) is None


def test_documents_have_one_way_to_be_written() -> None:
    said: Document = {"b": 'a"\\\n\x01é茶\U0001f375/', "a": [1, None, True, {}]}
    assert canonical(said) == '{"a":[1,null,true,{}],"b":"a\\"\\\\\\n\\u0001é茶\U0001f375/"}'.encode()
    for outside in (1.5, 2**53, {"茶": 1}, {1: 2}, {"a": {1, 2}}):
        with pytest.raises(ValueError, match="no canonical form"):
            canonical(outside)


@given(st.uuids(), st.text(), st.text(max_size=20), st.integers(1, 2**53))
def test_the_quick_way_to_write_a_transfer_writes_the_same(id: UUID, reference: str, kind: str, amount: int) -> None:
    reference, kind = (text.encode(errors="ignore").decode() for text in (reference, kind))
    document = {
        "amount": str(amount),
        "asset": "CNY",
        "brand": str(id),
        "created_at": "2026-03-01T04:00:00.000000Z",
        "credit": str(id),
        "debit": str(id),
        "id": str(id),
        "kind": kind,
        "reference": reference,
    }
    same = str(id)
    quick = transfer_leaf(same, same, reference, kind, same, same, "CNY", amount, document["created_at"])
    assert quick == leaf(canonical(document))


@pytest.fixture
def shop(house: House, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Books of some blocks, whose root was published the day after; then a further transfer."""
    monkeypatch.setattr(blocks, "LARGEST_BLOCK", 3)
    shop = open_shop(house)
    house.do(lambda session: blocks.publish_on(session, shop.brand.id, [("telegram", "-100")]))
    for name in ("Bob", "Carol", "Dan"):
        shop.brings(name)
    with later(days=7):
        shop.stays()
        seal(house)
    with later(days=8):
        house.do(blocks.publish_due)
    return shop


def seal(house: House) -> None:
    while house.do(blocks.seal_due):
        continue


def transfers(shop: Shop) -> list[UUID]:
    return shop.house.ask(lambda session: list(session.scalars(select(table(Transfer).c.id))))


def prove(shop: Shop, transfer_id: UUID) -> Document:
    return shop.house.ask(lambda session: proofs.proof_of(session, shop.brand.id, transfer_id))


def published(shop: Shop) -> str:
    return str(shop.house.ask(lambda session: session.scalars(select(table(blocks.PublishedRoot).c.root)).one()))


def test_every_transfer_is_proved_by_the_published_root_alone(shop: Shop) -> None:
    root = published(shop)
    assert len(transfers(shop)) == 10
    for transfer_id in transfers(shop):
        carried = json.loads(json.dumps(prove(shop, transfer_id)))
        found = check(carried, root)
        assert found.ok, found.words
        assert found.root == root
        assert check(carried).ok
        assert root in check(carried).words  # without a root to compare with, the reader is told what to look for
    assert check(prove(shop, transfers(shop)[0]), root.upper() + "\n").ok


def test_a_proof_shows_nothing_of_other_members(shop: Shop) -> None:
    mine, *others = transfers(shop)
    said = json.dumps(prove(shop, mine))
    assert not any(str(other) in said for other in others)
    friends = {reward.member_id for reward in shop.rewards(shop.alice)} | {shop.alice}
    assert not any(str(member) in said for member in friends)


def test_the_line_of_a_reward_is_proved_by_what_moved_last(shop: Shop) -> None:
    reward = shop.rewards(shop.alice)[0]

    def reference() -> str:
        proof = shop.house.ask(lambda session: proofs.proof_of_reward(session, shop.brand.id, reward.id))
        assert check(proof).ok
        return str(proof["transfer"]["reference"])

    assert reference() == f"grant/{reward.id}"
    with later(days=20):
        shop.house.do(rewards.release_due)
        with pytest.raises(Refused, match="not_sealed_yet"):
            reference()
        seal(shop.house)
        assert reference() == f"release/{reward.id}"


def test_what_is_not_published_yet_leads_to_the_day_as_it_is_so_far(shop: Shop) -> None:
    with later(days=20):
        shop.house.do(rewards.release_due)
        seal(shop.house)
    proof = prove(shop, max(transfers(shop)))
    assert proof["published"] is None
    assert check(proof).ok
    assert check(proof, published(shop)).code == "other_root"


def test_what_is_not_there_has_no_proof(shop: Shop) -> None:
    for ask in (proofs.proof_of, proofs.proof_of_reward):
        with pytest.raises(NotFound, match="unknown_transfer"):
            shop.house.ask(lambda session, ask=ask: ask(session, shop.brand.id, ids.new()))  # type: ignore[misc]


def _set(*path: Any, to: Any) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        *way, last = path
        place: Any = document
        for step in way:
            place = place[step]
        place[last] = to

    return change


def _drop(name: str) -> Callable[[Document], None]:
    return lambda document: document.pop(name)


FORGERIES = [
    pytest.param(_set("transfer", "amount", to="1000000"), "not_in_block", id="a higher amount"),
    pytest.param(_set("transfer", "reference", to="grant/other"), "not_in_block", id="another cause"),
    pytest.param(_set("transfer", "brand", to=str(UUID(int=1))), "other_brand", id="another brand"),
    pytest.param(_set("position", to=0), "not_in_block", id="another place"),
    pytest.param(_set("position", to=9), "position", id="a place beyond the block"),
    pytest.param(_set("path", 0, to="00" * 32), "not_in_block", id="another neighbour"),
    pytest.param(_set("path", to=[]), "path", id="no path"),
    pytest.param(_set("headers", 0, "root", to="00" * 32), "not_in_block", id="another block"),
    pytest.param(_set("headers", 0, "sealed_at", to="2020-01-01T00:00:00.000000Z"), "chain", id="another time"),
    pytest.param(_set("headers", 1, "previous", to=START), "chain", id="a chain that is cut"),
    pytest.param(lambda document: document["headers"].pop(1), "chain", id="a block left out"),
    pytest.param(lambda document: document["headers"].pop(), "other_root", id="a chain that ends early"),
    pytest.param(_set("published", "root", to="00" * 32), "other_root", id="another published root"),
    pytest.param(_set("format", to="daixin-proof-2"), "format", id="another format"),
    *(
        pytest.param(_drop(name), "not_a_proof", id=f"no {name}")
        for name in ("format", "transfer", "position", "path", "headers", "published")
    ),
    pytest.param(_set("transfer", "note", to="x"), "not_a_proof", id="a field too many"),
    pytest.param(_set("transfer", "amount", to=5), "not_a_proof", id="an amount that is no text"),
    pytest.param(_set("transfer", "kind", to="\ud800"), "not_a_proof", id="half a character"),
    pytest.param(_set("position", to=-1), "not_a_proof", id="a place before the first"),
    pytest.param(_set("position", to=True), "not_a_proof", id="a place that is no number"),
    pytest.param(_set("path", to=["zz"]), "not_a_proof", id="a path of no hashes"),
    pytest.param(_set("headers", to=[]), "not_a_proof", id="no headers at all"),
    pytest.param(_set("headers", 0, "count", to=2**60), "not_a_proof", id="a number beyond JSON's"),
    pytest.param(_set("headers", 0, to="x"), "not_a_proof", id="a header of another kind"),
]


def simple_proof() -> Document:
    """The proof of the second of three transfers in the first of four blocks."""
    brand, moment = str(UUID(int=7)), "2026-03-01T04:00:00.000000Z"
    rows = [
        {name: brand if name == "brand" else f"{name} {number}" for name in TRANSFER} | {"amount": "50"}
        for number in range(3)
    ]
    leaves = [leaf(canonical(row)) for row in rows]
    headers: list[Document] = []
    for height in range(4):
        previous = header_hash(headers[-1]) if headers else START
        named = {"brand": brand, "count": 3, "height": height, "previous": previous}
        headers.append({**named, "root": root_of(leaves).hex(), "sealed_at": moment})
    return {
        "format": FORMAT,
        "transfer": rows[1],
        "position": 1,
        "path": [step.hex() for step in path_of(leaves, 1)],
        "headers": headers,
        "published": {"day": "2026-03-01", "root": header_hash(headers[-1])},
    }


@pytest.mark.parametrize(("forge", "code"), FORGERIES)
def test_a_forged_proof_says_what_is_wrong(forge: Callable[[Document], None], code: str) -> None:
    proof = simple_proof()
    root = proof["published"]["root"]
    assert check(proof, root).ok
    forge(proof)
    found = check(proof, root)
    assert (found.ok, found.code) == (False, code), found.words
    assert found.words.endswith(".")


@pytest.mark.parametrize("document", [None, 5, [], {}, "x", {"format": None}])
def test_anything_else_is_no_proof(document: object) -> None:
    assert check(document).code == "not_a_proof"


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"9" * 10_000])
def test_a_file_of_anything_else_is_no_proof(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "proof.json").write_bytes(data)
    assert check_file(tmp_path / "proof.json").code == "not_a_proof"


def test_the_checker_needs_this_one_file_and_nothing_else(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "check.py").write_bytes(CHECKER.read_bytes())
    (tmp_path / "proof.json").write_text(json.dumps(prove(shop, transfers(shop)[0])))

    def run(root: str) -> tuple[int, str]:
        command = [sys.executable, "-I", "-S", "check.py", "proof.json", root]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    status, said = run(published(shop))
    assert status == 0
    assert said.startswith("The transfer is in the books. It is transfer 1 of 3 in block 0, sealed at ")
    assert run(START) == (1, f"The proof leads to {published(shop)}, which is not the root you gave.\n")


def test_the_example_of_the_page_about_proofs_holds() -> None:
    page = (CHECKER.parents[2] / "docs/proofs.md").read_text()
    example = json.loads(page.partition("```json\n")[2].partition("```")[0])
    [root] = set(re.findall(r"--root ([0-9a-f]{64})", page))
    assert check(example, root).ok
    written, hashed = page.partition("their leaf:\n\n```\n")[2].partition("\n```")[0].splitlines()
    assert canonical(example["transfer"]) == written.encode()
    assert leaf(written.encode()).hex() == hashed
