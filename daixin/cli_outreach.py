"""`daixin outreach`: when and how often people are written to unasked, and broadcasts under way."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

outreach_app = typer.Typer(help="What is written to people unasked.", no_args_is_help=True)
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")]
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]


def _print(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, indent=1, default=str))


@outreach_app.command("settings")
def settings(
    quiet: Annotated[str | None, typer.Option(help="Quiet hours in the brand's zone (21:00-09:00), or none.")] = None,
    cap: Annotated[int | None, typer.Option(help="Unasked messages to one person in seven days, 0 to 20.")] = None,
    cheers: Annotated[bool | None, typer.Option(help="Milestones, and one friend short of a prize.")] = None,
    nudges: Annotated[bool | None, typer.Option(help="A word to advocates who fell silent.")] = None,
    digest: Annotated[bool | None, typer.Option(help="The week's figures for who runs the brand.")] = None,
    brand: BrandOption = None,
) -> None:
    """Show the brand's manners, or change some of them."""
    from daixin import actions_outreach, console

    _print(
        console.do(
            lambda session: actions_outreach.manners(
                session, brand, quiet, cap, cheers=cheers, nudges=nudges, digest=digest
            )
        )
    )


@outreach_app.command("broadcasts")
def broadcasts(brand: BrandOption = None, json_: JsonFlag = False) -> None:
    """The latest broadcasts, with what became of their messages."""
    from daixin import actions_outreach, console

    rows = console.do(lambda session: actions_outreach.broadcasts_shown(session, brand))
    if json_:
        _print(rows)
        return
    for row in rows:
        counts = ", ".join(f"{what} {count}" for what, count in sorted(row["messages"].items()))
        typer.echo(f"{row['id']}  {row['started_at'][:16]}  {row['state']:<9} {row['audience']:<10} {counts}")


@outreach_app.command("stop")
def stop(broadcast: str, brand: BrandOption = None) -> None:
    """Send no more of a broadcast; what has gone out has."""
    from daixin import actions_outreach, console

    _print(console.do(lambda session: actions_outreach.stop_broadcast(session, brand, broadcast)))
