"""What stands on a card: the product and the friend's benefit, never a reward for sharing (WeChat's rules)."""

from __future__ import annotations

from core import i18n
from referral import codes
from referral.campaigns import Campaign
from referral.cards.banner import Banner
from referral.cards.poster import CardSpec


def card_of(
    locale: str, campaign: Campaign, brand: str, name: str, code: str, link: str, picture: Banner | None = None
) -> CardSpec:
    """The card of an advocate's code. A nameless advocate is a friend.

    The disclosure is what 16 CFR 255 (FTC endorsement guides) asks of somebody who may benefit.
    """
    return CardSpec(
        brand=brand,
        title=i18n.pick(campaign.title, locale),
        name=i18n.text(locale, "card.name", name=name) if name else i18n.text(locale, "card.somebody"),
        code=codes.display(code),
        url=link,
        benefit=i18n.pick(campaign.benefit, locale),
        disclosure=i18n.text(locale, "card.disclosure", brand=brand),
        scan_hint=i18n.text(locale, "card.scan"),
        picture=picture,
    )
