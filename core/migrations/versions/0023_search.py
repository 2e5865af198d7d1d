"""Finding members by a few letters, who earned most, and what a journey looks for."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TERM = sa.String().with_variant(sa.String(collation="C"), "postgresql")
UNCOUNTED = sa.text("status <> 'attributed'")
OF_REFERRAL = sa.text("referral_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "member_term",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("term", TERM, nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "term", "member_id", name=op.f("pk_member_term")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_member_term_member", "member_term", ["brand_id", "member_id"], unique=False)
    op.create_table(
        "search_mark",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("reached", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "name", name=op.f("pk_search_mark")),
    )
    op.create_table(
        "earning",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("asset", sa.String(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("earned", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "campaign_id", "asset", "member_id", name=op.f("pk_earning")),
    )
    op.create_index(
        "ix_earning_order", "earning", ["brand_id", "campaign_id", "asset", "earned", "member_id"], unique=False
    )
    op.create_index(
        "ix_conversion_uncounted",
        "conversion",
        ["brand_id", "received_at"],
        unique=False,
        sqlite_where=UNCOUNTED,
        postgresql_where=UNCOUNTED,
    )
    op.create_index(
        "ix_review_case_referral",
        "review_case",
        ["brand_id", "referral_id"],
        unique=False,
        sqlite_where=OF_REFERRAL,
        postgresql_where=OF_REFERRAL,
    )
    op.create_index("ix_member_link_absorbed", "member_link", ["brand_id", "absorbed_id"], unique=False)
    op.create_index("ix_audit_entry_subject", "audit_entry", ["brand_id", "subject"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_audit_entry_subject", table_name="audit_entry")
    op.drop_index("ix_member_link_absorbed", table_name="member_link")
    op.drop_index("ix_review_case_referral", table_name="review_case")
    op.drop_index("ix_conversion_uncounted", table_name="conversion")
    op.drop_index("ix_earning_order", table_name="earning")
    op.drop_table("earning")
    op.drop_table("search_mark")
    op.drop_index("ix_member_term_member", table_name="member_term")
    op.drop_table("member_term")
