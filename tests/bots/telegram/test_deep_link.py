"""The landing page leads into a private chat with the bot, an admin adds it to a group: the bot notes its addresses."""

from __future__ import annotations

from tests.bots.telegram.harness import eventually, open_harness


async def test_a_connected_bot_notes_where_friends_with_a_code_find_it() -> None:
    async with open_harness() as at:
        await eventually(lambda: "deep_link" in at.store.values)
        me = at.adapter.status.detail.removeprefix("@")
        assert at.store.values["deep_link"] == f"https://t.me/{me}?start={{code}}"


async def test_a_connected_bot_notes_its_name_and_the_link_that_makes_it_an_admin_of_a_group() -> None:
    async with open_harness() as at:
        await eventually(lambda: "introduction" in at.store.values)
        me = at.adapter.status.detail
        assert at.store.values["introduction"] == {
            "name": me,
            "url": f"https://t.me/{me.removeprefix('@')}?startgroup&admin=invite_users+pin_messages",
        }


async def test_a_database_that_is_away_does_not_keep_the_bot_from_answering() -> None:
    async with open_harness() as at:

        async def away(key: str, value: object) -> None:
            raise RuntimeError("database_unavailable")

        at.store.put = away  # type: ignore[method-assign]
        await at.adapter._keep_deep_link()
        assert at.adapter.status.state == "ready"
