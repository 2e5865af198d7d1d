"""Every word that is said exists in both languages, and every word that exists is said."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from bots import gains, payout_news
from bots.commands.all import DIALOGS
from bots.commands.campaign import wizard
from core import i18n
from referral.campaigns import MOVES, QUALIFYING, STATES
from referral.rules import REFUSALS
from rewards import rewards
from rewards.budget import LEVELS
from rewards.conditions.dictionary import ATTRIBUTES
from rewards.items import shipments
from rewards.payouts.payouts import STATES as PAYOUT_STATES
from rewards.payouts.port import CARRIED

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("advocate", "friend", "admin")
CAPS = (
    *("cap_reached", "cap_friend", "cap_advocate", "cap_day", "cap_week", "cap_campaign"),
    *("budget_empty", "currency_differs", "self_dealing", *rewards.QUIET),
)
ADMIN = ("voucher_low", "voucher_gone", "payee_shared", "contradicted", "stuck", "to_approve")
PAYOUT_REASONS = (
    *("cancelled", "unclaimed", "payee_refused", "payee_missing", "name_differs", "name_missing", "account_gone"),
    *("provider_limit", "provider_refused", "provider_funds", "platform_refused", "bank_refused", "other"),
    *("currency_not_carried", "amount_not_whole", "no_such_gift"),
)
FORMS = [dialog for dialog in DIALOGS.values() if dialog.title]
TAKEN_BACK = ("left_during_hold", "self_referral", "loop", "linked_duplicate", "refunded", "fraud")


def _all(*parts: tuple[str, ...] | str) -> set[str]:
    """Every way to put one of each of these together with dots."""
    return {".".join(way) for way in product(*((part,) if isinstance(part, str) else part for part in parts))}


BUILT = (
    _all("why.friend", REFUSALS)
    | _all("why.refused", REFUSALS)
    | _all("why", ("waiting", "started", "joined", "left"))
    | _all("why.own", ("waiting", "started", "joined", "left", "qualified", "expired", "reversed", "rejected"))
    | {"why.own.expired.advocate_gone", "why.own.reversed.left_during_hold", "why.own.reversed.refunded"}
    | _all("why.qualified", QUALIFYING)
    | _all("why.expired.window_over", QUALIFYING)
    | {"why.expired.erased", "why.rejected.review"}
    | _all("why.reversed", TAKEN_BACK)
    | _all("why.reward", ("held", "payable", "in_payout", "paid", "voided", "clawed_back", "in_review"))
    | _all("why.reward.capped", CAPS)
    | _all("me.friend", ("waiting", "started", "joined", "left", "qualified", "expired", "reversed", "rejected"))
    | _all("rewards.state", rewards.STATES)
    | _all("rewards.line", ROLES)
    | _all("reason", ("cap_reached", "budget_empty"), ROLES)
    | _all("reason", tuple(cap for cap in CAPS if cap not in ("cap_reached", "budget_empty")))
    | _all("reason", (*TAKEN_BACK, "milestone_lost"), ROLES)
    | _all("rewards.line.order", ROLES)
    | _all("rewards.state", ("in_payout", "paid"), ("points", "item"))
    | _all("rewards.purse", ("money", "points"))
    | _all("rewards.purse", ("under_way", "paid"), ("money", "points"))
    | {key for key in i18n.catalogue("en") if key.startswith("fact.") and key.removeprefix("fact.") in ATTRIBUTES}
    | _all("admin.budget", tuple(str(level) for level in LEVELS))
    | _all("admin", ADMIN)
    | _all("admin.state", ("completed", "failed"))
    | _all(("withdraw.way", "withdraw.takes"), tuple(CARRIED))
    | _all("withdraw.state", PAYOUT_STATES)
    | {"withdraw.state.pending.approval", "withdraw.state.processing.confirm"}
    | _all("payout.reason", PAYOUT_REASONS)
    | _all("news.payout", payout_news.TOLD_STEPS)
    | _all("gain.waiting", gains.WAITING)
    | _all("gain.parcel", shipments.STATES)
    | _all("shop.not", ("sold_out", "too_few_points", "limit_reached", "needs_account", "no_draw"))
    | _all("news.held", ROLES, QUALIFYING)
    | _all("news", ("capped", "released"), ROLES)
    | _all("news", ("voided", "clawed_back", "voided.partly", "clawed_back.partly"), (*ROLES, "gift"))
    | _all("invite.ready", QUALIFYING)
    | _all(("join.step_in", "join.find_group"), QUALIFYING)
    | _all("campaign.state", STATES)
    | _all("campaign", tuple(f"is_{state}" for state in STATES if state != "running"))
    | _all("campaign.done", ("pause", "resume", "end"))
    | _all("button", ("pause", "resume", "end", "budget", "duplicate", "edit"))
    | _all("campaign.kind", ("referral", "trial", "contest"))
    | _all("campaign.act", ("edit", "extend", "budget", "launch", "apply"))
    | _all("campaign.applied", ("created", "updated", "unchanged"))
    | _all("campaign.export", ("file", "statement"), "alt")
    | _all("campaign.field", ("title", "benefit", "advocate", "friend"))
    | {one.key for dialog in DIALOGS.values() for one in dialog.questions}
    | {one.key + ".label" for dialog in FORMS for one in dialog.questions if not one.closed}
    | {one.key + ".label" for dialog in wizard.DIALOGS for one in dialog.questions}
    | {dialog.title for dialog in FORMS if dialog.title}
    | {"file.statement", "file.proof"}
)
"""Keys that the code puts together, as it does."""


def written() -> set[str]:
    """Every text in our code that looks like a key."""
    files = [
        path for folder in ("bots", "daixin", "web", "referral", "rewards") for path in ROOT.glob(folder + "/**/*.py")
    ]
    return {key for path in files for key in re.findall(r'"([a-z_]+(?:\.[a-z_]+)+)"', path.read_text())}


def in_chat(locale: str) -> set[str]:
    text = (ROOT / f"core/locales/{locale}/LC_MESSAGES/chat.po").read_text()
    return set(re.findall(r'^msgid "(.+)"$', text, re.MULTILINE))


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_word_that_is_put_together_exists(locale: str) -> None:
    assert BUILT - i18n.catalogue(locale).keys() == set()


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_word_that_exists_is_said(locale: str) -> None:
    assert in_chat(locale) - BUILT - written() == set()


def test_both_languages_say_the_same_facts() -> None:
    """But for an example sentence's own reasons, a placeholder of one language is one of the other."""
    en, zh = i18n.catalogue("en"), i18n.catalogue("zh_Hans")
    differing = {
        key: (facts(en[key]), facts(zh[key])) for key in en.keys() & zh.keys() if facts(en[key]) != facts(zh[key])
    }
    assert differing == {}


def facts(text: str | tuple[str, ...]) -> set[str]:
    """The placeholders of a message, in all its plural forms."""
    return set(re.findall(r"{(\w+)}", text if isinstance(text, str) else " ".join(text)))


def test_a_move_of_a_campaign_that_people_make_has_its_word() -> None:
    assert {"pause", "resume", "end"} <= MOVES.keys()
