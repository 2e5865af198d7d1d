"""`memory`: resident size of `daixin serve` with four idle adapters, and after 100,000 members were added under load.

The platforms are the pretend ones of the tests, each a process of its own. The members are added by another process
on the same database, a tenth of them through invite codes, while `serve` hears people on Telegram and answers links.
Nothing of a member should stay in the process: the bound says that it keeps nearly its idle size.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import func, select
from sqlmodel import Session, col

from bench import town
from bench.report import Line, line, skipped
from core import clock, migrations
from core.db import make_engine
from core.writer import Writer
from referral import members
from referral.members import Member
from tests.bots.discord.server import running as discord_running
from tests.bots.discord.world import TOKEN as DISCORD_TOKEN
from tests.bots.wechat.process import FOLDER as GATEWAY
from tests.bots.wechat.process import TOKEN as WECHAT_TOKEN
from tests.bots.wechat.process import GatewayProcess, free_port

BOUND = 2.0
"""Chosen by us: the page caches of SQLite may fill (32 to 64 MiB a connection), a member may leave nothing."""
MEMBERS = 100_000
BY_CODE = 10_000
TALKERS = 300
"""Who say `/start CODE` on Telegram meanwhile (it lets us answer 30 a second)."""
BATCH = 1_000
PATIENCE = 60.0
PLATFORMS = ("telegram", "discord", "wechat", "webchat")


async def _pretend_discord() -> None:
    async with discord_running() as server:
        print(json.dumps({"api": server.api_url, "gateway": server.gateway_url}), flush=True)
        await asyncio.Event().wait()


@contextmanager
def _process(
    words: Sequence[str], environment: dict[str, str] | None = None, log: Path = Path(os.devnull)
) -> Iterator[subprocess.Popen[str]]:
    everything = os.environ | (environment or {})
    errors = log.open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        env=everything,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)
        errors.close()


def _first_line(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    told: dict[str, str] = json.loads(process.stdout.readline())
    return told


def _platforms(stack: ExitStack) -> dict[str, str]:
    """Start the pretend platforms; the settings that lead to them."""
    telegram = _first_line(stack.enter_context(_process(["tests.bots.telegram.botapi"])))
    discord = _first_line(stack.enter_context(_process(["bench.memory", "discord"])))
    wechat = GatewayProcess()
    stack.callback(wechat.kill)
    wechat.start()
    return {
        "DAIXIN_TELEGRAM_TOKEN": telegram["token"],
        "DAIXIN_TELEGRAM_API_URL": telegram["url"],
        "DAIXIN_DISCORD_TOKEN": DISCORD_TOKEN,
        "DAIXIN_DISCORD_API_URL": discord["api"],
        "DAIXIN_DISCORD_GATEWAY_URL": discord["gateway"],
        "DAIXIN_WECHAT_ENDPOINT": wechat.endpoint,
        "DAIXIN_WECHAT_TOKEN": WECHAT_TOKEN,
    }


def _get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return str(error.read().decode())


def _wait_until_ready(web: str, process: subprocess.Popen[str], log: Path) -> None:
    """Until every platform says that it is ready. Raises with what was said last."""
    deadline, said = time.monotonic() + PATIENCE, ""
    while time.monotonic() < deadline and process.poll() is None:
        try:
            said = _get(f"{web}/healthz")
            found = json.loads(said)["roles"]
            if all(found[name]["state"] == "ready" for name in PLATFORMS):
                return
        except (OSError, ValueError, KeyError):
            pass
        time.sleep(0.2)
    raise RuntimeError(f"serve did not become ready: {said[:500]} {log.read_text()[-1500:]}")


def _resident(process: subprocess.Popen[str]) -> float:
    """MiB of real memory the process holds."""
    kib = subprocess.run(["ps", "-o", "rss=", "-p", str(process.pid)], capture_output=True, text=True, check=True)
    return int(kib.stdout) / 1024


def _settled(process: subprocess.Popen[str]) -> float:
    """The resident size once it has stayed the same for a while."""
    size = _resident(process)
    for _ in range(30):
        time.sleep(1)
        before, size = size, _resident(process)
        if abs(size - before) < 0.25:
            break
    return size


def _add_members(writer: Writer, place: town.Town) -> None:
    def meet(session: Session, begin: int) -> None:
        people = [town.account(f"m{number}") for number in range(begin, begin + BATCH)]
        members.meet(session, place.brand_id, people, [clock.now()] * BATCH, "message")

    town.bring(writer, place, BY_CODE)
    for begin in range(0, MEMBERS - BY_CODE, BATCH):
        writer.run_sync(lambda session, begin=begin: meet(session, begin))  # type: ignore[misc]


def _load(web: str, telegram: str, codes: Sequence[str], stop: threading.Event) -> list[int]:
    """People talk on Telegram and open links until it is enough; how many links were answered."""
    texts = [f"/start {codes[number % len(codes)]}" for number in range(TALKERS)]
    flood = urllib.request.Request(f"{telegram}/control/flood", json.dumps({"texts": texts}).encode())
    urllib.request.urlopen(flood, timeout=10).close()
    answered = [0]

    def open_links() -> None:
        while not stop.is_set():
            _get(f"{web}/r/{codes[answered[0] % len(codes)]}")
            answered[0] += 1

    threading.Thread(target=open_links, daemon=True).start()
    return answered


def _wait_for_answers(telegram: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while json.loads(_get(f"{telegram}/control/stats"))["answered"] < TALKERS:
        if time.monotonic() > deadline:
            raise RuntimeError("not everybody on Telegram was answered")
        time.sleep(0.2)


def _measure(stack: ExitStack, folder: str) -> Line:
    database = f"sqlite:///{Path(folder) / 'bench.db'}"
    migrations.migrate(database)
    writer = town.open_writer(database)
    stack.callback(writer.close)
    place = town.found(writer, 1_000)
    port = free_port()
    web = f"http://127.0.0.1:{port}"
    settings = _platforms(stack) | {
        "DAIXIN_DATABASE_URL": database,
        "DAIXIN_PUBLIC_URL": web,
        "DAIXIN_WEB_PORT": str(port),
        "DAIXIN_SECRET_KEY": "a-secret-of-the-bench-and-of-nobody-else",
    }
    log = Path(folder) / "serve.log"
    serve = stack.enter_context(_process(["daixin", "serve"], settings, log))
    _wait_until_ready(web, serve, log)
    idle = _settled(serve)
    stop = threading.Event()
    stack.callback(stop.set)
    links = _load(web, settings["DAIXIN_TELEGRAM_API_URL"], place.codes, stop)
    _add_members(writer, place)
    _wait_for_answers(settings["DAIXIN_TELEGRAM_API_URL"])
    stop.set()
    after = _settled(serve)
    with Session(make_engine(database, writer=False)) as session:
        there = session.scalar(select(func.count(col(Member.id))))
    return line(
        "memory",
        after / idle,
        BOUND,
        "lower",
        idle_mib=round(idle, 1),
        after_mib=round(after, 1),
        members=there,
        links_answered=links[0],
        limit="its own idle size, four adapters connected",
    )


def run() -> Line:
    """The resident size before and after."""
    if shutil.which("node") is None or not (GATEWAY / "node_modules").is_dir():
        install = "npm ci --ignore-scripts --prefix tests/bots/wechat/gateway  # Node 18 or newer"
        return skipped("memory", BOUND, "lower", "the WeChat gateway of the tests", install)
    with tempfile.TemporaryDirectory(prefix="daixin-bench-") as folder, ExitStack() as stack:
        return _measure(stack, folder)


if __name__ == "__main__":
    if sys.argv[1:] == ["discord"]:
        asyncio.run(_pretend_discord())
    else:
        print(json.dumps(run()))
