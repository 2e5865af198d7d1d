"""`daixin user …`: the people who sign in on the web."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer
from sqlmodel import Session

user_app = typer.Typer(help="People who sign in on the web.", no_args_is_help=True)
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]
UserArgument = Annotated[str, typer.Argument(help="The user's e-mail, or the id `daixin user list` shows.")]
Unit = Callable[[Session, str], Any]


def _print(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, default=str))


def _do(unit: Unit) -> Any:
    """A unit of work that is told how the world reaches our pages."""
    from daixin import console

    with console.opened() as parts:
        address = parts.settings.public_url.rstrip("/")
        return parts.writer.run_sync(lambda session: unit(session, address))


@user_app.command("list")
def list_command(brand: BrandOption = None) -> None:
    """Everybody who signs in, with their roles; with --brand those of one brand."""
    from daixin import actions_users

    for row in _do(lambda session, _: actions_users.listed(session, brand)):
        _print(row)


@user_app.command("invite")
def invite_command(
    brand: BrandOption = None,
    role: Annotated[str, typer.Option(help="owner, manager or reviewer")] = "owner",
    email: Annotated[str | None, typer.Option(help="Of somebody who signs in here already.")] = None,
) -> None:
    """Print a link that works once: whoever opens it joins the brand's team. Somebody known joins at once."""
    from daixin import actions_users

    _print(_do(lambda session, address: actions_users.invite(session, brand, role, email, address)))


@user_app.command("disable")
def disable_command(user: UserArgument) -> None:
    """Sign a user out everywhere and let them in no more."""
    from daixin import actions_users

    _print(_do(lambda session, _: actions_users.disable(session, user, True)))


@user_app.command("enable")
def enable_command(user: UserArgument) -> None:
    """Let a disabled user in again."""
    from daixin import actions_users

    _print(_do(lambda session, _: actions_users.disable(session, user, False)))


@user_app.command("reset")
def reset_command(user: UserArgument) -> None:
    """Print a link by which a user chooses a new password; give it to nobody else."""
    from daixin import actions_users

    _print(_do(lambda session, address: actions_users.reset(session, user, address)))


@user_app.command("delete")
def delete_command(user: UserArgument) -> None:
    """Forget a user for good; what they did stays in the audit logs under their number."""
    from daixin import actions_users

    _print(_do(lambda session, _: actions_users.delete(session, user)))
