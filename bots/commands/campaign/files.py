"""A campaign as a file: carried away from the chat, and brought back into one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from bots.commands.campaign.acting import who_was_first, why_not
from bots.commands.campaign.overview import campaign_page
from bots.commands.campaign.review import words_of
from bots.commands.campaign.steps_common import one_of
from bots.context import Context, Safe
from bots.dialog import begin, end
from bots.markup import escape
from bots.message import Image, Reply
from bots.questions import Dialog, Question, Talk
from core import i18n
from core.errors import BadInput, Conflict, Refused
from core.moments import in_full
from referral import audit
from referral.campaigns import Campaign
from rewards import campaign_edits
from rewards.campaign_files import FileProblem, explain, findings_of, read_campaign, write_campaign
from rewards.cost_bound import cost_bound
from rewards.forecast import frame_of
from rewards.rewards import Reward
from rewards.statements.campaign import campaign_statement
from rewards.statements.files import write

BEGINS = "[campaign]"
"""How a campaign file begins that somebody pastes into the chat."""


MISTAKES = 10
"""Mistakes in a file that are named at once."""
STATEMENT_MOST = 2000
"""Rewards in a statement that is written while others wait for the chat; longer ones are for the command line."""


def export(ctx: Context, campaign: Campaign) -> Sequence[Reply]:
    """The campaign's file, and its statement as a workbook."""
    if not ctx.may("export"):
        return (ctx.reply("campaign.not_admin"),)
    text = write_campaign(ctx.session, campaign).encode()
    audit.record(ctx.session, ctx.brand.id, ctx.actor, "campaign.export", campaign.slug, version=campaign.version)
    file = _file(ctx, "campaign.export.file", campaign, text, "toml", "application/toml")
    if _rewards(ctx, campaign) > STATEMENT_MOST:
        return (file, ctx.reply("campaign.export.too_long", slug=Safe(campaign.slug)))
    book = io.BytesIO()
    write(campaign_statement(ctx.session, campaign, locale=ctx.locale), "xlsx", book)
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return (file, _file(ctx, "campaign.export.statement", campaign, book.getvalue(), "xlsx", sheet))


def _rewards(ctx: Context, campaign: Campaign) -> int:
    """How many rewards a statement would list, as far as that matters."""
    mine = (col(Reward.brand_id) == ctx.brand.id) & (col(Reward.campaign_id) == campaign.id)
    some = select(col(Reward.id)).where(mine).limit(STATEMENT_MOST + 1).subquery()
    return int(ctx.session.scalar(select(func.count()).select_from(some)) or 0)


def _file(ctx: Context, key: str, campaign: Campaign, data: bytes, ending: str, media_type: str) -> Reply:
    alt = i18n.text(ctx.locale, f"{key}.alt")
    image = Image(lambda: data, f"{campaign.slug}.{ending}", alt, media_type)
    return Reply(ctx.say(key, title=ctx.title(campaign)), image=image, private=True, brief=ctx.say("group.brief"))


def apply(ctx: Context, text: str) -> Reply:
    """Ask for a file's text, or (with one) whether what it says is to be done."""
    if not ctx.private:
        return ctx.reply("campaign.apply.in_private")
    if not text.strip():
        return begin(ctx, APPLY)
    try:
        read = _read(ctx, Talk(""), text)
    except BadInput as error:
        return _wrong(ctx, error)
    return begin(ctx, APPLY, {"text": read}, **_seen(ctx, read))


def _wrong(ctx: Context, error: BadInput | Refused) -> Reply:
    """Every mistake in the file with its line, or why it cannot be applied."""
    problems = error.params.get("problems", ())
    if not problems:
        return Reply(why_not(ctx, error), private=True)
    return Reply(ctx.say("campaign.apply.wrong") + "\n\n" + _lines(ctx, problems), private=True)


def _lines(ctx: Context, problems: Sequence[FileProblem]) -> Safe:
    return Safe("\n".join(f"- {escape(explain(one, ctx.locale))}" for one in problems[:MISTAKES]))


def _read_asked(ctx: Context, talk: Talk, text: str) -> str:
    """The text that was asked for. Raises `BadInput("campaign_file_lines")` with its mistakes in words."""
    try:
        return _read(ctx, talk, text)
    except BadInput as error:
        raise BadInput("campaign_file_lines", lines=_lines(ctx, error.params.get("problems", ()))) from None


def _read(ctx: Context, talk: Talk, text: str) -> str:
    """The text, if it is a campaign file. Chats wrap code in fences, and some make quotes round."""
    lines = [line for line in text.strip().splitlines() if not line.strip().startswith("```")]
    said = "\n".join(lines).translate({ord("“"): '"', ord("”"): '"'}) if '"' not in text else "\n".join(lines)
    read_campaign(said)
    return said


def _seen(ctx: Context, text: str) -> dict[str, Any]:
    """The version at which the campaign of the file stands now, which is what is decided about."""
    slug = read_campaign(text).campaign.slug
    return {"version": campaign_edits.version_of(ctx.session, ctx.brand.id, slug)}


def _kept(ctx: Context, talk: Talk) -> Talk | Reply:
    """With the text, remember what it is to change; what cannot be applied at all ends it with the reasons."""
    if "sure" in talk.answers:
        return talk
    try:
        refused = [one for one in findings_of(ctx.session, ctx.brand, read_campaign(talk.answers["text"])) if _no(one)]
    except (BadInput, Refused) as error:
        return _wrong(ctx, error)
    if refused:
        end(ctx)
        return _wrong(ctx, Refused("plan_refused", findings=refused))
    return replace(talk, facts={**talk.facts, **_seen(ctx, talk.answers["text"])})


def _no(finding: Any) -> bool:
    return bool(finding.severity == "refuse")


def _ask_sure(ctx: Context, talk: Talk) -> Reply:
    """What the file would do, and what that can cost."""
    file = read_campaign(talk.answers["text"])
    about = file.campaign
    plan, zone = file.plan, about.timezone
    most = [ctx.points(one.most, one.asset) for one in cost_bound(plan, frame_of(file)).assets if one.most]
    lines = [
        ctx.say("campaign.duplicate.starts", at=in_full(ctx.locale, about.starts_at, zone)),
        ctx.say("campaign.duplicate.ends", at=in_full(ctx.locale, about.ends_at, zone)),
        *([ctx.say("campaign.apply.cost", most=Safe(" + ".join(most)))] if most else []),
    ]
    warned = [one for one in findings_of(ctx.session, ctx.brand, file) if not _no(one)]
    lines += ["⚠️ " + words_of(ctx, one) for one in warned]
    version = talk.facts.get("version", 0)
    key = "campaign.apply.changes" if version else "campaign.apply.starts"
    title = i18n.pick(about.title.model_dump(), ctx.locale)
    heading = ctx.say(key, title=title, version=version + 1)
    return Reply(heading + "\n\n" + "\n".join(f"- {one}" for one in lines))


def _finish(ctx: Context, given: dict[str, Any]) -> Reply:
    file = read_campaign(given["text"])
    try:
        with ctx.session.begin_nested():
            applied = campaign_edits.apply_file(
                ctx.session, ctx.brand, file, given["version"], ctx.actor, text=given["text"]
            )
    except Conflict as error:
        return Reply(who_was_first(ctx, error), private=True)
    except (Refused, BadInput) as error:
        return _wrong(ctx, error)
    return campaign_page(ctx, applied.campaign, ctx.say(f"campaign.applied.{applied.changed}"))


APPLY = Dialog(
    "campaign_apply",
    None,
    (
        Question("text", "campaign.apply.ask", lambda text: text, read=_read_asked, any_word=True),
        Question(
            "sure",
            "campaign.sure",
            one_of("yes"),
            ask=_ask_sure,
            choices=lambda ctx, talk: [(i18n.text(ctx.locale, "button.do_it"), "yes")],
            closed=True,
        ),
    ),
    _finish,
    admin=True,
    guided=True,
    lasts=timedelta(days=1),
    kept=_kept,
)
