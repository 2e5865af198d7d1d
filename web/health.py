"""How the installation is, for operators and their machines: `/livez`, `/healthz`, `/metrics`; nothing secret."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select, text
from sqlmodel import Session, col
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from core.log import scrub
from core.outbox import Outbox
from web.parts import WebParts

DATABASE_SECONDS = 3.0
"""A database that does not answer within this counts as gone."""
UNFIT = frozenset({"down", "failed"})


async def livez(request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})


class HealthPages:
    """`/healthz` and `/metrics` of one process."""

    def __init__(self, parts: WebParts, registry: CollectorRegistry, touched: Mapping[bool, int]) -> None:
        self._parts = parts
        self._registry = registry
        self._outbox: dict[str, int] = {}
        registry.register(_Figures(parts, self._outbox, touched))
        ProcessCollector(registry=registry)

    async def healthz(self, request: Request) -> Response:
        """200 if the database answers and everything this process runs is fit, else 503; each one's state."""
        roles = {
            name: {"state": status.get("state", ""), "detail": scrub(status.get("detail", ""))}
            for name, status in self._parts.health().items()
        }
        database = await self._database()
        fit = database["state"] == "ready" and not any(role["state"] in UNFIT for role in roles.values())
        body = {"status": "ok" if fit else "unfit", "database": database, "roles": roles}
        return JSONResponse(body, 200 if fit else 503, {"Cache-Control": "no-store"})

    async def metrics(self, request: Request) -> Response:
        """All figures in Prometheus' text format; those of the outbox are left out while the database is away."""
        try:
            found = await asyncio.wait_for(self._parts.reader.run(count_outbox), DATABASE_SECONDS)
        except Exception:
            found = {}
        self._outbox.clear()
        self._outbox.update(found)
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    async def _database(self) -> dict[str, str]:
        try:
            await asyncio.wait_for(self._parts.reader.run(_answers), DATABASE_SECONDS)
        except Exception as error:
            # The driver's own words may hold the address with its password; the kind of error is enough.
            return {"state": "down", "detail": type(error).__name__}
        return {"state": "ready", "detail": ""}


def _answers(session: Session) -> None:
    session.execute(text("SELECT 1"))


def count_outbox(session: Session) -> dict[str, int]:
    """How many messages wait and how many were given up."""
    rows = session.execute(
        select(col(Outbox.state), func.count())
        .where(col(Outbox.state).in_(("pending", "dead")))
        .group_by(col(Outbox.state))
    )
    return {"pending": 0, "dead": 0} | {row[0]: row[1] for row in rows}


class _Figures(Collector):
    """The writer's counts and the outbox, read when somebody looks."""

    def __init__(self, parts: WebParts, outbox: Mapping[str, int], touched: Mapping[bool, int]) -> None:
        self._parts = parts
        self._outbox = outbox
        self._touched = touched

    def collect(self) -> Iterable[Metric]:
        counts = self._parts.writer.counts
        yield CounterMetricFamily("daixin_writer_units", "Units of work run", value=counts.units)
        yield CounterMetricFamily("daixin_writer_commits", "Transactions committed", value=counts.commits)
        yield CounterMetricFamily("daixin_writer_failures", "Units of work rolled back", value=counts.failures)
        gauge = GaugeMetricFamily("daixin_outbox_messages", "Messages not delivered yet, by state", labels=["state"])
        for state, number in self._outbox.items():
            gauge.add_metric([state], number)
        yield gauge
        touches = CounterMetricFamily("daixin_touches", "Clicks kept, by people and by robots", labels=["robot"])
        for robot, number in sorted(self._touched.items()):
            touches.add_metric(["yes" if robot else "no"], number)
        yield touches
        up = GaugeMetricFamily("daixin_role_up", "Whether a part of this process is fit", labels=["role"])
        for name, status in self._parts.health().items():
            up.add_metric([name], 0 if status.get("state") in UNFIT else 1)
        yield up
