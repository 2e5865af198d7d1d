"""One brand against another: every page and form there is, asked for with the other's names, by everybody.

The routes are taken from the application itself, so a new page is attacked from its first day; a new word in an
address makes `NAMED` speak up until it is said what it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import Route

from referral import staff
from referral.api_keys import create_api_key
from referral.staff import ROLES
from tests.web.brandsite import OTHER, Brandsite, Person, open_brand
from tests.web.otherworld import fill, names_of, picture_of
from web.dashboard import site as dashboard
from web.dashboard.desk import ANYONE, Desk
from web.pages import Pages

TEMPLATES = Path(__file__).resolve().parents[3] / "web/templates/dashboard"
NAMED = {
    "id": ("member", "conversion", "referral"),
    "campaign": ("campaign",),
    "slug": ("campaign", "trial"),
    "case": ("review_case",),
    "export": ("export",),
    "key": ("api_key",),
    "webhook": ("webhook_endpoint",),
    "delivery": ("webhook_delivery",),
    "payout": ("payout",),
    "number": ("payout_batch",),
    "transfer": ("transfer",),
    "community": ("community",),
    "application": ("trial_application", "picture"),
    "which": ("door_link",),
    "who": ("user_role", "member"),
    "source": ("shop",),
}
"""Which tables' rows a word in an address can name."""

RIGHT: list[dict[str, str]] = [
    {
        "what": what,
        "act": what,
        "hours": "24",
        "role": "reviewer",
        "after": "1",
        "verdict": "approve",
        "words": "Thank you.",
        "url": "https://1.1.1.1/hook",
        "hosts": "tea.example",
        "secret": "x" * 40,
        "orders": "checkout",
    }
    for what in ("pause", "approve", "again")
]
"""Fields that forms take as they are, so that nothing but the name in the address is wrong."""


class Attack:
    """The routes of the dashboard, and what the other brand's things are called."""

    def __init__(self, site: Brandsite, theirs: Person) -> None:
        self.site, self.theirs = site, theirs
        desk = Desk(site.parts, Pages("http://friends.example", staged=False), site.door)
        self.routes = [route for route in dashboard.routes(desk) if isinstance(route, Route)]
        left = site.house.do(lambda session: fill(session, site.theirs.brand_id))
        assert left == [], f"no row could be invented for {left}: say what its checks want in otherworld.KNOWN"
        self.names = site.house.ask(lambda session: names_of(session, site.theirs.brand_id))
        fields = {name for page in TEMPLATES.glob("*.html") for name in re.findall(r'name="(\w+)"', page.read_text())}
        self.fields = fields - {"csrf"} | {"cursor", "after", "before", "page", "campaign", "community", "member"}

    def values(self, word: str) -> list[str]:
        """What can stand for this word of an address."""
        assert word in NAMED, f"say in NAMED what {{{word}}} of an address names"
        found = [value for name in NAMED[word] for value in self.names[name]]
        return [f"{kind}-{value}" for value in found for kind in "um"] if word == "who" else found

    def paths(self, route: Route) -> Iterator[str]:
        """The route's addresses under our brand with everything the words can name of theirs."""
        words = re.findall(r"{(\w+)}", route.path.removeprefix("/b/{brand}"))
        for value in self.values(words[-1]) if words else [""]:
            filled = route.path.replace("{brand}", self.site.ours.slug)
            for word in words[:-1]:
                filled = filled.replace(f"{{{word}}}", self.values(word)[0])
            yield filled.replace(f"{{{words[-1]}}}", value) if words else filled

    def foreign(self, field: str) -> str:
        """What stands in this field of a form: a name of theirs, where it could be one."""
        table = next((name for word in (field, field.removesuffix("_id")) for name in NAMED.get(word, ())), "campaign")
        return self.names[table][-1]


async def get(person: Person, path: str, **query: str) -> tuple[int, str]:
    """Status and text; of a stream, which has no end, the status alone."""
    async with person.client.stream("GET", path, params=query or None) as response:
        if "event-stream" in response.headers.get("content-type", ""):
            return response.status_code, ""
        return response.status_code, (await response.aread()).decode(errors="replace")


async def post(person: Person, path: str, fields: dict[str, str]) -> tuple[int, str]:
    answer = await person.client.post(path, data={"csrf": person.csrf} | fields)
    return answer.status_code, answer.text


@pytest.mark.slow
async def test_nothing_of_another_brand_is_shown_or_changed(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        attack = Attack(site, await site.person("owner", site.theirs, f"Zoe {OTHER}"))
        mei = await site.person("owner")
        before = site.house.ask(lambda session: picture_of(session, site.theirs.brand_id))
        trouble: list[Any] = []
        asked, named_pages = 0, []
        for route in attack.routes:
            fields = {name: attack.foreign(name) for name in attack.fields}
            for path in attack.paths(route):
                named = "{" in route.path.removeprefix("/b/{brand}")
                if "GET" in (route.methods or ()):
                    status, text = await get(mei, path, **({} if named else fields))
                    if OTHER in text or status >= 500 or (named and status == 200):
                        trouble.append(("GET", path, status))
                    named_pages += [path] if named else []
                else:
                    for sent in (fields, *(RIGHT if named else ())):
                        status, text = await post(mei, path, sent)
                        if OTHER in text or status >= 500 or (named and sent is not fields and status != 404):
                            trouble.append(("POST", path, status, sent.get("what")))
                asked += 1
        assert trouble == []
        assert asked > 60
        after = site.house.ask(lambda session: picture_of(session, site.theirs.brand_id))
        assert {name for name in after if after[name] != before[name]} == set()
        # To themselves these are there, or the attack would prove nothing.
        at_home = [path.replace("/b/wild/", "/b/faraway/") for path in named_pages]
        assert sum([OTHER in (await get(attack.theirs, path))[1] for path in at_home]) >= 6


async def test_rights_hold_on_every_page(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        theirs = await site.person("owner", site.theirs, "Zoe")
        attack = Attack(site, theirs)
        people = {role: await site.person(role, name=role) for role in ROLES}
        none = await site.person(None, name="Nobody")
        visitor = Person(await site.visitor(), "wild", none.user_id, "")
        acts = {route.name for route in attack.routes}
        assert acts <= {ANYONE, *staff.ACTS}
        trouble: list[Any] = []
        for route in attack.routes:
            path = re.sub(r"{\w+}", "x", route.path.replace("{brand}", "wild"))
            get_it = "GET" in (route.methods or ())

            async def ask(person: Person, path: str = path, get_it: bool = get_it) -> int:
                return (await get(person, path))[0] if get_it else (await post(person, path, {}))[0]

            statuses: list[tuple[Any, int, int]] = [("theirs", await ask(theirs), 404), ("none", await ask(none), 404)]
            statuses.append(("visitor", 401 if await ask(visitor) in (303, 401) else 0, 401))
            for role, person in people.items():
                if route.name != ANYONE and not staff.may(role, route.name):
                    statuses.append((role, await ask(person), 403))
            if not get_it:
                unsigned = await people["owner"].client.post(path, data={"x": "y"})
                statuses.append(("no token", unsigned.status_code, 403))
            trouble += [(route.methods, path, who, got) for who, got, right in statuses if got != right]
        assert trouble == []


async def test_no_page_of_a_brand_stands_beside_the_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[FastAPI] = []

    class Kept(FastAPI):
        def __init__(self, **more: Any) -> None:
            super().__init__(**more)
            made.append(self)

    monkeypatch.setattr("web.app.FastAPI", Kept)
    async with open_brand(tmp_path) as site:
        desk = Desk(site.parts, Pages("http://friends.example", staged=False), site.door)
        attacked = {(one.path, one.name) for one in dashboard.routes(desk) if isinstance(one, Route)}
        served = [one for app in made for one in app.routes if isinstance(one, Route)]
        assert {(one.path, one.name) for one in served if one.path.startswith("/b/")} == attacked
        # Whoever only looks changes nothing, so each form is for an act.
        open_to_all = [one.path for one in served if one.name == ANYONE and "POST" in (one.methods or ())]
        assert open_to_all == []
        # A form that another site had the browser send is refused, before whoever is signed in is asked for.
        mei, trouble = await site.person("owner"), []
        for one in served:
            if "POST" not in (one.methods or ()) or one.path.startswith("/hooks/"):
                continue
            path = re.sub(r"{\w+}", "x", one.path.replace("{brand}", "wild"))
            headers = {"origin": "https://evil.example", "x-csrf-token": mei.csrf}
            answer = await mei.client.post(path, data={"csrf": mei.csrf}, headers=headers)
            trouble += [(path, answer.status_code)] if answer.status_code != 403 else []
        assert trouble == []


async def test_a_key_reads_and_writes_its_own_brand_alone(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        attack = Attack(site, await site.person("owner", site.theirs, "Zoe"))
        key = site.house.do(lambda session: create_api_key(session, site.ours.brand_id, "till"))
        before = site.house.ask(lambda session: picture_of(session, site.theirs.brand_id))
        client = await site.visitor()
        client.headers |= {"authorization": f"Bearer {key}", "accept": "application/json"}
        document = (await client.get("/api/v1/openapi.json")).json()
        theirs = site.theirs
        trouble: list[Any] = []
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if method == "get":
                    names = [one["name"] for one in operation.get("parameters", ())]
                    for value in {theirs.campaign, *theirs.ids.values(), f"{theirs.slug}-1001"}:
                        filled = re.sub(r"{\w+}", value, path)
                        asked = {name: value for name in names if name not in ("limit", "slug")}
                        answer = await client.get(f"/api/v1{filled}", params=asked)
                        plain = await client.get(f"/api/v1{filled}")
                        if OTHER in answer.text + plain.text or 500 in (answer.status_code, plain.status_code):
                            trouble.append((path, value))
        assert trouble == []
        assert (await client.get("/api/v1/conversions")).json()["conversions"]
        order: dict[str, Any] = {
            "source": "till",
            "currency": "CNY",
            "gross": 100,
            "ordered_at": "2026-11-01T00:00:00Z",
        }
        buyers: list[dict[str, Any]] = [
            {"member_id": str(theirs.people["Bob"])},
            {"code": theirs.code},
            {"account": {"platform": "telegram", "account": f"bob-{theirs.slug}"}},
            {"click_id": attack.names["touch"][0]},
            {"referral_id": theirs.ids["referral:Bob"]},
        ]
        for number, buyer in enumerate(buyers):
            told = await client.post("/api/v1/conversions", json=order | {"external_id": f"x{number}", **buyer})
            assert told.status_code < 500
            assert OTHER not in told.text
            assert not set(theirs.ids.values()) & set(re.findall(r"[\w-]{36}", told.text))
        back = {"source": "till", "order_id": f"{theirs.slug}-1002", "currency": "CNY", "external_id": "r9"}
        await client.post("/api/v1/refunds", json=back | {"refunded_at": "2026-11-20T00:00:00Z"})
        after = site.house.ask(lambda session: picture_of(session, theirs.brand_id))
        assert {name for name in after if after[name] != before[name]} == set()
