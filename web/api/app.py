"""`/api/v1` as an application of its own, with its OpenAPI document at `/api/v1/openapi.json`.

Annotations are evaluated here: FastAPI reads dependencies from them that are made as the application is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from core.errors import Conflict, DaixinError
from referral import leaderboard
from referral.campaigns import find_campaign
from referral.conversions import Order, RefundOrder, check_order, check_refund
from referral.members import Member
from web import errors
from web.api import shown
from web.api.answers import LONGEST_KEY, Answer, keep
from web.api.answers import given as given_before
from web.api.callers import Callers, allowed
from web.api.events import add_events
from web.api.schemas import (
    CampaignPage,
    ConversionIn,
    ConversionOut,
    ConversionPage,
    ConversionResults,
    ConversionsIn,
    LeaderboardOut,
    Problem,
    RefundIn,
    RefundOut,
    RefundPage,
    RefundResults,
    RefundsIn,
)
from web.api.straight import digest_of
from web.api.taking import Told, take_orders, take_refunds
from web.pages import Pages
from web.parts import WebParts
from web.visitors import locale_of

T = TypeVar("T", Order, RefundOrder)
G = TypeVar("G")
Documented = dict[int | str, dict[str, Any]]
PAGE, PAGE_MOST = 50, 500
WITHOUT_NUL = r"^[^\x00]*$"
"""Text that PostgreSQL can be asked about."""
PROBLEM = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_EXPLAINED = {
    400: "The request cannot be read",
    401: "No key, or none that opens",
    403: "The key may not do this",
    404: "There is no such thing for this brand",
    409: "It contradicts what was told before",
    413: "The body is too large",
    422: "The request does not fit the schema, or a rule says no",
    429: "Too many requests; `Retry-After` says how many seconds to wait",
    503: "Try again later; nothing was half-written",
}
_READS: Documented = {
    status: {"description": _EXPLAINED[status], **PROBLEM} for status in (400, 401, 403, 404, 422, 429, 503)
}
_AGAIN = {"description": "It had been told before; this is the first answer"}
_WRITES: Documented = {
    status: {"description": words, **PROBLEM} for status, words in _EXPLAINED.items() if status != 404
}

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=LONGEST_KEY,
        pattern=r"^[\x21-\x7e]+$",
        description="A repeat with the same key and body gets the first answer; another body under it is refused (409)",
    ),
]
Cursor = Annotated[str | None, Query(max_length=40, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=PAGE_MOST)]
Text = Annotated[str | None, Query(max_length=200, pattern=WITHOUT_NUL)]


def create_api(parts: WebParts, pages: Pages, callers: Callers) -> FastAPI:
    """The application, to be mounted at `/api/v1`."""
    app = FastAPI(
        title="Daixin",
        version="1",
        summary="Tell of orders and refunds, read what came of them.",
        description="Amounts are whole minor units of their currency. Errors are problem+json (RFC 9457), in the "
        "language of `Accept-Language` (zh, en); their `code` is the same in every language.",
        docs_url=None,
        redoc_url=None,
        exception_handlers=_handlers(pages),  # type: ignore[arg-type]  # typed for one exception each
        dependencies=[Depends(HTTPBearer(auto_error=False, description="A key of the brand: dx_…"))],
    )
    _add_posts(app, parts, pages, callers)
    _add_reads(app, parts, callers)
    add_events(app, parts, callers, _explained)
    _name_problem(app)
    return app


def _explained(*statuses: int) -> Documented:
    return {status: {"description": _EXPLAINED[status], **PROBLEM} for status in statuses}


def _add_posts(app: FastAPI, parts: WebParts, pages: Pages, callers: Callers) -> None:
    brand = Annotated[UUID, Depends(allowed(callers, "conversions:write"))]

    @app.post("/conversions", response_model=ConversionOut, status_code=201, responses={200: _AGAIN, **_WRITES})
    async def tell_order(
        request: Request, response: Response, given: ConversionIn, brand_id: brand, key: Key = None
    ) -> Response:
        """Tell of an order. Told again it is answered again (200); with other figures it is refused (409)."""
        told = await _told(request, given.order(brand_id), key, given.click_id)
        check_order(told.what)
        return _answered(await parts.writer.call(take_orders, told), response)

    @app.post("/refunds", response_model=RefundOut, status_code=201, responses={200: _AGAIN, **_WRITES})
    async def tell_refund(
        request: Request, response: Response, given: RefundIn, brand_id: brand, key: Key = None
    ) -> Response:
        """Tell of a refund, before or after its order."""
        told = await _told(request, given.refund(brand_id), key)
        check_refund(told.what)
        return _answered(await parts.writer.call(take_refunds, told), response)

    @app.post("/conversions/batch", response_model=ConversionResults, responses=_WRITES)
    async def tell_orders(
        request: Request, response: Response, given: ConversionsIn, brand_id: brand, key: Key = None
    ) -> Response:
        """Tell of up to a thousand orders; each is recorded or refused by itself, and told again is answered again."""

        def one(row: ConversionIn) -> Told[Order]:
            told = Told(row.order(brand_id), locale_of(request), click_id=row.click_id)
            check_order(told.what)
            return told

        async def results() -> list[dict[str, Any]]:
            answers = await _each(given.conversions, one, lambda told: parts.writer.call(take_orders, told))
            return [_result("conversion", pages, request, answer) for answer in answers]

        return _answered(await _all_once(parts, request, brand_id, key, results), response)

    @app.post("/refunds/batch", response_model=RefundResults, responses=_WRITES)
    async def tell_refunds(
        request: Request, response: Response, given: RefundsIn, brand_id: brand, key: Key = None
    ) -> Response:
        """Tell of up to a thousand refunds, as orders."""

        def one(row: RefundIn) -> Told[RefundOrder]:
            told = Told(row.refund(brand_id), locale_of(request))
            check_refund(told.what)
            return told

        async def results() -> list[dict[str, Any]]:
            answers = await _each(given.refunds, one, lambda told: parts.writer.call(take_refunds, told))
            return [_result("refund", pages, request, answer) for answer in answers]

        return _answered(await _all_once(parts, request, brand_id, key, results), response)


def _add_reads(app: FastAPI, parts: WebParts, callers: Callers) -> None:
    orders = Annotated[UUID, Depends(allowed(callers, "conversions:read"))]
    results = Annotated[UUID, Depends(allowed(callers, "results:read"))]

    @app.get("/conversions", response_model=ConversionPage, responses=_READS)
    async def list_orders(
        request: Request,
        brand_id: orders,
        cursor: Cursor = None,
        limit: Limit = PAGE,
        source: Text = None,
        external_id: Text = None,
        status: Text = None,
    ) -> dict[str, Any]:
        """The brand's orders, the first recorded first."""
        rows, following = await parts.reader.run(
            lambda session: shown.page_of_conversions(
                session, brand_id, cursor, limit, source=source, external_id=external_id, status=status
            )
        )
        return {"conversions": [shown.conversion(row, locale_of(request)) for row in rows], "next": following}

    @app.get("/refunds", response_model=RefundPage, responses=_READS)
    async def list_refunds(
        request: Request,
        brand_id: orders,
        cursor: Cursor = None,
        limit: Limit = PAGE,
        source: Text = None,
        external_id: Text = None,
        order_id: Text = None,
    ) -> dict[str, Any]:
        """The brand's refunds, the first recorded first."""
        rows, following = await parts.reader.run(
            lambda session: shown.page_of_refunds(
                session, brand_id, cursor, limit, source=source, external_id=external_id, order_id=order_id
            )
        )
        return {"refunds": [shown.refund(row, locale_of(request)) for row in rows], "next": following}

    @app.get("/campaigns", response_model=CampaignPage, responses=_READS)
    async def list_campaigns(brand_id: results, cursor: Cursor = None, limit: Limit = PAGE) -> dict[str, Any]:
        """The brand's campaigns, the first made first."""
        rows, following = await parts.reader.run(
            lambda session: shown.page_of_campaigns(session, brand_id, cursor, limit)
        )
        return {"campaigns": [row._asdict() for row in rows], "next": following}

    @app.get("/campaigns/{slug}/leaderboard", response_model=LeaderboardOut, responses=_READS)
    async def show_board(
        brand_id: results,
        slug: Annotated[str, Path(pattern=WITHOUT_NUL)],
        limit: Annotated[int, Query(ge=1, le=100)] = 10,
    ) -> dict[str, Any]:
        """Who brought most to a campaign."""
        return await parts.reader.run(lambda session: _board(session, brand_id, slug, limit))


def _board(session: Session, brand_id: UUID, slug: str, limit: int) -> dict[str, Any]:
    campaign = find_campaign(session, brand_id, slug)
    places = leaderboard.top(session, brand_id, campaign.id, limit)
    names = {place.member_id: session.get(Member, (brand_id, place.member_id)) for place in places}
    return {
        "campaign": campaign.slug,
        "places": [place._asdict() | {"name": getattr(names[place.member_id], "name", "")} for place in places],
    }


async def _all_once(
    parts: WebParts,
    request: Request,
    brand_id: UUID,
    key: str | None,
    do: Callable[[], Awaitable[list[dict[str, Any]]]],
) -> Answer:
    """The answer to many. Under a key it is kept once all of them are done: asked again before that, each is answered
    as one that had been told. Raises `Conflict("idempotency_key")`."""
    if key is None:
        return Answer(200, {"results": await do()})
    name, digest = (brand_id, key), digest_of(request, await request.body())
    before = (await parts.reader.run(lambda session: given_before(session, [name]))).get(name)
    if before is not None:
        if before[0] != digest:
            raise Conflict("idempotency_key", given=key[:60])
        return before[1]
    answer = Answer(200, {"results": await do()})
    await parts.writer.run(lambda session: keep(session, {name: (digest, answer)}))
    return answer


async def _told(request: Request, what: T, key: str | None, click_id: UUID | None = None) -> Told[T]:
    """What a request tells, with the digest that tells a repeat from another request under the same key."""
    digest = digest_of(request, await request.body()) if key else ""
    return Told(what, locale_of(request), key, digest, click_id)


def _answered(answer: Answer, response: Response) -> Response:
    """The answer to one, past the check of its own shape: it may be the one that was kept."""
    again = {"Idempotency-Replayed": "true"} if answer.repeated else {}
    return JSONResponse(answer.body, answer.status, {**response.headers, **again})


async def _each(
    given: Sequence[G], read: Callable[[G], Told[T]], take: Callable[[Told[T]], Awaitable[Answer]]
) -> list[Answer | DaixinError]:
    """Each by itself, all together: the writer commits them at once; one that is refused leaves the others alone."""
    asked: list[Told[T] | DaixinError] = []
    for row in given:
        try:
            asked.append(read(row))
        except DaixinError as error:
            asked.append(error)
    waiting = [take(told) for told in asked if isinstance(told, Told)]
    taken = iter(await asyncio.gather(*waiting, return_exceptions=True))
    answers: list[Answer | DaixinError] = []
    for told in asked:
        answer = next(taken) if isinstance(told, Told) else told
        if isinstance(answer, BaseException) and not isinstance(answer, DaixinError):
            raise answer
        answers.append(answer)
    return answers


def _result(what: str, pages: Pages, request: Request, answer: Answer | DaixinError) -> dict[str, Any]:
    if isinstance(answer, Answer):
        return {"status": answer.status, what: answer.body, "problem": None}
    problem = errors.problem(locale_of(request), answer.status, answer.code, answer.params)
    return {"status": answer.status, what: None, "problem": problem}


def _handlers(pages: Pages) -> dict[int | type[Exception], errors.Handler]:
    """The house's answers to errors, and one that names every field that does not fit."""

    async def unfit(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        locale = locale_of(request)
        body = errors.problem(locale, 422, "unfit", {})
        body["errors"] = [
            {"field": ".".join(str(part) for part in one["loc"]), "said": one["msg"]} for one in error.errors()[:50]
        ]
        return errors.told(body, locale)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        locale = locale_of(request)
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_methods(request))
        response = errors.told(errors.problem(locale, error.status_code, None, {}), locale)
        response.headers.update(headers)
        return response

    return {**errors.handlers(pages), HTTPException: http, RequestValidationError: unfit}


def _methods(request: Request) -> list[str]:
    """What the address answers to: the framework knows of one route's methods only."""
    routes = [one for one in request.app.routes if isinstance(one, Route)]
    found = {method for one in routes if one.matches(request.scope)[0] != Match.NONE for method in one.methods or ()}
    return sorted(found)


def _name_problem(app: FastAPI) -> None:
    """Put the shape of errors into the document, which no route returns by name."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        schemas = document["components"]["schemas"]
        schemas.setdefault("Problem", Problem.model_json_schema(ref_template="#/components/schemas/{model}"))
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # how FastAPI says to extend the document
