"""The menu of commands → Discord's slash commands with their translations. Pure."""

from __future__ import annotations

import re
from typing import Any

from bots.command import CommandSpec, Menu

LOCALES = {"zh_Hans": "zh-CN", "zh_Hant": "zh-TW"}
"""Ours → Discord's. English is the default text of every command."""

MANAGE_GUILD = str(1 << 5)
DESCRIPTION_LIMIT = 100
_NAME = re.compile(r"[-_'\w]{1,32}")
_HAN = re.compile(r"[\u3400-\u9fff]")


def slash_commands(menu: Menu) -> list[dict[str, Any]]:
    """The body of `PUT /applications/{id}/commands`: everything we offer, replacing what was there."""
    taken: set[str] = set()
    return [_command(spec, taken) for spec in menu.commands]


def _command(spec: CommandSpec, taken: set[str]) -> dict[str, Any]:
    command: dict[str, Any] = {
        "type": 1,
        "name": spec.name,
        "contexts": [0] if spec.admin else [0, 1],
        "integration_types": [0],
        **_described(spec.help, spec.name),
    }
    if spec.admin:
        command["default_member_permissions"] = MANAGE_GUILD
    chinese = next((alias for alias in spec.aliases if _chinese_name(alias) and alias not in taken), None)
    if chinese:
        taken.add(chinese)
        command["name_localizations"] = {"zh-CN": chinese}
    if spec.argument:
        argument = spec.argument
        described = _described(argument.help, argument.name)
        command["options"] = [{"type": 3, "name": argument.name, "required": argument.required, **described}]
    return command


def _described(help: dict[str, str], fallback: str) -> dict[str, Any]:
    described: dict[str, Any] = {"description": (help.get("en") or fallback)[:DESCRIPTION_LIMIT]}
    translated = {LOCALES[locale]: text[:DESCRIPTION_LIMIT] for locale, text in help.items() if locale in LOCALES}
    if translated:
        described["description_localizations"] = translated
    return described


def _chinese_name(alias: str) -> bool:
    """Discord's rule for names (letters, digits, `-_'`, 32 at most, lower case), and Chinese at all."""
    return bool(_NAME.fullmatch(alias) and _HAN.search(alias)) and alias == alias.lower()
