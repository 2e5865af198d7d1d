"""The slash commands as Discord gets them."""

from __future__ import annotations

import re

from bots.command import Argument, CommandSpec, Menu
from bots.discord.menu import slash_commands
from tests.bots.discord.harness import MENU, DiscordHarness


async def test_the_menu_is_published_with_translations(discord: DiscordHarness) -> None:
    published = {command["name"]: command for command in discord.server.commands}

    assert list(published) == [spec.name for spec in MENU.commands]
    invite = published["invite"]
    assert invite["description"] == "Your invite link and card"
    assert invite["description_localizations"] == {"zh-CN": "邀请链接和海报"}
    assert invite["name_localizations"] == {"zh-CN": "邀请"}
    assert invite["contexts"] == [0, 1]
    (code,) = published["join"]["options"]
    assert (code["name"], code["type"], code["required"]) == ("code", 3, True)
    assert code["description_localizations"] == {"zh-CN": "邀请码"}


async def test_the_bot_notes_its_name_and_the_page_that_adds_it_to_a_server(discord: DiscordHarness) -> None:
    application = discord.adapter._connected().application_id
    assert discord.store.values["introduction"] == {
        "name": "daixin",
        "url": f"https://discord.com/oauth2/authorize?client_id={application}&scope=bot+applications.commands"
        "&permissions=2251800082156593",  # as the page about Discord says
    }


def test_admins_commands_are_for_guilds_and_their_managers() -> None:
    (command,) = slash_commands(Menu((CommandSpec("campaign", (), {"en": "Run"}, admin=True),)))

    assert command["contexts"] == [0]
    assert command["default_member_permissions"] == "32"


def test_a_name_discord_would_refuse_is_not_localised() -> None:
    specs = (
        CommandSpec("why", ("why not", "为什么?", "为什么 不"), {"en": "Why"}),
        CommandSpec("me", ("me2", "我的"), {"en": "Me"}),
        CommandSpec("mine", ("我的",), {"zh_Hans": "我的"}),
    )
    why, me, mine = slash_commands(Menu(specs))

    assert "name_localizations" not in why
    assert me["name_localizations"] == {"zh-CN": "我的"}
    assert "name_localizations" not in mine  # taken: two commands may not share a name
    assert mine["description"] == "mine"


def test_long_help_is_cut_to_what_discord_takes() -> None:
    argument = Argument("code", {"en": "y" * 300})
    (command,) = slash_commands(Menu((CommandSpec("join", (), {"en": "x" * 300}, argument),)))

    assert len(command["description"]) == len(command["options"][0]["description"]) == 100
    assert re.fullmatch(r"[-_'a-z0-9]{1,32}", command["name"])
