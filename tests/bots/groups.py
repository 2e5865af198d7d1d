"""Pretend platforms whose groups can be posted in, for tests of what becomes of announcements.

They stand for the platforms' side only; that the real adapters do what is asked of them here is in each one's
`test_posting`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from bots.adapter import Capability, NotThere, OnIncoming, SendError, Status
from bots.announcements import Announcer
from bots.message import Address, Reply
from core.outbox import Dispatcher
from core.writer import Writer
from referral.announcing import TOPIC

NOT_ALLOWED = SendError("Bad Request: not enough rights", permanent=True)
AWAY = SendError("Timed out")


@dataclass
class Posted:
    """A message in a group. `again`: the asker said that it may be there already."""

    group: str
    reply: Reply
    key: str
    again: bool
    pinned: bool = False


@dataclass
class PretendRooms:
    """Groups without pins, as on WeChat.

    `closed`: groups the bot is not in. `refusals`: what the next calls of a kind (post, pin, unpin) raise. `lost`: what
    they raise after they were carried out, as when the answer is lost on its way.
    """

    platform: str = "wechat"
    capabilities: frozenset[Capability] = frozenset({Capability.POSTS})
    status: Status = field(default_factory=lambda: Status("ready"))
    posts: list[Posted] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    refusals: dict[str, deque[BaseException]] = field(default_factory=dict)
    lost: dict[str, deque[BaseException]] = field(default_factory=dict)

    async def run(self, on_incoming: OnIncoming) -> None: ...

    async def send(self, address: Address, reply: Reply) -> None: ...

    async def close(self) -> None: ...

    def refuse(self, call: str, *errors: BaseException) -> None:
        self.refusals.setdefault(call, deque()).extend(errors)

    def lose(self, call: str, error: BaseException) -> None:
        self.lost.setdefault(call, deque()).append(error)

    async def post(self, group: str, reply: Reply, *, key: str, again: bool = False) -> str:
        self._check("post", group)
        self.posts.append(Posted(group, reply, key, again))
        self._answer("post")
        return str(len(self.posts) - 1)

    def _check(self, call: str, group: str) -> None:
        if group in self.closed:
            raise NotThere("Forbidden: bot was kicked from the supergroup chat")
        if self.refusals.get(call):
            raise self.refusals[call].popleft()

    def _answer(self, call: str) -> None:
        if self.lost.get(call):
            raise self.lost[call].popleft()


@dataclass
class PretendGroups(PretendRooms):
    """Groups with pins, as on Telegram. `pins`: what was done to them, in order."""

    platform: str = "telegram"
    capabilities: frozenset[Capability] = frozenset({Capability.POSTS, Capability.PINS})
    pins: list[str] = field(default_factory=list)

    async def pin(self, group: str, message: str) -> None:
        self._pin("pin", group, message)

    async def unpin(self, group: str, message: str) -> None:
        self._pin("unpin", group, message)

    def _pin(self, call: str, group: str, message: str) -> None:
        self._check(call, group)
        self.pins.append(f"{call} {message}")
        self.posts[int(message)].pinned = call == "pin"
        self._answer(call)


def dispatcher_of(writer: Writer, groups: PretendRooms) -> Dispatcher:
    """Delivers announcements to these groups."""
    made = Dispatcher(writer)
    made.on(TOPIC + groups.platform, Announcer(groups, writer), lambda message: str(message.payload["chat"]))
    return made
