"""What every way in has in common: forms of people who are not signed in, and what happens once they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from core import i18n
from core.errors import DaixinError, NotAllowed
from referral import audit
from referral.users import roles
from referral.users.accounts import actor_of, user_of
from web.auth.devices import device_of
from web.auth.door import Doorkeeper, Signed
from web.auth.throttle import Throttle
from web.dashboard.desk import Desk

T = TypeVar("T")
LONGEST = 1000
"""Characters that are read of any field."""
WRONG = {
    "brand_name": "brand",
    "timezone_unknown": "timezone",
    "user_name": "name",
    "user_email": "email",
    "user_email_taken": "email",
    "password_short": "password",
    "password_long": "password",
    "password_easy": "password",
    "password_wrong": "current",
    "sign_in_wrong": "password",
}
"""Which field of a form a refusal is about: the page comes back with the cursor there."""
HASHING = 2
"""Passwords that are looked at at one time: each takes memory and a processor on purpose."""


@dataclass(slots=True)
class Entry:
    """Given to every module of this folder."""

    desk: Desk
    door: Doorkeeper
    throttle: Throttle = field(default_factory=Throttle)
    _hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HASHING))

    @property
    def open(self) -> bool:
        """Whether anybody may start a brand here."""
        return self.door.parts.settings.open_to_brands

    async def hash(self, work: Callable[..., T], *given: Any) -> T:
        """Something slow with a password, beside the event loop."""
        async with self._hashing:
            return await asyncio.to_thread(partial(work, *given))

    async def show(
        self,
        request: Request,
        template: str,
        *,
        signed: Signed | None = None,
        problem: DaixinError | HTTPException | str | None = None,
        status: int = 200,
        **context: Any,
    ) -> Response:
        """A page of ours; `problem` is said on top of its form, and its status is the error's. Of `HTTPException`s it
        takes the throttle's."""
        locale, wrong = await self.door.locale(request, signed), ""
        headers = {}
        if isinstance(problem, HTTPException):
            if problem.status_code != 429:
                raise problem
            status, headers = 429, dict(problem.headers or {})
            problem = i18n.text(locale, "web.error.429.person")
        if isinstance(problem, DaixinError):
            status = problem.status if status == 200 else status
            wrong = WRONG.get(problem.code, "")
            problem = i18n.text(locale, f"error.{problem.code}", **problem.params)
        context["wrong"] = context.get("wrong") or wrong
        response = self.desk.pages.show(
            request, f"auth/{template}", locale, status=status, problem=problem, signed=signed, **context
        )
        response.headers.update(headers)
        return response

    def let_in(self, session: Session, user_id: UUID, request: Request, how: str) -> tuple[str, str]:
        """Sign somebody in, in a unit of work: the cookie's token, and where they are at home. Raises `NotAllowed`."""
        user = user_of(session, user_id)
        if user.disabled_at is not None:
            raise NotAllowed("user_disabled")
        token = self.door.open_session(session, user_id, request, how)
        seats = roles.seats_of(session, user_id, self.door.operators)
        for seat in seats:
            audit.record(
                session,
                seat.brand.id,
                actor_of(user_id),
                "user.sign_in",
                str(user_id),
                how=how,
                device=device_of(request),
            )
        return token, f"/b/{seats[0].brand.slug}/" if seats else "/account"


async def read_form(request: Request) -> dict[str, str]:
    """The text fields of a form, each cut at `LONGEST`."""
    return {name: value[:LONGEST] for name, value in (await request.form()).items() if isinstance(value, str)}
