"""What every act on a campaign shares: the questions before it, and the campaign's page after it.

An act begins from the version its first question showed. Where somebody else was faster, the second is told who did
what, and sees the campaign as it is now instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bots.commands.campaign.overview import campaign_page, is_item
from bots.commands.campaign.review import words_of
from bots.commands.campaign.steps_common import one_of, whole
from bots.context import Context, item_title
from bots.dialog import begin
from bots.message import Reply
from bots.questions import Dialog, Question, Talk
from core import i18n
from core.errors import BadInput, Conflict, DaixinError, Refused
from core.money import Money
from referral.campaigns import Campaign, find_campaign
from referral.members import Member, find_identity
from rewards.campaign_edits import OVER
from rewards.campaign_files import Applied

MOST = 1_000_000_000


def campaign_of(ctx: Context, given: dict[str, Any]) -> Campaign:
    """The campaign that a dialog is about."""
    return find_campaign(ctx.session, ctx.brand.id, given["slug"])


def begin_with(ctx: Context, dialog: Dialog, campaign: Campaign, *, again: bool = False, **facts: Any) -> Reply:
    """Begin to ask about a campaign. `again`: also about one that is over."""
    if campaign.state in OVER and not again:
        return campaign_page(ctx, campaign, ctx.say("error.campaign_over", slug=campaign.slug))
    return begin(ctx, dialog, slug=campaign.slug, version=campaign.version, title=ctx.title(campaign), **facts)


def carry_out(
    ctx: Context, given: dict[str, Any], act: Callable[[Campaign], Applied], note: Callable[[Campaign], str]
) -> Reply:
    """The campaign's page after the act, or with the reason why it was not done."""
    campaign = campaign_of(ctx, given)
    try:
        with ctx.session.begin_nested():
            applied = act(campaign)
    except Conflict as error:
        ctx.session.refresh(campaign)
        return campaign_page(ctx, campaign, who_was_first(ctx, error))
    except (Refused, BadInput) as error:
        ctx.session.refresh(campaign)
        return campaign_page(ctx, campaign, why_not(ctx, error))
    return campaign_page(ctx, applied.campaign, note(applied.campaign))


def who_was_first(ctx: Context, error: Conflict) -> str:
    """Who changed the campaign meanwhile, how and when."""
    if error.code != "campaign_changed" or error.params.get("at") is None:
        return ctx.refusal(error)
    act = str(error.params["what"]).removeprefix("campaign.")
    return ctx.say(
        "campaign.changed_meanwhile",
        name=actor_name(ctx, str(error.params["who"])),
        act=ctx.say(f"campaign.act.{act}"),
        at=ctx.when(error.params["at"]),
    )


def actor_name(ctx: Context, actor: str) -> str:
    """What to call whoever the audit log names."""
    platform, _, account = actor.partition(":")
    found = find_identity(ctx.session, ctx.brand.id, platform, account)
    member = ctx.session.get(Member, (ctx.brand.id, found.member_id)) if found is not None else None
    return member.name if member is not None and member.name else ctx.say("campaign.operator")


def why_not(ctx: Context, error: DaixinError) -> str:
    """Why a change is refused: everything the checks found, or the one reason."""
    found = [*error.params.get("findings", ()), *error.params.get("problems", ())]
    if not found:
        return ctx.refusal(error)
    return ctx.say("campaign.refused") + "\n\n" + "\n".join("- " + words_of(ctx, one) for one in found)


def confirm(name: str, ask: Callable[[Context, Talk], Reply]) -> Question:
    """Says back what was understood; nothing is done before it is confirmed."""
    return Question(
        name,
        "campaign.sure",
        one_of("yes"),
        ask=ask,
        choices=lambda ctx, talk: [(i18n.text(ctx.locale, "button.do_it"), "yes")],
        closed=True,
    )


def talk_with(name: str, questions: Sequence[Question], finish: Callable[[Context, dict[str, Any]], Reply]) -> Dialog:
    """A dialog for staff, with ways back and out, that waits for a week."""
    return Dialog(name, None, tuple(questions), finish, admin=True, guided=True, lasts=timedelta(days=7))


def asks(key: str, **more: Callable[[Context, Talk], Any]) -> Callable[[Context, Talk], Reply]:
    """Asks with this message; `more` finds what else it says."""

    def ask(ctx: Context, talk: Talk) -> Reply:
        campaign = campaign_of(ctx, talk.facts)
        said = {name: find(ctx, talk) for name, find in more.items()}
        return Reply(ctx.say(key, title=ctx.title(campaign), **said))

    return ask


def moment(text: str) -> datetime:
    """A moment as it is kept among the answers."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("moment_unreadable") from None
    if found.tzinfo is None:
        raise BadInput("moment_unreadable")
    return found


def amount(text: str) -> int:
    """A whole number of minor units, or of pieces."""
    return whole(1, MOST)(text)


def read_amount(asset: str, text: str) -> str:
    """Minor units of what was said in people's units (200.50 of yuan), or pieces of an item."""
    if is_item(asset) or asset == "PTS":
        return str(amount(text))
    try:
        found = Money.parse(text.replace("，", "").replace(",", "").strip(), asset)
    except BadInput:
        raise BadInput("number_unreadable") from None
    return str(amount(str(found.minor)))


def unit(ctx: Context, asset: str) -> str:
    """What a budget is counted in."""
    if is_item(asset):
        return item_title(ctx.session, ctx.brand.id, ctx.locale, asset)
    return i18n.text(ctx.locale, "campaign.points") if asset == "PTS" else asset
