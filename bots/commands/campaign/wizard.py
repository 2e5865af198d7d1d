"""`/campaign new`: a campaign of one of three kinds, question by question, kept as a draft until it is launched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import select
from sqlmodel import col

from bots.commands.campaign import steps_contest, steps_referral, steps_trial
from bots.commands.campaign.launch import launch
from bots.commands.campaign.preview import preview
from bots.commands.campaign.review import HIDDEN, label_of, review, shown, steps_of
from bots.commands.campaign.steps_common import groups_of
from bots.context import Context, Safe
from bots.dialog import begin, current, end
from bots.drafts import CampaignDraft, Kind, drop_draft, find_draft, open_drafts, start_draft, write_draft
from bots.markup import clean, plain
from bots.message import Button, Reply
from bots.questions import Dialog, Question, Talk, open_question
from core import i18n
from core.errors import BadInput
from referral.campaigns import KINDS, Campaign
from referral.members import Identity, Member

LABEL_LENGTH = 40
KIND_WORDS = {
    "老带新": "referral",
    "拉新": "referral",
    "试用": "trial",
    "新品试用": "trial",
    "大赛": "contest",
    "拉新大赛": "contest",
}
Replies = Reply | Sequence[Reply]


def new(ctx: Context, words: Sequence[str]) -> Replies:
    """`/campaign new [kind]`: which kind, or the draft that waits; with a kind its first question."""
    kind = KIND_WORDS.get(words[0], words[0]) if words else ""
    if kind in KINDS:
        return ask(ctx, start_draft(ctx.session, ctx.brand.id, cast(Kind, kind), ctx.actor, ctx.locale))
    kinds = tuple((ctx.button(f"button.kind.{one}", f"do:campaign new {one}"),) for one in KINDS)
    waiting = [one for one in open_drafts(ctx.session, ctx.brand.id) if one.answers]
    about = "\n".join(ctx.say(f"wizard.kind.{one}") for one in KINDS)
    if not waiting:
        return _private(ctx, ctx.say("wizard.which") + "\n\n" + about, kinds)
    drafts = "\n".join(_draft_line(ctx, one) for one in waiting)
    on = tuple(
        (
            Button(
                i18n.text(ctx.locale, "button.go_on_with", title=clean(_title(one), LABEL_LENGTH)),
                action=f"do:campaign draft {one.code}",
            ),
        )
        for one in waiting
    )
    text = "\n\n".join((ctx.say("wizard.drafts") + "\n" + drafts, ctx.say("wizard.or_new") + "\n" + about))
    return _private(ctx, text, (*on, *kinds))


def draft(ctx: Context, words: Sequence[str]) -> Replies:
    """What the buttons of a draft do: go on with it, change it, look at it, launch, keep or drop it."""
    found = find_draft(ctx.session, ctx.brand.id, words[0]) if words else None
    if found is None:
        return ctx.reply(
            "wizard.draft_gone",
            brand=ctx.brand.name,
            buttons=((ctx.button("button.campaign_new", "do:campaign new"),),),
        )
    if found.campaign_id is not None:
        return _already(ctx, found)
    match list(words[1:]):
        case []:
            return ask(ctx, found)
        case ["step", name]:
            return ask(ctx, found, without=name)
        case ["change"]:
            return _change(ctx, found)
        case ["show"]:
            return preview(ctx, DIALOG_OF[found.kind], found)
        case ["go" | "now" as when, revision] if revision.isdecimal():
            return launch(ctx, DIALOG_OF[found.kind], found, int(revision), at_once=when == "now")
        case ["keep"]:
            return _left(ctx, found)
        case ["drop"]:
            sure = (ctx.button("button.drop_yes", f"do:campaign draft {found.code} drop yes"),)
            stay = (ctx.button("button.drop_no", f"do:campaign draft {found.code}"),)
            return _private(ctx, ctx.say("wizard.drop_sure", title=_title(found)), (sure, stay))
        case ["drop", "yes"]:
            return _drop(ctx, found)
    return ctx.reply("error.button_old")


def ask(ctx: Context, found: CampaignDraft, without: str = "") -> Reply:
    """The first question without an answer, or the last page. `without`: this one is asked anew."""
    anew = (without, f"{without}_sure")
    checks = {one.name: one.check for one in DIALOG_OF[found.kind].questions}
    answered = {
        name: said
        for name, said in found.answers.items()
        if name not in anew and name in checks and _still_reads(checks[name], said)
    }
    facts = {
        "draft": found.code,
        "revision": found.revision,
        "kind": found.kind,
        "tongue": found.locale,
        "groups": len(groups_of(ctx)),
        "pools": len(steps_trial.pools_of(ctx)) or int("by" in found.answers) if found.kind == "trial" else 0,
    }
    return begin(ctx, DIALOG_OF[found.kind], answered, **facts)


def _still_reads(check: Callable[[str], Any], said: str) -> bool:
    """Whether an answer that was kept is one still: another version of the program may have taken it."""
    try:
        check(said)
    except BadInput:
        return False
    return True


def _finish(ctx: Context, given: dict[str, Any]) -> Reply:
    found = find_draft(ctx.session, ctx.brand.id, given["draft"])
    if found is None or found.campaign_id is not None:
        return _overtaken(ctx, found)
    return review(ctx, DIALOG_OF[found.kind], found)


def _kept(ctx: Context, talk: Talk) -> Talk | Reply:
    """Each answer goes into the draft, unless somebody else has written there since."""
    code, known = talk.facts["draft"], talk.facts["revision"]
    revision = write_draft(ctx.session, ctx.brand.id, code, known, ctx.actor, talk.answers)
    if revision is None:
        return _overtaken(ctx, find_draft(ctx.session, ctx.brand.id, code))
    return replace(talk, facts={**talk.facts, "revision": revision})


def _echo(ctx: Context, talk: Talk, answered: Question) -> str:
    """How an answer was understood; a moment is asked about by itself, and a name is as it was typed."""
    dialog = DIALOG_OF[talk.facts["kind"]]
    following = open_question(dialog, talk)
    if answered.name in HIDDEN or (following is not None and following.name == f"{answered.name}_sure"):
        return ""
    draft = CampaignDraft(
        brand_id=ctx.brand.id,
        code=talk.facts["draft"],
        kind=talk.facts["kind"],
        locale=talk.facts["tongue"],
        author=ctx.actor,
        answers=talk.answers,
        created_at=ctx.now,
        updated_at=ctx.now,
    )
    said = shown(ctx, answered, draft)
    return ctx.say("wizard.echo", what=label_of(ctx, answered), answer=Safe(said)) if said else ""


def _overtaken(ctx: Context, found: CampaignDraft | None) -> Reply:
    if found is None:
        return ctx.reply(
            "wizard.draft_gone",
            brand=ctx.brand.name,
            buttons=((ctx.button("button.campaign_new", "do:campaign new"),),),
        )
    if found.campaign_id is not None:
        return _already(ctx, found)
    on = (ctx.button("button.go_on", f"do:campaign draft {found.code}"),)
    return ctx.reply("wizard.overtaken", who=_author(ctx, found), title=_title(found), buttons=(on,))


def _already(ctx: Context, found: CampaignDraft) -> Reply:
    """It was launched before, by this person or another."""
    campaign = ctx.session.get_one(Campaign, (ctx.brand.id, found.campaign_id))
    rows = ((ctx.button("button.campaigns", "do:campaign"),),)
    return ctx.reply("wizard.already", title=ctx.title(campaign), who=_author(ctx, found), buttons=rows)


def _cancelled(ctx: Context, talk: Talk) -> Reply:
    found = find_draft(ctx.session, ctx.brand.id, talk.facts["draft"])
    if found is None or found.campaign_id is not None:
        return ctx.reply("dialog.cancelled")
    if not found.answers:
        drop_draft(ctx.session, ctx.brand.id, found.code)
        return ctx.reply("dialog.cancelled")
    return _left(ctx, found)


def _left(ctx: Context, found: CampaignDraft) -> Reply:
    on = (ctx.button("button.go_on", f"do:campaign draft {found.code}"),)
    drop = (ctx.button("button.drop_draft", f"do:campaign draft {found.code} drop"),)
    return ctx.reply("wizard.left", title=_title(found), buttons=((*on, *drop),))


def _drop(ctx: Context, found: CampaignDraft) -> Reply:
    """The question that is open about it is forgotten too."""
    waiting = current(ctx.session, ctx.person.platform, ctx.person.account)
    if waiting is not None and (waiting.data or {}).get("facts", {}).get("draft") == found.code:
        end(ctx)
    title = _title(found)
    drop_draft(ctx.session, ctx.brand.id, found.code)
    again = (ctx.button("button.campaign_new", "do:campaign new"),)
    return ctx.reply("wizard.dropped", title=title, buttons=(again,))


def _change(ctx: Context, found: CampaignDraft) -> Reply:
    """Every answer as a button that asks for it anew."""
    dialog = DIALOG_OF[found.kind]
    rows = tuple((_step_button(ctx, found, one),) for one in steps_of(dialog, found))
    back = (ctx.button("button.back", f"do:campaign draft {found.code}"),)
    return _private(ctx, ctx.say("wizard.change_what"), (*rows, back))


def _step_button(ctx: Context, found: CampaignDraft, step: Question) -> Button:
    said = plain(shown(ctx, step, found))
    label = label_of(ctx, step)
    words = i18n.text(ctx.locale, "button.step", what=label, said=clean(said, LABEL_LENGTH)) if said else label
    return Button(words, action=f"do:campaign draft {found.code} step {step.name}", choice=True)


def _draft_line(ctx: Context, found: CampaignDraft) -> str:
    return ctx.say(
        "wizard.draft_line",
        title=_title(found),
        kind=i18n.text(ctx.locale, f"button.kind.{found.kind}"),
        who=_author(ctx, found),
        when=ctx.when(found.updated_at),
    )


def _title(found: CampaignDraft) -> str:
    return found.answers.get("title", "…")


def _author(ctx: Context, found: CampaignDraft) -> str:
    """Who answered last; somebody who was erased meanwhile has no name."""
    if found.author == ctx.actor:
        return i18n.text(ctx.locale, "wizard.you")
    platform, _, account = found.author.partition(":")
    name = ctx.session.scalar(
        select(col(Member.name))
        .join(Identity, (col(Identity.brand_id) == col(Member.brand_id)) & (col(Identity.member_id) == col(Member.id)))
        .where(
            col(Identity.brand_id) == ctx.brand.id,
            col(Identity.platform) == platform,
            col(Identity.account) == account,
        )
    )
    return name or i18n.text(ctx.locale, "wizard.colleague")


def _private(ctx: Context, text: str, rows: Sequence[Sequence[Button]]) -> Reply:
    buttons = tuple(tuple(row) for row in rows)
    return Reply(text, buttons=buttons, private=True, brief=ctx.say("group.brief"))


DIALOG_OF = {
    kind: Dialog(
        f"campaign_{kind}",
        f"wizard.form.{kind}",
        steps,
        _finish,
        admin=True,
        guided=True,
        kept=_kept,
        left=_cancelled,
        echo=_echo,
    )
    for kind, steps in (
        ("referral", steps_referral.STEPS),
        ("trial", steps_trial.STEPS),
        ("contest", steps_contest.STEPS),
    )
}
DIALOGS = tuple(DIALOG_OF.values())
