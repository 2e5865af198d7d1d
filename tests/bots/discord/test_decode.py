"""Discord's payloads in neutral words."""

from __future__ import annotations

from typing import Any

import pytest

from bots.discord.decode import form_answers, slash


@pytest.mark.parametrize(
    ("data", "command"),
    [
        ({"name": "me"}, ("me", "")),
        ({"name": "me", "options": []}, ("me", "")),
        ({"name": "me", "options": None}, ("me", "")),
        ({"name": "join", "options": [{"type": 3, "name": "code", "value": " ABCD "}]}, ("join", " ABCD ")),
        ({"name": "join", "options": [{"type": 4, "name": "code", "value": 12}]}, ("join", "12")),
    ],
)
def test_a_slash_command_has_a_name_and_one_argument(data: dict[str, Any], command: tuple[str, str]) -> None:
    assert slash(data) == command


def test_a_form_is_read_from_rows_and_from_labels() -> None:
    components = [
        {"type": 10, "content": "words above"},
        {"type": 1, "components": [{"type": 4, "custom_id": "old", "value": "row"}]},
        {"type": 18, "component": {"type": 4, "custom_id": "new", "value": "label"}},
        {"type": 18, "component": {"type": 4, "custom_id": "empty", "value": None}},
    ]
    assert form_answers(components) == {"old": "row", "new": "label", "empty": ""}
