"""`/announce`: what was posted in the groups and what became of it, and once more what was refused."""

from __future__ import annotations

from bots.announcement_log import log_lines
from bots.command import Argument, CommandSpec
from bots.context import Command, Context, say
from bots.message import Reply
from core.errors import NotFound
from referral.announcing import log_of, try_again
from referral.campaigns import Campaign, find_campaign

AGAIN = ("again", "重新发送")
LANGUAGES = {"english": "en", "英文": "en", "chinese": "zh_Hans", "中文": "zh_Hans"}


def announce(ctx: Context) -> Reply:
    if not ctx.may("campaign"):
        return ctx.reply("campaign.not_admin")
    words = ctx.argument.split()
    if len(words) == 1 and words[0].lower() in LANGUAGES:
        return _speak(ctx, LANGUAGES[words[0].lower()])
    campaign = _named(ctx, words[0]) if words and words[0] not in AGAIN else ctx.campaign()
    if campaign is None:
        return ctx.reply("campaign.none")
    if words and words[-1] in AGAIN:
        count = try_again(ctx.session, campaign, ctx.actor)
        return ctx.reply("announce.log.again", n=count) if count else ctx.reply("announce.log.nothing_again")
    lines = log_lines(ctx, campaign)
    if not lines:
        return ctx.reply("announce.log.none", title=ctx.title(campaign))
    text = ctx.say("announce.log.heading", title=ctx.title(campaign)) + "\n\n" + "\n".join(lines)
    posts = [row for row, place in log_of(ctx.session, campaign) if place.removed_at is None]
    stuck = any(row.state in ("failed", "gone") or row.lacks_pin for row in posts)
    buttons = ((ctx.button("announce.button.again", f"do:announce {campaign.slug} again"),),) if stuck else ()
    return Reply(text, buttons=buttons, private=True, brief=ctx.say("group.brief"))


def _speak(ctx: Context, locale: str) -> Reply:
    """The group in which it is said hears announcements in this language from now on."""
    if ctx.community is None:
        return ctx.reply("announce.language.where")
    ctx.community.locale = locale
    ctx.session.add(ctx.community)
    return Reply(say(locale, "announce.language.done"))


def _named(ctx: Context, slug: str) -> Campaign | None:
    try:
        return find_campaign(ctx.session, ctx.brand.id, slug)
    except NotFound:
        return None


ANNOUNCE = Command(
    CommandSpec(
        "announce",
        ("公告记录", "公告语言"),
        {"en": "What was posted in the groups (admins)", "zh_Hans": "公告发送记录（管理员）"},
        Argument("campaign", {"en": "the campaign", "zh_Hans": "哪个活动"}),
        admin=True,
    ),
    announce,
)
