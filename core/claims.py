"""Work that must happen once whatever number of processes have an alarm clock for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select
from sqlmodel import Field, Session, col

from core.db import Row, UtcDateTime, insert_new, table

KEPT = timedelta(days=2)


class JobClaim(Row, table=True):
    """A job's run that some process took. `due` is a multiple of the job's interval."""

    __tablename__ = "job_claim"

    job: str = Field(primary_key=True)
    due: datetime = Field(primary_key=True, sa_type=UtcDateTime)


def claim(session: Session, job: str, every: timedelta) -> bool:
    """Whether this process is the first to take the job's present interval, by the database's own clock."""
    now = database_now(session)
    due = datetime.fromtimestamp(now.timestamp() // every.total_seconds() * every.total_seconds(), UTC)
    taken = insert_new(
        session, table(JobClaim), [{"job": job, "due": due}], ["job", "due"], returning=table(JobClaim).c.job
    )
    session.execute(delete(JobClaim).where(col(JobClaim.job) == job, col(JobClaim.due) < due - KEPT))
    return bool(taken)


def database_now(session: Session) -> datetime:
    """The database's clock, which all processes share. For SQLite that is this machine's."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    now: datetime = session.execute(select(func.now())).scalar_one()
    return now.astimezone(UTC)
