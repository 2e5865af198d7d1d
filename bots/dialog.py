"""Dialogs: questions asked one by one, kept in the database, so that a restart or a week's pause loses nothing.

Where a platform has forms (`Reply.form`), the same questions are asked at once and come back as one submission.
A dialog has a token of its own: what is pressed under a question of another dialog, or under one answered before, is
no answer to this one. What people say about themselves (a payee, an address) is kept sealed while we ask on.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from bots.context import Context
from bots.message import Button, Field, Form, Incoming, Pressed, Reply, Said
from bots.state import Conversation
from core import clock, i18n, vault
from core.errors import BadInput, Refused, Unavailable

CANCEL_WORDS = {"cancel", "/cancel", "取消", "算了", "退出"}
SKIP_WORDS = {"skip", "跳过", "-", "没有", "无"}
ANSWER_LENGTH = 200
MOMENT = timedelta(hours=1)
"""So long a command's word may still be meant as the answer to a question."""
ANSWER = "answer:"
"""How the action of a button begins that answers a question; the dialog's token and the answer follow."""

Row = tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """`key`: the message that asks; its placeholders are what the dialog is about and what was answered so far.

    `check`: reads an answer, raising `BadInput` if it cannot. `optional`: may be skipped, which answers "". `ask`:
    asks in words (and buttons) that need more than the key. `any_word`: a command's word may well be the answer (a
    campaign may be called 奖励).
    """

    name: str
    key: str
    check: Callable[[str], Any]
    optional: bool = False
    ask: Callable[[Context, Talk], Reply] | None = None
    any_word: bool = False


@dataclass(frozen=True, slots=True)
class Dialog:
    """`finish` gets what the dialog is about and all answers, read by their questions; if it raises `BadInput` or
    `Refused`, the last question is asked again with the reason.

    `title`: of its form; without one it is asked one by one everywhere, and only in private. `admin`: a form of it is
    taken from group admins only. `sealed`: answers are kept sealed. `lasts`: how long an answer is waited for.
    """

    name: str
    title: str | None
    questions: tuple[Question, ...]
    finish: Callable[[Context, dict[str, Any]], Reply]
    admin: bool = False
    sealed: bool = False
    lasts: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """A dialog in hand: what it is about (`facts`) and the answers so far, as they were said."""

    token: str
    facts: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict, repr=False)

    def button(self, label: str, answer: str) -> Button:
        """A button that gives this answer."""
        return Button(label, action=f"{ANSWER}{self.token} {answer}")


def begin(ctx: Context, dialog: Dialog, **facts: Any) -> Reply:
    """Ask the first question, or all of them in a form. `facts`: what it is about, ready for JSON.

    In a group only the form is for this person; what they say there is not taken for an answer.
    """
    talk = Talk(secrets.token_hex(4), facts)
    if ctx.private:
        _keep(ctx, dialog, talk)
    asked = _ask(ctx, dialog, talk)
    if dialog.title is None:
        return asked
    fields = tuple(
        Field(question.name, ctx.say(question.key + ".label"), max_length=ANSWER_LENGTH)
        for question in dialog.questions
    )
    return replace(asked, form=Form(i18n.text(ctx.locale, dialog.title), f"form:{dialog.name}", fields))


def current(session: Session, platform: str, account: str) -> Conversation | None:
    """The dialog this person is in, if any."""
    found = session.get(Conversation, (platform, account))
    return found if found is not None and found.dialog else None


def talk_of(ctx: Context, dialog: Dialog, token: str) -> Talk | None:
    """This dialog if the person is in it, with this token, and still in time; for buttons that are commands."""
    waiting = current(ctx.session, ctx.person.platform, ctx.person.account)
    if waiting is None or waiting.dialog != dialog.name or _late(ctx, dialog, waiting):
        return None
    talk = _read(ctx, waiting)
    return talk if talk.token == token else None


def end(ctx: Context) -> None:
    """Nothing is asked any more."""
    _keep(ctx, None, None)


def answer_to(
    ctx: Context, dialogs: Mapping[str, Dialog], said: Incoming, *, is_word: bool = False, is_code: bool = False
) -> Reply | None:
    """The dialog's reply to what was said or pressed, or None if that is no answer to a question of ours.

    `is_word`: it is also a command's word, `is_code`: it could be an invite code (a bank account may look like one).
    Either is an answer nevertheless if the question was asked a moment ago and takes it, a word only where the
    question expects `any_word`; a slash or a button always leaves the question for another time.
    """
    if not ctx.private:
        return None
    waiting = current(ctx.session, ctx.person.platform, ctx.person.account)
    dialog = dialogs.get(waiting.dialog or "") if waiting is not None else None
    if waiting is None or dialog is None or _late(ctx, dialog, waiting):
        return None
    talk = _read(ctx, waiting)
    if isinstance(said, Pressed):
        mine, _, text = said.action.partition(" ")
        return answer(ctx, dialog, talk, text) if mine == ANSWER + talk.token else None
    if not isinstance(said, Said) or said.command is not None:
        return None
    if is_word or is_code:
        fresh = ctx.now < waiting.updated_at + MOMENT
        question = dialog.questions[len(talk.answers)]
        meant = is_code or question.any_word
        if not fresh or not meant or said.text.strip().startswith(("/", "／")) or not _takes(question, said.text):
            return None
    return answer(ctx, dialog, talk, said.text)


def _late(ctx: Context, dialog: Dialog, waiting: Conversation) -> bool:
    return dialog.lasts is not None and ctx.now >= waiting.updated_at + dialog.lasts


def _takes(question: Question, text: str) -> bool:
    try:
        question.check(text)
    except BadInput:
        return False
    return True


def answer(ctx: Context, dialog: Dialog, talk: Talk, text: str) -> Reply:
    """The next answer: a bad one is asked again with the reason, the last one finishes."""
    if text.strip().lower() in CANCEL_WORDS:
        end(ctx)
        return ctx.reply("dialog.cancelled")
    question = dialog.questions[len(talk.answers)]
    if question.optional and text.strip().lower() in SKIP_WORDS:
        text = ""
    try:
        question.check(text)
        following = replace(talk, answers={**talk.answers, question.name: text})
        if len(following.answers) < len(dialog.questions):
            _keep(ctx, dialog, following)
            return _ask(ctx, dialog, following)
        with ctx.session.begin_nested():
            return submit(ctx, dialog, following.answers, {**following.facts, "token": following.token})
    except (BadInput, Refused) as error:
        again = _ask(ctx, dialog, talk)
        return replace(again, text=ctx.refusal(error) + "\n\n" + again.text)


def submit(ctx: Context, dialog: Dialog, answers: Mapping[str, Any], facts: Mapping[str, Any] | None = None) -> Reply:
    """All answers at once. Raises `BadInput` for the first that cannot be read."""
    read = {question.name: question.check(str(answers.get(question.name, ""))) for question in dialog.questions}
    end(ctx)
    return dialog.finish(ctx, {**(facts or {}), **read})


def _ask(ctx: Context, dialog: Dialog, talk: Talk) -> Reply:
    step = len(talk.answers)
    question = dialog.questions[step]
    if question.ask is not None:
        asked = question.ask(ctx, talk)
        text, buttons = asked.text, asked.buttons
    else:
        text, buttons = ctx.say(question.key, **talk.facts), ()
    if question.optional:
        buttons = (*buttons, (talk.button(i18n.text(ctx.locale, "button.skip"), "skip"),))
    if len(dialog.questions) > 1:
        text = ctx.say("dialog.step", step=step + 1, steps=len(dialog.questions)) + " " + text
    if not any((button.action or "").endswith(" cancel") for row in buttons for button in row):
        text += "\n\n" + ctx.say("dialog.how_to_cancel")
    return Reply(text, buttons=buttons, private=True, brief=ctx.say("group.brief"))


def _read(ctx: Context, waiting: Conversation) -> Talk:
    """What is kept; without its answers where the key they were sealed with is gone."""
    kept = waiting.data or {}
    answers = kept.get("answers", {})
    if "sealed" in kept:
        try:
            answers = vault.unseal(kept["sealed"], bound_to=_whose(ctx))
        except Unavailable:
            answers = {}
    return Talk(kept.get("token", ""), kept.get("facts", {}), answers)


def _keep(ctx: Context, dialog: Dialog | None, talk: Talk | None) -> None:
    row = ctx.session.get(Conversation, (ctx.person.platform, ctx.person.account)) or Conversation(
        platform=ctx.person.platform, account=ctx.person.account, updated_at=clock.now()
    )
    row.dialog, row.data = None, None
    if dialog is not None and talk is not None:
        row.dialog = dialog.name
        sealed = dialog.sealed and talk.answers
        row.data = {"token": talk.token, "facts": talk.facts} | (
            {"sealed": vault.seal(talk.answers, bound_to=_whose(ctx))} if sealed else {"answers": talk.answers}
        )
    row.updated_at, row.brand_id = clock.now(), ctx.brand.id
    ctx.session.add(row)
    ctx.session.flush()


def _whose(ctx: Context) -> str:
    return f"{ctx.person.platform}:{ctx.person.account}"
