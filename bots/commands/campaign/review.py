"""The last page before a launch: what was answered, what it can cost, and what speaks against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from bots.commands.campaign.compose import Composed, compose
from bots.commands.campaign.steps_common import Length, end_of, groups_of, places_of, start_of
from bots.commands.campaign.steps_contest import prize_words
from bots.commands.campaign.steps_trial import NONE, USUAL, questions_of
from bots.context import Context, Safe
from bots.drafts import CampaignDraft
from bots.message import Button, Reply
from bots.questions import Dialog, Question, Talk, applicable, in_rows, read_all
from core import i18n
from core.errors import BadInput
from core.moments import in_full
from core.money import ITEM, Money
from referral.referrals import Referral
from rewards.campaign_files import findings_of
from rewards.campaign_format import CampaignFile, FileProblem, build_campaign
from rewards.cost_bound import cost_bound
from rewards.forecast import expected_cost, frame_of
from rewards.plan_check import Finding

UNITS = {
    "days": "wizard.n.days",
    "hold": "wizard.n.days",
    "take": "wizard.n.days",
    "feedback": "wizard.n.days",
    "advocate": "wizard.n.points",
    "friend": "wizard.n.points",
    "cap": "wizard.n.people",
    "friends": "wizard.n.people",
    "team": "wizard.n.people",
    "quota": "wizard.n.places",
    "ahead": "wizard.n.ahead",
}
"""What is counted by a number that was answered."""
PAST_MOST = 5000
"""Referrals of a brand whose past is still replayed while somebody waits for the page."""
HIDDEN = ("title", "other", "start_sure", "end_sure")
"""Answers that have no line of their own."""
STEP_OF = {
    "discord_join": "event",
    "wechat_join": "event",
    "wechat_sharing": "benefit",
    "bare_join": "event",
    "join_without_cap": "cap",
    "join_without_hold": "hold",
    "ends_before_start": "end",
    "ends_in_past": "end",
    "campaign_too_long": "end",
    "stay_beyond_window": "days",
    "budget_below_one": "friends",
    "groups_gone": "places",
    "unknown_item": "by",
    "stay_beyond_campaign": "days",
    "stay_eats_campaign": "days",
    "order_without_hold": "hold",
    "final_before_refunds": "end",
    "prize_twice": "prizes",
    "prize_rises": "prizes",
    "reach_below_floor": "prizes",
    "budget_below_prizes": "prizes",
}
"""The question to be answered anew where a finding speaks against the campaign."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A draft as it would be launched now. `file`: None where it cannot be. `against`: why it cannot."""

    composed: Composed | None
    file: CampaignFile | None
    against: Sequence[Finding | FileProblem]
    warnings: Sequence[Finding]


def judge(ctx: Context, dialog: Dialog, draft: CampaignDraft) -> Judged:
    """Everything that speaks for and against a complete draft. Nothing is changed."""
    given = read_all(dialog, Talk("", _facts(draft), draft.answers))
    composed = None
    try:
        composed = compose(ctx.session, ctx.brand, draft, given, ctx.now)
        file = build_campaign(dict(composed.raw))
        findings = findings_of(ctx.session, ctx.brand, file)
    except BadInput as error:
        return Judged(composed, None, error.params.get("problems", ()), ())
    if file.campaign.ends_at <= ctx.now:
        return Judged(composed, None, [FileProblem("ends_in_past", "campaign.ends_at")], ())
    made = composed.item.slug if composed.item is not None else None
    found = [one for one in findings if not (one.code == "unknown_item" and one.params.get("item") == made)]
    against = [one for one in found if one.severity == "refuse"]
    return Judged(composed, file, against, [one for one in found if one.severity == "warn"])


def _facts(draft: CampaignDraft) -> dict[str, Any]:
    """As the dialog has them; what only decides whether something is asked is taken from the answers."""
    return {
        "draft": draft.code,
        "kind": draft.kind,
        "tongue": draft.locale,
        "groups": 2 if "places" in draft.answers else 0,
        "pools": 1 if "by" in draft.answers else 0,
    }


def review(ctx: Context, dialog: Dialog, draft: CampaignDraft, note: str = "") -> Reply:
    """The page, with the buttons that lead on."""
    judged = judge(ctx, dialog, draft)
    parts = [
        note,
        ctx.say(f"wizard.review.{draft.kind}", title=draft.answers["title"]),
        "\n".join(lines_of(ctx, dialog, draft)),
        *_money(ctx, draft, judged),
        *(ctx.say("wizard.against", why=Safe(words_of(ctx, one))) for one in judged.against),
        *(ctx.say("wizard.warning", why=Safe(words_of(ctx, one))) for one in judged.warnings),
    ]
    parts.append(ctx.say("wizard.ready") if not judged.against else ctx.say("wizard.not_ready"))
    rows = (*_mending(ctx, dialog, draft, judged), *_ways_on(ctx, draft, judged))
    return Reply("\n\n".join(filter(None, parts)), buttons=rows, private=True, brief=ctx.say("group.brief"))


def steps_of(dialog: Dialog, draft: CampaignDraft) -> list[Question]:
    """The questions that were asked and can be answered anew."""
    asked = applicable(dialog, Talk("", _facts(draft), draft.answers))
    return [one for one in asked if not one.name.endswith("_sure")]


def lines_of(ctx: Context, dialog: Dialog, draft: CampaignDraft) -> list[str]:
    """What was answered, a line each."""
    return [
        ctx.say("wizard.line", what=label_of(ctx, one), answer=Safe(said))
        for one in steps_of(dialog, draft)
        if one.name not in HIDDEN and (said := shown(ctx, one, draft))
    ]


def label_of(ctx: Context, question: Question) -> str:
    """What a question is about, in two or three words."""
    return i18n.text(ctx.locale, question.key + ".label")


def shown(ctx: Context, question: Question, draft: CampaignDraft) -> str:
    """An answer as people read it; nothing for one that was left out."""
    answer = draft.answers.get(question.name, "")
    if not answer:
        return ""
    special = SPECIAL.get(question.name)
    if special is not None:
        return special(ctx, draft, answer)
    options = question.choices(ctx, Talk("", _facts(draft), draft.answers)) if question.choices is not None else ()
    labels = {value: label for label, value in options}
    if question.name in UNITS and answer not in ("0",):
        return i18n.text(ctx.locale, UNITS[question.name], n=int(question.check(answer)))
    return ctx.say("wizard.said", text=labels.get(answer, answer))


def _start(ctx: Context, draft: CampaignDraft, answer: str) -> str:
    starts = start_of(answer)
    if starts is None or starts <= ctx.now:
        return i18n.text(ctx.locale, "wizard.start.now")
    return ctx.say("wizard.said", text=in_full(ctx.locale, starts, ctx.brand.timezone))


def _end(ctx: Context, draft: CampaignDraft, answer: str) -> str:
    ends = end_of(answer)
    if isinstance(ends, Length):
        starts = max(ctx.now, start_of(draft.answers.get("start", "now")) or ctx.now)
        at = in_full(ctx.locale, _after(starts, ends), ctx.brand.timezone)
        return ctx.say("wizard.end_after", n=ends.days, at=at)
    return ctx.say("wizard.said", text=in_full(ctx.locale, ends, ctx.brand.timezone))


def _after(starts: datetime, length: Length) -> datetime:
    return starts + timedelta(days=length.days)


def _questions(ctx: Context, draft: CampaignDraft, answer: str) -> str:
    asked = questions_of(answer)
    if asked in (NONE, USUAL):
        return i18n.text(ctx.locale, f"wizard.questions.{asked}")
    return ctx.say("wizard.said", text=" / ".join(one.text for one in asked if not isinstance(one, str)))


def _places(ctx: Context, draft: CampaignDraft, answer: str) -> str:
    chosen = places_of(answer)
    if not chosen:
        return i18n.text(ctx.locale, "wizard.places.all")
    names = [one.title or one.group_id for one in groups_of(ctx) if one.id in chosen]
    return ctx.say("wizard.said", text=i18n.text(ctx.locale, "wizard.and").join(names) or "–")


SPECIAL: Mapping[str, Callable[[Context, CampaignDraft, str], str]] = {
    "start": _start,
    "end": _end,
    "questions": _questions,
    "places": _places,
    "prizes": lambda ctx, draft, answer: prize_words(ctx, answer),
    "picture": lambda ctx, draft, answer: i18n.text(ctx.locale, "wizard.picture.given"),
}


def _money(ctx: Context, draft: CampaignDraft, judged: Judged) -> list[str]:
    """What it can cost at most, and what is to be expected where the brand has a past."""
    if judged.file is None:
        return []
    plan, frame = judged.file.plan, frame_of(judged.file)
    new = judged.composed.item if judged.composed is not None else None
    titles = {ITEM + new.slug: new.title} if new is not None else {}
    bound = {one.asset: one.most for one in cost_bound(plan, frame).assets}
    if judged.file.trial is not None:  # each place is one of them
        bound[ITEM + judged.file.trial.item] = judged.file.trial.quota
    most = [_amount(ctx, amount, asset, titles) for asset, amount in sorted(bound.items()) if amount]
    if not most:
        return [ctx.say("wizard.cost.nothing")]
    comma = i18n.text(ctx.locale, "wizard.and")
    said = [ctx.say("wizard.cost", most=Safe(comma.join(most)))]
    if _is_long(ctx):
        return said
    past = expected_cost(ctx.session, ctx.brand.id, plan, frame)
    likely = [_amount(ctx, amount, asset, titles) for asset, amount in (past.cost or {}).items() if amount]
    if likely:
        said.append(ctx.say("wizard.cost.expected", likely=Safe(comma.join(likely)), n=len(past.samples)))
    return said


def _is_long(ctx: Context) -> bool:
    """Whether replaying the brand's past would keep everybody waiting; `daixin campaign cost` has the time."""
    some = select(col(Referral.id)).where(col(Referral.brand_id) == ctx.brand.id).limit(PAST_MOST + 1).subquery()
    return int(ctx.session.scalar(select(func.count()).select_from(some)) or 0) > PAST_MOST


def _amount(ctx: Context, amount: int, asset: str, titles: Mapping[str, Mapping[str, str]]) -> str:
    if asset in titles:
        title = i18n.pick(titles[asset], ctx.locale)
        return ctx.say("wizard.cost.items", n=amount, item=title)
    return ctx.points(amount, asset)


def words_of(ctx: Context, found: Finding | FileProblem) -> str:
    """A finding in words for a chat: without the places of a file, and with what to do here instead of there."""
    part = "plan" if isinstance(found, Finding) else "campaign_file"
    part = "wizard.finding" if f"wizard.finding.{found.code}" in i18n.catalogue(ctx.locale) else part
    params = {name: one.format(ctx.locale) if isinstance(one, Money) else one for name, one in found.params.items()}
    where = {} if isinstance(found, Finding) else {"where": found.where}
    said = ctx.say(f"{part}.{found.code}", **where, **params)
    end = "" if said.endswith((".", "。", "!", "！", "?", "？")) else i18n.text(ctx.locale, "wizard.full_stop")
    return said[:1].upper() + said[1:] + end


def _mending(ctx: Context, dialog: Dialog, draft: CampaignDraft, judged: Judged) -> tuple[tuple[Button, ...], ...]:
    """For each thing that speaks against it, the question to answer anew."""
    names = [STEP_OF[one.code] for one in (*judged.against, *judged.warnings) if one.code in STEP_OF]
    steps = {one.name: one for one in steps_of(dialog, draft)}
    return tuple(
        (
            Button(
                i18n.text(ctx.locale, "button.change_step", what=label_of(ctx, steps[name])),
                action=f"do:campaign draft {draft.code} step {name}",
            ),
        )
        for name in dict.fromkeys(names)
        if name in steps
    )


def _ways_on(ctx: Context, draft: CampaignDraft, judged: Judged) -> tuple[tuple[Button, ...], ...]:
    """Launch or schedule, look at it, change it, keep it, or drop it."""
    this = f"do:campaign draft {draft.code}"
    starts = start_of(draft.answers.get("start", "now"))
    scheduled = starts is not None and starts > ctx.now
    rows: list[tuple[Button, ...]] = []
    if not judged.against:
        go = f"{this} go {draft.revision}"
        if scheduled:
            rows.append((ctx.button("button.schedule", go),))
            rows.append((ctx.button("button.launch_now", f"{this} now {draft.revision}"),))
        else:
            rows.append((ctx.button("button.launch", go), ctx.button("button.schedule_for", f"{this} step start")))
        rows.append((ctx.button("button.preview", f"{this} show"),))
    rest = (
        ctx.button("button.change", f"{this} change"),
        ctx.button("button.keep_draft", f"{this} keep"),
        ctx.button("button.drop_draft", f"{this} drop"),
    )
    return (*rows, *in_rows(rest))
