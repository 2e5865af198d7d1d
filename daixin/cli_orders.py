"""`daixin order …`, `daixin referral …` and `daixin adjust`: what shops tell, and what people decide."""

from __future__ import annotations

import getpass
import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

order_app = typer.Typer(help="Orders of friends, and their refunds.", no_args_is_help=True)
referral_app = typer.Typer(help="Decisions about referrals.", no_args_is_help=True)
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]
Source = Annotated[str, typer.Option(help="The shop that counts these orders.")]
By = Annotated[str | None, typer.Option("--by", help="Who decides; you, if nobody is named.")]
AT_ONCE = 500
"""Rows of a file in one unit of work."""


def mount(program: typer.Typer) -> None:
    """Put these commands into the program."""
    program.add_typer(order_app, name="order")
    program.add_typer(referral_app, name="referral")
    program.command("adjust")(adjust)


def _print(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, default=str))


@order_app.command("record")
def record(
    number: Annotated[str, typer.Argument(help="The shop's number of the order.")],
    gross: Annotated[str, typer.Option(help="What was paid in all, before discount: 128.00.")],
    currency: Annotated[str, typer.Option(help="Such as CNY.")],
    discount: str | None = None,
    shipping: str | None = None,
    tax: str | None = None,
    at: Annotated[str | None, typer.Option(help="When it was made (ISO 8601); now, if not given.")] = None,
    code: Annotated[str | None, typer.Option(help="The invite code given with it.")] = None,
    contact: Annotated[str | None, typer.Option(help="The customer's e-mail or phone; only its hash is kept.")] = None,
    account: Annotated[str | None, typer.Option(help="The customer's account: telegram:12345.")] = None,
    member: Annotated[str | None, typer.Option(help="The customer's member id.")] = None,
    source: Source = "manual",
    brand: BrandOption = None,
) -> None:
    """Record an order; the same order again gets the same answer."""
    from daixin import actions_orders, console

    fields = {
        "gross": gross,
        "currency": currency,
        "discount": discount,
        "shipping": shipping,
        "tax": tax,
        "at": at,
        "code": code,
        "contact": contact,
        "account": account,
        "member": member,
    }
    _print(console.do(lambda session: actions_orders.record(session, brand, source, number, fields)))


@order_app.command("refund")
def refund(
    number: Annotated[str, typer.Argument(help="The shop's number of the refund.")],
    order: Annotated[str, typer.Argument(help="The shop's number of the order.")],
    amount: Annotated[str | None, typer.Option(help="Of the order's net; all that is left, if not given.")] = None,
    currency: Annotated[str | None, typer.Option(help="The order's, if not given.")] = None,
    source: Source = "manual",
    brand: BrandOption = None,
) -> None:
    """Record a refund, also before its order; what the order had earned is taken back in proportion."""
    from daixin import actions_orders, console

    _print(console.do(lambda session: actions_orders.refund(session, brand, source, number, order, amount, currency)))


@order_app.command("show")
def show(number: str, source: Source = "manual", brand: BrandOption = None) -> None:
    """An order with its refunds and rewards, as JSON."""
    from daixin import actions_orders, console

    _print(console.do(lambda session: actions_orders.show(session, brand, source, number)))


@order_app.command("unattributed")
def unattributed(limit: Annotated[int, typer.Option(min=1)] = 50, brand: BrandOption = None) -> None:
    """The latest orders that count for nobody and why, one JSON object a line."""
    from daixin import actions_orders, console

    for row in console.do(lambda session: actions_orders.unattributed(session, brand, limit)):
        _print(row)


@order_app.command("assign")
def assign(
    number: Annotated[str, typer.Argument(help="The shop's number of the order.")],
    member: Annotated[str, typer.Argument(help="A member id, or an account such as telegram:12345.")],
    source: Source = "manual",
    brand: BrandOption = None,
) -> None:
    """Decide who bought what counted for nobody; the order is judged again as theirs."""
    from daixin import actions_orders, console

    _print(console.do(lambda session: actions_orders.assign(session, brand, source, number, member)))


@order_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX; the columns are in docs/orders.md.")],
    source: Source = "manual",
    brand: BrandOption = None,
) -> None:
    """Record a file of orders and refunds; once more is harmless. A file with a malformed line is refused whole."""
    from daixin import actions_orders, console
    from daixin.order_files import read_orders

    counts: dict[str, int] = {}
    with console.opened() as parts:
        brand_id, zone = parts.reader.run_sync(lambda session: actions_orders.find_brand(session, brand))
        table = read_orders(file, brand_id, source, zone)
        wrong = list(table.wrong)
        for at in range(0, 0 if wrong else len(table.rows), AT_ONCE):
            part = table.rows[at : at + AT_ONCE]
            found, refused = parts.writer.run_sync(partial(actions_orders.record_rows, rows=part))
            wrong += refused
            for name, number in found.items():
                counts[name] = counts.get(name, 0) + number
    for one in wrong:
        typer.echo(f"{file.name}:{one.line}: {console.explain(one.error)}", err=True)
    _print({"file": file.name, "outcomes": counts, "refused": len(wrong)})
    raise typer.Exit(1 if wrong else 0)


@referral_app.command("reject")
def reject(
    referral: str,
    reason: Annotated[str, typer.Option(help="Why, for whoever asks later.")],
    by: By = None,
    brand: BrandOption = None,
) -> None:
    """Let a referral count no longer (fraud), and take back what it earned."""
    from daixin import actions_orders, console

    actor = by or getpass.getuser()
    _print(console.do(lambda session: actions_orders.reject(session, brand, referral, reason, actor)))


def adjust(
    member: Annotated[str, typer.Argument(help="A member id, or an account such as telegram:12345.")],
    amount: Annotated[str, typer.Option(help="What to give; below zero, what to take: --amount=-5.00.")],
    campaign: Annotated[str, typer.Option(help="The campaign whose budget it is.")],
    reason: Annotated[str, typer.Option(help="In words that the member will read.")],
    key: Annotated[str, typer.Option(help="What makes it unique, such as the number of a ticket.")],
    asset: Annotated[str, typer.Option(help="PTS, CNY …")] = "PTS",
    by: By = None,
    brand: BrandOption = None,
) -> None:
    """Give a member something as goodwill, or take it, once for each key; both are shown with the reason."""
    from daixin import actions_orders, console

    actor = by or getpass.getuser()
    _print(
        console.do(
            lambda session: actions_orders.decide(
                session, brand, member, campaign, asset, amount, reason=reason, actor=actor, key=key
            )
        )
    )
