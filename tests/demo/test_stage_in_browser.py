"""The demo as somebody walks through it: Alice invites, Bob comes and stays, Carol runs the campaign, in a browser."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, Route, expect, sync_playwright

from bots.markup import plain
from core import i18n
from core.money import Money
from tests.daixin.program import PATIENCE, environment

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WAIT = 20_000
"""Milliseconds anything on the stage may take on a busy machine."""
expect.set_options(timeout=WAIT)


TITLES = {"en": "Spring Tea Circle", "zh_Hans": "春茶邀友季"}
SERUM = "Cloud serum 云感精华"


def words(locale: str, key: str, **facts: object) -> str:
    """What the catalogue has a person see, without its styling, as far as these facts fill it."""
    facts = {"title": TITLES[locale], "brand": "山茶 Camellia Tea", "days": 7} | facts
    known = re.split(r"\{(?!" + "|".join(facts) + r"\b)", str(i18n.catalogue(locale)[key]))[0]
    return plain(known.format(**facts)).strip()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo, made once for all workers of a run and copied for each walk."""
    mine = tmp_path_factory.getbasetemp()
    shared = mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine
    folder = shared / "staged"
    with (shared / "staged.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            subprocess.run(
                [sys.executable, "-m", "daixin", "demo", "--prepare", str(folder), "--members", "40"],
                env=environment(),
                timeout=PATIENCE * 2,
                check=True,
                capture_output=True,
            )
    return folder


@contextmanager
def staged(folder: Path) -> Iterator[str]:
    """`daixin demo` on a free port: the address it prints."""
    demo = subprocess.Popen(
        [sys.executable, "-m", "daixin", "demo", "--dir", str(folder)],
        env=environment(web_port="0"),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert demo.stdout is not None
        found = re.search(r"http://\S+?(?=/ )", demo.stdout.readline())
        assert found is not None
        yield found[0]
    finally:
        demo.terminate()
        assert demo.wait(PATIENCE) == 0


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@dataclass
class Walk:
    """The stage in a window, with every complaint of the browser and every request that would leave the machine."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def phone(self, name: str) -> FrameLocator:
        return self.page.frame_locator(f"iframe[data-person={name}]")

    def heard(self, name: str, words: str) -> None:
        """The person sees these words from the bot, now or soon."""
        expect(self.phone(name).locator(".theirs", has_text=words).last).to_be_visible()

    def say(self, name: str, text: str) -> None:
        box = self.phone(name).locator("#text")
        box.fill(text)
        box.press("Enter")

    def press(self, name: str, label: str) -> None:
        self.phone(name).get_by_role("button", name=label, exact=True).last.click()

    def step(self, what: str) -> None:
        self.page.locator(f"[data-do={what}]").click()

    def done(self, what: str) -> None:
        expect(self.page.locator(f"li[data-step={what}]")).to_have_class(re.compile(r"\bdone\b"))

    def score(self, name: str) -> int:
        row = self.page.locator("#places li", has_text=name)
        expect(row).to_be_visible()
        return int(row.locator("b").inner_text())


@pytest.fixture
def walk(browser: Browser) -> Iterator[Walk]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="Asia/Shanghai")
    stage = Walk(context.new_page())

    def allow(route: Route) -> None:
        if re.match(r"http://127\.0\.0\.1[:/]", route.request.url):
            route.continue_()
        else:
            stage.complaints.append(f"leaves the machine: {route.request.url}")
            route.abort()

    context.route("**/*", allow)
    stage.page.on("console", lambda said: stage.complaints.append(said.text) if said.type != "log" else None)
    stage.page.on("pageerror", lambda error: stage.complaints.append(str(error)))
    yield stage
    context.close()
    assert stage.complaints == []


def alice_and_bob(walk: Walk, locale: str) -> None:
    """From the invite to the payment, by the buttons of the guide."""
    before = walk.score("Alice")
    walk.step("ask")
    expect(walk.phone("Alice").locator(".theirs img")).to_be_visible()
    walk.done("ask")
    walk.step("open")
    walk.phone("Bob").get_by_text(i18n.text(locale, "landing.open.webchat")).click()
    walk.phone("Bob").locator("#start").click()
    walk.heard("Bob", TITLES[locale])
    walk.done("open")
    walk.heard("Alice", words(locale, "news.joined", friend="Bob"))
    walk.step("wait")
    points = Money(100, "PTS").format(locale)
    walk.heard("Alice", words(locale, "news.held.advocate.retained", friend="Bob", amount=points))
    walk.heard("Bob", words(locale, "news.released.friend", amount=Money(50, "PTS").format(locale)))
    expect(walk.page.locator("#places li", has_text="Alice").locator("b")).to_have_text(str(before + 1))
    walk.step("paid")
    walk.heard("Alice", words(locale, "news.released.advocate", friend="Bob", amount=points))
    walk.done("paid")


def carol(walk: Walk, locale: str) -> None:
    """The admin looks, pauses, resumes, and launches a trial with the usual settings; Alice applies, Carol approves."""
    campaign = "/campaign" if locale == "en" else "活动"
    walk.say("Carol", campaign)
    walk.heard("Carol", words(locale, "campaign.heading"))
    walk.press("Carol", f"{TITLES[locale]} · {i18n.text(locale, 'campaign.state.running')}")
    walk.press("Carol", i18n.text(locale, "button.pause"))
    walk.heard("Carol", words(locale, "campaign.done.pause"))
    walk.press("Carol", i18n.text(locale, "button.resume"))
    walk.heard("Carol", words(locale, "campaign.done.resume"))
    walk.say("Carol", i18n.text(locale, "button.campaign_new"))
    walk.press("Carol", i18n.text(locale, "button.kind.trial"))
    walk.say("Carol", SERUM)
    walk.press("Carol", i18n.text(locale, "button.rest_by_default"))
    walk.press("Carol", i18n.text(locale, "button.launch"))
    walk.heard("Carol", plain(i18n.text(locale, "wizard.launched.trial", title=SERUM, ends="|")).partition("|")[0])
    walk.say("Alice", "/trial")
    walk.press("Alice", i18n.text(locale, "button.trial_apply"))
    walk.say("Alice", "I would love to. 想试试。")
    walk.press("Alice", i18n.text(locale, "button.skip"))
    walk.heard("Alice", SERUM)
    walk.say("Carol", "/review")
    walk.phone("Carol").locator(".row.theirs button", has_text="Alice").last.click()
    walk.press("Carol", i18n.text(locale, "button.case.application.approve"))
    walk.press("Carol", i18n.text(locale, "case.reason.fits"))
    walk.heard("Alice", i18n.text(locale, "button.trial_take"))


@pytest.mark.slow
@pytest.mark.parametrize("locale", ["en", "zh_Hans"])
def test_the_whole_path(prepared: Path, tmp_path: Path, walk: Walk, locale: str) -> None:
    shutil.copytree(prepared, tmp_path / "demo")
    with staged(tmp_path / "demo") as url:
        walk.page.goto(f"{url}/?lang={locale}")
        alice_and_bob(walk, locale)
        carol(walk, locale)
        walk.page.goto("about:blank")
