"""The delivery log of a campaign's announcements in words, for its page and for `/announce`."""

from __future__ import annotations

from bots.context import Context, Safe, as_code
from core import i18n
from referral.announcing import Announcement, log_of
from referral.brands import Community
from referral.campaigns import Campaign

SHOWN = 12
"""Posts shown, the latest last."""


def log_lines(ctx: Context, campaign: Campaign) -> list[str]:
    """A line for each of the latest posts; none if nothing was posted yet."""
    posts = log_of(ctx.session, campaign)
    lines = ["- " + _line(ctx, campaign, row, place) for row, place in posts[-SHOWN:]]
    if len(posts) > SHOWN:
        lines.insert(0, ctx.say("announce.log.more", n=len(posts) - SHOWN))
    return lines


def _line(ctx: Context, campaign: Campaign, row: Announcement, place: Community) -> str:
    shown = {
        "what": ctx.say(f"announce.what.{row.what}"),
        "community": place.title or place.group_id,
        "platform": i18n.text(ctx.locale, f"platform.{place.platform}"),
        "state": Safe(ctx.say(f"announce.state.{row.state}")),
        "at": ctx.when(row.pinned_at or row.sent_at or row.queued_at, campaign),
    }
    if row.reason is None:
        return ctx.say("announce.log.line", **shown)
    return ctx.say("announce.log.line_why", why=why(ctx.locale, row.reason), **shown)


def why(locale: str, reason: str) -> Safe:
    """A reason of ours in words, or the platform's own as it said it."""
    key = f"announce.reason.{reason}"
    return Safe(i18n.text(locale, key)) if key in i18n.catalogue(locale) else as_code(reason)
