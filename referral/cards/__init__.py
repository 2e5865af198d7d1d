"""The invite card (邀请海报): what a member forwards so that a friend can come."""

from referral.cards.banner import banner_of
from referral.cards.poster import NAME_BOX, SIZE, CardSpec, draw_card
from referral.cards.wording import card_of

__all__ = ["NAME_BOX", "SIZE", "CardSpec", "banner_of", "card_of", "draw_card"]
