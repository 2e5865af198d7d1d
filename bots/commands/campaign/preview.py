"""What members will see: the card and the announcement, in both languages, before anything is launched."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bots.announcement_words import opening
from bots.commands.campaign.review import judge, review
from bots.context import Context
from bots.drafts import CampaignDraft
from bots.message import Image, Reply
from bots.questions import Dialog
from core import i18n
from core.errors import Conflict, Refused
from referral.campaigns import Campaign
from referral.cards import banner_of, card_of, draw_card
from rewards.campaign_files import apply_campaign
from rewards.items.items import save_item

SAMPLE = "PREVEW234"
"""The code on the card of a preview; nobody has it."""


def preview(ctx: Context, dialog: Dialog, draft: CampaignDraft) -> Sequence[Reply]:
    """Both languages, the reader's own first, and where to go on.

    The campaign is made as a launch would make it, looked at, and unmade: what is shown is what will be.
    """
    judged = judge(ctx, dialog, draft)
    if judged.file is None or judged.composed is None or judged.against:
        return (review(ctx, dialog, draft),)
    locales = sorted(i18n.LOCALES, key=lambda one: one != ctx.locale)
    unmade = ctx.session.begin_nested()
    try:
        if judged.composed.item is not None:
            save_item(ctx.session, ctx.brand.id, judged.composed.item)
        campaign = apply_campaign(ctx.session, ctx.brand, judged.file, launch=False, actor=ctx.actor).campaign
        seen = [_seen(ctx, campaign, one) for one in locales]
    except (Refused, Conflict) as error:
        unmade.rollback()
        return (review(ctx, dialog, draft, ctx.refusal(error)),)
    unmade.rollback()
    return (*seen, review(ctx, dialog, draft))


def _seen(ctx: Context, campaign: Campaign, locale: str) -> Reply:
    """The announcement under the card of the person who looks."""
    link, picture = ctx.links.invite(SAMPLE), banner_of(ctx.session, campaign)
    spec = card_of(locale, campaign, ctx.brand.name, ctx.member.name, SAMPLE, link, picture)
    said = opening(ctx.session, locale, campaign)
    return Reply(
        ctx.say(f"wizard.preview.{locale}") + "\n\n" + said.text,
        image=Image(partial(draw_card, spec), f"preview-{locale}.jpg", i18n.text(locale, "invite.card_alt")),
        private=True,
        brief=ctx.say("group.brief"),
    )
