"""Somebody of a brand who went astray is told so in their own language, with a way back to their pages."""

from __future__ import annotations

from pathlib import Path

from sqlmodel import Session

from referral.users import accounts
from tests.web.brandsite import open_brand

HOME = 'href="/b/wild/"'


async def test_a_page_that_is_none_leads_back_to_the_brand(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")

        def speaks_chinese(session: Session) -> None:
            accounts.set_locale(session, mei.user_id, "zh_Hans")

        site.house.do(speaks_chinese)
        gone = await mei.get("/campaigns/nowhere")
        assert gone.status_code == 404
        assert HOME in gone.text
        assert "这里什么也没有" in gone.text  # though her browser asks for English
        assert 'name="code"' not in gone.text  # nobody comes here with an invite code


async def test_who_may_not_is_led_back_too(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        looker = await site.person("reviewer")
        refused = await looker.get("/settings/keys")
        assert refused.status_code == 403
        assert "Your role does not allow this" in refused.text
        assert HOME in refused.text


async def test_an_address_nobody_knows_leads_to_ones_account(tmp_path: Path) -> None:
    async with open_brand(tmp_path) as site:
        mei = await site.person("owner")
        for path in ("/b/faraway/", "/b/wild/no/such/page"):
            lost = await mei.client.get(path)
            assert lost.status_code == 404
            assert 'href="/account"' in lost.text
        friend = await (await site.visitor()).get("/nowhere")
        assert 'href="/account"' not in friend.text
        assert 'name="code"' in friend.text
