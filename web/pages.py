"""Pages as HTML: templates in the visitor's language, with everything escaped and nothing loaded from elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from core import i18n
from referral.brands import Brand
from referral.campaigns import CodeOwner
from referral.cards import SIZE as CARD_SIZE
from web.visitors import locale_of

STATIC = Path(__file__).parent / "static"
TAGS = {"zh_Hans": "zh-Hans", "en": "en"}
"""Our locales as HTML names them."""
Render = Callable[..., HTMLResponse]


@cache
def _environment() -> Environment:
    """One for all pages of a process: a template is compiled when it is first shown, and never again."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class Pages:
    """Renders templates. `staged`: this is the demo, where a page may be shown in a frame for one of its people."""

    def __init__(self, public_url: str, *, staged: bool) -> None:
        self.public_url = public_url.rstrip("/")
        self.staged = staged
        self._version = _version()
        self._templates = _environment()

    def show(self, request: Request, template: str, locale: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """A whole page. Templates speak through `t(key, …)` and link to themselves in the other language."""
        html = self._templates.get_template(template).render(
            t=partial(i18n.text, locale),
            locale=locale,
            tag=TAGS[locale],
            version=self._version,
            public_url=self.public_url,
            other=self._other_language(request, locale),
            staged=self.staged,
            **context,
        )
        headers = {"Content-Language": TAGS[locale], "Cache-Control": "no-store", "Vary": "Accept-Language"}
        return HTMLResponse(html, status, headers)

    def preview(self, request: Request, owner: CodeOwner, brand: Brand) -> HTMLResponse:
        """The few words a chat platform shows under a link: product and the friend's benefit, nothing of rewards.

        A person who was taken for a program goes on from here with one touch.
        """
        locale = locale_of(request, brand.locale)
        card = self.card_words(owner, brand, locale)
        return self.show(request, "preview.html", locale, card=card, code=owner.code)

    def card_words(self, owner: CodeOwner, brand: Brand, locale: str) -> dict[str, Any]:
        """What OpenGraph tags say of a link."""
        return {
            "brand": brand.name,
            "title": i18n.pick(owner.campaign.title, locale),
            "benefit": i18n.pick(owner.campaign.benefit, locale),
            "url": f"{self.public_url}/r/{owner.code}",
            "image": f"{self.public_url}/c/{owner.code}.jpg?lang={locale}",
            "width": CARD_SIZE[0],
            "height": CARD_SIZE[1],
        }

    def role(self, request: Request) -> str:
        """`&as=NAME` where the stage plays somebody, else nothing."""
        name = request.query_params.get("as") if self.staged else None
        return f"&as={quote(name[:64], safe='')}" if name else ""

    def _other_language(self, request: Request, locale: str) -> str:
        other = "en" if locale == "zh_Hans" else "zh_Hans"
        query = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
        return _form_page(request) + "?" + urlencode([*query, ("lang", other)])


def _form_page(request: Request) -> str:
    """The path of the page that a form was sent from, since its answer's own cannot be opened by a link; "" for a page
    that can."""
    if request.method in ("GET", "HEAD"):
        return ""
    path = urlsplit(request.headers.get("referer", "")[:2000]).path
    return path if path.startswith("/") and not path.startswith("//") else ""


def _version() -> str:
    """Changes whenever a static file does, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
