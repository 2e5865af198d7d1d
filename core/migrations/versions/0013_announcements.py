"""Announcements and what became of them; what campaigns do at a moment of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("community", sa.Column("locale", sa.String(), nullable=True))
    op.create_table(
        "campaign_timer",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "campaign_id"],
            ["campaign.brand_id", "campaign.id"],
            name=op.f("fk_campaign_timer_brand_id_campaign_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "campaign_id", "what", name=op.f("pk_campaign_timer")),
    )
    op.create_index("ix_campaign_timer_due", "campaign_timer", ["what", "due_at"], unique=False)
    op.create_table(
        "announcement",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pinned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unpinned_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'sent', 'pinned', 'failed', 'gone', 'skipped')", name=op.f("ck_announcement_state")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "campaign_id"],
            ["campaign.brand_id", "campaign.id"],
            name=op.f("fk_announcement_brand_id_campaign_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "community_id"],
            ["community.brand_id", "community.id"],
            name=op.f("fk_announcement_brand_id_community_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_announcement")),
        sa.UniqueConstraint(
            "brand_id",
            "campaign_id",
            "what",
            "turn",
            "community_id",
            name=op.f("uq_announcement_brand_id_campaign_id_what_turn_community_id"),
        ),
    )
    op.create_index("ix_announcement_community", "announcement", ["brand_id", "community_id", "state"], unique=False)


def downgrade() -> None:
    raise RuntimeError("what was announced cannot be taken back; restore a backup instead")
