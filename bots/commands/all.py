"""Every command, in the order menus show them."""

from __future__ import annotations

from bots.command import Menu
from bots.commands import address, shop, trial_talks, withdraw
from bots.commands.announce import ANNOUNCE
from bots.commands.appeal import APPEAL, APPEAL_COMMAND
from bots.commands.boardname import BOARDNAME
from bots.commands.broadcast import BROADCAST
from bots.commands.broadcast import NEW as NEW_BROADCAST
from bots.commands.campaign import wizard
from bots.commands.campaign.command import CAMPAIGN
from bots.commands.campaign.command import DIALOGS as OF_CAMPAIGNS
from bots.commands.connect import CONNECT
from bots.commands.dashboard import DASHBOARD
from bots.commands.help import HELP
from bots.commands.invite import INVITE
from bots.commands.judge import COMMAND as JUDGE
from bots.commands.judge import JUDGE as JUDGING
from bots.commands.language import LANGUAGE
from bots.commands.leaderboard import LEADERBOARD
from bots.commands.link import LINK
from bots.commands.me import ME, WHY
from bots.commands.privacy import PRIVACY
from bots.commands.purchases import PURCHASES
from bots.commands.quiet import QUIET
from bots.commands.review import REASON, REVIEW
from bots.commands.rewards import REWARDS
from bots.commands.shop import SHOP
from bots.commands.staff import STAFF
from bots.commands.start import JOIN, START
from bots.commands.team import NEW as NEW_TEAM
from bots.commands.team import TEAM
from bots.commands.trial import TRIAL
from bots.commands.withdraw import WITHDRAW

COMMANDS = (
    *(START, INVITE, ME, LEADERBOARD, TEAM, REWARDS, WITHDRAW, SHOP, TRIAL, WHY, APPEAL_COMMAND),
    *(JOIN, LINK, LANGUAGE, QUIET, BOARDNAME, PURCHASES, PRIVACY, HELP),
    *(CAMPAIGN, JUDGE, ANNOUNCE, BROADCAST, CONNECT, STAFF, REVIEW, DASHBOARD),
)
DIALOGS = {
    dialog.name: dialog
    for dialog in (
        *wizard.DIALOGS,
        *OF_CAMPAIGNS,
        NEW_BROADCAST,
        NEW_TEAM,
        JUDGING,
        *withdraw.DIALOGS,
        *shop.DIALOGS,
        *address.DIALOGS,
        *trial_talks.DIALOGS,
        REASON,
        APPEAL,
    )
}
MENU = Menu(tuple(command.spec for command in COMMANDS))
