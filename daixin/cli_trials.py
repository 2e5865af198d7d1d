"""`daixin trial …`: applications, feedback and figures of trials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

trial_app = typer.Typer(help="Trials: applications, feedback, figures.", no_args_is_help=True)
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")]
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]
FileOption = Annotated[Path | None, typer.Option("--file", help="Write a .csv or .xlsx instead.")]
STEPS = ("applied", "approved", "taken", "delivered", "reviewed", "purchased")


def _print(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, default=str))


@trial_app.command("list")
def trial_list(
    campaign: str,
    state: Annotated[str | None, typer.Option(help="Only those in this state, such as applied or waiting.")] = None,
    file: FileOption = None,
    brand: BrandOption = None,
    json_: JsonFlag = False,
) -> None:
    """The applications in the order of the line, with what was answered."""
    from daixin import actions_trials, console

    if file is not None:
        count = console.do(lambda s: actions_trials.write_applications(s, brand, campaign, state, file))
        typer.echo(f"{count} applications in {file}.")
        return
    rows = console.do(lambda session: actions_trials.listed(session, brand, campaign, state))
    if json_:
        _print(rows)
        return
    for row in rows:
        place = f"#{row['number']}" if row["number"] else ""
        stands = f"{place:>5}  {row['state']:<9} {row['friends']:>3} friends"
        typer.echo(f"{stands}  {row['applied_at']}  {row['name']}  {row['member']}")
        for question, answer in row["answers"].items():
            typer.echo(f"       {question} {answer}")
    if not rows:
        typer.echo("Nobody has applied.")


def _decide(campaign: str, member: str, verdict: str, reason: str, brand: str | None, json_: bool) -> None:
    from daixin import actions_trials, console

    row = console.do(lambda session: actions_trials.decide(session, brand, campaign, member, verdict, reason))
    if json_:
        _print(row)
        return
    typer.echo(f"{member}: {row['state']}")


MemberArgument = Annotated[str, typer.Argument(help="Whose application: platform:account, or the member's id.")]
ReasonOption = Annotated[str, typer.Option(help="Why; whoever is declined reads it.")]


@trial_app.command("approve")
def trial_approve(
    campaign: str, member: MemberArgument, reason: ReasonOption = "approved", brand: BrandOption = None,
    json_: JsonFlag = False,
) -> None:  # fmt: skip
    """Approve an application: it gets a place, or the next in the order of the line."""
    _decide(campaign, member, "approve", reason, brand, json_)


@trial_app.command("decline")
def trial_decline(
    campaign: str, member: MemberArgument, reason: ReasonOption, brand: BrandOption = None, json_: JsonFlag = False
) -> None:
    """Decline an application, with a reason."""
    _decide(campaign, member, "decline", reason, brand, json_)


@trial_app.command("feedback")
def trial_feedback(
    campaign: str,
    to_publish: Annotated[bool, typer.Option("--publish", help="Only what may be shown around.")] = False,
    file: FileOption = None,
    pictures: Annotated[Path | None, typer.Option(help="Write the photos into this folder instead.")] = None,
    brand: BrandOption = None,
    json_: JsonFlag = False,
) -> None:
    """What people said who tried it."""
    from daixin import actions_trials, console

    if pictures is not None:
        count = console.do(lambda s: actions_trials.write_pictures(s, brand, campaign, pictures, to_publish=to_publish))
        typer.echo(f"{count} photos in {pictures}.")
        return
    if file is not None:
        count = console.do(lambda s: actions_trials.write_feedback(s, brand, campaign, file, to_publish=to_publish))
        typer.echo(f"{count} answers in {file}.")
        return
    rows = console.do(lambda session: actions_trials.feedback(session, brand, campaign, to_publish=to_publish))
    if json_:
        _print(rows)
        return
    for row in rows:
        may = "may be published" if row["may_publish"] else "for the brand alone"
        typer.echo(f"{'★' * row['rating']:<5}  {row['given_at']}  {row['name']} ({may})")
        if row["text"]:
            typer.echo(f"       {row['text']}")
    if not rows:
        typer.echo("Nobody has said anything yet.")


@trial_app.command("funnel")
def trial_funnel(campaign: str, brand: BrandOption = None, json_: JsonFlag = False) -> None:
    """How many came how far."""
    from daixin import actions_trials, console

    found = console.do(lambda session: actions_trials.figures(session, brand, campaign))
    if json_:
        _print(found)
        return
    typer.echo(f"places     {found['given']} of {found['quota']}")
    for step in STEPS:
        typer.echo(f"{step:<10} {found[step]}")
    typer.echo(f"in line    {found['states']['applied'] + found['states']['waiting']}")
    if found["rating"] is not None:
        typer.echo(f"rating     {found['rating']:.2f} ({found['consented']} may be published)")


@trial_app.command("draw")
def trial_draw(
    campaign: str,
    file: Annotated[Path, typer.Argument(help="The file to write; it names nobody and may be published.")],
    brand: BrandOption = None,
) -> None:
    """Write the draw that was held, to be checked by anybody with `daixin draw verify`."""
    from daixin import actions_trials, console

    document = console.do(lambda session: actions_trials.drawn(session, brand, campaign))
    file.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    typer.echo(f"{len(document['tickets'])} applications, {len(document['winners'])} drawn, in {file}.")
