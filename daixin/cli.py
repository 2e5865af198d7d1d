"""The command line: `daixin …`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from sqlmodel import Session

from core import i18n, log, migrations, outbox
from core.errors import DaixinError
from core.settings import Settings
from daixin import bootstrap, serve
from daixin.bootstrap import Parts
from daixin.demo import stage
from daixin.doctor import examine
from daixin.talk import talk
from referral import brands, campaigns, leaderboard
from referral.members import Member
from rewards.campaign_files import apply_campaign, read_campaign
from rewards.verify import verify

T = TypeVar("T")
app = typer.Typer(name="daixin", help="Daixin 带新: a self-hosted community referral system.", no_args_is_help=True)
brand_app = typer.Typer(help="Brands and their keys.", no_args_is_help=True)
campaign_app = typer.Typer(help="Campaigns as files.", no_args_is_help=True)
community_app = typer.Typer(help="Groups of a brand.", no_args_is_help=True)
ledger_app = typer.Typer(help="The books.", no_args_is_help=True)
outbox_app = typer.Typer(help="Messages that could not be delivered.", no_args_is_help=True)
for name, sub in (
    ("brand", brand_app),
    ("campaign", campaign_app),
    ("community", community_app),
    ("ledger", ledger_app),
    ("outbox", outbox_app),
):
    app.add_typer(sub, name=name)
out = Console(soft_wrap=True)
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document instead of words.")]
BrandOption = Annotated[str | None, typer.Option("--brand", help="The brand's slug, where there are several.")]


@contextmanager
def explained() -> Iterator[None]:
    """A refusal becomes one clear line and exit status 1, never a traceback."""
    try:
        yield
    except DaixinError as error:
        words = i18n.text("en", f"error.{error.code}", **_params(error))
        typer.echo(f"{words if not words.startswith('error.') else error}", err=True)
        raise typer.Exit(1) from error


def _params(error: DaixinError) -> dict[str, Any]:
    problems = error.params.get("problems")
    if error.code == "campaign_file" and isinstance(problems, list):
        from rewards.campaign_files import explain

        return {"problems": "\n" + "\n".join("  " + explain(problem, "en") for problem in problems)}
    return dict(error.params)


def migrated() -> Settings:
    """The settings, once it is sure that their database is up to date."""
    settings = Settings()
    log.configure(json=settings.log_json, level=30)
    if migrations_missing(settings):
        typer.echo("The database is not up to date: run `daixin migrate` first.", err=True)
        raise typer.Exit(1)
    return settings


@contextmanager
def house() -> Iterator[Parts]:
    """The database of the settings, open for one command."""
    settings = migrated()
    with explained():
        parts = bootstrap.build(settings)
        try:
            yield parts
        finally:
            parts.close()


def migrations_missing(settings: Settings) -> bool:
    """Whether the database lacks a migration this program needs."""
    from core.db import make_engine

    engine = make_engine(settings.sqlalchemy_url, writer=False)
    try:
        return migrations.revision_of(engine) != migrations.head()
    except Exception:
        return True
    finally:
        engine.dispose()


def _do(unit: Callable[[Session], T]) -> T:
    with house() as parts:
        return parts.writer.run_sync(unit)


def _brand(session: Session, slug: str | None) -> brands.Brand:
    if slug is not None:
        return brands.find_brand(session, slug)
    only = brands.only_brand(session)
    if only is None:
        typer.echo("Name the brand with --brand SLUG (there is none, or several).", err=True)
        raise typer.Exit(2)
    return only


@app.command()
def migrate() -> None:
    """Bring the database to the present schema (safe to run twice, or from two places at once)."""
    settings = Settings()
    log.configure(json=settings.log_json)
    migrations.migrate(settings.sqlalchemy_url)
    typer.echo(f"The database is at {migrations.head()}.")


@app.command("serve")
def serve_command(
    only: Annotated[str, typer.Option(help="Roles of this process, by commas: " + ", ".join(serve.ROLES))] = "",
) -> None:
    """Run the web, the bots that are set up, and the worker, until stopped."""
    roles = [role.strip() for role in only.split(",") if role.strip()] or list(serve.ROLES)
    unknown = sorted(set(roles) - set(serve.ROLES))
    if unknown:
        typer.echo(f"There is no role {', '.join(unknown)}; choose from {', '.join(serve.ROLES)}.", err=True)
        raise typer.Exit(2)
    settings = Settings()
    log.configure(json=settings.log_json)
    with explained():
        migrations.migrate(settings.sqlalchemy_url)
        parts = bootstrap.build(settings, serve.platforms_of(roles))
        asyncio.run(serve.serve(parts, roles))


@app.command()
def demo(
    prepare: Annotated[Path | None, typer.Option(help="Only make the data in this folder, then exit.")] = None,
    members: Annotated[int, typer.Option(min=10, help="How many members the history has.")] = stage.MEMBERS,
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.")] = stage.SEED,
    folder: Annotated[Path, typer.Option("--dir", help="Where the demo keeps its data.")] = Path("data/demo"),
) -> None:
    """A believable brand in the browser: be Alice, Bob and the admin side by side."""
    settings = Settings()
    log.configure(json=settings.log_json, level=30 if prepare is None else 20)
    with explained():
        where = prepare or folder
        made = stage.prepare(where, settings, members, seed)
        if made is not None:
            typer.echo(f"Made {made.members} members over {made.days} days in {where}.")
        if prepare is None:
            typer.echo(f"The stage is at http://{settings.web_host}:{settings.web_port}/  (Ctrl+C ends it)")
            stage.run(where, settings)


@app.command()
def doctor(json_: JsonFlag = False) -> None:
    """Check configuration, database and the bots' rights in each group, and say what to do."""
    settings = Settings()
    log.configure(json=settings.log_json, level=40)
    findings = asyncio.run(examine(settings))
    if json_:
        typer.echo(json.dumps([finding.__dict__ for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            out.print(f"{'[green]ok  [/]' if finding.ok else '[red]fix [/]'} {finding.what}", highlight=False)
            if not finding.ok:
                out.print(f"     → {finding.todo}", highlight=False, markup=False)
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)


@app.command()
def health() -> None:
    """Ask the running server how it is; exit status 0 if it is well."""
    import httpx

    settings = Settings()
    try:
        answer = httpx.get(f"http://{settings.web_host}:{settings.web_port}/healthz", timeout=5)
    except httpx.HTTPError as error:
        typer.echo(f"No answer: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(answer.text)
    raise typer.Exit(0 if answer.status_code == 200 else 1)


@app.command()
def say(
    text: Annotated[str, typer.Argument(help="What the person writes.")],
    as_: Annotated[str, typer.Option("--as", help="Who speaks.")],
    community: Annotated[str | None, typer.Option(help="A web chat group to speak in.")] = None,
    locale: Annotated[str, typer.Option(help="The person's language.")] = "en",
    json_: JsonFlag = False,
) -> None:
    """One turn of a conversation through the web chat adapter, printed."""
    settings = migrated()
    with explained():
        replies = asyncio.run(talk(settings, as_, text, community, locale))
    typer.echo(json.dumps(replies, ensure_ascii=False) if json_ else "\n\n".join(reply["shown"] for reply in replies))


@app.command("leaderboard")
def leaderboard_command(campaign: str, brand: BrandOption = None, limit: int = 10, json_: JsonFlag = False) -> None:
    """The top of a campaign's board."""

    def read(session: Session) -> list[dict[str, Any]]:
        owner = _brand(session, brand)
        found = campaigns.find_campaign(session, owner.id, campaign)
        rows = []
        for place in leaderboard.top(session, owner.id, found.id, limit):
            member = session.get(Member, (owner.id, place.member_id))
            rows.append({"rank": place.rank, "name": member.name if member else "", "score": place.score})
        return rows

    rows = _do(read)
    if json_:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        for row in rows:
            typer.echo(f"{row['rank']:>4}  {row['score']:>6}  {row['name']}")


@brand_app.command("create")
def brand_create(name: str, slug: Annotated[str | None, typer.Option()] = None) -> None:
    """Make a brand; prints its id and, this once, an API key."""

    def unit(session: Session) -> dict[str, str]:
        made = brands.create_brand(session, name, slug=slug)
        return {
            "id": str(made.id),
            "slug": made.slug,
            "name": made.name,
            "api_key": brands.create_api_key(session, made.id),
        }

    typer.echo(json.dumps(_do(unit), ensure_ascii=False))


@community_app.command("connect")
def community_connect(
    platform: str,
    group: str,
    title: str,
    brand: BrandOption = None,
    invite_url: Annotated[str | None, typer.Option(help="The group's open invite, for the landing page.")] = None,
) -> None:
    """Connect a platform's group to a brand."""

    def unit(session: Session) -> dict[str, str]:
        made = brands.connect(session, _brand(session, brand).id, platform, group, title, invite_url)
        return {"id": str(made.id), "platform": platform, "group": group}

    typer.echo(json.dumps(_do(unit)))


@campaign_app.command("apply")
def campaign_apply(file: Path, brand: BrandOption = None) -> None:
    """Make a campaign what the file says; the same file again changes nothing."""

    def unit(session: Session) -> dict[str, Any]:
        applied = apply_campaign(session, _brand(session, brand), read_campaign(file.read_text(encoding="utf-8-sig")))
        return {
            "slug": applied.campaign.slug,
            "id": str(applied.campaign.id),
            "version": applied.campaign.version,
            "state": applied.campaign.state,
            "changed": applied.changed,
            "findings": [finding.code for finding in applied.findings],
        }

    if not file.is_file():
        typer.echo(f"There is no file {file}.", err=True)
        raise typer.Exit(2)
    typer.echo(json.dumps(_do(unit), ensure_ascii=False))


@campaign_app.command("list")
def campaign_list(brand: BrandOption = None, json_: JsonFlag = False) -> None:
    """The brand's campaigns."""
    rows = _do(lambda session: [_shown(c) for c in campaigns.campaigns_of(session, _brand(session, brand).id)])
    if json_:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        for row in rows:
            typer.echo(f"{row['slug']:<24} {row['state']:<10} v{row['version']}  {row['title']['en']}")


@campaign_app.command("show")
def campaign_show(slug: str, brand: BrandOption = None) -> None:
    """A campaign as JSON."""
    found = _do(lambda session: _shown(campaigns.find_campaign(session, _brand(session, brand).id, slug)))
    typer.echo(json.dumps(found, ensure_ascii=False, indent=1))


def _shown(campaign: campaigns.Campaign) -> dict[str, Any]:
    document: dict[str, Any] = campaign.model_dump(mode="json")
    return document


def _move(slug: str, brand: str | None, what: str) -> None:
    def unit(session: Session) -> dict[str, Any]:
        found = campaigns.find_campaign(session, _brand(session, brand).id, slug)
        campaigns.move(session, found, what)
        return {"slug": found.slug, "state": found.state}

    typer.echo(json.dumps(_do(unit)))


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


@ledger_app.command("verify")
def ledger_verify(json_: JsonFlag = False) -> None:
    """Prove the books; prints every offending row and exits 1 if there is one."""
    with house() as parts:
        problems = parts.reader.run_sync(verify)
    if json_:
        rows = [{"kind": p.kind, "table": p.table, "id": p.row_id, "detail": p.detail} for p in problems]
        typer.echo(json.dumps(rows, ensure_ascii=False, default=str))
    else:
        for problem in problems:
            typer.echo(f"{problem.kind}: {problem.table} {problem.row_id}: {problem.detail}", err=True)
        typer.echo("The books are in order." if not problems else f"{len(problems)} problems.")
    raise typer.Exit(1 if problems else 0)


@outbox_app.command("dead")
def outbox_dead() -> None:
    """Messages that were given up, newest first, one JSON object a line."""
    rows = _do(lambda session: [r.model_dump(mode="json") for r in outbox.dead_letters(session)])
    for row in rows:
        typer.echo(json.dumps(row, ensure_ascii=False))


@outbox_app.command("requeue")
def outbox_requeue() -> None:
    """Try all given-up messages again."""
    typer.echo(f"{_do(outbox.requeue)} messages queued again.")


def main() -> None:
    """The entry of `python -m daixin`."""
    app(prog_name="daixin", args=sys.argv[1:])
