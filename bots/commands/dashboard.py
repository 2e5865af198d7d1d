"""`/dashboard`: the brand's own pages. Whoever has a role gets a link that signs them in once, in private only."""

from __future__ import annotations

from bots.command import CommandSpec
from bots.context import Command, Context
from bots.message import Button, Reply
from core import i18n
from referral import staff
from referral.users import links


def dashboard(ctx: Context) -> Reply:
    if ctx.place.group is not None:
        return ctx.reply("dashboard.in_private")
    held = staff.role_of(ctx.session, ctx.brand.id, ctx.member.id)
    # An owner without a role of their own is the operator. A group's admin is whoever the platform says at the moment,
    # which the web cannot ask: it wants a role that the brand gave.
    if held is None and ctx.role != "owner":
        return ctx.reply("dashboard.needs_role" if ctx.role else "dashboard.not_yours", brand=ctx.brand.name)
    token = links.entry_for(ctx.session, ctx.brand.id, ctx.member.id, ctx.actor)
    minutes = int(links.LASTS["enter"].total_seconds() // 60)
    address = f"{ctx.links.public_url.rstrip('/')}/door/{token}"
    button = Button(i18n.text(ctx.locale, "button.dashboard"), url=address)
    return ctx.reply("dashboard.link", buttons=[[button]], brand=ctx.brand.name, minutes=minutes)


DASHBOARD = Command(
    CommandSpec(
        "dashboard",
        ("管理后台", "后台"),
        {"en": "Figures and settings on the web (admins)", "zh_Hans": "网页管理后台：数据与设置（管理员）"},
        admin=True,
        act="review",
    ),
    dashboard,
)
