"""`daixin staff …`: who runs a brand; `daixin audit …`: what they did."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

staff_app = typer.Typer(help="Who runs a brand.", no_args_is_help=True)
audit_app = typer.Typer(help="What was done for a brand, and by whom.", no_args_is_help=True)
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")]
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]
MemberArgument = Annotated[str, typer.Argument(help="An account of the person, as telegram:12345, or the member's id.")]


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, default=str))


@staff_app.command("list")
def list_command(brand: BrandOption = None, json_: JsonFlag = False) -> None:
    """Everybody with a role."""
    from daixin import actions_staff, console

    people = console.do(lambda session: actions_staff.team(session, brand))
    if json_:
        _print_json(people)
        return
    for one in people:
        typer.echo(f"{one['role']:<9} {one['member']}  {one['name']}")


@staff_app.command("give")
def give_command(
    member: MemberArgument,
    role: Annotated[str, typer.Argument(help="owner, manager or reviewer")],
    brand: BrandOption = None,
) -> None:
    """Give a role to somebody who has talked to the bot."""
    from daixin import actions_staff, console

    _print_json(console.do(lambda session: actions_staff.give(session, brand, member, role)))


@staff_app.command("take")
def take_command(member: MemberArgument, brand: BrandOption = None) -> None:
    """Take somebody's role away; the last owner keeps theirs."""
    from daixin import actions_staff, console

    _print_json(console.do(lambda session: actions_staff.take(session, brand, member)))


@staff_app.command("code")
def code_command(
    what: Annotated[
        str, typer.Argument(help="owner, manager or reviewer; connect for a group of our own, partner for a partner's")
    ],
    brand: BrandOption = None,
) -> None:
    """A one-time code, and what is to be said to the bot with it."""
    from daixin import actions_staff, console
    from referral.staff import CODES

    if what not in CODES:
        raise typer.BadParameter("Choose from " + ", ".join(CODES) + ".")
    _print_json(console.do(lambda session: actions_staff.code(session, brand, what)))


@audit_app.command("list")
def audit_list(
    subject: Annotated[str | None, typer.Option(help="Only acts on this, such as a campaign's slug.")] = None,
    most: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 50,
    brand: BrandOption = None,
    json_: JsonFlag = False,
) -> None:
    """The latest acts, the newest first."""
    from daixin import actions_staff, console

    rows = console.do(lambda session: actions_staff.entries(session, brand, subject, most))
    if json_:
        _print_json(rows)
        return
    for row in rows:
        details = " ".join(f"{name}={value}" for name, value in row["details"].items())
        at = f"{row['at']:%Y-%m-%d %H:%M:%S}"
        typer.echo(
            f"{row['number']:>5}  {at}  {row['actor']:<24} {row['act']:<22} {row['subject']}  {details}".rstrip()
        )


@audit_app.command("verify")
def audit_verify(brand: BrandOption = None, json_: JsonFlag = False) -> None:
    """Prove that nothing in the log was changed, left out or put in; exits 1 if something was."""
    from daixin import actions_staff, console

    found = console.do(lambda session: actions_staff.broken(session, brand))
    if json_:
        _print_json(found)
    else:
        for one in found:
            typer.echo(f"entry {one['number']}: {WORDS[one['what']]}", err=True)
        typer.echo("The log is whole." if not found else f"{len(found)} problem(s).")
    raise typer.Exit(1 if found else 0)


WORDS = {
    "missing": "is missing",
    "link": "does not follow the one before it",
    "content": "was changed",
    "head": "is not the last one that was written",
}
