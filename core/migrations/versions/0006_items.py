"""The catalogue: vouchers, goods, draws."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "item",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", _json, nullable=False),
        sa.Column("about", _json, nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("stock", sa.Integer(), nullable=True),
        sa.Column("given", sa.Integer(), nullable=False),
        sa.Column("per_member", sa.Integer(), nullable=True),
        sa.Column("settings", _json, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("pool", sa.Integer(), nullable=False),
        sa.Column("warned", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("given >= 0 AND (stock IS NULL OR given <= stock)", name=op.f("ck_item_stock")),
        sa.CheckConstraint("price IS NULL OR price > 0", name=op.f("ck_item_price")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_item_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_item")),
        sa.UniqueConstraint("brand_id", "slug", name=op.f("uq_item_brand_id_slug")),
    )
    op.create_table(
        "item_count",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.CheckConstraint("taken >= 0", name=op.f("ck_item_count_taken")),
        sa.ForeignKeyConstraint(
            ["brand_id", "item_id"], ["item.brand_id", "item.id"], name=op.f("fk_item_count_brand_id_item_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "item_id", "member_id", name=op.f("pk_item_count")),
    )
    op.create_table(
        "voucher",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'given') = (payout_id IS NOT NULL)", name=op.f("ck_voucher_given_to_somebody")),
        sa.CheckConstraint("(payout_id IS NULL) = (number IS NULL)", name=op.f("ck_voucher_numbered")),
        sa.ForeignKeyConstraint(
            ["brand_id", "item_id"], ["item.brand_id", "item.id"], name=op.f("fk_voucher_brand_id_item_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "payout_id"], ["payout.brand_id", "payout.id"], name=op.f("fk_voucher_brand_id_payout_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("brand_id", "item_id", "fingerprint", name=op.f("uq_voucher_brand_id_item_id_fingerprint")),
        sa.UniqueConstraint("brand_id", "payout_id", "number", name=op.f("uq_voucher_brand_id_payout_id_number")),
    )
    op.create_index("ix_voucher_due", "voucher", ["state", "ends_at"], unique=False)
    op.create_index("ix_voucher_next", "voucher", ["brand_id", "item_id", "state", "ends_at", "id"], unique=False)
    op.create_table(
        "promo_code",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["brand_id", "item_id"], ["item.brand_id", "item.id"], name=op.f("fk_promo_code_brand_id_item_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "payout_id"], ["payout.brand_id", "payout.id"], name=op.f("fk_promo_code_brand_id_payout_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_promo_code")),
        sa.UniqueConstraint("brand_id", "key", name=op.f("uq_promo_code_brand_id_key")),
        sa.UniqueConstraint("brand_id", "payout_id", "number", name=op.f("uq_promo_code_brand_id_payout_id_number")),
    )
    op.create_index("ix_promo_code_member", "promo_code", ["brand_id", "member_id"], unique=False)
    op.create_table(
        "badge",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('worn', 'ending', 'ended')", name=op.f("ck_badge_state")),
        sa.ForeignKeyConstraint(
            ["brand_id", "item_id"], ["item.brand_id", "item.id"], name=op.f("fk_badge_brand_id_item_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "payout_id"], ["payout.brand_id", "payout.id"], name=op.f("fk_badge_brand_id_payout_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_badge")),
        sa.UniqueConstraint("brand_id", "payout_id", name=op.f("uq_badge_brand_id_payout_id")),
    )
    op.create_index("ix_badge_due", "badge", ["state", "ends_at"], unique=False)
    op.create_index("ix_badge_member", "badge", ["brand_id", "member_id"], unique=False)
    op.create_table(
        "shipment",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("carrier", sa.String(), nullable=True),
        sa.Column("tracking", sa.String(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erase_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('asked', 'ready', 'shipped', 'delivered', 'cancelled')", name=op.f("ck_shipment_state")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "item_id"], ["item.brand_id", "item.id"], name=op.f("fk_shipment_brand_id_item_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "payout_id"], ["payout.brand_id", "payout.id"], name=op.f("fk_shipment_brand_id_payout_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_shipment")),
        sa.UniqueConstraint("brand_id", "payout_id", name=op.f("uq_shipment_brand_id_payout_id")),
        sa.UniqueConstraint("brand_id", "reference", name=op.f("uq_shipment_brand_id_reference")),
    )
    op.create_index("ix_shipment_erase", "shipment", ["erase_at"], unique=False)
    op.create_index("ix_shipment_member", "shipment", ["brand_id", "member_id"], unique=False)
    op.create_index("ix_shipment_state", "shipment", ["brand_id", "state", "asked_at"], unique=False)
    op.create_table(
        "draw",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("title", _json, nullable=False),
        sa.Column("commitment", sa.String(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("seed", sa.String(), nullable=True),
        sa.Column("entropy", sa.String(), nullable=True),
        sa.Column("entropy_value", sa.String(), nullable=True),
        sa.Column("prizes", _json, nullable=False),
        sa.Column("tickets", sa.Integer(), nullable=False),
        sa.Column("tickets_digest", sa.String(), nullable=True),
        sa.Column("winners", _json, nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'revealed') = (seed IS NOT NULL)", name=op.f("ck_draw_seed_is_secret_until_revealed")
        ),
        sa.CheckConstraint("state IN ('open', 'closed', 'revealed')", name=op.f("ck_draw_state")),
        sa.ForeignKeyConstraint(
            ["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"], name=op.f("fk_draw_brand_id_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "item_id"], ["item.brand_id", "item.id"], name=op.f("fk_draw_brand_id_item_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_draw")),
        sa.UniqueConstraint("brand_id", "slug", name=op.f("uq_draw_brand_id_slug")),
    )
    op.create_index("ix_draw_due", "draw", ["state", "closes_at"], unique=False)
    op.create_index("ix_draw_item", "draw", ["brand_id", "item_id", "state"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("draw_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "draw_id"], ["draw.brand_id", "draw.id"], name=op.f("fk_ticket_brand_id_draw_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "payout_id"], ["payout.brand_id", "payout.id"], name=op.f("fk_ticket_brand_id_payout_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("brand_id", "draw_id", "number", name=op.f("uq_ticket_brand_id_draw_id_number")),
    )
    op.create_index("ix_ticket_member", "ticket", ["brand_id", "member_id"], unique=False)
    op.create_index("ix_ticket_payout", "ticket", ["brand_id", "payout_id"], unique=False)


def downgrade() -> None:
    raise RuntimeError("the books are not taken apart; restore a backup instead")
