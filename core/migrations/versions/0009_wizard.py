"""Drafts of campaigns."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


_json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "campaign_draft",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("answers", _json, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_campaign_draft_brand_id")),
        sa.ForeignKeyConstraint(
            ["brand_id", "campaign_id"],
            ["campaign.brand_id", "campaign.id"],
            name=op.f("fk_campaign_draft_brand_id_campaign_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_campaign_draft")),
        sa.UniqueConstraint("brand_id", "code", name=op.f("uq_campaign_draft_brand_id_code")),
    )
    op.create_index("ix_campaign_draft_open", "campaign_draft", ["brand_id", "updated_at"], unique=False)


def downgrade() -> None:
    op.drop_table("campaign_draft")
