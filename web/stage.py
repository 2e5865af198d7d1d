"""The demo's stage: Alice, Bob and the admin side by side, the live board, and a clock one can push on."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.errors import BadInput, NotAllowed
from web.pages import Pages
from web.parts import Stage
from web.visitors import locale_of

LONGEST_STEP = 400
"""Days the clock moves in one step at most; it never goes back."""


class StagePages:
    """`/` and what its buttons ask for."""

    def __init__(self, stage: Stage, pages: Pages) -> None:
        self._stage = stage
        self._pages = pages

    async def show(self, request: Request) -> Response:
        people = [{"name": name, "role": role} for name, role in self._stage.people]
        names = {role: name for name, role in reversed(self._stage.people)}
        return self._pages.show(
            request,
            "stage.html",
            locale_of(request),
            people=people,
            has_dashboard=self._stage.admin is not None,
            advocate=names.get("advocate", people[0]["name"]),
            friend=names.get("friend", people[-1]["name"]),
        )

    async def advance(self, request: Request) -> Response:
        """`{"days": N}`: let N days pass, with everything that is due in them."""
        days = (await _posted(request)).get("days")
        if type(days) is not int or not 1 <= days <= LONGEST_STEP:
            raise BadInput("stage_days", limit=LONGEST_STEP)
        await self._stage.advance(days)
        return JSONResponse({"now": self._stage.now().isoformat()})

    async def invite(self, request: Request) -> Response:
        """`{"name": NAME}`: the code of somebody on the stage and the link that holds it."""
        name = (await _posted(request)).get("name")
        if name not in {person for person, _ in self._stage.people}:
            raise BadInput("stage_person")
        code = await self._stage.invite(str(name))
        return JSONResponse({"code": code, "path": f"/r/{code}"})


async def _posted(request: Request) -> dict[str, Any]:
    """A JSON object posted by our own page: another site's cannot set this type without being asked about first."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise NotAllowed("wrong_origin")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise BadInput("not_json")
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise BadInput("not_json") from error
    if not isinstance(body, dict):
        raise BadInput("not_json")
    return body
