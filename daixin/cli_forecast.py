"""`daixin campaign cost` and `daixin campaign simulate`: what a campaign file would cost, before it is launched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

FileArgument = Annotated[Path, typer.Argument(help="A campaign file, applied or not.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document instead of words; minor units.")]
LocaleOption = Annotated[str, typer.Option(help="en or zh_Hans.")]


def mount(campaign_app: typer.Typer) -> None:
    """Add the two commands to `daixin campaign`."""
    campaign_app.command("cost")(cost)
    campaign_app.command("simulate")(simulate)


def cost(
    file: FileArgument,
    brand: Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")] = None,
    advocates: Annotated[int | None, typer.Option(min=1, help="How many advocates there can be at most.")] = None,
    largest_order: Annotated[int | None, typer.Option(min=1, help="The largest order's net, in minor units.")] = None,
    past: Annotated[bool, typer.Option(help="Also look at the brand's past campaigns in the database.")] = True,
    locale: LocaleOption = "en",
    json_: JsonFlag = False,
) -> None:
    """What the file's plan can cost at most, and would have cost on the brand's past campaigns."""
    from daixin import actions, console, forecast_words
    from rewards import forecast
    from rewards.campaign_format import read_campaign
    from rewards.cost_bound import cost_bound

    found = read_campaign(actions.read_text(file))
    frame = forecast.frame_of(found)
    bound = cost_bound(found.plan, frame, advocates=advocates, largest_order=largest_order)
    expected = None
    if past:
        expected = console.do(
            lambda session: forecast.expected_cost(session, console.brand_named(session, brand).id, found.plan, frame)
        )
    if json_:
        document = {"bound": forecast_words.bound_json(bound)}
        typer.echo(json.dumps(document | ({"past": forecast_words.past_json(expected)} if expected else {})))
        return
    for line in forecast_words.bound_words(bound, locale):
        typer.echo(line)
    for line in forecast_words.past_words(expected, frame.days, locale) if expected else ():
        typer.echo(line)


def simulate(
    file: FileArgument,
    friends: Annotated[int, typer.Option(min=1, max=10_000, help="How many friends one advocate brings.")] = 10,
    order: Annotated[int | None, typer.Option(min=0, help="What each friend buys: net, in minor units.")] = None,
    orders: Annotated[int, typer.Option(min=1, max=100, help="How often each friend buys that.")] = 1,
    per_day: Annotated[int, typer.Option(min=1, help="How many friends come on one day.")] = 1,
    locale: LocaleOption = "en",
    json_: JsonFlag = False,
) -> None:
    """What each further friend of one advocate brings by the file's plan, with its tiers, caps and budget."""
    from daixin import actions, forecast_words
    from rewards import forecast
    from rewards.campaign_format import read_campaign

    found = read_campaign(actions.read_text(file))
    bought = forecast.Orders(order, orders) if order is not None else None
    steps = forecast.simulate(found.plan, forecast.frame_of(found), friends, orders=bought, per_day=per_day)
    if json_:
        typer.echo(json.dumps(forecast_words.steps_json(found.plan, steps)))
        return
    for line in forecast_words.steps_words(found.plan, steps, locale):
        typer.echo(line)
