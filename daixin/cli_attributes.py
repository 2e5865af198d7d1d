"""`daixin attributes`: everything a condition of a reward plan may ask about."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer


def attributes(
    json_: Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The page of the handbook.")] = False,
    locale: Annotated[str | None, typer.Option(help="en or zh_Hans; else the language of the terminal.")] = None,
    group: Annotated[str | None, typer.Option(help="Only these, such as order.")] = None,
) -> None:
    """Everything a condition of a reward plan may ask about."""
    from core import i18n
    from daixin import attribute_page

    spoken = locale or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    language = i18n.negotiate(spoken)
    if markdown:
        typer.echo(attribute_page.page(language), nl=False)
        return
    found = [row for row in attribute_page.rows(language) if group in (None, row["name"].partition(".")[0])]
    if json_:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for row in found:
        kind = f"{row['type']}, {row['unit']}" if row["unit"] else row["type"]
        typer.echo(f"{row['name']:<38} {kind:<20} {row['means']}")
