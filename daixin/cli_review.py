"""`daixin review …`: what waits for a person's decision."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

review_app = typer.Typer(help="Cases that wait for a person's decision.", no_args_is_help=True)
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")]
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]


def _print(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, default=str))


@review_app.command("list")
def review_list(
    kind: Annotated[str | None, typer.Option(help="attribution, referral, application or appeal.")] = None,
    most: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    brand: BrandOption = None,
    json_: JsonFlag = False,
) -> None:
    """The open cases, the oldest first."""
    from daixin import actions_review, console

    rows = console.do(lambda session: actions_review.queue(session, brand, kind, most))
    if json_:
        _print(rows)
        return
    for row in rows:
        typer.echo(f"{row['case']}  {row['kind']:<12} {row['opened_at'][:16]}  {row['about']} ({row['campaign']})")
    if not rows:
        typer.echo("Nothing waits for a decision.")


@review_app.command("show")
def review_show(case: str, brand: BrandOption = None, json_: JsonFlag = False) -> None:
    """A case with its evidence, and what can be decided."""
    from daixin import actions_review, console

    found = console.do(lambda session: actions_review.show(session, brand, case))
    if json_:
        _print(found)
        return
    typer.echo(found["evidence"])
    for answer in found.get("answers", ()):
        choice = f" --choice {answer['choice']}" if "choice" in answer else ""
        typer.echo(f"  {answer['answer']}: daixin review decide {found['case']} {answer['verdict']}{choice}")
    if found["state"] != "open":
        typer.echo(f"{found['state']}: {found['verdict'] or ''} {found['reason'] or ''} ({found['decided_by'] or ''})")


@review_app.command("decide")
def review_decide(
    case: str,
    verdict: Annotated[str, typer.Argument(help="approve or decline.")],
    reason: Annotated[str, typer.Option(help="Why; whoever it concerns reads it.")],
    choice: Annotated[str | None, typer.Option(help="The code of the candidate, where there are several.")] = None,
    brand: BrandOption = None,
    json_: JsonFlag = False,
) -> None:
    """Decide a case, with a reason."""
    from daixin import actions_review, console

    done = console.do(lambda session: actions_review.decide(session, brand, case, verdict, reason, choice))
    if json_:
        _print(done)
        return
    over = "nobody needs to decide it any more" if done["state"] == "closed" else f"{done['verdict']}: {done['reason']}"
    typer.echo(f"{done['about']} ({done['campaign']}): {over}")
