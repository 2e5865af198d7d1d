"""The API against its own document: schemathesis asks whatever the document allows, and what it does not."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from rewards.verify import verify
from tests.web import site
from tests.web.api.test_conversions import open_shop

EXTENT = {
    "sqlite": ["--max-examples", "30"],
    "postgresql": ["--phases", "examples,coverage", "--max-examples", "1"],
}
"""What is asked of each operation: on SQLite 30 requests made up, chains of them, and the edges of every field; on
PostgreSQL the edges, since what one database takes the other may not."""
CONFIG = Path(__file__).parent / "schemathesis.toml"


@pytest.mark.slow
async def test_the_document_says_what_the_api_does(
    tmp_path: Path, migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "fresh_sqlite", lambda _: migrated_url)
    async with open_shop(tmp_path, api_rate="1000000 per second") as shop:
        base = shop.site.client.base_url
        database = shop.site.house.engine.dialect.name
        command = [
            *(str(Path(sys.executable).parent / "st"), "--config-file", str(CONFIG), "--no-color"),
            *("run", f"{base}/api/v1/openapi.json", "--header", f"Authorization:Bearer {shop.key}"),
            *(*EXTENT[database], "--generation-deterministic", "--checks", "all"),
            "--continue-on-failure",
        ]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        assert ("✅ Stateful" in said.decode()) == (database == "sqlite"), "its phases were gone through"
        assert shop.site.house.ask(verify) == []
