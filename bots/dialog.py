"""Dialogs: questions asked one by one, kept in the database, so that a restart or a week's pause loses nothing.

Where a platform has forms (`Reply.form`), the same questions are asked at once and come back as one submission.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from bots.context import Context
from bots.message import Field, Form, Incoming, Reply, Said
from bots.state import Conversation
from core import clock, i18n
from core.errors import BadInput

CANCEL_WORDS = {"cancel", "/cancel", "取消", "算了", "退出"}
ANSWER_LENGTH = 200
MOMENT = timedelta(hours=1)
"""So long a command's word may still be meant as the answer to a question."""


@dataclass(frozen=True, slots=True)
class Question:
    """`key`: the message that asks. `check`: reads an answer, raising `BadInput` if it cannot."""

    name: str
    key: str
    check: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Dialog:
    """`finish` gets all answers, read by their questions. `admin`: a form of it is taken from group admins only."""

    name: str
    title: str
    questions: tuple[Question, ...]
    finish: Callable[[Context, dict[str, Any]], Reply]
    admin: bool = False


def begin(ctx: Context, dialog: Dialog) -> Reply:
    """Ask the first question, or all of them in a form.

    In a group only the form is for this person; what they say there is not taken for an answer.
    """
    if ctx.private:
        _keep(ctx.session, ctx, dialog.name, {})
    fields = tuple(
        Field(question.name, ctx.say(question.key + ".label"), max_length=ANSWER_LENGTH)
        for question in dialog.questions
    )
    form = Form(i18n.text(ctx.locale, dialog.title), f"form:{dialog.name}", fields)
    return replace(_ask(ctx, dialog, 0), form=form)


def current(session: Session, platform: str, account: str) -> Conversation | None:
    """The dialog this person is in, if any."""
    found = session.get(Conversation, (platform, account))
    return found if found is not None and found.dialog else None


def answer_to(ctx: Context, dialogs: Mapping[str, Dialog], said: Incoming, *, is_word: bool) -> Reply | None:
    """The dialog's reply to what was said, or None if that is no answer to a question of ours.

    `is_word`: it is also a command's word. It is an answer nevertheless if the question was asked a moment ago and
    takes it (a campaign may be called 奖励); a slash or a button always leaves the question for another time.
    """
    if not isinstance(said, Said) or said.command is not None or not ctx.private:
        return None
    waiting = current(ctx.session, ctx.person.platform, ctx.person.account)
    dialog = dialogs.get(waiting.dialog or "") if waiting is not None else None
    if waiting is None or dialog is None:
        return None
    given = waiting.data or {}
    if is_word:
        fresh = ctx.now < waiting.updated_at + MOMENT
        if (
            not fresh
            or said.text.strip().startswith(("/", "／"))
            or not _takes(dialog.questions[len(given)], said.text)
        ):
            return None
    return answer(ctx, dialog, given, said.text)


def _takes(question: Question, text: str) -> bool:
    try:
        question.check(text)
    except BadInput:
        return False
    return True


def answer(ctx: Context, dialog: Dialog, given: dict[str, Any], text: str) -> Reply:
    """The next answer: a bad one is asked again with the reason, the last one finishes."""
    if text.strip().lower() in CANCEL_WORDS:
        _keep(ctx.session, ctx, None, None)
        return ctx.reply("dialog.cancelled")
    question = dialog.questions[len(given)]
    try:
        question.check(text)
    except BadInput as error:
        again = _ask(ctx, dialog, len(given))
        return replace(again, text=ctx.say(f"error.{error.code}", **error.params) + "\n\n" + again.text)
    given = {**given, question.name: text}
    if len(given) < len(dialog.questions):
        _keep(ctx.session, ctx, dialog.name, given)
        return _ask(ctx, dialog, len(given))
    return submit(ctx, dialog, given)


def submit(ctx: Context, dialog: Dialog, answers: dict[str, Any]) -> Reply:
    """All answers at once. Raises `BadInput` for the first that cannot be read."""
    read = {question.name: question.check(str(answers.get(question.name, ""))) for question in dialog.questions}
    _keep(ctx.session, ctx, None, None)
    return dialog.finish(ctx, read)


def _ask(ctx: Context, dialog: Dialog, step: int) -> Reply:
    text = (
        ctx.say("dialog.step", step=step + 1, steps=len(dialog.questions)) + " " + ctx.say(dialog.questions[step].key)
    )
    return Reply(text + "\n\n" + ctx.say("dialog.how_to_cancel"), private=True, brief=ctx.say("group.brief"))


def _keep(session: Session, ctx: Context, dialog: str | None, data: dict[str, Any] | None) -> None:
    row = session.get(Conversation, (ctx.person.platform, ctx.person.account)) or Conversation(
        platform=ctx.person.platform, account=ctx.person.account, updated_at=clock.now()
    )
    row.dialog, row.data, row.updated_at, row.brand_id = dialog, data, clock.now(), ctx.brand.id
    session.add(row)
    session.flush()
