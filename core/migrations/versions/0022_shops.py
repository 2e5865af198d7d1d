"""Shops that tell of orders by themselves."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "shop",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("options", _json, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wrong_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_shop_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_shop")),
        sa.UniqueConstraint("brand_id", "source", name=op.f("uq_shop_brand_id_source")),
    )
    op.create_table(
        "shop_delivery",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("params", _json, nullable=True),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("conversion_id", sa.Uuid(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "shop_id"], ["shop.brand_id", "shop.id"], name=op.f("fk_shop_delivery_brand_id_shop_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_shop_delivery")),
        sa.UniqueConstraint("brand_id", "shop_id", "digest", name=op.f("uq_shop_delivery_brand_id_shop_id_digest")),
    )
    op.create_index("ix_shop_delivery_at", "shop_delivery", ["brand_id", "shop_id", "at"], unique=False)
    op.create_table(
        "shop_order_name",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "shop_id"], ["shop.brand_id", "shop.id"], name=op.f("fk_shop_order_name_brand_id_shop_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "shop_id", "name", name=op.f("pk_shop_order_name")),
    )
    op.create_table(
        "shop_refund",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("paid", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "shop_id"], ["shop.brand_id", "shop.id"], name=op.f("fk_shop_refund_brand_id_shop_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "shop_id", "external_id", name=op.f("pk_shop_refund")),
    )
    op.create_index("ix_shop_refund_order", "shop_refund", ["brand_id", "shop_id", "order_id"], unique=False)


def downgrade() -> None:
    op.drop_table("shop_refund")
    op.drop_table("shop_order_name")
    op.drop_table("shop_delivery")
    op.drop_table("shop")
