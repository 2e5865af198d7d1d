"""Rewards by rule, cause and correction."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise RuntimeError("the books are not taken apart; restore a backup instead")
