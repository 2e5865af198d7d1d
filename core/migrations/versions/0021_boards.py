"""Boards that are shown in public."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
COUNTS = sa.text("state = 'qualified'")
STANDS = sa.text("revoked_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "board_name",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("shown", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("shown IN ('full', 'masked', 'hidden')", name=op.f("ck_board_name_shown")),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"],
            ["member.brand_id", "member.id"],
            name=op.f("fk_board_name_brand_id_member_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "member_id", name=op.f("pk_board_name")),
    )
    op.create_table(
        "board_share",
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("hosts", JSON, nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["brand_id", "campaign_id"],
            ["campaign.brand_id", "campaign.id"],
            name=op.f("fk_board_share_brand_id_campaign_id"),
        ),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_board_share")),
    )
    op.create_index(
        "uq_board_share_standing",
        "board_share",
        ["brand_id", "campaign_id"],
        unique=True,
        sqlite_where=STANDS,
        postgresql_where=STANDS,
    )
    op.create_index(
        "ix_referral_qualified",
        "referral",
        ["brand_id", "campaign_id", "qualified_at", "advocate_id", "state"],
        unique=False,
        sqlite_where=COUNTS,
        postgresql_where=COUNTS,
    )


def downgrade() -> None:
    op.drop_index("ix_referral_qualified", table_name="referral")
    op.drop_table("board_share")
    op.drop_table("board_name")
