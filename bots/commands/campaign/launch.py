"""From a draft to a campaign: once, whoever presses how often, and only as what the last page showed."""

from __future__ import annotations

from bots.commands.campaign.review import judge, review
from bots.context import Context
from bots.drafts import CampaignDraft, close_draft, write_draft
from bots.message import Reply
from bots.questions import Dialog
from core.errors import Conflict, Refused
from core.moments import in_full
from referral import audit
from referral.campaigns import Campaign
from rewards.campaign_files import apply_campaign
from rewards.items.items import save_item


def launch(ctx: Context, dialog: Dialog, draft: CampaignDraft, revision: int, *, at_once: bool) -> Reply:
    """Launch or schedule the draft as it stood at this revision. `at_once`: whatever start was chosen before."""
    if revision != draft.revision:
        return review(ctx, dialog, draft, ctx.say("wizard.changed_meanwhile"))
    if at_once:
        answers = {**draft.answers, "start": "now"}
        after = write_draft(ctx.session, ctx.brand.id, draft.code, revision, ctx.actor, answers)
        ctx.session.refresh(draft)
        if after is None:
            return review(ctx, dialog, draft, ctx.say("wizard.changed_meanwhile"))
    judged = judge(ctx, dialog, draft)
    if judged.file is None or judged.composed is None or judged.against:
        return review(ctx, dialog, draft)
    try:
        with ctx.session.begin_nested():
            if judged.composed.item is not None:
                save_item(ctx.session, ctx.brand.id, judged.composed.item)
            applied = apply_campaign(ctx.session, ctx.brand, judged.file, actor=ctx.actor)
            campaign = applied.campaign
            if applied.changed != "created":  # another process took the slug a moment ago
                raise Refused("draft_changed")
            if not close_draft(ctx.session, ctx.brand.id, draft.code, draft.revision, campaign.id):
                raise Refused("draft_changed")
            about = {"kind": campaign.kind, "version": campaign.version, "starts_at": campaign.starts_at}
            audit.record(ctx.session, ctx.brand.id, ctx.actor, "campaign.launch", campaign.slug, **about)
    except (Refused, Conflict) as error:
        ctx.session.refresh(draft)
        return review(ctx, dialog, draft, ctx.refusal(error))
    return _launched(ctx, campaign)


def _launched(ctx: Context, campaign: Campaign) -> Reply:
    """What runs now or will, and what to do next."""
    runs = campaign.state == "running"
    row = (
        *((ctx.button("button.invite", "do:invite"),) if runs else ()),
        ctx.button("button.campaigns", "do:campaign"),
    )
    return ctx.reply(
        f"wizard.launched.{campaign.kind}" if runs else "wizard.scheduled",
        title=ctx.title(campaign),
        starts=in_full(ctx.locale, campaign.starts_at, campaign.timezone),
        ends=in_full(ctx.locale, campaign.ends_at, campaign.timezone),
        buttons=(row,),
    )
