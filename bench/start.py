"""`start`: `/start CODE` of new members to the stored referral and the answer, against a bare echo bot.

Both talk through the real python-telegram-bot to the same local Bot API (a process of its own each, one at work at
a time). Ours is the Telegram adapter with the whole router on SQLite, every commit on the disk before the answer.
The echo bot is the library's own: `concurrent_updates`, one handler that sends the text back. Only Telegram's limit
of 30 messages a second is lifted, for both; our order and pace per chat stay on.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col
from telegram import Update
from telegram.ext import Application, ContextTypes, MessageHandler, filters

from bench import town
from bench.report import Line, line
from bots.commands.all import MENU
from bots.context import Links
from bots.router import Router
from bots.state import DatabaseStore
from bots.telegram.adapter import TelegramAdapter
from bots.telegram.settings import TelegramSettings
from core import clock, migrations
from core.db import make_engine
from core.reader import Reader
from referral.referrals import Referral

BOUND = 0.5
ROUNDS = 5
PEOPLE = 400
"""New members in a round."""
WARM_UP = 150
CONNECTIONS = 8
"""Of the echo bot, as many as ours has: with the library's 256 it is half as fast."""
PATIENCE = 60.0
"""Seconds until a round counts as lost."""


async def ours(api: str, token: str, database: str) -> None:
    """Our bot, until it is told to stop."""
    writer, reader = town.open_writer(database), Reader(make_engine(database, writer=False))
    settings = TelegramSettings(token=token, api_url=api, messages_per_second=0)
    adapter = TelegramAdapter(settings, MENU, DatabaseStore("telegram", writer, reader), clock.now)
    router = Router(writer, Links("http://127.0.0.1:8000"), {"telegram": adapter})
    running = asyncio.create_task(adapter.run(router.hear))
    await _told_to_stop()
    await adapter.close()
    await running
    writer.close()
    reader.close()


async def echo(api: str, token: str) -> None:
    """The limit: the library with the least a bot can do."""

    async def repeat(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.message is not None
        assert update.message.text is not None
        await update.message.reply_text(update.message.text)

    builder = Application.builder().token(token).base_url(f"{api}/bot").concurrent_updates(CONNECTIONS)
    application = builder.connection_pool_size(CONNECTIONS).pool_timeout(PATIENCE).build()
    application.add_handler(MessageHandler(filters.TEXT, repeat))
    async with application:
        await application.start()
        assert application.updater is not None
        await application.updater.start_polling()
        await _told_to_stop()
        await application.updater.stop()
        await application.stop()


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


@contextmanager
def _process(*words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


class Stage:
    """A bot and the Bot API it talks to."""

    def __init__(self, stack: ExitStack, kind: str, *words: str) -> None:
        api = stack.enter_context(_process("tests.bots.telegram.botapi"))
        assert api.stdout is not None
        told: dict[str, str] = json.loads(api.stdout.readline())
        self.url = told["url"]
        self.bot = stack.enter_context(_process("bench.start", kind, self.url, told["token"], *words))

    def flood(self, texts: Sequence[str]) -> float:
        """New people say these texts at once; seconds until all are answered."""
        before = self._stats()["answered"]
        began = time.perf_counter()
        request = urllib.request.Request(f"{self.url}/control/flood", json.dumps({"texts": texts}).encode())
        urllib.request.urlopen(request, timeout=PATIENCE).close()
        while (stats := self._stats())["answered"] < before + len(texts):
            if time.perf_counter() - began > PATIENCE or self.bot.poll() is not None:
                raise RuntimeError(f"not everybody was answered: {stats}")
            time.sleep(0.01)
        if stats["violations"]:
            raise RuntimeError(f"the Bot API was spoken to wrongly: {stats}")
        return time.perf_counter() - began

    def _stats(self) -> dict[str, int]:
        with urllib.request.urlopen(f"{self.url}/control/stats", timeout=PATIENCE) as answer:
            found: dict[str, int] = json.load(answer)
        return found


def _measure(database: str, say: Callable[[int], list[str]]) -> tuple[list[float], list[float]]:
    """Answers a second of the echo bot and of ours, in turns."""
    with ExitStack() as stack:
        limit, own = Stage(stack, "echo"), Stage(stack, "ours", database)
        for stage in (limit, own):
            stage.flood(say(WARM_UP))
        rates: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            for stage, kept in zip((limit, own), rates, strict=True):
                kept.append(PEOPLE / stage.flood(say(PEOPLE)))
    return rates


def run() -> Line:
    """Medians of both, in turns, so that a busy machine slows them alike."""
    with tempfile.TemporaryDirectory(prefix="daixin-bench-") as folder:
        database = f"sqlite:///{Path(folder) / 'bench.db'}"
        migrations.migrate(database)
        writer = town.open_writer(database)
        place = town.found(writer, 100)
        writer.close()
        chance = random.Random(3)
        theirs, own = _measure(database, lambda count: [f"/start {chance.choice(place.codes)}" for _ in range(count)])
        with Session(make_engine(database, writer=False)) as session:
            stored = session.scalar(select(func.count()).where(col(Referral.state) == "started"))
    if stored != PEOPLE * ROUNDS + WARM_UP:
        raise RuntimeError(f"{stored} referrals are stored")
    rate, limit = statistics.median(own), statistics.median(theirs)
    return line(
        "start",
        rate / limit,
        BOUND,
        "higher",
        starts_per_second=round(rate),
        limit_per_second=round(limit),
        referrals=stored,
        limit="bare python-telegram-bot echo, 8 at once",
    )


def _main(words: Sequence[str]) -> Any:
    match words:
        case ["ours", api, token, database]:
            return asyncio.run(ours(api, token, database))
        case ["echo", api, token]:
            return asyncio.run(echo(api, token))
        case _:
            return print(json.dumps(run()))


if __name__ == "__main__":
    _main(sys.argv[1:])
