"""What goes wrong is told: pages to people, problem+json to programs, and nothing too large is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import Conflict, Unavailable
from tests.web.site import open_site
from web.guard import MAX_BODY


async def size(request: Request) -> Response:
    return JSONResponse(len(await request.body()))


async def taken(request: Request) -> Response:
    raise Conflict("brand_exists", slug="wild")


async def full(request: Request) -> Response:
    raise Unavailable("storage_full")


async def broken(request: Request) -> Response:
    raise RuntimeError("the password is hunter2")


ROUTES: list[BaseRoute] = [
    Route("/api/size", size, methods=["POST"]),
    Route("/api/taken", taken),
    Route("/page/full", full),
    Route("/page/broken", broken),
]


async def test_a_program_gets_problem_json(tmp_path: Path) -> None:
    async with open_site(tmp_path, routes=ROUTES) as site:
        answer = await site.click("/api/taken")
        assert answer.status_code == 409
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == 409
        assert problem["code"] == "brand_exists"
        assert problem["type"] == "about:blank"
        missing = await site.click("/api/none")
        assert (missing.status_code, missing.json()["status"]) == (404, 404)
        wants_json = await site.click("/nowhere", accept="application/json")
        assert wants_json.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("lang", "title"), [("en", "There is nothing here"), ("zh-CN", "这里什么也没有")])
async def test_a_person_gets_a_page_in_their_language(tmp_path: Path, lang: str, title: str) -> None:
    async with open_site(tmp_path) as site:
        page = await site.click("/nowhere?x=<b>", accept_language=lang)
        assert page.status_code == 404
        assert f"<h1>{title}</h1>" in page.text
        assert "x=<b>" not in page.text
        assert "content-security-policy" in page.headers


async def test_our_own_trouble_is_admitted_without_details(tmp_path: Path) -> None:
    async with open_site(tmp_path, routes=ROUTES) as site:
        page = await site.click("/page/broken")
        assert page.status_code == 500
        assert "Something broke on our side" in page.text
        assert "hunter2" not in page.text
        assert (await site.click("/page/full")).status_code == 503


async def test_a_wrong_method_says_which_are_right(tmp_path: Path) -> None:
    async with open_site(tmp_path, routes=ROUTES) as site:
        answer = await site.click("/api/size")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "POST"


async def test_a_body_may_be_a_megabyte_and_not_a_byte_more(tmp_path: Path) -> None:
    async with open_site(tmp_path, routes=ROUTES) as site:
        exact = await site.client.post("/api/size", content=b"x" * MAX_BODY)
        assert (exact.status_code, exact.json()) == (200, MAX_BODY)
        over = await site.client.post("/api/size", content=b"x" * (MAX_BODY + 1))
        assert (over.status_code, over.json()["status"]) == (413, 413)
        assert over.headers["content-type"] == "application/problem+json"

        async def unannounced(left: int):  # type: ignore[no-untyped-def]  # httpx2 wants any async iterable
            while left > 0:
                yield b"x" * min(left, 65536)
                left -= 65536

        exact = await site.client.post("/api/size", content=unannounced(MAX_BODY))
        assert (exact.status_code, exact.json()) == (200, MAX_BODY)
        over = await site.client.post("/api/size", content=unannounced(MAX_BODY + 1))
        assert over.status_code == 413


async def test_the_first_page_names_the_product(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        page = await site.click("/")
        assert page.status_code == 200
        assert 'href="/chat?lang=en"' in page.text
        assert "iframe" not in page.text
