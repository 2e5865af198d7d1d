"""The API against its own document: schemathesis asks whatever the document allows, and what it does not."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from rewards.verify import verify
from tests.web import site
from tests.web.api.test_conversions import open_shop

EXAMPLES = {"sqlite": 30, "postgresql": 4}
"""Requests made up for each operation, beside those that go through the edges of every field: what one database takes
the other may not, but the edges tell."""
CONFIG = Path(__file__).parent / "schemathesis.toml"


@pytest.mark.slow
async def test_the_document_says_what_the_api_does(
    tmp_path: Path, migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "fresh_sqlite", lambda _: migrated_url)
    async with open_shop(tmp_path, api_rate="1000000 per second") as shop:
        base = shop.site.client.base_url
        examples = EXAMPLES[shop.site.house.engine.dialect.name]
        command = [
            *(str(Path(sys.executable).parent / "st"), "--config-file", str(CONFIG), "--no-color"),
            *("run", f"{base}/api/v1/openapi.json", "--header", f"Authorization:Bearer {shop.key}"),
            *("--max-examples", str(examples), "--generation-deterministic", "--checks", "all"),
            "--continue-on-failure",
        ]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        assert "Stateful" in said.decode(), "all its phases were gone through"
        assert shop.site.house.ask(verify) == []
