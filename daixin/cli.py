"""The command line: `daixin …`.

Each command imports what it needs when it is called: the whole house takes seconds to import, and `--help`, or one
word said in a script, need not wait for the web server, the demo or the doctor.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from daixin import cli_forecast, cli_orders
from daixin.cli_announce import announce_app
from daixin.cli_attributes import attributes
from daixin.cli_attribution import attribution_app
from daixin.cli_contests import contest_app
from daixin.cli_draws import draw_app
from daixin.cli_items import catalogue_app, item_app, shipment_app, voucher_app
from daixin.cli_keys import key_app
from daixin.cli_ledger import ledger_app
from daixin.cli_outreach import outreach_app
from daixin.cli_payouts import payout_app, vault_app
from daixin.cli_review import review_app
from daixin.cli_staff import audit_app, staff_app
from daixin.cli_statement import statement_app
from daixin.cli_trials import trial_app
from daixin.cli_users import user_app
from daixin.cli_webhooks import webhook_app
from daixin.demo import MEMBERS, SEED
from daixin.roles import ROLES, platforms_of

program = typer.Typer(
    name="daixin",
    help="Daixin 带新: a self-hosted community referral system.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
brand_app = typer.Typer(help="Brands and their keys.", no_args_is_help=True)
campaign_app = typer.Typer(help="Campaigns as files.", no_args_is_help=True)
community_app = typer.Typer(help="Groups of a brand.", no_args_is_help=True)
outbox_app = typer.Typer(help="Messages that could not be delivered.", no_args_is_help=True)
program.add_typer(brand_app, name="brand")
program.add_typer(campaign_app, name="campaign")
program.add_typer(community_app, name="community")
program.add_typer(key_app, name="key")
program.add_typer(ledger_app, name="ledger")
program.add_typer(item_app, name="item")
program.add_typer(catalogue_app, name="catalogue")
program.add_typer(voucher_app, name="voucher")
program.add_typer(shipment_app, name="shipment")
program.add_typer(draw_app, name="draw")
program.add_typer(contest_app, name="contest")
program.add_typer(announce_app, name="announce")
program.add_typer(attribution_app, name="attribution")
program.add_typer(outbox_app, name="outbox")
program.add_typer(outreach_app, name="outreach")
program.add_typer(review_app, name="review")
program.add_typer(staff_app, name="staff")
program.add_typer(audit_app, name="audit")
program.add_typer(statement_app, name="statement")
program.add_typer(trial_app, name="trial")
program.add_typer(user_app, name="user")
program.add_typer(payout_app, name="payout")
program.add_typer(webhook_app, name="webhook")
program.add_typer(vault_app, name="vault")
program.command("attributes")(attributes)
cli_forecast.mount(campaign_app)
cli_orders.mount(program)
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")]
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]


def app() -> None:
    """The entry of `daixin`: a refusal becomes one clear text and exit status 1, never a traceback."""
    try:
        program(prog_name="daixin")
    except Exception as error:
        from daixin.console import explain

        words = explain(error)
        if words is None:
            raise
        typer.echo(words, err=True)
        sys.exit(1)


def print_json(document: Any, *, indent: int | None = None) -> None:
    """The document on standard output, Chinese left readable."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=indent, default=str))


@program.command()
def migrate() -> None:
    """Bring the database to the present schema (safe to run twice, or from two places at once)."""
    from core import migrations
    from daixin.console import read_settings

    migrations.migrate(read_settings().sqlalchemy_url)
    typer.echo(f"The database is at {migrations.head()}.")


@program.command()
def serve(
    only: Annotated[str, typer.Option(help="Roles of this process, by commas: " + ", ".join(ROLES))] = "",
) -> None:
    """Run the web, the bots that are set up, and the worker, until stopped."""
    roles = [role.strip() for role in only.split(",") if role.strip()] or list(ROLES)
    unknown = sorted(set(roles) - set(ROLES))
    if unknown:
        raise typer.BadParameter(f"There is no role {', '.join(unknown)}; choose from {', '.join(ROLES)}.")
    import uvloop

    from core import migrations
    from daixin import bootstrap, console
    from daixin import serve as server

    settings = console.read_settings(console.INFO)
    migrations.migrate(settings.sqlalchemy_url)
    uvloop.run(server.serve(bootstrap.build(settings, platforms_of(roles)), roles))


@program.command()
def demo(
    prepare: Annotated[Path | None, typer.Option(help="Only make the data in this folder, then exit.")] = None,
    members: Annotated[int, typer.Option(min=10, help="How many members the history has, about.")] = MEMBERS,
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.")] = SEED,
    folder: Annotated[Path, typer.Option("--dir", help="Where the demo keeps its data.")] = Path("data/demo"),
) -> None:
    """A believable brand in the browser: be Alice, Bob and the admin side by side."""
    from daixin.console import read_settings
    from daixin.demo import stage

    settings = read_settings()
    where = prepare or folder
    recipe = stage.Recipe(members, seed)
    if stage.prepared(where) is None or (prepare and stage.prepared(where) != recipe):
        typer.echo("Making some months of history, a few seconds …", err=True)
        made = stage.prepare(where, settings, recipe)
        typer.echo(f"Made {made.members} members over {made.days} days in {where}.")
    if prepare is None:
        stage.run(where, settings, lambda url: typer.echo(f"The stage is at {url}  (Ctrl+C ends it)"))


@program.command()
def doctor(json_: JsonFlag = False) -> None:
    """Check configuration, database and the bots' rights in each group, and say what to do."""
    import asyncio

    from daixin import console
    from daixin.doctor import examine

    findings = asyncio.run(examine(console.read_settings(console.ERRORS)))
    if json_:
        print_json([{"ok": one.ok, "what": one.what, "todo": one.todo} for one in findings])
    else:
        for one in findings:
            mark = typer.style("ok ", fg="green") if one.ok else typer.style("fix", fg="red")
            typer.echo(f"{mark}  {one.what}" + ("" if one.ok else f"\n     → {one.todo}"))
    raise typer.Exit(0 if all(one.ok for one in findings) else 1)


@program.command()
def health() -> None:
    """Ask the running server how it is; exit status 0 if it is well."""
    from daixin.console import ask_health, read_settings

    status, text = ask_health(read_settings())
    typer.echo(text)
    raise typer.Exit(0 if status == 200 else 1)


@program.command()
def say(
    text: Annotated[str, typer.Argument(help="What the person writes; `>ACTION` presses a button of that action.")],
    as_: Annotated[str, typer.Option("--as", help="Who speaks.")],
    community: Annotated[str | None, typer.Option(help="A web chat group to speak in.")] = None,
    locale: Annotated[str, typer.Option(help="The person's language: en or zh_Hans.")] = "en",
    json_: JsonFlag = False,
) -> None:
    """One turn of a conversation through the web chat adapter, printed."""
    import asyncio

    from daixin.console import read_settings, up_to_date
    from daixin.talk import talk

    replies = asyncio.run(talk(up_to_date(read_settings()), as_, text, community, locale))
    if json_:
        print_json(replies)
    else:
        typer.echo("\n\n".join(reply["shown"] for reply in replies))


@program.command("leaderboard")
def leaderboard_command(
    campaign: str,
    brand: BrandOption = None,
    limit: Annotated[int, typer.Option(min=1, help="How many places.")] = 10,
    json_: JsonFlag = False,
) -> None:
    """The top of a campaign's board."""
    from daixin import actions, console

    rows = console.do(lambda session: actions.places(session, brand, campaign, limit))
    if json_:
        print_json(rows)
    else:
        for row in rows:
            typer.echo(f"{row['rank']:>4}  {row['score']:>6}  {row['name']}")


@brand_app.command("create")
def brand_create(
    name: str, slug: Annotated[str | None, typer.Option(help="Its short name in commands.")] = None
) -> None:
    """Make a brand; prints its id and, this once, an API key."""
    from daixin import actions, console

    made = console.do(lambda session: actions.create_brand(session, name, slug))
    print_json(made)
    typer.echo(f"Let its owner sign in on the web: daixin user invite --brand {made['slug']}", err=True)


@community_app.command("connect")
def community_connect(
    platform: str,
    group: str,
    title: str,
    brand: BrandOption = None,
    invite_url: Annotated[str | None, typer.Option(help="The group's open invite, for the landing page.")] = None,
) -> None:
    """Connect a platform's group to a brand."""
    from daixin import actions, console

    print_json(
        console.do(lambda session: actions.connect_community(session, brand, platform, group, title, invite_url))
    )


@community_app.command("admin")
def community_admin(
    community: Annotated[str, typer.Argument(help="The group, as telegram:-1001234567890.")],
    member: Annotated[str, typer.Argument(help="An account of the person, as telegram:12345.")],
    brand: BrandOption = None,
) -> None:
    """Name the member who gets the admin's share of campaigns that give one."""
    from daixin import actions, console

    print_json(console.do(lambda session: actions.name_admin(session, brand, community, member)))


@campaign_app.command("apply")
def campaign_apply(file: Path, brand: BrandOption = None) -> None:
    """Make a campaign what the file says; the same file again changes nothing."""
    from daixin import actions, console

    text = actions.read_text(file)
    picture = actions.picture_beside(file, text)
    print_json(console.do(lambda session: actions.apply_text(session, brand, text, picture)))


@campaign_app.command("picture")
def campaign_picture(slug: str, file: Path, brand: BrandOption = None) -> None:
    """Write the picture of a campaign's cards into a file, to be applied elsewhere beside the campaign's own."""
    from daixin import actions, console

    file.write_bytes(console.do(lambda session: actions.picture_of_campaign(session, brand, slug)))


@campaign_app.command("list")
def campaign_list(brand: BrandOption = None, json_: JsonFlag = False) -> None:
    """The brand's campaigns."""
    from daixin import actions, console

    rows = console.do(lambda session: actions.list_campaigns(session, brand))
    if json_:
        print_json(rows)
    else:
        for row in rows:
            title = row["title"].get("en") or next(iter(row["title"].values()), "")
            typer.echo(f"{row['slug']:<24} {row['state']:<10} v{row['version']}  {title}")


@campaign_app.command("show")
def campaign_show(slug: str, brand: BrandOption = None) -> None:
    """A campaign as JSON."""
    from daixin import actions, console

    print_json(console.do(lambda session: actions.show_campaign(session, brand, slug)), indent=1)


def _move(slug: str, brand: str | None, what: str) -> None:
    from daixin import actions, console

    print_json(console.do(lambda session: actions.move_campaign(session, brand, slug, what)))


@campaign_app.command("pause")
def campaign_pause(slug: str, brand: BrandOption = None) -> None:
    """Stop counting newcomers for now."""
    _move(slug, brand, "pause")


@campaign_app.command("resume")
def campaign_resume(slug: str, brand: BrandOption = None) -> None:
    """Go on after a pause."""
    _move(slug, brand, "resume")


@campaign_app.command("end")
def campaign_end(slug: str, brand: BrandOption = None) -> None:
    """End it now; friends on the way no longer count."""
    _move(slug, brand, "end")


@campaign_app.command("settle")
def campaign_settle(slug: str, brand: BrandOption = None) -> None:
    """Return what an ended campaign has not spent to the brand; prints how much, by asset in minor units."""
    from daixin import actions_ledger, console

    print_json(console.do(lambda session: actions_ledger.settle(session, brand, slug)))


@outbox_app.command("dead")
def outbox_dead() -> None:
    """Messages that were given up, newest first, one JSON object a line."""
    from daixin import actions, console

    for row in console.do(actions.dead_letters):
        print_json(row)


@outbox_app.command("requeue")
def outbox_requeue() -> None:
    """Try all given-up messages again."""
    from core import outbox
    from daixin.console import do

    typer.echo(f"{do(outbox.requeue)} messages queued again.")
