"""`daixin contest …`: boards, finals and their replay, decisions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

contest_app = typer.Typer(help="Contests, their finals, and checking them.", no_args_is_help=True)
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")]
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]
Member = Annotated[str, typer.Argument(help="An account, such as telegram:12345, or the member's id.")]
Reason = Annotated[str, typer.Option(help="Why, for everybody to read; it can never be taken back or changed.")]


def _print(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, default=str))


@contest_app.command("show")
def contest_show(
    campaign: str,
    brand: BrandOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many places.")] = 10,
    json_: JsonFlag = False,
) -> None:
    """The board: live, provisional until objections are over, then final."""
    from daixin import actions_contests, console

    found = console.do(lambda session: actions_contests.show(session, brand, campaign, limit))
    if json_:
        _print(found)
        return
    revision = f", revision {found['revision']}" if found["revision"] else f", final at {found['final_at'][:16]}"
    typer.echo(f"{campaign}: {found['state']}{revision}")
    for row in found["board"]:
        typer.echo(f"{row['rank']:>4}  {row['score']:>6}  {row['name']}" + (f"  {row['mark']}" if row["mark"] else ""))
    for row in found["disqualified"]:
        typer.echo(f" out  {row['id']}  {row['reason']}")


@contest_app.command("document")
def contest_document(
    campaign: str,
    brand: BrandOption = None,
    revision: Annotated[int | None, typer.Option(min=1, help="Which revision; the latest if none is named.")] = None,
) -> None:
    """The final as it was published, byte for byte; it names nobody and may go anywhere."""
    from daixin import actions_contests, console

    typer.echo(console.do(lambda session: actions_contests.document(session, brand, campaign, revision)), nl=False)


@contest_app.command("replay")
def contest_replay(
    campaign: str,
    brand: BrandOption = None,
    published: Annotated[
        Path | None, typer.Option("--published", help="A copy of the latest revision to compare with as well.")
    ] = None,
    json_: JsonFlag = False,
) -> None:
    """Compute every revision of the final from the records again, and compare byte for byte. Exit status 1 with the
    differences named if anything does not agree."""
    from daixin import actions_contests, console

    found = console.do(lambda session: actions_contests.replay(session, brand, campaign))
    faults = [{"revision": revision, "where": where} for revision, where in found.differences]
    if published is not None and published.read_bytes() != found.text.encode():
        faults.append({"revision": found.revision, "where": str(published)})
    if json_:
        _print({"ok": not faults, "revision": found.revision, "sha256": found.sha256, "faults": faults})
    else:
        _tell(faults, found.revision, found.sha256, found.later)
    raise typer.Exit(1 if faults else 0)


def _tell(faults: list[dict[str, Any]], revision: int, sha256: str, later: int) -> None:
    from core import i18n
    from daixin.console import LOCALE

    for fault in faults:
        key = "contest.fault.differs" if fault["revision"] else "contest.fault.unfounded"
        typer.echo(i18n.text(LOCALE, key, **fault), err=True)
    if not faults:
        typer.echo(i18n.text(LOCALE, "contest.agrees", revision=revision, sha256=sha256))
    if later:
        typer.echo(i18n.text(LOCALE, "contest.later", n=later))


@contest_app.command("disqualify")
def contest_disqualify(campaign: str, member: Member, reason: Reason, brand: BrandOption = None) -> None:
    """Take somebody out, with all their accounts; after the final that makes its next revision."""
    _judge(campaign, member, reason, brand, out=True)


@contest_app.command("reinstate")
def contest_reinstate(campaign: str, member: Member, reason: Reason, brand: BrandOption = None) -> None:
    """Let somebody back in who was disqualified."""
    _judge(campaign, member, reason, brand, out=False)


def _judge(campaign: str, member: str, reason: str, brand: str | None, *, out: bool) -> None:
    from daixin import actions_contests, console

    _print(console.do(lambda session: actions_contests.judge(session, brand, campaign, member, reason, out=out)))
