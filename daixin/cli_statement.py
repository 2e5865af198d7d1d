"""`daixin statement …`: the books as files for a member, for the finance people, for the end of a campaign."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlmodel import Session

    from rewards.statements.sheets import Book

statement_app = typer.Typer(help="Statements of members, brands and campaigns.", no_args_is_help=True)
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]
FormatOption = Annotated[
    str | None, typer.Option("--format", help="csv, xlsx or json; else what the file's name says.")
]
FileOption = Annotated[Path | None, typer.Option("--output", "-o", help="The file; standard output without one.")]
LocaleOption = Annotated[str | None, typer.Option(help="en or zh_Hans; else the brand's.")]
SheetOption = Annotated[str | None, typer.Option(help="Which sheet a CSV file holds; else the first.")]
FromOption = Annotated[datetime | None, typer.Option("--from", help="The first day, in the brand's time zone.")]
ToOption = Annotated[datetime | None, typer.Option("--to", help="The last day, in the brand's time zone.")]


@statement_app.command("member")
def member(
    who: Annotated[str, typer.Argument(help="platform:account, such as telegram:12345, or the member's id.")],
    brand: BrandOption = None,
    since: FromOption = None,
    until: ToOption = None,
    format: FormatOption = None,
    output: FileOption = None,
    locale: LocaleOption = None,
    sheet: SheetOption = None,
) -> None:
    """Every movement of a member's rewards, and the balances. Sheets: lines, purse."""
    from daixin import actions_statement

    _write(
        lambda session: actions_statement.of_member(session, brand, who, since, until, locale), format, output, sheet
    )


@statement_app.command("brand")
def brand_by_month(
    brand: BrandOption = None,
    since: FromOption = None,
    until: ToOption = None,
    format: FormatOption = None,
    output: FileOption = None,
    locale: LocaleOption = None,
) -> None:
    """All of a brand's campaigns by month: funded, promised, taken back, paid, and what is there at the end."""
    from daixin import actions_statement

    _write(lambda session: actions_statement.of_brand(session, brand, since, until, locale), format, output, None)


@statement_app.command("campaign")
def campaign(
    slug: str,
    brand: BrandOption = None,
    format: FormatOption = None,
    output: FileOption = None,
    locale: LocaleOption = None,
    sheet: SheetOption = None,
) -> None:
    """The settlement report of a campaign. Sheets: settlement, checks, rules, rewards."""
    from daixin import actions_statement

    _write(lambda session: actions_statement.of_campaign(session, brand, slug, locale), format, output, sheet)


def _write(make: Callable[[Session], Book], format: str | None, output: Path | None, sheet: str | None) -> None:
    """Write while the session is open: the rows come from the database as they are written."""
    from daixin import actions_statement, console
    from rewards.statements import files

    kind = actions_statement.chosen_format(format, output)

    def unit(session: Session) -> None:
        book = actions_statement.with_sheet(make(session), sheet)
        if output is None:
            files.write(book, kind, sys.stdout.buffer, sheet)
            return
        unfinished = output.with_name(f"{output.name}.part")
        with unfinished.open("wb") as to:
            files.write(book, kind, to, sheet)
        unfinished.replace(output)

    with console.opened() as parts:
        parts.reader.run_sync(unit)
