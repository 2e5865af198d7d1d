"""What went wrong, told so that it can be read: problem+json (RFC 9457) to programs, a page to people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import i18n
from core.errors import DaixinError
from web.pages import TAGS, Pages
from web.visitors import locale_of

PROGRAM_PATHS = ("/api/", "/hooks/", "/stage/", "/healthz", "/livez", "/metrics")
BRAND_PATHS = ("/b/", "/account", "/sign-", "/door/")
"""Pages of those who run a brand; the others are for their members and friends."""
_KNOWN = (400, 401, 403, 404, 405, 409, 410, 413, 422, 429, 500, 503)
CODE_ERRORS = ("code", "code_mistyped", "code_unreadable")
Handler = Callable[[Request, Exception], Awaitable[Response]]


def handlers(pages: Pages) -> dict[int | type[Exception], Handler]:
    """One answer for every way to fail."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, DaixinError)
        return refusal(pages, request, error)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        response = answer(pages, request, error.status_code, None, {})
        response.headers.update(error.headers or {})
        return response

    async def broken(request: Request, error: Exception) -> Response:
        return answer(pages, request, 500, None, {})

    return {DaixinError: refused, HTTPException: http, Exception: broken}


def refusal(pages: Pages, request: Request, error: DaixinError) -> Response:
    """The answer to a rule's no. A link with a misspelt code is a page that does not exist."""
    status = 404 if error.code in CODE_ERRORS and not for_program(request) else error.status
    return answer(pages, request, status, error.code, error.params)


def for_program(request: Request) -> bool:
    """Whether the answer is read by a program: a path of ours for programs, or JSON wanted and HTML not."""
    accept = request.headers.get("accept", "")
    return request.url.path.startswith(PROGRAM_PATHS) or ("json" in accept and "text/html" not in accept)


def answer(pages: Pages, request: Request, status: int, code: str | None, params: dict[str, Any]) -> Response:
    """`code` is a `DaixinError`'s; without one the status alone speaks."""
    locale = locale_of(request)
    if for_program(request):
        return told(problem(locale, status, code, params), locale)
    locale = getattr(request.state, "locale", locale)
    title, detail = _words(locale, status, code, params)
    if code is None and f"web.error.{status}.person" in i18n.catalogue(locale):
        detail = i18n.text(locale, f"web.error.{status}.person")
    runs_a_brand = request.url.path.startswith(BRAND_PATHS)
    return pages.show(
        request,
        "error.html",
        locale,
        status=status,
        title=title,
        detail=detail,
        # Nobody comes to the pages of those who run a brand with an invite code that may be mistyped.
        ask_code=status in (404, 410) and not runs_a_brand,
        home=getattr(request.state, "home", "/account") if runs_a_brand else None,
    )


def problem(locale: str, status: int, code: str | None, params: dict[str, Any]) -> dict[str, Any]:
    """What went wrong, as RFC 9457 has it."""
    title, detail = _words(locale, status, code, params)
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return body | ({"code": code} if code else {})


def told(body: dict[str, Any], locale: str) -> JSONResponse:
    """A problem as a response."""
    headers = {"Content-Language": TAGS[locale], "Cache-Control": "no-store"}
    return JSONResponse(body, body["status"], headers, "application/problem+json")


def _words(locale: str, status: int, code: str | None, params: dict[str, Any]) -> tuple[str, str]:
    """Title and detail."""
    family = status if status in _KNOWN else (500 if status >= 500 else 400)
    title, detail = i18n.text(locale, f"web.error.{family}"), i18n.text(locale, f"web.error.{family}.help")
    if code in CODE_ERRORS:
        title, detail = i18n.text(locale, "web.error.code"), i18n.text(locale, "web.error.code.help")
    elif code is not None and f"error.{code}" in i18n.catalogue(locale):
        detail = i18n.text(locale, f"error.{code}", **params)
    return title, detail
