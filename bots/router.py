"""Hears what people did on any platform and finds who answers: a command, a dialog, or the referral core."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlmodel import Session, col

from bots import dialog, happenings, placing
from bots.adapter import Adapter, ChecksAdmins, KeepsGate
from bots.commands import all as commands
from bots.commands.campaign.files import BEGINS as CAMPAIGN_FILE
from bots.commands.start import arrival_of, home_buttons, welcome
from bots.context import Command, Context, Links, Visit, say
from bots.markup import clean
from bots.message import (
    BotPlaced,
    Incoming,
    Joined,
    JoinRequested,
    Left,
    Present,
    Pressed,
    Reachable,
    Reply,
    Said,
    Submitted,
)
from bots.pictures import Pictures
from bots.rights import Group, Standing, groups_to_ask, lacking, standing_of
from bots.state import Conversation
from core import clock, i18n
from core.errors import BadInput, DaixinError, Unavailable
from core.writer import Writer
from referral import codes, members, staff
from referral.brands import Brand, Community, community_of_group, only_brand
from referral.connecting import brand_count
from referral.members import Account, Identity, Member

log = structlog.get_logger()
_WORD = re.compile(r"[/!！／]?(\S+?)(?:@\w+)?(?:[\s:：]+(.*))?", re.DOTALL)
SMALL_TALK = frozenset("hi hello 你好 开始 ? code top lang why 为什么 原因 为何 加入 好友 活动".split())
"""Command words that people also say to each other: in a group they are for us only behind a slash."""
GREETINGS = ("start", "join", "help", "language")
"""Commands with which a person only begins to talk: who then names a friend's code is still new."""
FIGURES = ("figures", "voices", "photos")
"""What follows `/trial` where staff ask: a platform is not asked about everybody who wants to try something."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A command or free text, before the database was asked who speaks."""

    person: Account
    said: Said | Pressed | Submitted
    command: Command | None
    argument: str
    standing: Standing | None = None
    """What the operator and the platform say of the person; None where nobody has asked them."""
    submitted: dict[str, str] | None = None
    dialog: str | None = None
    guessed: bool = False
    """Nobody named the command: what was said only looks like an invite code."""
    trouble: BadInput | None = None
    """What is wrong with the picture that was to be an answer."""


class Router:
    """`hear` is the `OnIncoming` of every adapter. `admins` are `platform:account` named by the operator."""

    def __init__(
        self,
        writer: Writer,
        links: Links,
        adapters: Mapping[str, Adapter],
        admins: frozenset[str] = frozenset(),
        default_locale: str = "zh_Hans",
        open_to_brands: bool = False,
    ) -> None:
        self._writer = writer
        self._links = links
        self._adapters = adapters
        self._admins = admins
        self._default_locale = default_locale
        self._open_to_brands = open_to_brands
        self._pictures = Pictures(writer, commands.DIALOGS)
        self._words = {
            word.lower(): command
            for command in commands.COMMANDS
            for word in (command.spec.name, *command.spec.aliases)
        }
        self._phrases = {
            phrase: (command, argument)
            for command in commands.COMMANDS
            for phrase, argument in command.spec.phrases.items()
        }

    async def hear(self, incoming: Incoming) -> Sequence[Reply]:
        """Answer one incoming; whatever goes wrong, the person gets a clear word and nothing is half-written."""
        try:
            match incoming:
                case Said() | Pressed() | Submitted():
                    return await self._converse(incoming)
                case _:
                    return await self._happened(incoming)
        except Exception as error:
            if not isinstance(incoming, Said | Pressed | Submitted):
                log.exception("router.event_failed", kind=type(incoming).__name__)
                return ()
            return [self._apologize(incoming, error)]

    async def _happened(
        self, incoming: Joined | JoinRequested | Left | Present | Reachable | BotPlaced
    ) -> Sequence[Reply]:
        platform = incoming.place.address.platform
        if isinstance(incoming, BotPlaced):
            return await self._placed(incoming)
        named = bool(self._admins)
        ours = await self._writer.run(lambda session: happenings.record(session, platform, incoming, named=named))
        adapter = self._adapters.get(platform)
        if isinstance(incoming, JoinRequested) and ours and isinstance(adapter, KeepsGate):
            await adapter.approve(incoming.place.group, incoming.person.account)
        return ()

    async def _placed(self, event: BotPlaced) -> Sequence[Reply]:
        """The bot came into a group, or was taken out of it; what is said there for everybody to read."""
        adapter = self._adapters.get(event.place.address.platform)
        checks = isinstance(adapter, ChecksAdmins)
        reply = await self._writer.run(
            lambda session: placing.placed(session, event, self._admins, self._default_locale, checks=checks)
        )
        return [reply] if reply is not None else ()

    async def _converse(self, said: Said | Pressed | Submitted) -> Sequence[Reply]:
        said, trouble = await self._pictures.taken(said)
        ask = self._read(said)
        if ask is None:
            return ()
        if trouble is not None:
            ask = replace(ask, trouble=trouble, standing=await self._standing(ask))
        name = ask.command.spec.name if ask.command else None
        if name in ("start", "join") and ask.argument and not (ask.guessed and await self._is_asked(ask)):
            kind = "start" if name == "start" else "code"
            arrival = arrival_of(ask.person, ask.argument, kind, self._links, clock.now())
            return [await self._writer.call(welcome, arrival)]
        if ask.command is not None and ask.command.at_door is not None:
            return await self._at_door(ask, ask.command.at_door)
        figures = name == "trial" and ask.argument.startswith(FIGURES)
        if (ask.command and (ask.command.spec.admin or name == "help" or figures)) or ask.submitted is not None:
            ask = replace(ask, standing=await self._standing(ask))
        answered = await self._writer.run(partial(self._turn, ask=ask))
        if answered is None:
            ask = replace(ask, standing=await self._standing(ask))
            answered = await self._writer.run(partial(self._turn, ask=ask))
        return answered or ()

    def _read(self, said: Said | Pressed | Submitted) -> Ask | None:
        """What is meant, or None for talk in a group that is not for us."""
        person = self._account(said)
        match said:
            case Pressed(action=action):
                word, _, argument = action.removeprefix("do:").partition(" ")
                return Ask(person, said, self._words.get(word), argument)
            case Submitted(action=action, answers=answers):
                return Ask(person, said, None, "", submitted=answers, dialog=action.removeprefix("form:"))
            case Said(command=str(name), argument=argument):
                return Ask(person, said, self._words.get(name.lower()), argument)
        text = unicodedata.normalize("NFKC", said.text).strip()
        if said.place.group is None and text.startswith(CAMPAIGN_FILE):
            return Ask(person, said, self._words["campaign"], said.text.strip())
        phrase = self._phrases.get(" ".join(text.lower().split())) if said.place.group is None else None
        if phrase is not None:
            return Ask(person, said, *phrase)
        found = _WORD.fullmatch(text)
        word, argument = (found.group(1), found.group(2) or "") if found else ("", "")
        command = self._words.get(word.lower())
        slash = text.startswith("/")
        in_group = said.place.group is not None
        if in_group and not slash and word.lower() in SMALL_TALK:
            return None
        if command is not None and (not argument or command.spec.argument or slash):
            return Ask(person, said, command, argument.strip())
        if _is_code_in_group(text) if in_group else codes.looks_like(text):
            return Ask(person, said, self._words["join"], text, guessed=not in_group)
        if in_group:
            return None
        return Ask(person, said, None, said.text)

    def _account(self, said: Said | Pressed | Submitted) -> Account:
        person, place = said.person, said.place
        return Account(
            place.address.platform,
            person.account,
            clean(person.name) or person.account[:16],
            clean(person.handle) if person.handle else None,
            i18n.negotiate(person.locale, self._default_locale),
            place.address.chat if place.group is None else None,
        )

    async def _is_asked(self, ask: Ask) -> bool:
        """Whether we asked this person something: then an account number is an answer, not an invite code."""
        person = ask.person
        found = await self._writer.run(lambda session: dialog.current(session, person.platform, person.account))
        return found is not None

    async def _at_door(self, ask: Ask, handle: Callable[[Visit], Reply]) -> Sequence[Reply]:
        """A command that is answered before it is known with which brand the person has to do."""
        place, adapter = ask.said.place, self._adapters.get(ask.person.platform)
        standing = await self._standing(ask)
        visit = partial(
            Visit,
            person=ask.person,
            place=place,
            argument=ask.argument,
            capabilities=adapter.capabilities if adapter else frozenset(),
            runs=standing.runs,
            untold=standing.untold,
            operator=f"{ask.person.platform}:{ask.person.account}" in self._admins,
            missing=await lacking(adapter, place.group) if place.group is not None else (),
        )

        def turn(session: Session) -> Reply:
            brand = self._brand(session, ask)
            _same_brand(standing, brand)
            met = members.find_identity(session, brand.id, ask.person.platform, ask.person.account) if brand else None
            member = session.get(Member, (brand.id, met.member_id)) if brand and met else None
            if brand and met:
                members.heard(session, brand.id, ask.person, clock.now())
            role = staff.role_of(session, brand.id, member.id) if brand and member else None
            locale = member.locale if member and member.locale else ask.person.locale
            may_begin = self._open_to_brands or not (self._admins or brand_count(session))
            role = staff.higher(standing.role, role)
            return handle(visit(session=session, locale=locale, brand=brand, role=role, may_begin=may_begin))

        return [await self._writer.run(turn)]

    async def _standing(self, ask: Ask) -> Standing:
        """What the operator and the platform say of the person, asked at every turn in which it matters."""
        brand_id, groups = await self._writer.run(lambda session: self._groups(session, ask))
        return await standing_of(self._adapters.get(ask.person.platform), self._admins, ask.person, groups, brand_id)

    def _groups(self, session: Session, ask: Ask) -> tuple[UUID | None, list[Group]]:
        brand = self._brand(session, ask)
        brand_id = brand.id if brand else None
        return brand_id, groups_to_ask(session, brand_id, ask.person, ask.said.place)

    def _turn(self, session: Session, ask: Ask) -> Sequence[Reply] | None:
        """The answer; None if it depends on what the person may do, which the platform has to be asked first."""
        brand = self._brand(session, ask)
        if brand is None:
            return [Reply(say(ask.person.locale, "error.no_brand"), private=True)]
        _same_brand(ask.standing, brand)
        ctx = self._context(session, ask, brand)
        self._be_sure(session, ask, ctx.role)
        if ask.trouble is not None:
            return [dialog.asked_again(ctx, commands.DIALOGS, ask.trouble)]
        if ask.submitted is not None:
            chosen = commands.DIALOGS.get((ask.dialog or "").partition(":")[0])
            if chosen is not None and chosen.admin and not ctx.may(chosen.act):
                lost = self._for_staff(session, ask)
                return [ctx.reply("staff.right_lost", brand=brand.name) if lost else ctx.reply("campaign.not_admin")]
            return [dialog.submitted(ctx, commands.DIALOGS, ask.dialog or "", ask.submitted)]
        if ask.standing is None and self._for_staff(session, ask):
            return None
        if isinstance(ask.said, Said) and ask.said.picture is not None:
            return [ctx.reply("picture.not_now")]
        is_word = ask.command is not None and not ask.guessed
        answered = dialog.answer_to(ctx, commands.DIALOGS, ask.said, is_word=is_word, is_code=ask.guessed)
        if answered is not None:
            return [answered]
        if ask.guessed:
            arrival = arrival_of(ask.person, ask.argument, "code", self._links, clock.now())
            return welcome(session, [arrival])
        if ask.command is not None and ask.command.handle is not None:
            answer = ask.command.handle(ctx)
            return [answer] if isinstance(answer, Reply) else answer
        if isinstance(ask.said, Pressed):
            return [ctx.reply("error.button_old")]
        return [ctx.reply("error.unknown_command", buttons=home_buttons(ctx.locale))]

    def _be_sure(self, session: Session, ask: Ask, role: str | None) -> None:
        """Nobody is told that they may not who was perhaps only not asked about. Raises `Unavailable`."""
        unsure = ask.standing is not None and ask.standing.unsure and role is None
        if unsure and ((ask.command and ask.command.spec.admin) or self._for_staff(session, ask)):
            raise Unavailable("rights_unknown")

    def _for_staff(self, session: Session, ask: Ask) -> bool:
        """Whether the person is in a dialog that only staff may go on with."""
        waiting = dialog.current(session, ask.person.platform, ask.person.account)
        chosen = commands.DIALOGS.get(waiting.dialog or "") if waiting else None
        return chosen is not None and chosen.admin

    def _brand(self, session: Session, ask: Ask) -> Brand | None:
        """The group's brand; in private that of the open question, or the one last spoken to; else the only one."""
        community = self._community(session, ask)
        brand_id = community.brand_id if community else None
        if brand_id is None:
            waiting = dialog.current(session, ask.person.platform, ask.person.account)
            brand_id = waiting.brand_id if waiting and _may_answer(waiting, ask) else None
        if brand_id is None:
            brand_id = session.scalar(
                select(col(Identity.brand_id))
                .where(col(Identity.platform) == ask.person.platform, col(Identity.account) == ask.person.account)
                .order_by(col(Identity.seen_at).desc())
                .limit(1)
            )
        return session.get(Brand, brand_id) if brand_id else only_brand(session)

    def _community(self, session: Session, ask: Ask) -> Community | None:
        place = ask.said.place
        return community_of_group(session, place.address.platform, place.group) if place.group else None

    def _context(self, session: Session, ask: Ask, brand: Brand) -> Context:
        now = clock.now()
        begins = ask.submitted is None and (ask.command is None or ask.command.spec.name in GREETINGS)
        known = members.meet(session, brand.id, [ask.person], [now], "hello" if begins else "message")[0]
        members.heard(session, brand.id, ask.person, now)
        member = session.get(Member, (brand.id, known.member_id))
        assert member is not None
        community = self._community(session, ask)
        adapter = self._adapters.get(ask.person.platform)
        standing = ask.standing or Standing()
        return Context(
            session,
            ask.person,
            ask.said.place,
            member.locale or ask.person.locale,
            brand,
            member,
            self._links,
            adapter.capabilities if adapter else frozenset(),
            commands.MENU.commands,
            ask.argument,
            community,
            staff.higher(standing.role, staff.role_of(session, brand.id, member.id)),
            standing.partner_of,
        )

    def _apologize(self, said: Said | Pressed | Submitted, error: Exception) -> Reply:
        locale = i18n.negotiate(said.person.locale, self._default_locale)
        if isinstance(error, DaixinError):
            key, params = f"error.{error.code}", error.params
            if key not in i18n.catalogue(locale):
                log.error("router.no_words", code=error.code)
                key, params = "error.unavailable" if isinstance(error, Unavailable) else "error.refused", {}
        else:
            log.error("router.turn_failed", kind=type(said).__name__, exc_info=error)
            key, params = "error.internal", {}
        return Reply(say(locale, key, **params), private=True, brief=say(locale, "group.brief"))


def _may_answer(waiting: Conversation, ask: Ask) -> bool:
    """Whether something may be meant for this dialog: a word that is a command's too while the question is fresh, a
    button that is one if it names the dialog's token."""
    if ask.command is None or not isinstance(ask.said, Said):
        token = str((waiting.data or {}).get("token") or " ")
        return ask.command is None or (isinstance(ask.said, Pressed) and token in ask.argument.split())
    slash = ask.said.command is not None or ask.said.text.strip().startswith(("/", "／"))
    return not slash and clock.now() < waiting.updated_at + dialog.MOMENT


def _same_brand(standing: Standing | None, brand: Brand | None) -> None:
    """While the platform was asked, the person may have spoken to another brand, for which they are somebody else.
    Raises `Unavailable`."""
    if standing is not None and standing.brand_id != (brand.id if brand else None):
        raise Unavailable("rights_unknown")


def _is_code_in_group(text: str) -> bool:
    """Whether a message in a group is a code beyond doubt: nine letters of small talk may happen to be one."""
    try:
        codes.normalize(text)
    except BadInput:
        return False
    return "-" in text or any(char.isdigit() for char in text)
