"""The attribute dictionary as people read it: a list on the screen, a page of the handbook."""

from __future__ import annotations

from typing import Any

from core import i18n
from rewards.conditions.dictionary import ATTRIBUTES, LINE, Attribute, describe


def rows(locale: str) -> list[dict[str, Any]]:
    """Every attribute with its type, unit and meaning, in the order of the dictionary, group by group."""
    ordered = sorted(ATTRIBUTES.values(), key=lambda one: _GROUPS.index(one.group))
    return [
        {"name": one.name, "type": one.type, "unit": _unit(one, locale), "means": describe(one.name, locale)}
        for one in ordered
    ]


_GROUPS = list(dict.fromkeys(one.group for one in ATTRIBUTES.values()))


def _unit(attribute: Attribute, locale: str) -> str:
    return i18n.text(locale, f"attribute_page.unit_{attribute.unit}") if attribute.unit else ""


def page(locale: str) -> str:
    """The page of the handbook, in markdown."""
    parts = [i18n.text(locale, "attribute_page.title"), i18n.text(locale, "attribute_page.intro", n=len(ATTRIBUTES))]
    head = i18n.text(locale, "attribute_page.head")
    listed = rows(locale)
    for group in _GROUPS:
        lines = [
            f"| `{row['name']}` | {_kind(row)} | {row['means']} |"
            for row in listed
            if row["name"].startswith(f"{group}.")
        ]
        parts.append(f"## {group}\n\n{head}\n" + "\n".join(lines))
    fields = [
        f"| `{name}` | {declared.partition(' ')[0]} | {describe(f'line.{name}', locale)} |"
        for name, declared in LINE.items()
    ]
    parts.append(i18n.text(locale, "attribute_page.lines") + f"\n\n{head}\n" + "\n".join(fields))
    return "\n\n".join(parts) + "\n"


def _kind(row: dict[str, Any]) -> str:
    return f"{row['type']}, {row['unit']}" if row["unit"] else row["type"]
