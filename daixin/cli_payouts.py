"""`daixin payout …` and `daixin vault …`: what leaves the books, and the keys of what is kept sealed.

`--by` says who does it. It is a name and proves nothing: whoever may type here may type any. What it gives is a record,
and a second person who has to come to the keyboard knowingly.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

payout_app = typer.Typer(help="What leaves the books: withdrawals and items on their way.", no_args_is_help=True)
vault_app = typer.Typer(help="Keys of what is kept sealed.", no_args_is_help=True)
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")]
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]
ByOption = Annotated[
    str, typer.Option("--by", default_factory=getpass.getuser, help="Who does it: a name, or platform:account.")
]
Reference = Annotated[str, typer.Argument(help="The payout's reference.")]
BatchOption = Annotated[int | None, typer.Option("--batch", min=1, help="A batch's number.")]


def _json(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, default=str))


def _line(payout: dict[str, Any]) -> str:
    waits = "" if payout["approved"] else f"  waits for approval: {payout['flag']}"
    stuck = "  needs a person" if payout["stuck"] else ""
    reason = f" ({payout['reason']})" if payout["reason"] else ""
    who = f"{payout['member']}  {payout['payee'] or ''}".rstrip()
    said = f"{payout['reference']}  {payout['said']}  {payout['provider']}  {payout['state']}{reason}"
    return f"{said}  {who}{waits}{stuck}"


def _print(payout: dict[str, Any], json_: bool) -> None:
    if json_:
        _json(payout)
    else:
        typer.echo(_line(payout))


def _print_batch(batch: dict[str, Any], json_: bool) -> None:
    if json_:
        _json(batch)
        return
    states = ", ".join(f"{count} {state}" for state, count in sorted(batch["by_state"].items()))
    approval = f"approved by {batch['approved_by']}" if batch["approved_by"] else "waits for a second person"
    typer.echo(
        f"batch {batch['batch']}: {batch['count']} by {batch['provider']}, {batch['said']} in all "
        f"({states}); made by {batch['created_by']}, {approval}"
    )


@payout_app.command("list")
def list_command(
    state: Annotated[list[str] | None, typer.Option(help="Only these states.")] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what needs a person.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    brand: BrandOption = None,
    json_: JsonFlag = False,
) -> None:
    """Payouts, the newest first."""
    from daixin import actions_payouts, console

    found = console.do(partial(actions_payouts.listed, brand=brand, states=state or (), waiting=waiting, limit=limit))
    if json_:
        _json(found)
    else:
        for payout in found:
            typer.echo(_line(payout))
        typer.echo(f"{len(found)} payout(s).")


@payout_app.command("show")
def show_command(reference: Reference, brand: BrandOption = None, json_: JsonFlag = False) -> None:
    """A payout and everything that was said and done about it."""
    from daixin import actions_payouts, console

    found = console.do(partial(actions_payouts.shown, brand=brand, reference=reference))
    _print(found, json_)
    for event in [] if json_ else found["history"]:
        told = "  ".join(str(event[name]) for name in ("reason", "external_id", "actor") if event[name])
        typer.echo(f"  {event['at']}  {event['kind']}: {event['state']}  {told}".rstrip())


@payout_app.command("approve")
def approve_command(
    by: ByOption,
    reference: Annotated[str | None, typer.Argument(help="The payout's reference.")] = None,
    batch: BatchOption = None,
    brand: BrandOption = None,
    json_: JsonFlag = False,
) -> None:
    """Let a payout, or a whole batch, go; whoever made the batch or is paid cannot."""
    from daixin import actions_payouts, console

    if batch is not None and reference is None:
        _print_batch(console.do(partial(actions_payouts.approved, brand=brand, number=batch, actor=by)), json_)
    elif reference is not None and batch is None:
        act = partial(actions_payouts.approved_one, brand=brand, reference=reference, actor=by)
        _print(console.do(act), json_)
    else:
        raise typer.BadParameter("Name a payout's reference, or a batch with --batch.")


@payout_app.command("batch")
def batch_command(
    by: ByOption,
    provider: Annotated[str, typer.Argument(help="manual, wechatpay, paypal or telegram_gift.")],
    asset: Annotated[str, typer.Argument(help="CNY, USD, …")],
    brand: BrandOption = None,
    json_: JsonFlag = False,
) -> None:
    """Put what waits into a batch."""
    from daixin import actions_payouts, console

    made = partial(actions_payouts.made, brand=brand, provider=provider, asset=asset.upper(), actor=by)
    _print_batch(console.do(made), json_)


@payout_app.command("batches")
def batches_command(brand: BrandOption = None, json_: JsonFlag = False) -> None:
    """Batches, the newest first, and how far they have come."""
    from daixin import actions_payouts, console

    found = console.do(partial(actions_payouts.batches_listed, brand=brand))
    if json_:
        _json(found)
    else:
        for batch in found:
            _print_batch(batch, False)


@payout_app.command("export")
def export_command(
    by: ByOption,
    batch: Annotated[int, typer.Option("--batch", min=1, help="The batch's number.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A .csv or .xlsx file; holds payees in full.")],
    brand: BrandOption = None,
    locale: Annotated[str | None, typer.Option(help="Language of the titles: en or zh_Hans.")] = None,
) -> None:
    """What of a batch is to be paid by hand, with empty columns for what came of it."""
    from core.sheets import check_ending, write_sheet
    from daixin import actions_payouts, console

    check_ending(output)
    rows = console.do(partial(actions_payouts.exported, brand=brand, number=batch, actor=by, locale=locale))
    write_sheet(output, f"batch {batch}", rows)
    typer.echo(f"{len(rows) - 1} payout(s) in {output}. Fill in the status and import the file again.")


@payout_app.command("import")
def import_command(
    by: ByOption,
    file: Annotated[Path, typer.Argument(help="The exported file with its last columns filled in.")],
    batch: BatchOption = None,
    brand: BrandOption = None,
    json_: JsonFlag = False,
) -> None:
    """What came of payouts by hand; parts of a file and repeats do no harm, a mistake in it imports nothing."""
    from daixin import actions_payouts, console

    found = console.do(partial(actions_payouts.imported, brand=brand, file=file, actor=by, number=batch))
    if json_:
        _json(found)
    else:
        typer.echo(
            f"{found['completed']} paid, {found['failed']} failed, {found['repeated']} known before, "
            f"{found['left']} without a status."
        )


@payout_app.command("cancel")
def cancel_command(reference: Reference, by: ByOption, brand: BrandOption = None, json_: JsonFlag = False) -> None:
    """Stop a payout: at once while nobody has it, else by asking its provider."""
    _ask(brand, reference, json_, lambda runner, owner, payout: runner.cancel(owner, payout, by))


@payout_app.command("look-up")
def look_up_command(reference: Reference, by: ByOption, brand: BrandOption = None, json_: JsonFlag = False) -> None:
    """Ask the provider now what became of a payout."""
    _ask(brand, reference, json_, lambda runner, owner, payout: runner.look_up(owner, payout, by))


def _ask(brand: str | None, reference: str, json_: bool, ask: Callable[[Any, Any, Any], Awaitable[Any]]) -> None:
    import asyncio

    from daixin import actions_payouts, console

    with console.opened() as parts:
        _print(asyncio.run(actions_payouts.asked(parts, brand, reference, ask)), json_)


@payout_app.command("retry")
def retry_command(reference: Reference, by: ByOption, brand: BrandOption = None, json_: JsonFlag = False) -> None:
    """Let the worker go on with a payout it gave up; it is looked up before it could be sent again.

    An item reward whose payout failed is handed over once more, by a new payout."""
    from daixin import actions_payouts, console

    _print(console.do(partial(actions_payouts.retried, brand=brand, reference=reference, actor=by)), json_)


@payout_app.command("decide")
def decide_command(
    by: ByOption,
    reference: Reference,
    outcome: Annotated[str, typer.Argument(help="paid or failed, as you found out elsewhere.")],
    number: Annotated[str | None, typer.Option(help="The provider's own number of it.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why it failed.")] = None,
    brand: BrandOption = None,
    json_: JsonFlag = False,
) -> None:
    """Say what became of a payout whose end nobody else can tell."""
    from daixin import actions_payouts, console

    if outcome not in ("paid", "failed"):
        raise typer.BadParameter("The outcome is paid or failed.")
    decide = partial(actions_payouts.decided, paid=outcome == "paid", number=number, reason=reason)
    _print(console.do(partial(decide, brand=brand, reference=reference, actor=by)), json_)


@vault_app.command("new-key")
def new_key_command() -> None:
    """A fresh key to put in front of DAIXIN_VAULT_KEYS."""
    from core import vault

    typer.echo(vault.new_key())


@vault_app.command("rotate")
def rotate_command() -> None:
    """Seal everything again with the newest key; safe while the house runs, and to be repeated."""
    from daixin import actions_payouts, console

    with console.opened() as parts:
        count = actions_payouts.rotate(parts.writer)
    typer.echo(f"{count} value(s) sealed with the newest key.")
