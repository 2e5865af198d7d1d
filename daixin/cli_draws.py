"""`daixin draw …`: draws, and checking them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

draw_app = typer.Typer(help="Draws that anyone can check.", no_args_is_help=True)
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")]
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]


def _print(document: Any, indent: int | None = None) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, indent=indent, default=str))


@draw_app.command("create")
def draw_create(
    slug: str,
    item: Annotated[str, typer.Option(help="The ticket item whose tickets take part.")],
    campaign: Annotated[str, typer.Option(help="The campaign whose budget pays the prizes.")],
    closes: Annotated[str, typer.Option(help="When the last ticket is given, such as 2026-12-31T20:00.")],
    prize: Annotated[list[str], typer.Option(help="Best first: “1 x item:teapot”, “3 x 88.00 CNY”, “10 x 50 PTS”.")],
    title: Annotated[str | None, typer.Option(help="Its name in English.")] = None,
    title_zh: Annotated[str | None, typer.Option("--title-zh", help="Its name in Chinese.")] = None,
    entropy: Annotated[
        str | None,
        typer.Option(help="Which public value, unknown until the close, goes in as well; say it so that nobody can "
                          "argue later."),
    ] = None,
    brand: BrandOption = None,
) -> None:  # fmt: skip
    """Open a draw; prints its commitment, to be published before the first ticket."""
    from daixin import actions_items, console

    words = {locale: text for locale, text in (("en", title), ("zh_Hans", title_zh)) if text}
    made = console.do(
        lambda session: actions_items.create_draw(session, brand, slug, item, campaign, words, prize, closes, entropy)
    )
    _print(made)


@draw_app.command("list")
def draw_list(brand: BrandOption = None, json_: JsonFlag = False) -> None:
    """The draws, newest first."""
    from daixin import actions_items, console

    rows = console.do(lambda session: actions_items.list_draws(session, brand))
    if json_:
        _print(rows)
        return
    for row in rows:
        typer.echo(f"{row['slug']:<24} {row['state']:<9} {row['tickets']:>7} tickets  closes {row['closes_at'][:16]}")


@draw_app.command("close")
def draw_close(slug: str, brand: BrandOption = None) -> None:
    """Fix the list of tickets once its time is over (the worker does so by itself); prints the list's digest."""
    from daixin import actions_items, console

    _print(console.do(lambda session: actions_items.close_draw(session, brand, slug)))


@draw_app.command("reveal")
def draw_reveal(
    slug: str,
    entropy: Annotated[str | None, typer.Option(help="The public value that was agreed on.")] = None,
    brand: BrandOption = None,
    json_: JsonFlag = False,
) -> None:
    """Make the seed public and give the prizes."""
    from daixin import actions_items, console

    rows = console.do(lambda session: actions_items.reveal_draw(session, brand, slug, entropy))
    if json_:
        _print(rows)
        return
    for row in rows:
        typer.echo(f"{row['place']:>4}  ticket {row['ticket']:<7} {row['prize']:<20} {row['name']}")


@draw_app.command("export")
def draw_export(
    slug: str,
    file: Annotated[Path, typer.Argument(help="The file to write; it names nobody and may be published.")],
    brand: BrandOption = None,
) -> None:
    """Write what everybody may read: commitment, tickets, and once it is revealed seed and winners."""
    from daixin import actions_items, console

    document = console.do(lambda session: actions_items.export_draw(session, brand, slug))
    file.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    typer.echo(f"{len(document['tickets'])} tickets in {file}.")


@draw_app.command("verify")
def draw_verify(
    file: Annotated[Path, typer.Argument(help="The published document.")],
    commitment: Annotated[str | None, typer.Option(help="The commitment you saw before the first ticket.")] = None,
    digest: Annotated[str | None, typer.Option(help="The tickets' digest you saw at the close.")] = None,
    entropy: Annotated[str | None, typer.Option(help="The public value as its source has it.")] = None,
    json_: JsonFlag = False,
) -> None:
    """Compute the winners again; needs no database and no network. Exit status 1 if anything does not agree."""
    from core import i18n
    from rewards.items import draw_proof

    try:
        document = draw_proof.read_document(file.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        typer.echo(i18n.text("en", "draw.fault.unreadable", said=str(error)[:200]), err=True)
        raise typer.Exit(1) from None
    faults = draw_proof.check_document(document, commitment=commitment, digest=digest, entropy=entropy)
    if json_:
        _print({"ok": not faults, "faults": [{"what": one.what, "place": one.place} for one in faults]})
        raise typer.Exit(1 if faults else 0)
    for fault in faults:
        typer.echo(i18n.text("en", f"draw.fault.{fault.what}", place=fault.place), err=True)
    if not faults:
        typer.echo(i18n.text("en", "draw.right", tickets=len(document["tickets"]), winners=len(document["winners"])))
        if commitment is None:
            typer.echo(i18n.text("en", "draw.no_commitment"))
    raise typer.Exit(1 if faults else 0)
