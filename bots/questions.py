"""What a dialog is made of: its questions, the buttons under them, and what somebody's words mean as an answer."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bots.context import Context
from bots.message import Button, Reply
from core.errors import BadInput

CANCEL_WORDS = {"cancel", "/cancel", "取消", "算了", "退出"}
SKIP_WORDS = {"skip", "跳过", "-", "没有", "无"}
BACK_WORDS = {"back", "/back", "返回", "上一步", "后退"}
YES_WORDS = {"yes", "ok", "right", "确认", "确定", "对", "正确", "是", "好"}
REST_WORDS = {"defaults", "其余默认", "其余用默认", "用默认"}
ANSWER = "answer:"
"""How the action of a button begins that answers a question; the dialog's token, the question and the answer follow."""
ROW_WIDTH = 28
"""Half-width characters of labels that stand side by side on a phone."""
ROW_BUTTONS = 3

Row = tuple[Button, ...]
Choice = tuple[str, str]
"""The label of a button, and the answer it gives."""


@dataclass(frozen=True, slots=True)
class Question:
    """`key`: the message that asks; its placeholders are what the dialog is about.

    `check`: reads a kept answer, raising `BadInput` if it cannot. `read`: turns what was said into the answer that is
    kept, where that needs to know who speaks and when ("tomorrow at eight"); raises `BadInput` too. `optional`: may be
    skipped, which answers "". `ask`: asks in words (and buttons) that need more than the key. `any_word`: a command's
    word may well be the answer (a campaign may be called 奖励).

    `choices`: answers offered as buttons, which may also be given by label or number. `default`: what is answered by
    who takes the usual. `closed`: only the choices are answers, so no form can ask it. `when`: asked only if that
    holds for the answers so far. `picture`: a picture is the answer, as `sha256:` and its digest.
    """

    name: str
    key: str
    check: Callable[[str], Any]
    optional: bool = False
    ask: Callable[[Context, Talk], Reply] | None = None
    any_word: bool = False
    choices: Callable[[Context, Talk], Sequence[Choice]] | None = None
    default: Callable[[Context, Talk], str] | None = None
    read: Callable[[Context, Talk, str], str] | None = None
    when: Callable[[Talk], bool] | None = None
    closed: bool = False
    picture: bool = False
    multiline: bool = False
    longest: int = 200


@dataclass(frozen=True, slots=True)
class Dialog:
    """`finish` gets what the dialog is about and all answers, read by their questions; if it raises `BadInput` or
    `Refused`, the last question is asked again with the reason.

    `title`: of its forms; without one it is asked one by one everywhere, and only in private. `admin`: it is for
    staff only who may do `act` (`referral.staff.ACTS`), which is looked at with every answer. `sealed`: answers are
    kept sealed. `lasts`: how long an answer is waited for. `guided`: shows ways back, out, and to the end by the
    defaults. `kept`: hears of each answer and may keep it elsewhere too; what it returns goes on, and a reply ends
    the dialog. `left`: what is said to who cancels. `echo`: how an answer was understood, said above the next
    question; nothing where that goes without saying.
    """

    name: str
    title: str | None
    questions: tuple[Question, ...]
    finish: Callable[[Context, dict[str, Any]], Reply]
    admin: bool = False
    act: str = "campaign"
    sealed: bool = False
    lasts: timedelta | None = None
    guided: bool = False
    kept: Callable[[Context, Talk], Talk | Reply] | None = None
    left: Callable[[Context, Talk], Reply] | None = None
    echo: Callable[[Context, Talk, Question], str] | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """A dialog in hand: what it is about (`facts`) and the answers so far, as they are kept. `at`: the question that
    is being asked."""

    token: str
    facts: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict, repr=False)
    at: str = ""

    def button(self, label: str, answer: str, *, choice: bool = False) -> Button:
        """A button that gives this answer to the question that is being asked, and to no other."""
        return Button(label, action=f"{ANSWER}{self.token}.{self.at} {answer}", choice=choice)


def applicable(dialog: Dialog, talk: Talk) -> list[Question]:
    """The questions that these answers leave to be asked, answered or not."""
    return [one for one in dialog.questions if one.when is None or one.when(talk)]


def open_question(dialog: Dialog, talk: Talk) -> Question | None:
    """The next question without an answer."""
    return next((one for one in applicable(dialog, talk) if one.name not in talk.answers), None)


def question_before(dialog: Dialog, talk: Talk, question: Question) -> Question | None:
    """The question that was answered before this one."""
    asked = applicable(dialog, talk)
    earlier = [one for one in asked[: asked.index(question)] if one.name in talk.answers]
    return earlier[-1] if earlier else None


def form_run(dialog: Dialog, talk: Talk, question: Question, most: int) -> list[Question]:
    """The questions that a form asks together: this one and those after it that take words."""
    asked = applicable(dialog, talk)
    run: list[Question] = []
    for one in asked[asked.index(question) :]:
        if one.closed or one.picture or len(run) == most:
            break
        if one.name not in talk.answers:
            run.append(one)
    return run


def meaning(ctx: Context, question: Question, talk: Talk, text: str) -> str:
    """The answer to keep for what was said. Raises `BadInput` if it is none.

    A bare number is the answer itself where it can be one, and else the number of a choice.
    """
    said = plain(text)
    if question.optional and said in SKIP_WORDS:
        return ""
    options = list(question.choices(ctx, talk)) if question.choices else []
    for label, value in options:
        if said in (plain(label), plain(value)):
            return _readable(ctx, question, talk, value)
    try:
        return _readable(ctx, question, talk, text)
    except BadInput:
        if not (said.isdecimal() and 1 <= int(said) <= len(options)):
            raise
    return _readable(ctx, question, talk, options[int(said) - 1][1])


def _readable(ctx: Context, question: Question, talk: Talk, text: str) -> str:
    value = question.read(ctx, talk, text) if question.read is not None else text
    question.check(value)
    return value


def read_all(dialog: Dialog, talk: Talk) -> dict[str, Any]:
    """All answers that matter, as their questions read them. Raises `BadInput` for the first that cannot be read."""
    return {one.name: one.check(talk.answers.get(one.name, "")) for one in applicable(dialog, talk)}


def plain(text: str) -> str:
    """Words as they are compared: without case, width and spaces around."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def confirmed(text: str, otherwise: str = "not_confirmed") -> bool:
    """The check of a question that asks whether something may be done. Raises `BadInput(otherwise)`."""
    if plain(text) not in YES_WORDS:
        raise BadInput(otherwise)
    return True


def in_rows(buttons: Sequence[Button]) -> tuple[Row, ...]:
    """Buttons side by side as far as a phone is wide; many of them one below the other."""
    if len(buttons) > 2 * ROW_BUTTONS:
        return tuple((button,) for button in buttons)
    rows: list[list[Button]] = []
    room = 0
    for button in buttons:
        width = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in button.label) + 2
        if not rows or width > room or len(rows[-1]) == ROW_BUTTONS:
            rows.append([])
            room = ROW_WIDTH
        rows[-1].append(button)
        room -= width
    return tuple(map(tuple, rows))
