"""Dialogs: questions asked one by one, kept in the database, so that a restart or a week's pause loses nothing.

Where a platform has forms (`Reply.form`), what takes words is asked together and comes back as one submission.
A dialog has a token of its own: what is pressed under a question of another dialog, or under one answered before, is
no answer to this one. What people say about themselves (a payee, an address) is kept sealed while we ask on.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from bots.adapter import Capability
from bots.context import Context
from bots.message import Field, Form, Incoming, Pressed, Reply, Said
from bots.questions import (
    ANSWER,
    BACK_WORDS,
    CANCEL_WORDS,
    REST_WORDS,
    Choice,
    Dialog,
    Question,
    Row,
    Talk,
    applicable,
    form_run,
    in_rows,
    meaning,
    open_question,
    plain,
    question_before,
    read_all,
)
from bots.state import Conversation
from core import clock, i18n, vault
from core.errors import BadInput, Refused, Unavailable

__all__ = ["Choice", "Dialog", "Question", "Row", "Talk", "answer_to", "begin", "current", "end", "in_rows", "talk_of"]

MOMENT = timedelta(hours=1)
"""So long a command's word may still be meant as the answer to a question."""
FORM_FIELDS = 5
"""The most that a form asks at once."""


def begin(ctx: Context, dialog: Dialog, answered: Mapping[str, str] | None = None, /, **facts: Any) -> Reply:
    """Ask the first question that is not `answered` yet. `facts`: what it is about, ready for JSON.

    In a group only the form and the buttons are for this person; what they say there is not taken for an answer.
    """
    talk = Talk(secrets.token_hex(4), facts, dict(answered or {}))
    if open_question(dialog, talk) is None:
        return _finish(ctx, dialog, talk)
    if ctx.private or Capability.PRIVATE_IN_GROUP in ctx.capabilities:
        _keep(ctx, dialog, talk)
    return _ask(ctx, dialog, talk)


def current(session: Session, platform: str, account: str) -> Conversation | None:
    """The dialog this person is in, if any."""
    found = session.get(Conversation, (platform, account))
    return found if found is not None and found.dialog else None


def wants_picture(session: Session, dialogs: Mapping[str, Dialog], platform: str, account: str) -> bool:
    """Whether a picture would be the answer to what this person was asked."""
    waiting = current(session, platform, account)
    dialog = dialogs.get(waiting.dialog or "") if waiting is not None else None
    if waiting is None or dialog is None or dialog.sealed:
        return False
    kept = waiting.data or {}
    question = open_question(dialog, Talk("", kept.get("facts", {}), kept.get("answers", {})))
    return question is not None and question.picture


def talk_of(ctx: Context, dialog: Dialog, token: str) -> Talk | None:
    """This dialog if the person is in it, with this token, and still in time; for buttons that are commands."""
    waiting = _asked_here(ctx)
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
    waiting = _asked_here(ctx)
    dialog = dialogs.get(waiting.dialog or "") if waiting is not None else None
    if waiting is None or dialog is None or _late(ctx, dialog, waiting):
        return None
    talk = _read(ctx, waiting)
    question = open_question(dialog, talk)
    if dialog.admin and not ctx.may(dialog.act):
        return None if is_word or is_code else _right_lost(ctx, talk, question, said)
    if isinstance(said, Pressed):
        whose, _, text = said.action.partition(" ")
        token, _, at = whose.removeprefix(ANSWER).partition(".")
        if not whose.startswith(ANSWER) or token != talk.token:
            return None
        if question is None or at != question.name:  # pressed once more, or under a question answered before
            return _go_on(ctx, dialog, talk)
        return answer(ctx, dialog, talk, text)
    if not ctx.private or not isinstance(said, Said) or said.command is not None or question is None:
        return None
    if is_word or is_code:
        fresh = ctx.now < waiting.updated_at + MOMENT
        meant = is_code or question.any_word
        slash = said.text.strip().startswith(("/", "／"))
        if not fresh or not meant or slash or not _takes(ctx, question, talk, said.text):
            return None
    return answer(ctx, dialog, talk, said.text)


def _right_lost(ctx: Context, talk: Talk, question: Question | None, said: Incoming) -> Reply | None:
    """The person was staff when they began and is not now: they are told so, and what they answered stays."""
    if isinstance(said, Pressed):
        mine = said.action.startswith(ANSWER + talk.token)
        return ctx.reply("staff.right_lost", brand=ctx.brand.name) if mine else None
    if not ctx.private or not isinstance(said, Said) or said.command is not None or question is None:
        return None
    if plain(said.text) in CANCEL_WORDS:
        end(ctx)
        return ctx.reply("dialog.cancelled")
    return ctx.reply("staff.right_lost", brand=ctx.brand.name)


def _asked_here(ctx: Context) -> Conversation | None:
    """The dialog this person is in with this brand: what another brand asked is not answered here."""
    waiting = current(ctx.session, ctx.person.platform, ctx.person.account)
    return waiting if waiting is not None and waiting.brand_id in (None, ctx.brand.id) else None


def _late(ctx: Context, dialog: Dialog, waiting: Conversation) -> bool:
    return dialog.lasts is not None and ctx.now >= waiting.updated_at + dialog.lasts


def _takes(ctx: Context, question: Question, talk: Talk, text: str) -> bool:
    try:
        meaning(ctx, question, talk, text)
    except BadInput:
        return False
    return True


def answer(ctx: Context, dialog: Dialog, talk: Talk, text: str) -> Reply:
    """The next answer: a bad one is asked again with the reason, the last one finishes."""
    said = plain(text)
    question = open_question(dialog, talk)
    if question is None:
        return _go_on(ctx, dialog, talk)
    if said in CANCEL_WORDS:
        end(ctx)
        return dialog.left(ctx, talk) if dialog.left is not None else ctx.reply("dialog.cancelled")
    if dialog.guided and said in BACK_WORDS:
        before = question_before(dialog, talk, question)
        return _go_on(ctx, dialog, _without(talk, before) if before is not None else talk)
    if dialog.guided and said in REST_WORDS and (question.default is not None or question.optional):
        return _rest_by_default(ctx, dialog, talk)
    try:
        following = _kept(ctx, dialog, talk, question, meaning(ctx, question, talk, text))
        return following if isinstance(following, Reply) else _go_on(ctx, dialog, following, question)
    except (BadInput, Refused) as error:
        return _again(ctx, dialog, talk, error)


def submitted(ctx: Context, dialogs: Mapping[str, Dialog], action: str, answers: Mapping[str, str]) -> Reply:
    """A form that came back: what is right in it is kept, the first that is not is asked again."""
    name, _, token = action.partition(":")
    dialog = dialogs.get(name)
    talk = talk_of(ctx, dialog, token) if dialog is not None and dialog.title is not None else None
    if dialog is None or talk is None:
        return ctx.reply("error.button_old")
    given, before = dict(answers), talk
    try:
        while (
            question := next((one for one in applicable(dialog, talk) if _asked(one, talk, given)), None)
        ) is not None:
            text = given[question.name]
            if not text.strip() and question.optional:
                text = "-"
            elif not text.strip() and question.default is not None:
                text = question.default(ctx, talk)
            following = _kept(ctx, dialog, talk, question, meaning(ctx, question, talk, text))
            if isinstance(following, Reply):
                return following
            before, talk = talk, following
            del given[question.name]
        return _go_on(ctx, dialog, talk)
    except (BadInput, Refused) as error:
        talk = talk if open_question(dialog, talk) is not None else before  # what could not be finished is asked again
        _keep(ctx, dialog, talk)
        return _again(ctx, dialog, talk, error, given)


def _asked(question: Question, talk: Talk, given: Mapping[str, str]) -> bool:
    return question.name in given and question.name not in talk.answers


def _kept(ctx: Context, dialog: Dialog, talk: Talk, question: Question, value: str) -> Talk | Reply:
    """The talk with one answer more, kept wherever the dialog keeps it."""
    following = replace(talk, answers={**talk.answers, question.name: value})
    heard = dialog.kept(ctx, following) if dialog.kept is not None else following
    if isinstance(heard, Reply):
        end(ctx)
    return heard


def _without(talk: Talk, question: Question) -> Talk:
    return replace(talk, answers={name: said for name, said in talk.answers.items() if name != question.name})


def _rest_by_default(ctx: Context, dialog: Dialog, talk: Talk) -> Reply:
    """Answer as most would, up to a question that only this person can answer."""
    while (question := open_question(dialog, talk)) is not None:
        if question.default is None and not question.optional:
            break
        usual = question.default(ctx, talk) if question.default is not None else ""
        following = _kept(ctx, dialog, talk, question, meaning(ctx, question, talk, usual) if usual else "")
        if isinstance(following, Reply):
            return following
        talk = following
    return _go_on(ctx, dialog, talk)


def _go_on(ctx: Context, dialog: Dialog, talk: Talk, answered: Question | None = None) -> Reply:
    """Ask what is next, below how the one was understood that was just `answered`, or finish. Raises what finishing
    raises; then nothing of it was done."""
    if open_question(dialog, talk) is not None:
        _keep(ctx, dialog, talk)
        asked = _ask(ctx, dialog, talk)
        echo = dialog.echo(ctx, talk, answered) if dialog.echo is not None and answered is not None else ""
        return replace(asked, text=f"{echo}\n\n{asked.text}") if echo else asked
    with ctx.session.begin_nested():
        return _finish(ctx, dialog, talk)


def _finish(ctx: Context, dialog: Dialog, talk: Talk) -> Reply:
    read = read_all(dialog, talk)
    end(ctx)
    return dialog.finish(ctx, {**talk.facts, "token": talk.token, **read})


def asked_again(ctx: Context, dialogs: Mapping[str, Dialog], error: BadInput) -> Reply:
    """What is wrong with something that was sent as an answer, and the open question once more."""
    waiting = _asked_here(ctx)
    dialog = dialogs.get(waiting.dialog or "") if waiting is not None else None
    talk = _read(ctx, waiting) if waiting is not None else None
    if dialog is None or talk is None or open_question(dialog, talk) is None:
        return Reply(ctx.refusal(error), private=True, brief=ctx.say("group.brief"))
    if dialog.admin and not ctx.may(dialog.act):
        return ctx.reply("staff.right_lost", brand=ctx.brand.name)
    return _again(ctx, dialog, talk, error)


def _again(
    ctx: Context, dialog: Dialog, talk: Talk, error: BadInput | Refused, given: Mapping[str, str] | None = None
) -> Reply:
    """The same question with the reason; in a form everything else is as it was given."""
    asked = _ask(ctx, dialog, talk, given)
    return replace(asked, text=ctx.refusal(error) + "\n\n" + asked.text)


def _ask(ctx: Context, dialog: Dialog, talk: Talk, given: Mapping[str, str] | None = None) -> Reply:
    question = open_question(dialog, talk)
    assert question is not None
    talk = replace(talk, at=question.name)
    if question.ask is not None:
        asked = question.ask(ctx, talk)
        text, buttons = asked.text, asked.buttons
    else:
        text, buttons = ctx.say(question.key, **talk.facts), ()
    if question.choices is not None:
        offered = [talk.button(*choice, choice=True) for choice in question.choices(ctx, talk)]
        buttons = (*buttons, *in_rows(offered))
    if question.optional:
        buttons = (*buttons, (talk.button(i18n.text(ctx.locale, "button.skip"), "skip"),))
    if dialog.guided:
        buttons = (*buttons, *_ways_out(ctx, dialog, talk, question))
    steps = applicable(dialog, talk)
    if len(steps) > 1:
        text = ctx.say("dialog.step", step=steps.index(question) + 1, steps=len(steps)) + " " + text
    if not any((button.action or "").endswith(" cancel") for row in buttons for button in row):
        text += "\n\n" + ctx.say("dialog.how_to_cancel")
    form = _form(ctx, dialog, talk, question, given or {})
    return Reply(text, buttons=buttons, private=True, brief=ctx.say("group.brief"), form=form)


def _ways_out(ctx: Context, dialog: Dialog, talk: Talk, question: Question) -> tuple[Row, ...]:
    """To the end by the defaults; back; and out."""
    ways = []
    if question_before(dialog, talk, question) is not None:
        ways.append(talk.button(i18n.text(ctx.locale, "button.back"), "back"))
    ways.append(talk.button(i18n.text(ctx.locale, "button.leave"), "cancel"))
    rest = [one for one in applicable(dialog, talk) if one.name not in talk.answers]
    if (question.default is None and not question.optional) or len(rest) < 2:
        return (tuple(ways),)
    return ((talk.button(i18n.text(ctx.locale, "button.rest_by_default"), "defaults"),), tuple(ways))


def _usual(ctx: Context, question: Question, talk: Talk) -> str:
    """The default as it stands in a form: in the words of its button."""
    if question.default is None:
        return ""
    value = question.default(ctx, talk)
    labels = {given: label for label, given in question.choices(ctx, talk)} if question.choices is not None else {}
    return labels.get(value, value)


def _form(ctx: Context, dialog: Dialog, talk: Talk, question: Question, given: Mapping[str, str]) -> Form | None:
    if dialog.title is None:
        return None
    if question.picture:
        return _upload(ctx, dialog, talk, question)
    fields = []
    for one in form_run(dialog, talk, question, FORM_FIELDS):
        usual = _usual(ctx, one, talk)
        label = ctx.say(one.key + ".label")
        fields.append(
            Field(
                one.name,
                label,
                multiline=one.multiline,
                max_length=one.longest,
                value=given.get(one.name, usual),
                required=not one.optional and one.default is None,
            )
        )
    if not fields:
        return None
    title, open_label = i18n.text(ctx.locale, dialog.title), i18n.text(ctx.locale, "button.form")
    only_words = question.choices is None and not question.optional
    return Form(title, f"form:{dialog.name}:{talk.token}", tuple(fields), open_label, only_words)


def _upload(ctx: Context, dialog: Dialog, talk: Talk, question: Question) -> Form | None:
    """A form for one picture, where forms take one: in a group there is no other way to send it to us alone."""
    if Capability.PICTURE_FORMS not in ctx.capabilities:
        return None
    label, title = ctx.say(question.key + ".label"), i18n.text(ctx.locale, dialog.title or "")
    wanted = Field(question.name, label, required=not question.optional, picture=True)
    open_label = i18n.text(ctx.locale, "button.send_picture")
    return Form(title, f"form:{dialog.name}:{talk.token}", (wanted,), open_label, at_once=False)


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
