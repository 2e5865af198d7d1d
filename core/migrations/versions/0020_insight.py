"""The figures of a day, counted from the truth."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

OF_NOBODY = sa.text("member_id IS NULL AND customer_hash IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "insight_figure",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_insight_figure_brand_id")),
        sa.PrimaryKeyConstraint(
            "brand_id", "day", "source", "campaign_id", "what", "part", name=op.f("pk_insight_figure")
        ),
    )
    op.create_table(
        "insight_day",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("first_id", sa.Uuid(), nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_insight_day_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "source", "day", name=op.f("pk_insight_day")),
    )
    op.create_table(
        "insight_mark",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("seen_id", sa.Uuid(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_insight_mark_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "source", name=op.f("pk_insight_mark")),
    )
    op.create_table(
        "outside_cost",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_outside_cost_amount")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_outside_cost_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "month", "currency", "kind", name=op.f("pk_outside_cost")),
    )
    op.create_table(
        "cost_baseline",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_cost_baseline_amount")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_cost_baseline_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "currency", name=op.f("pk_cost_baseline")),
    )
    op.create_table(
        "asset_value",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("asset", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("units > 0 AND amount > 0", name=op.f("ck_asset_value_amount")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_asset_value_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "asset", name=op.f("pk_asset_value")),
    )
    # A customer whom no member's order names is found by the shop's hash of their address; other orders pay nothing.
    op.create_index(
        "ix_conversion_customer",
        "conversion",
        ["brand_id", "customer_hash", "ordered_at"],
        unique=False,
        sqlite_where=OF_NOBODY,
        postgresql_where=OF_NOBODY,
    )


def downgrade() -> None:
    op.drop_index("ix_conversion_customer", "conversion")
    for name in ("asset_value", "cost_baseline", "outside_cost", "insight_mark", "insight_day", "insight_figure"):
        op.drop_table(name)
