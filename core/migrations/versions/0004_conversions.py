"""Orders and refunds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "conversion",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("referral_id", sa.Uuid(), nullable=True),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("discount", sa.BigInteger(), nullable=False),
        sa.Column("shipping", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.Column("lines", _json, nullable=True),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("customer_hash", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("net = gross - discount - tax - shipping", name=op.f("ck_conversion_net")),
        sa.CheckConstraint("0 <= refunded AND refunded <= net", name=op.f("ck_conversion_refunded")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_conversion_brand_id")),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f("fk_conversion_brand_id_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "referral_id"],
            ["referral.brand_id", "referral.id"],
            name=op.f("fk_conversion_brand_id_referral_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "campaign_id"],
            ["campaign.brand_id", "campaign.id"],
            name=op.f("fk_conversion_brand_id_campaign_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_conversion")),
        sa.UniqueConstraint(
            "brand_id", "source", "external_id", name=op.f("uq_conversion_brand_id_source_external_id")
        ),
    )
    op.create_index("ix_conversion_member", "conversion", ["brand_id", "member_id", "ordered_at"], unique=False)
    op.create_index("ix_conversion_referral", "conversion", ["brand_id", "referral_id"], unique=False)
    op.create_index("ix_conversion_received", "conversion", ["brand_id", "received_at"], unique=False)
    op.create_table(
        "refund",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("conversion_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("applied", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("0 <= applied AND (amount IS NULL OR applied <= amount)", name=op.f("ck_refund_applied")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_refund_brand_id")),
        sa.ForeignKeyConstraint(
            ["brand_id", "conversion_id"],
            ["conversion.brand_id", "conversion.id"],
            name=op.f("fk_refund_brand_id_conversion_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_refund")),
        sa.UniqueConstraint("brand_id", "source", "external_id", name=op.f("uq_refund_brand_id_source_external_id")),
    )
    op.create_index("ix_refund_conversion", "refund", ["brand_id", "conversion_id"], unique=False)
    waiting = sa.text("status = 'waiting'")
    op.create_index(
        "ix_refund_waiting",
        "refund",
        ["brand_id", "source", "order_id"],
        unique=False,
        sqlite_where=waiting,
        postgresql_where=waiting,
    )


def downgrade() -> None:
    raise RuntimeError("the books are not taken apart; restore a backup instead")
