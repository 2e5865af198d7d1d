"""A square with groups on Telegram and WeChat, before anybody has connected them, and whoever speaks there."""

from __future__ import annotations

import re
from textwrap import dedent
from uuid import UUID

from sqlmodel import Session

from bots.adapter import Capability, OnIncoming, SendError, Status
from bots.context import Links
from bots.markup import plain
from bots.message import Address, BotPlaced, Person, Place, Pressed, Reply, Said
from bots.router import Router
from core import clock
from referral import audit, members, staff
from referral.brands import Brand, Community, community_of_group, create_brand
from tests.house import House, person

_SAID = re.compile(r"(\w+)(?: in (\w+))?(?: on (\w+))?> (.*)")
_ADDS = re.compile(r"(\w+) adds the bot to (\w+)(?: on (\w+))?\.")
_CODE = re.compile(r"\b[2-9A-HJ-NP-Z]{5}-[2-9A-HJ-NP-Z]{5}\b")


class Stage:
    """A platform that knows who runs which group. `checks=False`: one that does not tell (WeChat)."""

    def __init__(self, platform: str, *, checks: bool = True) -> None:
        self.platform = platform
        self.capabilities = frozenset({Capability.ADMIN_CHECK} if checks else ())
        self.status = Status("ready")
        self.admins: set[tuple[str, str]] = set()
        self.missing: list[str] = []
        self.silent = False
        if checks:
            self.is_admin = self._is_admin
            self.diagnose = self._diagnose

    async def run(self, on_incoming: OnIncoming) -> None: ...

    async def send(self, address: Address, reply: Reply) -> None: ...

    async def close(self) -> None: ...

    async def _is_admin(self, group: str, account: str) -> bool:
        if self.silent:
            raise SendError("no answer")
        return (group, account) in self.admins

    async def _diagnose(self, group: str) -> list[str]:
        return self.missing


class Square:
    """Groups on Telegram and WeChat, and whoever speaks in them."""

    def __init__(self, house: House, locale: str = "en", **options: object) -> None:
        self.house = house
        self.locale = locale
        self.telegram, self.wechat = Stage("telegram"), Stage("wechat", checks=False)
        adapters = {"telegram": self.telegram, "wechat": self.wechat}
        self.router = Router(
            house.writer,
            Links("https://tea.example"),
            adapters,
            default_locale=locale,
            **options,  # type: ignore[arg-type]
        )
        self.shown: dict[str, list[tuple[str, str]]] = {}

    async def says(self, name: str, words: str, group: str | None = None, platform: str = "telegram") -> str:
        """What is answered; `[label]` presses a button this person was shown."""
        place = Place(Address(platform, group or name.lower()), group, f"{group} lovers" if group else "")
        who = Person(name.lower(), name, locale=self.locale)
        if words.startswith("["):
            action = next(action for label, action in reversed(self.shown[name]) if label == words[1:-1])
            return self._take(name, await self.router.hear(Pressed(who, place, action)))
        return self._take(name, await self.router.hear(Said(who, place, words)))

    async def adds(self, name: str, group: str, *missing: str, platform: str = "telegram") -> str:
        place = Place(Address(platform, group), group, f"{group} lovers")
        who = Person(name.lower(), name, locale=self.locale)
        return self._take(name, await self.router.hear(BotPlaced(place, True, who, missing)))

    async def removes(self, name: str, group: str, platform: str = "telegram") -> None:
        place = Place(Address(platform, group), group, f"{group} lovers")
        await self.router.hear(BotPlaced(place, False, Person(name.lower(), name)))

    def _take(self, name: str, replies: object) -> str:
        assert isinstance(replies, list | tuple)
        said = []
        for reply in replies:
            buttons = [button for row in reply.buttons for button in row]
            self.shown.setdefault(name, []).extend((one.label, one.action) for one in buttons if one.action)
            said.append("\n".join([plain(reply.text), *(f"[{one.label}]" for one in buttons)]))
        return "\n".join(said)

    def community(self, group: str, platform: str = "telegram") -> Community | None:
        return self.house.ask(lambda s: community_of_group(s, platform, group))

    def brand(self, name: str = "Acme") -> Brand:
        return self.house.do(lambda s: create_brand(s, name))

    def role(self, brand: Brand, name: str, role: str, platform: str = "telegram") -> UUID:
        def give(session: Session) -> UUID:
            known = members.meet(session, brand.id, [person(name, platform)], [clock.now()], "message")[0]
            staff.give(session, brand.id, known.member_id, role, "operator")
            return known.member_id

        return self.house.do(give)

    def acts(self, brand: Brand) -> list[tuple[str, str]]:
        assert self.house.ask(lambda s: audit.verify_chain(s, brand.id)) == []
        log = self.house.ask(lambda s: audit.entries_of(s, brand.id))
        return [(entry.act, entry.actor) for entry in reversed(log)]

    async def play(self, script: str) -> None:
        """Play a script and compare it with what happens: `Mei in tea> words` is said in a group, `Mei> words` in
        private; a one-time code stands as `<code>`. All of the text is compared."""
        lines = (line.rstrip() for line in dedent(script).strip().splitlines() if line.strip())
        wanted = [re.sub(r"(?<=\S) {2,}", " ", line) for line in lines]
        heard: list[str] = []
        code = ""
        for line in wanted:
            if found := _SAID.fullmatch(line):
                name, group, platform, words = found.groups()
                said = await self.says(name, words.replace("<code>", code), group, platform or "telegram")
            elif found := _ADDS.fullmatch(line):
                missing = () if found[3] else self.telegram.missing
                said = await self.adds(found[1], found[2], *missing, platform=found[3] or "telegram")
            else:
                continue
            code = shown[0] if (shown := _CODE.search(said)) else code
            heard += [line, *(one for one in _CODE.sub("<code>", said).splitlines() if one.strip())]
        assert heard == wanted, "\n".join(heard)
