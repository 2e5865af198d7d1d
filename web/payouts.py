"""Where payout providers bring their news: `POST /hooks/<provider>`, believed only after its signature was checked."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import Unavailable
from core.writer import Writer
from rewards.payouts.notices import Notice, NoticeRefused, Notifies, Taken, take_in

log = structlog.get_logger()

STATUS: dict[Taken, int] = {"taken": 200, "repeated": 200, "differs": 409}


def routes(writer: Writer, providers: Sequence[Notifies]) -> list[Route]:
    """The addresses of these providers."""
    return [Route(hook(provider), _Hook(writer, provider).hear, methods=["POST"]) for provider in providers]


def hook(provider: Notifies) -> str:
    """The path a provider is told to call."""
    return f"/hooks/{provider.name}"


class _Hook:
    """One provider's notices. Every answer that is not 2xx has changed nothing."""

    def __init__(self, writer: Writer, provider: Notifies) -> None:
        self._writer = writer
        self._provider = provider

    async def hear(self, request: Request) -> Response:
        """Check, take in, answer: no call to anybody else on the way but for a certificate not seen yet."""
        body = await request.body()
        try:
            notice = await self._provider.read_notice(dict(request.headers), body)
            status = 200 if notice is None else await self._take_in(notice)
        except NoticeRefused as refused:
            log.warning("payout.notice_refused", provider=self._provider.name, reason=str(refused))
            status = refused.status
        except Unavailable:
            status = 503  # the provider brings it again
        except Exception as error:  # its words could quote the notice
            log.error("payout.notice_failed", provider=self._provider.name, error=type(error).__name__)
            status = 503
        return Response(self._provider.acknowledge(status), status, media_type="application/json")

    async def _take_in(self, notice: Notice) -> int:
        name = self._provider.name
        taken = await self._writer.run(lambda session: take_in(session, name, notice))
        log.info(
            "payout.notice", provider=name, reference=notice.reference[:64], state=notice.answer.state, taken=taken
        )
        return self._provider.not_ours if taken == "unknown" else STATUS[taken]
