"""`daixin key …`: the keys a brand's programs use with `/api/v1`."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

key_app = typer.Typer(help="Keys of a brand's programs for /api/v1.", no_args_is_help=True)
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]
KeyArgument = Annotated[str, typer.Argument(help="The key's id, as `daixin key list` shows it.")]


def _print(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, default=str))


@key_app.command("create")
def create_command(
    name: Annotated[str, typer.Argument(help="What it is for, such as the shop's name.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may do; may be given several times. All, if none.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="After how many days it opens nothing any more.")] = None,
    brand: BrandOption = None,
) -> None:
    """Make a key; it is printed this once."""
    from daixin import actions_keys, console

    _print(console.do(lambda session: actions_keys.create(session, brand, name, scope, days)))


@key_app.command("list")
def list_command(brand: BrandOption = None) -> None:
    """The keys that were not revoked, and when each was last used."""
    from daixin import actions_keys, console

    for row in console.do(lambda session: actions_keys.listed(session, brand)):
        _print(row)


@key_app.command("rotate")
def rotate_command(
    key: KeyArgument,
    hours: Annotated[int, typer.Option(min=0, help="How long the old one still opens.")] = 24,
    brand: BrandOption = None,
) -> None:
    """Make the key that follows this one; it is printed this once."""
    from daixin import actions_keys, console

    _print(console.do(lambda session: actions_keys.rotate(session, brand, key, hours)))


@key_app.command("revoke")
def revoke_command(key: KeyArgument, brand: BrandOption = None) -> None:
    """Let a key open nothing from now on."""
    from daixin import actions_keys, console

    console.do(lambda session: actions_keys.revoke(session, brand, key))
