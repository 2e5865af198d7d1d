"""`daixin item …`, `catalogue …`, `voucher …`, `shipment …`: what points buy, and its delivery."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

item_app = typer.Typer(help="What points buy, and rewards that are no money.", no_args_is_help=True)
catalogue_app = typer.Typer(help="All items as a file.", no_args_is_help=True)
voucher_app = typer.Typer(help="Pools of voucher codes.", no_args_is_help=True)
shipment_app = typer.Typer(help="Parcels: whom they go to, and on their way.", no_args_is_help=True)
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")]
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]
EnglishTitle = Annotated[str | None, typer.Option("--title", help="Its name in English.")]
ChineseTitle = Annotated[str | None, typer.Option("--title-zh", help="Its name in Chinese.")]
EnglishAbout = Annotated[str | None, typer.Option("--about", help="What it is, in English.")]
ChineseAbout = Annotated[str | None, typer.Option("--about-zh", help="What it is, in Chinese.")]
Price = Annotated[int | None, typer.Option(help="Points for one; without it is not for sale.")]
Stock = Annotated[int | None, typer.Option(help="How many may be given in all.")]
PerMember = Annotated[int | None, typer.Option(help="How many each member may buy.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="A setting of its kind: NAME=VALUE, for instance days=30.")
]


def _print(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, default=str))


def _words(english: str | None, chinese: str | None) -> dict[str, str]:
    return {locale: text for locale, text in (("en", english), ("zh_Hans", chinese)) if text}


def _settings(given: list[str] | None) -> dict[str, Any]:
    """`days=30` is a number, `countries=["CN"]` a list; what is no JSON is text."""
    found: dict[str, Any] = {}
    for one in given or []:
        name, mark, value = one.partition("=")
        if not mark:
            raise typer.BadParameter(f"{one} is no NAME=VALUE.")
        try:
            found[name.strip()] = json.loads(value)
        except ValueError:
            found[name.strip()] = value
    # A role or a group is called by its number, which is text all the same.
    return {name: str(value) if name in ("role", "group", "gift_id") else value for name, value in found.items()}


@item_app.command("add")
def item_add(
    slug: str,
    kind: Annotated[str, typer.Argument(help="voucher, promo_code, discord_role, telegram_tag, telegram_gift, "
                                             "telegram_premium, physical or ticket.")],
    title: EnglishTitle = None,
    title_zh: ChineseTitle = None,
    about: EnglishAbout = None,
    about_zh: ChineseAbout = None,
    price: Price = None,
    stock: Stock = None,
    per_member: PerMember = None,
    set_: Set = None,
    brand: BrandOption = None,
) -> None:  # fmt: skip
    """Put an item into the catalogue; prints it."""
    from daixin import actions_items, console
    from rewards.items.items import ItemForm

    form = ItemForm(
        slug, kind, _words(title, title_zh), _words(about, about_zh), price, stock, per_member, _settings(set_)
    )
    _print(console.do(lambda session: actions_items.add_item(session, brand, form)))


@item_app.command("edit")
def item_edit(
    slug: str,
    title: EnglishTitle = None,
    title_zh: ChineseTitle = None,
    about: EnglishAbout = None,
    about_zh: ChineseAbout = None,
    price: Price = None,
    stock: Stock = None,
    per_member: PerMember = None,
    set_: Set = None,
    no_price: Annotated[bool, typer.Option("--no-price", help="Not for sale any more, but for rewards.")] = False,
    no_stock: Annotated[bool, typer.Option("--no-stock", help="Without a limit in all.")] = False,
    no_limit: Annotated[bool, typer.Option("--no-limit", help="Without a limit for each member.")] = False,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="In the catalogue or not.")] = None,
    brand: BrandOption = None,
) -> None:
    """Change what is named; prints the item."""
    from daixin import actions_items, console

    changes: dict[str, Any] = {"title": _words(title, title_zh), "about": _words(about, about_zh)}
    changes["settings"] = _settings(set_)
    numbers = {"price": (price, no_price), "stock": (stock, no_stock), "per_member": (per_member, no_limit)}
    for name, (number, none) in numbers.items():
        if none or number is not None:
            changes[name] = None if none else number
    if active is not None:
        changes["active"] = active
    _print(console.do(lambda session: actions_items.edit_item(session, brand, slug, changes)))


@item_app.command("list")
def item_list(brand: BrandOption = None, json_: JsonFlag = False) -> None:
    """All items, with what is left of them."""
    from daixin import actions_items, console

    rows = console.do(lambda session: actions_items.list_items(session, brand))
    if json_:
        _print(rows)
        return
    for row in rows:
        price = "-" if row["price"] is None else row["price"]
        left = "∞" if row["left"] is None else row["left"]
        mark = "" if row["active"] else "  (retired)"
        title = row["title"].get("en") or next(iter(row["title"].values()), "")
        typer.echo(f"{row['slug']:<24} {row['kind']:<17} {price:>8} PTS  {left:>6} left  {title}{mark}")


@item_app.command("retire")
def item_retire(slug: str, brand: BrandOption = None) -> None:
    """Take an item out of the catalogue; what was given stays given."""
    from daixin import actions_items, console

    _print(console.do(lambda session: actions_items.retire_item(session, brand, slug)))


@catalogue_app.command("apply")
def catalogue_apply(
    file: Annotated[Path, typer.Argument(help="A TOML file, such as examples/catalogue.toml.")],
    brand: BrandOption = None,
    json_: JsonFlag = False,
) -> None:
    """Make the items what the file says, all or none; those it does not name stay."""
    from daixin import actions, actions_items, console

    text = actions.read_text(file)
    rows = console.do(lambda session: actions_items.apply_items(session, brand, text))
    if json_:
        _print(rows)
    else:
        for row in rows:
            typer.echo(f"{row['change']:<8} {row['slug']}")


@voucher_app.command("import")
def voucher_import(
    item: Annotated[str, typer.Argument(help="The voucher item's slug.")],
    file: Annotated[Path, typer.Argument(help="CSV with the header code or code,expires_at; UTF-8 or GB18030.")],
    brand: BrandOption = None,
) -> None:
    """Add the codes of a file to an item's pool, all or none; the same file again changes nothing."""
    from daixin import actions_items, console

    _print(console.do(lambda session: actions_items.import_codes(session, brand, item, file)))


@shipment_app.command("list")
def shipment_list(
    state: Annotated[str | None, typer.Option(help="asked, ready, shipped, delivered or cancelled.")] = None,
    brand: BrandOption = None,
    json_: JsonFlag = False,
) -> None:
    """The parcels, oldest first, without addresses."""
    from daixin import actions_items, console

    rows = console.do(lambda session: actions_items.list_shipments(session, brand, state))
    if json_:
        _print(rows)
        return
    for row in rows:
        track = f"{row['carrier']} {row['tracking']}" if row["tracking"] else ""
        typer.echo(f"{row['reference']}  {row['state']:<10} {row['item']:<20} {row['country'] or '--'}  {track}")


@shipment_app.command("export")
def shipment_export(
    file: Annotated[Path, typer.Argument(help="A .csv or .xlsx to write; it holds addresses, so keep it safe.")],
    state: Annotated[str, typer.Option(help="Which parcels.")] = "ready",
    brand: BrandOption = None,
) -> None:
    """The parcels to be packed, with names and addresses."""
    from daixin import actions_items, console

    count = console.do(lambda session: actions_items.export_shipments(session, brand, file, state))
    typer.echo(f"{count} parcels in {file}. Delete it when they are on their way.")


@shipment_app.command("ship")
def shipment_ship(
    reference: str,
    carrier: Annotated[str, typer.Option(help="Who carries it.")],
    tracking: Annotated[str, typer.Option(help="The number to follow it by.")],
    brand: BrandOption = None,
) -> None:
    """It is on its way; the member is told."""
    from daixin import actions_items, console

    _print(
        console.do(lambda session: actions_items.move_shipment(session, brand, reference, "ship", carrier, tracking))
    )


@shipment_app.command("delivered")
def shipment_delivered(reference: str, brand: BrandOption = None) -> None:
    """It has arrived. Parcels nobody says this of count as delivered a month after they left."""
    from daixin import actions_items, console

    _print(console.do(lambda session: actions_items.move_shipment(session, brand, reference, "delivered")))


@shipment_app.command("cancel")
def shipment_cancel(reference: str, brand: BrandOption = None) -> None:
    """It will not be sent; the points come back."""
    from daixin import actions_items, console

    _print(console.do(lambda session: actions_items.move_shipment(session, brand, reference, "cancel")))
