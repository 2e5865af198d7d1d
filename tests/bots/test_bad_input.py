"""What people should not say, and say: a clear word to them, and nothing half-written."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import Session

from bots.commands.all import COMMANDS
from bots.markup import parse
from bots.message import Person
from core.db import table
from referral.brands import Brand, connect, create_brand
from referral.members import Member
from referral.referrals import Referral
from referral.touches import Touch
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from rewards.ledger import Transfer
from tests.dialogue import NOON, Town, campaign_file, open_town

HUGE = "龙" * 100_000


def counted(town: Town) -> tuple[int, ...]:
    """How many referrals, touches and transfers there are."""

    def count(session: Session) -> tuple[int, ...]:
        counts = [session.scalar(select(func.count()).select_from(table(one))) for one in (Referral, Touch, Transfer)]
        return tuple(int(one or 0) for one in counts)

    return town.do(count)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("/nosuch", "I did not understand that. Choose below, or say /help."),
        ("/join ABCD-EFGH-2", "ABCD-EFGH-2 is not quite right: a symbol is mistyped. Please check it once more."),
        ("abcd efgh 2", "ABCD-EFGH-2 is not quite right"),
        ("/start ABC", "That does not look like an invite code. It has nine letters and digits"),
        ("/join https://evil.example/?code=" + "A" * 500, "That does not look like an invite code."),
        ("/join " + HUGE, "That does not look like an invite code."),
        ("/link " + HUGE, "That does not look like a linking code."),
        ("/language " + HUGE, "Which language do you prefer?"),
        ("/privacy " + HUGE, "Acme Tea keeps your name and account here"),
        ("/campaign end " + HUGE, "Only admins of the group can manage campaigns."),
        (HUGE, "I did not understand that."),
        ("", "I did not understand that."),
        ("\u202e\u0000/start", "I did not understand that."),
    ],
)
async def test_a_clear_word_and_nothing_written(tmp_path: Path, words: str, answer: str) -> None:
    async with open_town(tmp_path) as town:
        before = counted(town)
        assert answer in await town.ask("Bob", words)
        assert counted(town) == before


@pytest.mark.parametrize("words", ["／start", "!start", "START", "/start@daixin_bot", "  /start  ", "开始", "Hello"])
async def test_many_ways_to_say_the_same(tmp_path: Path, words: str) -> None:
    async with open_town(tmp_path) as town:
        assert "This is Spring tea by Acme Tea." in await town.ask("Bob", words)


@pytest.mark.parametrize(
    "template", ["邀请码 {}", "邀请码：{}", "邀请码{}", "/join {}", "{}", "我的码是 {}", "code: {}"]
)
async def test_many_ways_to_say_a_code(tmp_path: Path, template: str) -> None:
    async with open_town(tmp_path) as town:
        await town.play("Alice invites nobody.")
        said = template.format(town.codes["Alice's code"].lower())
        answer = await town.ask("Bob", said)
        assert ("Alice invited you" in answer) is (template != "我的码是 {}")


async def test_buttons_that_are_no_longer_there(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        for action in ("do:nosuch", "do:", "", "do:campaign end spring yes", "form:campaign_new"):
            [reply] = await town.chat.press(town.person("Bob"), action)
            assert town.shown(reply) in (
                "This button is no longer in use. Say /help to go on.",
                "Only admins of the group can manage campaigns.",
            )
        assert town.campaign().state == "running"


async def test_a_long_name_is_cut_and_a_name_is_never_markup(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await town.play("Alice invites nobody.")
        names = {"long": "x" * 4000, "bold": "**B** [o](https://evil.example) `b`\n# _!_"}
        code = town.codes["Alice's code"]
        for account, name in names.items():
            [reply] = await town.chat.say(Person(account, name, locale="en"), f"/join {code}")
            assert town.shown(reply).startswith(
                "Hi " + ("xxx" if account == "long" else names["bold"].replace("\n", " "))
            )
            assert all(span.url is None for line in parse(reply.text) for span in line)
        kept = town.do(lambda session: list(session.scalars(select(table(Member).c.name))))
        assert max(map(len, kept)) == 64
        shown = await town.ask("Alice", "/me")
        assert "**B** [o](https://evil.example) `b` # _!_: opened your invitation" in shown


async def test_a_person_without_a_name(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        [reply] = await town.chat.say(Person("123456", "\u202e \u0000", locale="en"), "/start")
        assert town.shown(reply).startswith("Hi 123456! ")


async def test_before_and_after_the_campaigns_time(tmp_path: Path) -> None:
    starts = NOON.replace(day=3)
    async with open_town(tmp_path, campaign__starts_at=starts) as town:
        assert "Spring tea starts on Mar 3, 12:00. Come back then for your link." in await town.ask("Alice", "/invite")
        assert "Spring tea starts on Mar 3, 12:00." in await town.ask("Alice", "/start")
        await town.later(days=1)
        await town.play("Alice invites nobody.")
        await town.later(days=120)
        said = await town.ask("Bob", town.codes["Alice's code"])
        assert said.startswith("Spring tea is over, so this invitation no longer counts.")
        assert "Bob tried your code" in await town.ask("Alice", "/why")
        assert counted(town)[0] == 0


async def test_two_brands_in_one_installation(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:

        def other(session: Session) -> Brand:
            brand = create_brand(session, "Bean Bar", slug="bean")
            connect(session, brand.id, "webchat", "beans", "Bean friends")
            raw = campaign_file(campaign__title={"en": "Bean days", "zh_Hans": "豆子节"}, campaign__slug="beans")
            raw["campaign"]["communities"] = ["webchat:beans"]
            apply_campaign(session, brand, build_campaign(raw))
            return brand

        town.do(other)
        nobody = await town.ask("Zoe", "/start")
        assert nobody == "This bot is not set up yet: its operator has to create a brand first."
        await town.say("Alice", "/invite", group=True)
        await town.chat.say(town.person("Gina"), "/invite", group="beans")
        code = (await town.chat.say(town.person("Gina"), "/invite", group="beans"))[0].image
        assert code is not None
        beans = code.filename.removeprefix("invite-").removesuffix(".jpg")

        # Alice belongs to the tea shop; with a code of the bean bar she comes to the bean bar, new there.
        assert "Gina invited you to Bean days" in await town.ask("Alice", beans)
        assert "Spring tea" in await town.ask("Alice", "/leaderboard", group=True)
        assert "Campaigns of Acme Tea" in await town.ask("Carol", "/campaign", group=True)
        assert "There is no campaign beans." in await town.ask("Carol", "/campaign end beans yes", group=True)


def test_every_action_of_a_campaign_fits_a_button() -> None:
    slug = "s" * 40
    assert all(len(f"do:campaign {what} {slug} yes".encode()) <= 64 for what in ("end", "pause", "resume"))
    words = [word.lower() for command in COMMANDS for word in (command.spec.name, *command.spec.aliases)]
    assert len(words) == len(set(words)), "two commands share a word"
