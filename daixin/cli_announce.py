"""`daixin announce …`: what campaigns said in their groups, and once more what was refused."""

from __future__ import annotations

import json
from typing import Annotated

import typer

announce_app = typer.Typer(help="What campaigns said in their groups.", no_args_is_help=True)
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]


@announce_app.command("log")
def announce_log(
    campaign: Annotated[str, typer.Argument(help="The campaign's slug.")], brand: BrandOption = None
) -> None:
    """What became of every post of a campaign, the oldest first, one JSON object a line."""
    from daixin import actions_announce, console

    for row in console.do(lambda session: actions_announce.log(session, brand, campaign)):
        typer.echo(json.dumps(row, ensure_ascii=False))


@announce_app.command("retry")
def announce_retry(
    campaign: Annotated[str, typer.Argument(help="The campaign's slug.")], brand: BrandOption = None
) -> None:
    """Post once more what a platform refused, or what found the bot out of a group that is connected again."""
    from daixin import actions_announce, console

    count = console.do(lambda session: actions_announce.retry(session, brand, campaign))
    typer.echo(f"{count} post(s) on their way again.")


@announce_app.command("language")
def announce_language(
    group: Annotated[str, typer.Argument(help="The group, as telegram:-100123.")],
    language: Annotated[str, typer.Argument(help="zh_Hans or en; brand for the brand's own.")],
    brand: BrandOption = None,
) -> None:
    """The language of announcements in a group."""
    from daixin import actions_announce, console

    typer.echo(
        json.dumps(
            console.do(lambda session: actions_announce.speak(session, brand, group, language)), ensure_ascii=False
        )
    )
