"""The API against its own document: schemathesis asks whatever the document allows, and what it does not."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from referral import audit
from rewards.verify import verify
from tests.web import site
from tests.web.api.test_conversions import Shop, open_shop, order
from tests.web.api.test_events import call, ring

EXTENT = {
    "sqlite": ["--max-examples", "30"],
    "postgresql": ["--phases", "examples,coverage", "--max-examples", "1"],
}
"""What is asked of each operation: on SQLite 30 requests made up, chains of them, and the edges of every field; on
PostgreSQL the edges, since what one database takes the other may not."""
CONFIG, HOOKS = (Path(__file__).parent / name for name in ("schemathesis.toml", "schemathesis_hooks.py"))

DONE = {f"webhook.{act}" for act in ("add", "change", "resume", "remove", "rotate", "replay")}


async def told_of_orders(shop: Shop) -> list[str]:
    """Webhooks that stay, with messages that were tried and nobody took."""
    made = [await call(shop, "POST", "/webhooks", {"url": f"http://127.0.0.1:9999/{number}"}) for number in range(3)]
    for number in range(3):
        await shop.post("/conversions", order(f"before-{number}", code=shop.code))
    await ring(shop)
    return [one.json()["id"] for one in made]


@pytest.mark.slow
async def test_the_document_says_what_the_api_does(
    tmp_path: Path, migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "fresh_sqlite", lambda _: migrated_url)
    async with open_shop(tmp_path, api_rate="1000000 per second", webhook_allow="127.0.0.1") as shop:
        base = shop.site.client.base_url
        webhooks = await told_of_orders(shop)
        database = shop.site.house.engine.dialect.name
        command = [
            *(str(Path(sys.executable).parent / "st"), "--config-file", str(CONFIG), "--no-color"),
            *("run", f"{base}/api/v1/openapi.json", "--header", f"Authorization:Bearer {shop.key}"),
            *(*EXTENT[database], "--generation-deterministic", "--checks", "all"),
            "--continue-on-failure",
        ]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=tmp_path,
            env=os.environ | {"SCHEMATHESIS_HOOKS": str(HOOKS), "WEBHOOKS": ",".join(webhooks), "API_KEY": shop.key},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        assert ("✅ Stateful" in said.decode()) == (database == "sqlite"), "its phases were gone through"
        assert shop.site.house.ask(verify) == []
        log = shop.site.house.ask(lambda session: audit.entries_of(session, shop.site.brand_id, most=10**6))
        assert {one.act for one in log} >= DONE, "the webhooks it asked for are there"
