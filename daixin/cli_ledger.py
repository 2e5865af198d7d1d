"""`daixin ledger …`: the books, their proof, and what others need to check them."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

ledger_app = typer.Typer(help="The books.", no_args_is_help=True)
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")]
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, default=str))


@ledger_app.command("verify")
def verify_command(json_: JsonFlag = False) -> None:
    """Prove the books; prints every offending row and exits 1 if there is one."""
    from core import clock
    from daixin.console import opened
    from rewards.books import keep
    from rewards.verify import verify

    with opened() as parts:
        began = clock.now()
        problems = parts.reader.run_sync(verify)
        parts.writer.run_sync(lambda session: keep(session, problems, began))
    if json_:
        _print_json([{"kind": p.kind, "table": p.table, "id": p.row_id, "detail": p.detail} for p in problems])
    else:
        for problem in problems:
            typer.echo(f"{problem.kind}: {problem.table} {problem.row_id}: {problem.detail}", err=True)
        typer.echo("The books are in order." if not problems else f"{len(problems)} problem(s).")
    raise typer.Exit(1 if problems else 0)


@ledger_app.command("prove")
def prove_command(
    transfer: Annotated[str, typer.Argument(help="The transfer's id, or its reference such as grant/….")],
    brand: BrandOption = None,
) -> None:
    """The proof that a transfer stands in the books, as JSON; reveals nothing of other members."""
    from daixin import actions_ledger, console

    _print_json(console.do(lambda session: actions_ledger.prove(session, brand, transfer)))


@ledger_app.command("check-proof")
def check_command(
    file: Annotated[Path, typer.Argument(help="The proof.")],
    root: Annotated[str | None, typer.Option(help="The published root it must lead to.")] = None,
    json_: JsonFlag = False,
) -> None:
    """Check a proof; needs no database and no network. Exit status 1 if it does not hold."""
    from rewards.proofs.merkle import check_file

    found = check_file(file, root)
    if json_:
        _print_json({"ok": found.ok, "code": found.code, "root": found.root, "words": found.words})
    else:
        typer.echo(found.words, err=not found.ok)
    raise typer.Exit(0 if found.ok else 1)


@ledger_app.command("root")
def root_command(
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; today if none is given.")] = None,
    brand: BrandOption = None,
) -> None:
    """The root of a day: the hash of the last block sealed on it, in the brand's time zone."""
    from daixin import actions_ledger, console

    wanted: date | None = day.date() if day else None
    _print_json(console.do(lambda session: actions_ledger.root(session, brand, wanted)))


@ledger_app.command("publish")
def publish_command(
    switch: Annotated[str, typer.Argument(help="on or off")],
    to: Annotated[
        list[str] | None, typer.Option(help="A chat, as telegram:-100123 or discord:c:456; may be given several times.")
    ] = None,
    brand: BrandOption = None,
) -> None:
    """Post each day's root into these chats, once the day is over; off: into none."""
    from daixin import actions_ledger, console

    if switch not in ("on", "off") or (switch == "on") != bool(to):
        raise typer.BadParameter("Say `on --to PLATFORM:CHAT`, or `off`.")
    _print_json(console.do(lambda session: actions_ledger.publish(session, brand, to or [])))
