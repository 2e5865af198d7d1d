"""`daixin webhook …`: where a brand's programs are told of events."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

webhook_app = typer.Typer(help="Where a brand's programs are told of events.", no_args_is_help=True)
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]
WebhookArgument = Annotated[str, typer.Argument(help="The webhook's id, as `daixin webhook list` shows it.")]


def _print(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, default=str))


@webhook_app.command("add")
def add_command(
    url: Annotated[str, typer.Argument(help="Where to send: https, on the open internet.")],
    event: Annotated[list[str] | None, typer.Option(help="What to send; several times. All, if none.")] = None,
    brand: BrandOption = None,
) -> None:
    """Send events there from now on; the secret they are signed with is printed this once."""
    from daixin import actions_webhooks, console

    checked = actions_webhooks.check(console.read_settings(), url)
    _print(console.do(lambda session: actions_webhooks.add(session, brand, checked, event or ())))


@webhook_app.command("list")
def list_command(brand: BrandOption = None) -> None:
    """The addresses, how they are, and what waits for them."""
    from daixin import actions_webhooks, console

    for row in console.do(lambda session: actions_webhooks.listed(session, brand)):
        _print(row)


@webhook_app.command("deliveries")
def deliveries_command(
    webhook: WebhookArgument,
    state: Annotated[str | None, typer.Option(help="Only waiting, delivered or failed ones.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    brand: BrandOption = None,
) -> None:
    """What became of the latest events, the newest first."""
    from daixin import actions_webhooks, console

    for row in console.do(lambda session: actions_webhooks.sent(session, brand, webhook, state, limit)):
        _print(row)


@webhook_app.command("test")
def try_command(webhook: WebhookArgument, brand: BrandOption = None) -> None:
    """Send one event made up for it, once."""
    from daixin import actions_webhooks, console

    console.do(lambda session: actions_webhooks.send_test(session, brand, webhook))


@webhook_app.command("replay")
def replay_command(
    webhook: WebhookArgument,
    after: Annotated[int, typer.Option(min=0, help="The number of an event; 0 for all that are kept.")],
    brand: BrandOption = None,
) -> None:
    """Send again what came after an event, up to 10,000 at once."""
    from daixin import actions_webhooks, console

    _print(console.do(lambda session: actions_webhooks.replay(session, brand, webhook, after)))


@webhook_app.command("rotate")
def rotate_command(webhook: WebhookArgument, brand: BrandOption = None) -> None:
    """Make a new secret, printed this once; for a day events are signed with the old one, too."""
    from daixin import actions_webhooks, console

    _print(console.do(lambda session: actions_webhooks.rotate(session, brand, webhook)))


@webhook_app.command("pause")
def pause_command(webhook: WebhookArgument, brand: BrandOption = None) -> None:
    """Send nothing for now; what happens meanwhile waits."""
    from daixin import actions_webhooks, console

    _print(console.do(lambda session: actions_webhooks.pause(session, brand, webhook)))


@webhook_app.command("resume")
def resume_command(webhook: WebhookArgument, brand: BrandOption = None) -> None:
    """Go on from where it stopped, also where it was given up."""
    from daixin import actions_webhooks, console

    _print(console.do(lambda session: actions_webhooks.resume(session, brand, webhook)))


@webhook_app.command("remove")
def remove_command(webhook: WebhookArgument, brand: BrandOption = None) -> None:
    """Send nothing there any more."""
    from daixin import actions_webhooks, console

    console.do(lambda session: actions_webhooks.remove(session, brand, webhook))
