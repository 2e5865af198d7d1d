"""How a command is declared: once, for every platform's menu, slash tree and Chinese words."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Argument:
    """The one argument a command takes. `help` maps a locale (`en`, `zh_Hans`) to a few words."""

    name: str
    help: dict[str, str]
    required: bool = False


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """`name` is ASCII and lower case; `aliases` are the words people say (Chinese ones above all).

    `help` maps a locale to the menu line (≤ 100 characters). `slow`: the answer may take over a second (draws a
    card), so a platform with a deadline defers. `admin`: shown only to group admins where the platform can,
    and in the list of commands to those who may do `act` (`referral.staff.ACTS`).
    `phrases`: words of several parts, in lower case, that mean the command with an argument; heard in private only.
    """

    name: str
    aliases: tuple[str, ...]
    help: dict[str, str]
    argument: Argument | None = None
    slow: bool = False
    admin: bool = False
    act: str = "campaign"
    phrases: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Menu:
    """All commands, in the order they are shown."""

    commands: tuple[CommandSpec, ...] = field(default=())
