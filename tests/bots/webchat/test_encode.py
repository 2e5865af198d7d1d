"""A neutral reply as the JSON the page draws."""

from __future__ import annotations

import pytest

from bots.command import CommandSpec, Menu
from bots.markup import escape
from bots.message import Button, Field, Form, Reply
from bots.webchat.encode import encode, encode_menu, encode_said
from tests.bots.webchat.harness import MENU


def test_text_is_lines_of_spans_with_their_styles() -> None:
    assert encode(Reply("**Hi** [there](https://example.org)\n\n`x`")) == {
        "lines": [
            [{"text": "Hi", "bold": True}, {"text": " "}, {"text": "there", "url": "https://example.org"}],
            [],
            [{"text": "x", "code": True}],
        ]
    }


def test_what_a_person_wrote_is_never_markup() -> None:
    assert encode_said("**not bold**\n\n<b>") == {"lines": [[{"text": "**not bold**"}], [], [{"text": "<b>"}]]}
    assert encode(Reply(escape("<img src=x onerror=alert(1)>")))["lines"] == [
        [{"text": "<img src=x onerror=alert(1)>"}]
    ]


def test_each_kind_of_button_is_told_apart() -> None:
    row = (Button("a", action="x:1"), Button("u", url="https://example.org"), Button("c", copy="CODE"))
    assert encode(Reply("", buttons=(row,)))["buttons"] == [
        [{"label": "a", "action": "x:1"}, {"label": "u", "url": "https://example.org"}, {"label": "c", "copy": "CODE"}]
    ]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "//evil.example", "x"]
)
def test_an_address_that_could_run_something_can_only_be_copied(url: str) -> None:
    assert encode(Reply("", buttons=((Button("go", url=url),),)))["buttons"] == [[{"label": "go", "copy": url}]]
    assert "url" not in encode(Reply(f"[go]({url})"))["lines"][0][0]


def test_a_form_tells_its_fields() -> None:
    code = Field("code", "Code", "ABCD", max_length=12, value="WXYZ")
    form = Form("Link", "link", (code, Field("why", "Why", multiline=True, required=False)))
    first, second = {"value": "WXYZ", "required": True}, {"value": "", "required": False}
    assert encode(Reply("Please", form=form))["form"] == {
        "title": "Link",
        "action": "link",
        "fields": [
            {"name": "code", "label": "Code", "placeholder": "ABCD", "multiline": False, "max": 12, **first},
            {"name": "why", "label": "Why", "placeholder": "", "multiline": True, "max": 200, **second},
        ],
    }


def test_quick_commands_speak_the_visitors_language() -> None:
    assert [chip["label"] for chip in encode_menu(MENU, "en")] == ["Invite", "Help"]
    assert [chip["say"] for chip in encode_menu(MENU, "en")] == ["/invite", "/help"]
    assert [chip["say"] for chip in encode_menu(MENU, "zh_Hans")] == ["邀请", "帮助"]
    assert encode_menu(MENU, "zh_Hans")[0]["help"] == "我的邀请链接"


def test_an_admin_finds_the_admins_commands_first() -> None:
    menu = Menu((*MENU.commands, CommandSpec("campaign", ("活动",), {"en": "Run campaigns"}, admin=True)))
    assert [chip["label"] for chip in encode_menu(menu, "en")] == ["Invite", "Help"]
    assert [chip["label"] for chip in encode_menu(menu, "en", admin=True)] == ["Campaign", "Invite", "Help"]


def test_a_form_beside_buttons_that_answer_too_is_not_drawn() -> None:
    form = Form("Link", "link", (Field("code", "Code"),), at_once=False)
    assert "form" not in encode(Reply("How many?", ((Button("50", action="answer:t.n 50"),),), form=form))
