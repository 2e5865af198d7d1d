"""`daixin attribution …`: whose an order is and why, and what another policy would have said."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

attribution_app = typer.Typer(help="Whose orders are, and why.", no_args_is_help=True)
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]


def _print(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, default=str))


@attribution_app.command("show")
def show(
    number: Annotated[str, typer.Argument(help="The shop's number of the order.")],
    source: Annotated[str, typer.Option(help="The shop that counts these orders.")] = "manual",
    brand: BrandOption = None,
) -> None:
    """Every decision about an order: the policy, the touches it saw, the shares and the reason, as JSON."""
    from daixin import actions_attribution, console

    _print(console.do(lambda session: actions_attribution.show(session, brand, source, number)))


@attribution_app.command("whatif")
def whatif(
    campaign: Annotated[str, typer.Argument(help="The campaign's slug.")],
    model: Annotated[str | None, typer.Option(help="binding, first_touch or last_touch.")] = None,
    validity_days: Annotated[int | None, typer.Option(help="How long a touch is valid.")] = None,
    protect_days: Annotated[int | None, typer.Option(help="Of a binding: how long nobody can take over.")] = None,
    precedence: Annotated[str | None, typer.Option(help="code or link.")] = None,
    split: Annotated[str | None, typer.Option(help="single, linear, position, time_decay or shapley.")] = None,
    half_life_days: Annotated[int | None, typer.Option(help="Of time_decay and shapley.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Orders to look at, the last told first.")] = 100_000,
    brand: BrandOption = None,
) -> None:
    """Decide a campaign's orders again under another policy; one JSON object for each advocate, then the sums.

    Reads only: the books stay as they are.
    """
    from daixin import actions_attribution, console

    said = {
        "model": model,
        "validity_days": validity_days,
        "protect_days": protect_days,
        "precedence": precedence,
        "split": split,
        "half_life_days": half_life_days,
    }
    with console.opened() as parts:
        rows = parts.reader.run_sync(lambda session: actions_attribution.whatif(session, brand, campaign, said, limit))
    for row in rows:
        _print(row)
