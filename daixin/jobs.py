"""What happens by the clock: every process may have the alarm clock, the work is done once (see `core.claims`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlmodel import Session

from core import claims, outbox
from core.errors import Unavailable
from core.writer import Writer
from daixin import picture_sweep
from referral import lifecycle, overdue, search, stays, touches
from referral.outreach import broadcasts, digest, nudges
from referral.webhooks import deliveries
from rewards import earnings, rewards, settlement, trials
from rewards.contests import finals, last_days
from rewards.insight import refresh
from rewards.items import badges, draws, redeem, shipments, vouchers
from rewards.proofs import blocks
from web.api import answers

log = structlog.get_logger()
ROUNDS = 10_000
"""Units of work one run of a job may take before it leaves the rest to the next run."""

Work = Callable[[Session], int | None]


def _none(work: Callable[[Session], None]) -> Work:
    return lambda session: work(session)


JOBS: dict[str, tuple[timedelta, Work]] = {
    "campaigns": (timedelta(seconds=10), lifecycle.follow_clock),
    "qualify": (timedelta(seconds=10), stays.qualify_due),
    "finals": (timedelta(seconds=10), finals.freeze_due),
    "release": (timedelta(seconds=10), rewards.release_due),
    "settle": (timedelta(seconds=10), settlement.settle_due),
    "seal": (timedelta(minutes=1), blocks.seal_due),
    "roots": (timedelta(hours=1), _none(blocks.publish_due)),
    "items": (timedelta(minutes=1), _none(redeem.deliver_waiting)),
    "pools": (timedelta(minutes=1), _none(vouchers.watch_pools)),
    "reminders": (timedelta(hours=1), _none(vouchers.remind)),
    "badges": (timedelta(minutes=1), badges.end_due),
    "parcels": (timedelta(hours=1), shipments.follow_clock),
    "draws": (timedelta(minutes=1), draws.close_due),
    "trials": (timedelta(minutes=1), trials.follow_clock),
    "trial draws": (timedelta(minutes=1), trials.draw_due),
    "broadcasts": (timedelta(seconds=10), broadcasts.plan_due),
    "broadcasts done": (timedelta(seconds=10), broadcasts.finish_due),
    "nudges": (timedelta(hours=1), nudges.nudge_due),
    "last days": (timedelta(minutes=30), last_days.tell_due),
    "digests": (timedelta(minutes=5), digest.digest_due),
    "search": (timedelta(minutes=1), search.fold_due),
    "search sweep": (timedelta(minutes=1), _none(search.sweep_due)),
    "earnings": (timedelta(minutes=1), earnings.follow_due),
    "expire": (timedelta(minutes=5), stays.expire),
    "cases": (timedelta(minutes=10), overdue.remind_due),
    "addresses": (timedelta(hours=1), _none(touches.forget_addresses)),
    "outbox": (timedelta(hours=1), _none(outbox.forget_delivered)),
    "pictures": (timedelta(hours=6), picture_sweep.forget_unused),
    "insight": (timedelta(seconds=20), refresh.count_due),
    "answers": (timedelta(hours=1), _none(answers.forget)),
    "webhooks": (timedelta(minutes=1), _none(deliveries.look_after)),
    "webhook events": (timedelta(hours=1), deliveries.forget),
}
"""Name → how often, and one unit of the work: how many rows it changed, or None when it is done in one go."""


async def run_job(writer: Writer, name: str) -> bool:
    """One run of a job; whether this process was the one to take it.

    A database that is away costs this run only: what was due is still due at the next.
    """
    every, work = JOBS[name]
    try:
        if not await writer.run(lambda session: claims.claim(session, name, every)):
            return False
        await _to_the_end(writer, work)
    except Unavailable as error:
        log.warning("job.put_off", job=name, error=error.code)
    return True


async def _to_the_end(writer: Writer, work: Work) -> None:
    for _ in range(ROUNDS):
        if not await writer.run(work):
            return


async def run_all(writer: Writer) -> None:
    """All work that is due now, without claims: after the demo's clock was moved."""
    for _, work in JOBS.values():
        await _to_the_end(writer, work)


def run_all_sync(writer: Writer) -> None:
    """`run_all` for history that is made without an event loop."""
    for _, work in JOBS.values():
        for _ in range(ROUNDS):
            if not writer.run_sync(work):
                break


def alarm_clock(writer: Writer) -> AsyncIOScheduler:
    """A scheduler, not yet started, that rings for every job."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    for name, (every, _) in JOBS.items():
        scheduler.add_job(
            run_job,
            "interval",
            seconds=every.total_seconds(),
            args=(writer, name),
            id=name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=60,
        )
    return scheduler
