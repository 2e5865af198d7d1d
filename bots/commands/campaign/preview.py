"""What members will see: the card and the announcement, in both languages, before anything is launched."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bots.commands.campaign.review import judge, review
from bots.context import Context
from bots.drafts import CampaignDraft
from bots.message import Image, Reply
from bots.questions import Dialog
from core import clock, i18n, ids
from referral.campaigns import Campaign
from referral.cards import banner_of, card_of, draw_card
from rewards.campaign_format import CampaignFile

SAMPLE = "PREVEW234"
"""The code on the card of a preview; nobody has it."""


def preview(ctx: Context, dialog: Dialog, draft: CampaignDraft) -> Sequence[Reply]:
    """Both languages, the reader's own first, and where to go on."""
    judged = judge(ctx, dialog, draft)
    if judged.file is None:
        return (review(ctx, dialog, draft),)
    campaign = imagined(ctx, judged.file)
    locales = sorted(i18n.LOCALES, key=lambda one: one != ctx.locale)
    return (*(_seen(ctx, campaign, one) for one in locales), review(ctx, dialog, draft))


def imagined(ctx: Context, file: CampaignFile) -> Campaign:
    """The campaign as it would be; it is not kept."""
    about = file.campaign
    return Campaign(
        brand_id=ctx.brand.id,
        id=ids.new(),
        slug=about.slug,
        kind=about.kind,
        title=about.title.model_dump(),
        benefit=about.benefit.model_dump(),
        timezone=about.timezone,
        starts_at=about.starts_at,
        ends_at=about.ends_at,
        picture=about.picture,
        created_at=clock.now(),
        **file.qualify.model_dump(),
    )


def _seen(ctx: Context, campaign: Campaign, locale: str) -> Reply:
    picture = banner_of(ctx.session, campaign)
    spec = card_of(locale, campaign, ctx.brand.name, ctx.member.name, SAMPLE, ctx.links.invite(SAMPLE), picture)
    return Reply(
        ctx.say(f"wizard.preview.{locale}"),
        image=Image(partial(draw_card, spec), f"preview-{locale}.jpg", i18n.text(locale, "invite.card_alt")),
        private=True,
        brief=ctx.say("group.brief"),
    )
