"""The pages and requests under `/chat`."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bots.command import Menu
from bots.message import PICTURE_BYTES, Joined, Left, Reachable
from bots.webchat.conversation import Conversation
from bots.webchat.decode import Refused, decode, decode_picture
from bots.webchat.encode import encode_menu
from bots.webchat.pace import Pace
from bots.webchat.settings import WebChatSettings
from bots.webchat.visitor import COOKIE, Visitor, identify, private, renamed, room, set_cookie
from bots.webchat.words import LANGS, WORDS, pick_lang

logger = logging.getLogger(__name__)
_PAGE = Path(__file__).parent / "page"
_STATIC = _PAGE / "static"
_VERSION = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(_STATIC.iterdir()))).hexdigest()[:10]
_CODE = re.compile(r"[\w-]{1,64}")
_IMAGES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})

Handler = Callable[[Request], Awaitable[Response]]


def routes(talk: Conversation, menu: Menu) -> list[BaseRoute]:
    incoming = Pace(talk.settings.messages_per_minute, talk.now)
    arrivals = Pace(talk.settings.arrivals_per_minute, talk.now)
    templates = Environment(loader=FileSystemLoader(_PAGE), autoescape=True)
    return [
        Route("/chat", guarded(partial(show_page, talk, menu, arrivals, templates))),
        Route("/chat/messages", guarded(partial(post_message, talk, incoming)), methods=["POST"]),
        Route("/chat/pictures", guarded(partial(post_picture, talk, incoming)), methods=["POST"]),
        Route("/chat/name", guarded(partial(post_name, talk, incoming)), methods=["POST"]),
        Route("/chat/reachable", guarded(partial(post_reachable, talk, incoming)), methods=["POST"]),
        Route("/chat/groups/{group}/{move:str}", guarded(partial(post_move, talk, incoming)), methods=["POST"]),
        Route("/chat/events", guarded(partial(stream_events, talk))),
        Route("/chat/images/{name}", guarded(partial(show_image, talk))),
        Route("/chat/widget.js", show_widget),
        Mount("/chat/static", StaticFiles(directory=_STATIC)),
    ]


def guarded(handler: Handler) -> Handler:
    """Whatever goes wrong becomes problem+json (RFC 9457) in the visitor's language, never a bare 500."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except Refused as refused:
            return problem(_lang(request), refused)
        except Exception:
            logger.exception("webchat request failed")
            return problem(_lang(request), Refused("failed", 500))

    return answer


def problem(lang: str, refused: Refused) -> Response:
    words = WORDS[lang]
    body = {
        "type": "about:blank",
        "title": words["problem_title"],
        "status": refused.status,
        "detail": words[refused.code].format(**refused.params),
        "code": refused.code,
    }
    headers = {"Content-Language": LANGS[lang], "Cache-Control": "no-store"}
    if "seconds" in refused.params:
        headers["Retry-After"] = str(refused.params["seconds"])
    return JSONResponse(body, refused.status, headers, "application/problem+json")


async def show_page(
    talk: Conversation, menu: Menu, arrivals: Pace, templates: Environment, request: Request
) -> Response:
    lang = _lang(request)
    visitor = _identify(talk.settings, request, welcome=True)
    if visitor is None:
        raise Refused("unknown_visitor", 401)
    if visitor.fresh:
        _slow_down(arrivals, request.client.host if request.client else "")
    config = await _page_config(talk, menu, visitor, request)
    html = templates.get_template("page.html").render(
        lang=LANGS[lang], words=WORDS[lang], title=talk.settings.title, version=_VERSION, config=json.dumps(config)
    )
    response = HTMLResponse(html, headers=_page_headers(talk.settings))
    if not visitor.staged:
        response.headers["Set-Cookie"] = set_cookie(talk.settings, visitor.person)
    return response


async def post_message(talk: Conversation, pace: Pace, request: Request) -> Response:
    visitor, body = await _posted(talk, pace, request)
    form = talk.form(visitor, body.get("form"))
    incoming = decode(body, visitor.person, visitor.place, max_text=talk.settings.max_text, form=form)
    message = body.get("message")
    key = body.get("key")
    await talk.hear(incoming, message=message if isinstance(message, str) else None, key=key)
    return JSONResponse({"ok": True})


async def post_picture(talk: Conversation, pace: Pace, request: Request) -> Response:
    """A picture as it is, under its own media type (which no form of another site can post)."""
    visitor = _poster(talk, pace, request)
    if talk.uploading >= talk.settings.uploads:
        raise Refused("slow_down", 429, seconds=5)
    talk.uploading += 1
    try:
        data = await _body(request, PICTURE_BYTES, Refused("picture_large", 413, megabytes=PICTURE_BYTES // 1024**2))
        media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        key = request.query_params.get("key")
        await talk.hear(decode_picture(data, media_type, key, visitor.person, visitor.place), key=key)
    finally:
        talk.uploading -= 1
    return JSONResponse({"ok": True})


async def post_name(talk: Conversation, pace: Pace, request: Request) -> Response:
    visitor, body = await _posted(talk, pace, request)
    visitor = renamed(visitor, body.get("name"), talk.settings.max_name)
    response = JSONResponse({"name": visitor.person.name})
    if not visitor.staged:
        response.headers["Set-Cookie"] = set_cookie(talk.settings, visitor.person)
    return response


async def post_reachable(talk: Conversation, pace: Pace, request: Request) -> Response:
    """A visitor stops our messages or takes them again; what they ask for is still answered."""
    visitor, body = await _posted(talk, pace, request)
    reachable = body.get("reachable")
    if not isinstance(reachable, bool):
        raise Refused("malformed", 422)
    account = visitor.person.account
    await talk.set_silent(account, not reachable)
    await talk.hear(Reachable(visitor.person, private(account), reachable))
    return JSONResponse({"reachable": reachable})


async def post_move(talk: Conversation, pace: Pace, request: Request) -> Response:
    if not talk.settings.stage:
        raise Refused("stage_only", 403)
    visitor, body = await _posted(talk, pace, request)
    group = request.path_params["group"]
    place = room(group)
    if visitor.place != place or request.path_params["move"] not in ("join", "leave"):
        raise Refused("not_found", 404)
    if request.path_params["move"] == "leave":
        await talk.move(Left(visitor.person, place, talk.now()))
        return JSONResponse({"member": False})
    invite = body.get("invite")
    invite = invite if isinstance(invite, str) and _CODE.fullmatch(invite) else None
    certainty = "invite" if invite else "unknown"
    await talk.move(Joined(visitor.person, place, talk.now(), invite=invite, certainty=certainty))
    return JSONResponse({"member": True})


async def stream_events(talk: Conversation, request: Request) -> Response:
    visitor = _known(talk.settings, request)
    if talk.closed.is_set():
        raise Refused("not_ready", 503)
    if talk.streams[visitor.person.account] >= talk.settings.streams:
        raise Refused("slow_down", 429, seconds=5)
    if request.method == "HEAD":
        return Response()
    after = request.headers.get("last-event-id") or request.query_params.get("after", "")
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(talk.events(visitor, after), media_type="text/event-stream", headers=headers)


async def show_image(talk: Conversation, request: Request) -> Response:
    """A picture; its address is the secret (128 bits), told only to those who may see the message."""
    picture = talk.pictures.get(request.path_params["name"])
    if picture is None:
        raise Refused("not_found", 404)
    data, media_type = picture
    headers = {"Cache-Control": "private, max-age=86400, immutable", "X-Content-Type-Options": "nosniff"}
    if media_type not in _IMAGES:
        headers["Content-Disposition"] = "attachment"
    return Response(data, media_type=media_type, headers=headers)


async def show_widget(request: Request) -> Response:
    headers = {"Cache-Control": "public, max-age=3600", "Cross-Origin-Resource-Policy": "cross-origin"}
    return FileResponse(_STATIC / "widget.js", media_type="text/javascript", headers=headers)


async def _posted(talk: Conversation, pace: Pace, request: Request) -> tuple[Visitor, dict[str, Any]]:
    """Who posts and what: from our own page, as JSON, not too much and not too often."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise Refused("not_json", 415)
    visitor = _poster(talk, pace, request)
    raw = await _body(request, talk.settings.body_bytes, Refused("too_large", 413))
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused("malformed", 400) from error
    if not isinstance(body, dict):
        raise Refused("malformed", 422)
    return visitor, body


def _poster(talk: Conversation, pace: Pace, request: Request) -> Visitor:
    """Who posts, from our own page and not too often."""
    if not _same_origin(talk.settings, request):
        raise Refused("wrong_origin", 403)
    visitor = _known(talk.settings, request)
    _slow_down(pace, visitor.person.account)
    return visitor


async def _body(request: Request, limit: int, too_much: Refused) -> bytes:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > limit:
            raise too_much
    return bytes(raw)


def _same_origin(settings: WebChatSettings, request: Request) -> bool:
    """Browsers name the origin of every POST; a program without one has no visitor's cookie to abuse."""
    origin = request.headers.get("origin")
    if origin is None:
        return True
    ours = urlsplit(settings.public_url)
    return urlsplit(origin).netloc == request.headers.get("host") or origin == f"{ours.scheme}://{ours.netloc}"


def _slow_down(pace: Pace, key: str) -> None:
    if wait := pace.take(key):
        raise Refused("slow_down", 429, seconds=math.ceil(wait))


def _lang(request: Request) -> str:
    return pick_lang(request.query_params.get("lang"), request.headers.get("accept-language", ""))


def _identify(settings: WebChatSettings, request: Request, *, welcome: bool = False) -> Visitor | None:
    query = dict(request.query_params)
    return identify(settings, request.cookies.get(COOKIE), query, _lang(request), welcome=welcome)


def _known(settings: WebChatSettings, request: Request) -> Visitor:
    visitor = _identify(settings, request)
    if visitor is None:
        raise Refused("unknown_visitor", 401)
    return visitor


async def _page_config(talk: Conversation, menu: Menu, visitor: Visitor, request: Request) -> dict[str, Any]:
    code = request.query_params.get("code", "")
    group = visitor.place.group
    return {
        "lang": visitor.lang,
        "words": WORDS[visitor.lang],
        "menu": encode_menu(menu, visitor.lang, admin=visitor.person.account in talk.settings.admins),
        "name": visitor.person.name,
        "maxText": talk.settings.max_text,
        "maxName": talk.settings.max_name,
        "maxPicture": PICTURE_BYTES,
        "code": code if _CODE.fullmatch(code) else "",
        "group": group,
        "staged": visitor.staged,
        "member": bool(group) and visitor.person.account in await talk.members(group or ""),
        "silent": await talk.is_silent(visitor.person.account),
    }


def _page_headers(settings: WebChatSettings) -> dict[str, str]:
    ancestors = " ".join(("'self'", *settings.allowed_origins))
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        f"form-action 'none'; base-uri 'none'; frame-ancestors {ancestors}"
    )
    return {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
