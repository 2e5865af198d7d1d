"""Conversations as tests: a script of said and answered, played on the real program with the web chat as its stage.

    Alice> /start
    Hi Alice! …
    [My invite link]
    Bob> /join <Alice's code>
    Bob joins.
    7 days later:
    Alice hears:
    ✅ Bob has stayed 7 days. …
    Alice> [My rewards]

A line `Name> words` is said, `Name> [label]` presses the newest button of that label, `Name in the group> …` happens
in the group; what follows is the whole answer, word for word (blank lines do not matter, and a long line goes on
after a backslash). `joins.`, `leaves.`, `Alice invites Bob.` (who then says her code; `nobody` for the code alone) and
`N days later:` are stage directions, and so is any line in brackets that the test has put into `town.stage`; after each
the jobs run and the outbox is delivered. `Mei sends the serum.` sends a file that the test has put into
`town.pictures`. `Name hears:` lists what
the outbox brought since it was last looked at. Codes are random and stand as `<Name's code>`, `<Name's link code>`.
The clock begins at noon of 2 March 2026 in Shanghai.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any, TypeVar

import pytest
from pydantic import SecretStr
from sqlmodel import Session

from bots.markup import plain
from bots.message import Button, Person, Reply
from bots.webchat.adapter import WebChatAdapter
from core import clock
from core.settings import Settings
from daixin import jobs
from daixin.bootstrap import Parts, build
from referral.brands import Brand, connect, create_brand
from referral.campaigns import Campaign, find_campaign
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from rewards.verify import Problem, verify
from tests.house import fresh_sqlite

T = TypeVar("T")
NOON = datetime(2026, 3, 2, 4, 0, 5, tzinfo=UTC)
GROUP = "tea"
ADMIN = "carol"
_SAID = re.compile(r"(\w+)( in the group)?> (.*)")
_HEARS = re.compile(r"(\w+) hears:")
_MOVES = re.compile(r"(\w+) (joins|leaves)\.")
_SENDS = re.compile(r"(\w+) sends (.+)\.")
_INVITES = re.compile(r"(\w+) invites (\w+)\.")
_LATER = re.compile(r"(\d+) (days|hours|minutes)s? later:")
_CODE = re.compile(r"\b([2-9A-HJ-NP-Z]{4})-?([2-9A-HJ-NP-Z]{4})-?([2-9A-HJ-NP-Z])\b")
_LINK_CODE = re.compile(r"(?<!P-)\b\d{8}\b")
_STAFF_CODE = re.compile(r"\b[2-9A-HJ-NP-Z]{5}-[2-9A-HJ-NP-Z]{5}\b")
_REFERENCE = re.compile(r"\bP-[0-9A-F]{8}\b|\b[0-9a-f]{32}\b")


def in_both(en: str, zh: str) -> pytest.MarkDecorator:
    """The same story in both languages, as parameters `locale` and `script`."""
    return pytest.mark.parametrize(
        ("locale", "script"), [pytest.param("en", en, id="en"), pytest.param("zh", zh, id="zh")]
    )


@dataclass
class Town:
    """One brand with a campaign, a group, and whoever speaks."""

    url: str
    locale: str
    parts: Parts
    brand: Brand
    codes: dict[str, str] = field(default_factory=dict)
    transcript: list[str] = field(default_factory=list)
    stage: dict[str, Callable[[], object]] = field(default_factory=dict)
    """What happens at a line `(Bob buys tea.)`, by what stands in the brackets."""
    pictures: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    """Files people send, with their media types, by what the script calls them."""
    _offered: dict[str, list[Button]] = field(default_factory=dict)
    _heard: dict[str, int] = field(default_factory=dict)

    @property
    def chat(self) -> WebChatAdapter:
        adapter = self.parts.adapters["webchat"]
        assert isinstance(adapter, WebChatAdapter)
        return adapter

    def person(self, name: str) -> Person:
        return Person(name.lower(), name, locale=self.locale)

    def do(self, unit: Callable[[Session], T]) -> T:
        return self.parts.writer.run_sync(unit)

    def campaign(self, slug: str = "spring") -> Campaign:
        return self.do(lambda session: find_campaign(session, self.brand.id, slug))

    def problems(self) -> Sequence[Problem]:
        """What the books' proof finds wrong."""
        return self.parts.reader.run_sync(verify)

    async def settle(self) -> None:
        """The jobs run, and what they and everybody caused is delivered."""
        await jobs.run_all(self.parts.writer)
        while await self.parts.dispatcher.deliver_due():
            continue

    async def later(self, **by: float) -> None:
        clock.move(clock.offset() + timedelta(**by))
        await self.settle()

    def restart(self) -> None:
        """End the program and start it again: only the database is left."""
        self.parts.close()
        self.parts = _start(self.url)
        self._heard.clear()

    async def say(self, name: str, words: str, *, group: bool = False) -> list[Reply]:
        """What is answered when the person says this; `[label]` presses a button."""
        place = GROUP if group else None
        words = self._with_codes(words)
        if words.startswith("[") and words.endswith("]"):
            button = next((one for one in reversed(self._offered[name]) if one.label == words[1:-1]), None)
            assert button is not None, f"{name} was shown no button {words}"
            assert button.action is not None, f"{words} does not ask us anything: {button}"
            return self._take(name, await self.chat.press(self.person(name), button.action, group=place))
        return self._take(name, await self.chat.say(self.person(name), words, group=place))

    async def show(self, name: str, file: str) -> str:
        """What is answered when the person sends one of `pictures`, as text."""
        replies = self._take(name, await self.chat.show(self.person(name), *self.pictures[file]))
        return "\n".join(self.shown(reply) for reply in replies)

    async def submit(self, name: str, action: str, **answers: str) -> str:
        """What is answered to a form, as text."""
        replies = self._take(name, await self.chat.submit(self.person(name), action, answers))
        return "\n".join(self.shown(reply) for reply in replies)

    async def ask(self, name: str, words: str, *, group: bool = False) -> str:
        """The same as `say`, as text."""
        return "\n".join(
            [self.shown(reply, name if group else "") for reply in await self.say(name, words, group=group)]
        )

    def news(self, name: str) -> list[Reply]:
        """What the outbox brought to the person since this was last asked."""
        inbox = self.chat.inbox(name.lower())
        before = self._heard.get(name, 0)
        self._heard[name] = len(inbox)
        return self._take(name, inbox[before:])

    async def play(self, script: str) -> None:
        """Play a script and compare it with what happens, all of it."""
        wanted = [
            re.sub(r"(?<=\S) {2,}", " ", line.rstrip()) for line in dedent(script).strip().splitlines() if line.strip()
        ]
        for line in wanted:
            await self._play_line(line)
        heard, meant = "\n".join(self.transcript), "\n".join(wanted)
        assert heard == meant, heard
        self.transcript.clear()

    async def _play_line(self, line: str) -> None:
        if found := _SAID.fullmatch(line):
            name, group, words = found.groups()
            shown = await self.ask(name, words, group=bool(group))
        elif found := _HEARS.fullmatch(line):
            shown = "\n".join(self.shown(reply) for reply in self.news(found[1]))
        elif found := _MOVES.fullmatch(line):
            move = self.chat.join if found[2] == "joins" else self.chat.leave
            await move(self.person(found[1]), GROUP)
            await self.settle()
            shown = ""
        elif (found := _SENDS.fullmatch(line)) and found[2] in self.pictures:
            shown = await self.show(*found.groups())
        elif found := _INVITES.fullmatch(line):
            await self.say(found[1], "/invite")
            if found[2] != "nobody":
                await self.say(found[2], f"/join <{found[1]}'s code>")
            shown = ""
        elif found := _LATER.fullmatch(line):
            await self.later(**{found[2]: int(found[1])})
            shown = ""
        elif line.startswith("("):
            if line.strip("()") not in self.stage:
                return
            self.stage[line.strip("()")]()
            await self.settle()
            shown = ""
        else:
            return
        self.transcript += [line, *filter(str.strip, shown.splitlines())]

    def shown(self, reply: Reply, only: str = "") -> str:
        """A message as a person sees it, with the names of the codes instead of the codes."""
        lines = [plain(reply.text)]
        if only and reply.private:
            lines.insert(0, f"(only to {only})")
        if reply.image:
            lines.insert(0, f"({'file' if reply.image.is_file else 'picture'}: {reply.image.alt})")
        lines += [" ".join(f"[{button.label}]" for button in row) for row in reply.buttons]
        text = "\n".join(lines)
        text = _REFERENCE.sub("<reference>", text)
        for name, code in self.codes.items():
            text = text.replace(code, f"<{name}>").replace(code.replace("-", ""), f"<{name}>")
        return text

    def _take(self, name: str, replies: list[Reply]) -> list[Reply]:
        for reply in replies:
            self._offered.setdefault(name, []).extend(button for row in reply.buttons for button in row)
            if reply.image and not reply.image.is_file and (found := _CODE.search(plain(reply.text))):
                self.codes[f"{name}'s code"] = "-".join(found.groups())
            if found := _STAFF_CODE.search(plain(reply.text)):
                self.codes["code"] = found[0]
            if found := _LINK_CODE.search(plain(reply.text)):
                self.codes[f"{name}'s link code"] = found[0]
        return replies

    def _with_codes(self, words: str) -> str:
        return re.sub(r"<(\w+'s (?:link )?code|code)>", lambda found: self.codes[found[1]], words)


def _start(url: str) -> Parts:
    settings = Settings(
        database_url=url,
        secret_key=SecretStr("a secret of tests, long enough to be taken"),
        public_url="https://tea.example",
        admins=f"webchat:{ADMIN}",
    )
    parts = build(settings, ["webchat"])
    chat = parts.adapters["webchat"]
    assert isinstance(chat, WebChatAdapter)
    chat.listen(parts.router.hear)
    return parts


def campaign_file(**changes: Any) -> dict[str, Any]:
    """The town's campaign as a file; `changes` by their dotted names with `__` for the dot."""
    raw: dict[str, Any] = {
        "campaign": {
            "slug": "spring",
            "title": {"en": "Spring tea", "zh_Hans": "春茶会"},
            "benefit": {"en": "A free cup for you.", "zh_Hans": "送你一杯新茶。"},
            "timezone": "Asia/Shanghai",
            "starts_at": NOON - timedelta(days=1),
            "ends_at": NOON + timedelta(days=90),
            "communities": [f"webchat:{GROUP}"],
        },
        "qualify": {"event": "retained", "stay_days": 7, "window_days": 30},
        "rewards": {
            "budget": 3000,
            "rules": [
                {"to": "advocate", "amount": 100, "hold_days": 3},
                {"to": "friend", "amount": 50, "hold_days": 3},
            ],
        },
    }
    for name, value in changes.items():
        part, _, key = name.partition("__")
        if key:
            raw[part][key] = value
        else:
            raw[part] = value
    return raw


@asynccontextmanager
async def open_town(
    tmp_path: Path, locale: str = "en", *, campaign: bool = True, **changes: Any
) -> AsyncIterator[Town]:
    """A town at noon; `changes` to its campaign as in `campaign_file`, `campaign=False` for none."""
    url = fresh_sqlite(tmp_path)
    before = clock.offset()
    clock.move(NOON - datetime.now(UTC))
    parts = _start(url)

    def found(session: Session) -> Brand:
        brand = create_brand(session, "Acme Tea" if locale == "en" else "茶里", slug="acme")
        connect(
            session,
            brand.id,
            "webchat",
            GROUP,
            "Tea lovers" if locale == "en" else "爱茶的人",
            invite_url="https://chat.example/tea",
        )
        if campaign:
            apply_campaign(session, brand, build_campaign(campaign_file(**changes)))
        return brand

    town = Town(url, locale, parts, parts.writer.run_sync(found))
    try:
        yield town
        assert town.problems() == []
    finally:
        town.parts.close()
        clock.move(before)
