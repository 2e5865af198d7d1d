"""Whoever runs the brand hears in chat that one of its addresses was given up, and not after somebody mended it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import Session

from bots.markup import plain
from core import clock
from core.events import emit
from referral.webhooks import endpoints
from tests.dialogue import Town, open_town

SAID = {
    "en": (
        (
            "🔌 Nobody has answered at https://shop.example.com/hook for days, so we stopped sending there. "
            "Events that wait: 0; nothing is lost. Mend your program, then switch the address on again under "
            "Settings → Webhooks."
        ),
        "Open the dashboard",
    ),
    "zh_Hans": (
        (
            "🔌 https://shop.example.com/hook 连续多日无响应，已停止推送。待推送的 0 条事件都已保留。"
            "修好后，在后台「设置 → Webhook」重新开启即可继续推送。"
        ),
        "打开管理后台",
    ),
}


def gives_up(town: Town, *, mended: bool = False) -> None:
    """The brand's only address is given up; `mended` at once by a colleague."""

    def unit(session: Session) -> None:
        url = f"https://shop.example.com/hook?token={mended}"
        which, _ = endpoints.add_endpoint(session, town.brand.id, url, (), "operator")
        found = endpoints.endpoint_of(session, town.brand.id, which, lock=True)
        found.state, found.reason, found.failing_since = "off", "failing", clock.now()
        session.add(found)
        session.flush()
        emit(session, [endpoints.EndpointStopped(town.brand.id, which, "failing")])
        if mended:
            endpoints.resume(session, town.brand.id, which, "operator")

    town.parts.writer.run_sync(unit)


@pytest.mark.parametrize("locale", ["en", "zh_Hans"])
async def test_an_address_that_was_given_up(tmp_path: Path, locale: str) -> None:
    async with open_town(tmp_path, locale) as town:
        await town.say("Carol", "/start")
        town.news("Carol")
        gives_up(town)
        await town.later(minutes=1)
        (heard,) = town.news("Carol")
        assert (plain(heard.text), heard.buttons[0][0].label) == SAID[locale]
        gives_up(town, mended=True)
        await town.later(minutes=1)
        assert town.news("Carol") == []
