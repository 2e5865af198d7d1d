"""What every command needs: the settings, a database that is up to date, one clear line for whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import UUID

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlmodel import Session

from core import i18n, log, migrations
from core.db import is_sqlite, make_engine
from core.errors import BadInput, DaixinError, NotFound, Unavailable
from core.settings import Settings
from daixin import bootstrap
from daixin.bootstrap import Parts
from daixin.environment import read_environment
from referral import brands
from referral.members import Member, find_identity
from rewards.campaign_files import explain as explain_file
from rewards.items.voucher_files import explain as explain_vouchers
from rewards.payouts.manual import problem_words
from rewards.plan_check import explain_finding

T = TypeVar("T")
WARNINGS, INFO, ERRORS = 30, 20, 40
LOCALE = "en"
"""The language operators are answered in, as in logs."""
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # what an operator may have set; nothing is bound here


def read_settings(level: int = WARNINGS) -> Settings:
    """The operator's settings, with logs on standard error from `level` on. Raises `BadInput`."""
    settings = read_environment(Settings)
    if "public_url" not in settings.model_fields_set:
        host = "127.0.0.1" if settings.web_host in EVERYWHERE else settings.web_host
        settings.public_url = f"http://{host}:{settings.web_port}"
    log.configure(json=settings.log_json, level=level)
    return settings


def ask_health(settings: Settings) -> tuple[int, str]:
    """Status and JSON of the running server's `/healthz`. Raises `Unavailable("no_answer")`."""
    host = "127.0.0.1" if settings.web_host in EVERYWHERE else settings.web_host
    try:
        with urlopen(f"http://{host}:{settings.web_port}/healthz", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as answer:
        return answer.code, answer.read().decode()
    except OSError as error:
        said = str(getattr(error, "reason", error))
        raise Unavailable("no_answer", host=host, port=settings.web_port, said=said) from None


def up_to_date(settings: Settings) -> Settings:
    """The settings, once it is sure that their database has the present schema. Raises `Unavailable`."""
    if is_sqlite(settings.database_url) and not Path(bootstrap.make_path(settings.database_url)).exists():
        raise Unavailable("not_migrated")
    engine = make_engine(settings.sqlalchemy_url, writer=False)
    try:
        if migrations.revision_of(engine) != migrations.head():
            raise Unavailable("not_migrated")
    finally:
        engine.dispose()
    return settings


@contextmanager
def opened() -> Iterator[Parts]:
    """The house of the settings, open for one command."""
    parts = bootstrap.build(up_to_date(read_settings()))
    try:
        yield parts
    finally:
        parts.close()


def do(unit: Callable[[Session], T]) -> T:
    """One unit of work in the house of the settings."""
    with opened() as parts:
        return parts.writer.run_sync(unit)


def brand_named(session: Session, slug: str | None) -> brands.Brand:
    """The brand of this slug, or the only one there is. Raises `BadInput("brand_needed")`, `NotFound`."""
    if slug is not None:
        return brands.find_brand(session, slug)
    only = brands.only_brand(session)
    if only is None:
        raise BadInput("brand_needed")
    return only


def member_named(session: Session, brand_id: UUID, named: str) -> UUID:
    """The brand's member with this id or `platform:account`. Raises `NotFound("member")`."""
    platform, mark, account = named.partition(":")
    if mark:
        identity = find_identity(session, brand_id, platform, account)
        if identity is not None:
            return identity.member_id
        raise NotFound("member")
    try:
        member = session.get(Member, (brand_id, UUID(named)))
    except ValueError:
        member = None
    if member is None:
        raise NotFound("member")
    return member.id


def explain(error: Exception) -> str | None:
    """The error as one clear text for the operator; None for one nobody thought of, which deserves its traceback."""
    match error:
        case DaixinError(code="campaign_file", params={"problems": list(problems)}):
            told = "".join(f"\n  {explain_file(problem, LOCALE)}" for problem in problems)
            return i18n.text(LOCALE, "error.campaign_file", problems=told)
        case DaixinError(code="plan_refused", params={"findings": list(findings)}):
            told = "".join(f"\n  {explain_finding(finding, LOCALE)}" for finding in findings)
            return i18n.text(LOCALE, "error.plan_refused", findings=told)
        case DaixinError(code="result_file", params={"problems": list(problems)}):
            return i18n.text(LOCALE, "error.result_file", problems=problem_words(LOCALE, problems))
        case DaixinError(code="voucher_file", params={"problems": list(problems)}):
            return i18n.text(LOCALE, "error.voucher_file", problems=explain_vouchers(problems, LOCALE))
        case DaixinError():
            known = f"error.{error.code}" in i18n.catalogue(LOCALE)
            return i18n.text(LOCALE, f"error.{error.code}", **error.params) if known else str(error)
        case SQLAlchemyError():
            said = str(error.orig if isinstance(error, DBAPIError) else error).strip().partition("\n")[0]
            return i18n.text(LOCALE, "error.database", said=log.scrub(said))
        case OSError():
            return i18n.text(LOCALE, "error.file", path=error.filename or "", said=error.strerror or str(error))
    return None
