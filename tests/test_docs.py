"""The paper says what the program does: links lead somewhere, settings and commands exist, both languages agree."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel
from pydantic_settings import BaseSettings

from bots.commands.all import COMMANDS
from bots.discord.rights import NEEDED
from bots.markup import plain
from core.i18n import catalogue
from core.settings import PREFIX, Settings
from daixin import platforms, providers
from daixin.cli import program
from referral.announcing import AnnounceTerms
from referral.attribution.policy import AttributionTerms
from referral.contests.terms import ContestTerms
from referral.trials.terms import TrialQuestion, TrialTerms
from rewards.campaign_format import About, Policy, Qualifying, read_campaign
from rewards.plans import Caps, Milestone, PayoutTerms, Prize, Rewards, Rule, Step, Tiers
from web.hooks.settings import ShopEnv

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
PAIRS = [page for page in PAGES if page.with_name(f"{page.stem}.zh.md").exists()]
READMES = [ROOT / "README.md", ROOT / "README.zh.md"]
OF_COMPOSE = {"DAIXIN_VERSION"}
"""What `docker/compose.yaml` itself reads."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILLED = r"(?:https?://\S+|[^.。！!？?]{1,40}?)"
"""What may stand in a placeholder: a link, or something shorter than a sentence."""
_LINK = re.compile(r"\]\(([^)\s]+)\)|\b(?:src|href)=\"([^\"]+)\"")
_VARIABLE = re.compile(r"\bDAIXIN_[A-Z0-9_]*[A-Z0-9]")


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@cache
def settings() -> frozenset[str]:
    """Every variable the program reads, by the classes that read them."""
    classes: list[type[BaseSettings]] = [Settings, platforms.TelegramEnv, platforms.DiscordEnv, platforms.WeChatEnv]
    classes += [platforms.WebChatEnv, providers.WeChatPayEnv, providers.PayPalEnv, ShopEnv]
    return frozenset(
        f"{one.model_config.get('env_prefix', PREFIX)}{field}".upper() for one in classes for field in one.model_fields
    )


def variables(text: str) -> set[str]:
    """The variables a text names, without the ending that stands for a file."""
    found = set(_VARIABLE.findall(text)) - OF_COMPOSE
    return {name if name in settings() else name.removesuffix("_FILE") for name in found}


def shown(text: str) -> Iterator[list[str]]:
    """Every `daixin …` a text shows, in a sentence or in a block, as its words after `daixin`."""
    blocks = [body for language, body in _FENCE.findall(text) if language == "sh"]
    lines = [line for body in blocks for line in body.replace("\\\n", " ").splitlines()]
    spans = re.findall(r"`((?:\.venv/bin/)?daixin [^`]+)`", _FENCE.sub("", text))
    for line in [*lines, *spans]:
        for part in line.split(" && "):
            words = shlex.split(part, comments=True)
            at = [number for number, word in enumerate(words) if word.rpartition("/")[2] == "daixin"]
            # Compose names the service first and the program last; a line for another service is none of ours.
            ours = words[:2] == ["docker", "compose"] and "postgres" not in words
            if at and (at[0] == 0 or ours):
                yield words[at[-1] + 1 :]


def parse(words: list[str]) -> None:
    """Let the command line read the words without running anything. Raises what it would complain with."""
    command: Any = typer.main.get_command(program)
    while hasattr(command, "commands"):
        name, *words = words
        command = command.commands[name]
    command.make_context(command.name, list(words))


def answers_in(transcript: str) -> Iterator[str]:
    """What the bot says in each turn: without who speaks, what they say, and remarks behind dots."""
    for turn in re.split(r"(?m)^(?=\S)", re.sub(r" *…+ .*", "", transcript)):
        first, _, rest = turn.partition("\n")
        _, _, said = first.partition(" ")
        yield rest if re.match(r"\s*(/|[^\W\d_]+(?: \w+)?$)", said) else f"{said}\n{rest}"


@cache
def messages(locale: str) -> tuple[re.Pattern[str], ...]:
    """Every message of a catalogue as a pattern, those aside that are hardly more than placeholders."""
    found = []
    for message in catalogue(locale).values():
        for form in [message] if isinstance(message, str) else message:
            words = " ".join(plain(re.sub(r"\{\w+\}", "\N{SNOWMAN}", form)).split())
            if len(re.sub(r"\W|\N{SNOWMAN}", "", words)) > 3:
                found.append(re.compile(re.escape(words).replace("\N{SNOWMAN}", _FILLED)))
    return tuple(found)


def is_made_of(text: str, patterns: Sequence[re.Pattern[str]]) -> bool:
    """Whether the text is one message after another."""
    ends, reached = [0], {0}
    while ends:
        start = ends.pop()
        for pattern in patterns:
            match = pattern.match(text, start)
            if match and (end := match.end() + text.startswith(" ", match.end())) not in reached:
                reached.add(end)
                ends.append(end)
    return len(text) in reached


def anchors(page: Path) -> set[str]:
    """The anchors a page offers, as GitHub makes them of its headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    for found in _LINK.finditer(_FENCE.sub("", page.read_text())):
        target, _, anchor = (found[1] or found[2]).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        led = (page.parent / target).resolve() if target else page
        assert led.is_relative_to(ROOT), f"{target} leads out of the repository"
        assert led.exists(), f"{target} is not there"
        assert not anchor or anchor in anchors(led), f"{target} has no heading for #{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_variable_named_is_read(page: Path) -> None:
    assert variables(page.read_text()) <= settings()


@pytest.mark.parametrize("readme", READMES, ids=named)
def test_the_table_of_settings_is_complete(readme: Path) -> None:
    rows = "\n".join(re.findall(r"^\| `DAIXIN_.*$", readme.read_text(), re.MULTILINE))
    assert variables(rows) == settings()


def test_the_example_of_settings_names_none_that_is_not_read() -> None:
    assert variables((ROOT / ".env.example").read_text()) <= settings()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_shown_can_be_typed(page: Path) -> None:
    for words in shown(page.read_text()):
        try:
            parse(words)
        except Exception as error:
            pytest.fail(f"daixin {shlex.join(words)}: {error!r}")


def test_commands_are_found_in_the_paper() -> None:
    """The test above would also pass if it found nothing to test."""
    found = {" ".join(words[:2]) for page in PAGES for words in shown(page.read_text())}
    assert {"ledger verify", "outbox dead", "outbox requeue", "brand create", "campaign apply", "doctor"} <= found


@pytest.mark.parametrize("readme", READMES, ids=named)
def test_the_two_commands_are_in_dev(readme: Path) -> None:
    text = readme.read_text()
    known = set(re.findall(r"^    \./dev (\w+)", (ROOT / "dev").read_text(), re.MULTILINE))
    assert {"demo", "test"} <= set(re.findall(r"\./dev (\w+)", text)) <= known


@pytest.mark.parametrize("page", PAIRS, ids=named)
def test_both_languages_show_the_same(page: Path) -> None:
    """The same headings in number, and the same settings; the words are each language's own."""
    chinese = page.with_name(f"{page.stem}.zh.md").read_text()
    english = page.read_text()
    assert variables(english) == variables(chinese)
    levels = [re.findall(r"^(#+) ", _FENCE.sub("", text), re.MULTILINE) for text in (english, chinese)]
    assert levels[0] == levels[1]


@pytest.mark.parametrize("readme", READMES, ids=named)
def test_the_readme_names_every_command_of_the_bot(readme: Path) -> None:
    assert {command.spec.name for command in COMMANDS} <= set(re.findall(r"`/(\w+)", readme.read_text()))


@pytest.mark.parametrize(("readme", "locale"), [(READMES[0], "en"), (READMES[1], "zh_Hans")])
def test_the_conversation_is_in_the_words_of_the_program(readme: Path, locale: str) -> None:
    (transcript,) = (body for language, body in _FENCE.findall(readme.read_text()) if language == "text")
    labels = {words for key, words in catalogue(locale).items() if key.startswith("button.")}
    answers = [answer for answer in answers_in(transcript) if answer]
    assert len(answers) >= 4
    for answer in answers:
        assert set(re.findall(r"\[([^\]]+)\]", answer)) <= labels
        words = " ".join(re.sub(r"\[[^\]]+\]", "", answer).split())
        assert is_made_of(words, messages(locale)), words


@pytest.mark.parametrize("language", ["", ".zh"])
def test_every_field_of_a_campaign_file_is_explained(language: str) -> None:
    text = (ROOT / f"docs/campaigns{language}.md").read_text()
    parts: list[type[BaseModel]] = [About, Qualifying, Rewards, Rule, Caps, Tiers, Step, Milestone, Prize, PayoutTerms]
    parts += [Policy, AttributionTerms, AnnounceTerms, TrialTerms, TrialQuestion, ContestTerms]
    fields = {field.alias or name for part in parts for name, field in part.model_fields.items()}
    assert fields == set(re.findall(r"`([a-z_]+)`", "\n".join(re.findall(r"^\| (`[^|]*`) \|", text, re.MULTILINE))))


@pytest.mark.parametrize("language", ["", ".zh"])
def test_the_campaign_shown_is_the_one_that_ships(language: str) -> None:
    text = (ROOT / f"docs/campaigns{language}.md").read_text()
    (block,) = (body for kind, body in _FENCE.findall(text) if kind == "toml")
    assert read_campaign(block) == read_campaign((ROOT / "examples/campaigns/spring-tea.toml").read_text())


@pytest.mark.parametrize("language", ["", ".zh"])
def test_discords_permissions_are_those_the_bot_needs(language: str) -> None:
    import discord  # slow, and wanted here only

    text = (ROOT / f"docs/platforms/discord{language}.md").read_text()
    needed = discord.Permissions(**dict.fromkeys(NEEDED, True)).value
    assert set(re.findall(r"permissions=(\d+)", text)) == {str(needed)}


def test_every_part_is_named_where_the_fonts_come_from() -> None:
    notice = (ROOT / "NOTICE").read_text()
    for licence in (ROOT / "referral/fonts").glob("LICENSE-*"):
        assert licence.relative_to(ROOT).as_posix() in notice
