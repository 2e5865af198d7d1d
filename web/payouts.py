"""Payouts on the web: `POST /hooks/<provider>`, where providers bring their news, and the page on which a member
confirms a transfer in WeChat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlmodel import Session, col
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import Unavailable
from core.money import Money
from core.reader import Reader
from core.settings import Settings
from core.writer import Writer
from rewards.payouts.notices import Notice, NoticeRefused, Notifies, Taken, take_in
from rewards.payouts.payouts import Payout
from web.pages import Pages
from web.visitors import agent_of, locale_of, told_by

log = structlog.get_logger()

STATUS: dict[Taken, int] = {"taken": 200, "repeated": 200, "differs": 409}


@runtime_checkable
class Hands(Protocol):
    """WeChat Pay, as far as its page needs it."""

    name: str

    def handed(self, detail: Mapping[str, Any]) -> dict[str, str] | None:
        """What WeChat's own sheet wants to know of a transfer that waits for confirmation."""


def routes(settings: Settings, writer: Writer, reader: Reader, providers: Iterable[object]) -> list[Route]:
    """What these providers need on the web."""
    found = list(providers)
    hooks = [
        Route(f"/hooks/{one.name}", _Hook(writer, one).hear, methods=["POST"])
        for one in found
        if isinstance(one, Notifies)
    ]
    return [*hooks, *(_confirmation(settings, reader, one) for one in found if isinstance(one, Hands))]


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


def _confirmation(settings: Settings, reader: Reader, provider: Hands) -> Route:
    """`/pay/wechat/{reference}`: who has the link sees the amount; only the payee's own WeChat can confirm it."""
    pages = Pages(settings.public_url, staged=False)

    async def show(request: Request) -> Response:
        reference = request.path_params["reference"]
        payout = await reader.run(lambda session: _payout(session, provider.name, reference))
        if payout is None:
            raise HTTPException(404)
        locale, handed = locale_of(request), provider.handed(payout.detail)
        state = {"completed": "done", "failed": "over"}.get(payout.state, "waiting" if handed else "early")
        return pages.show(
            request,
            "confirm.html",
            locale,
            state=state,
            handed=handed,
            in_wechat=agent_of(told_by(request.scope)).wechat,
            amount=Money(payout.amount, payout.asset).format(locale),
            address=f"{pages.public_url}/pay/wechat/{reference}",
        )

    return Route("/pay/wechat/{reference}", show)


def _payout(session: Session, provider: str, reference: str) -> Payout | None:
    try:
        number = UUID(hex=reference)
    except ValueError:
        return None
    found = select(Payout).where(col(Payout.id) == number, col(Payout.provider) == provider)
    return session.scalars(found).one_or_none()
