"""The invite card (邀请海报): what a member forwards so that a friend can come."""

from referral.cards.poster import NAME_BOX, SIZE, CardSpec, draw_card

__all__ = ["NAME_BOX", "SIZE", "CardSpec", "draw_card"]
