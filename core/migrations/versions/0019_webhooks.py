"""What brands are told by webhook."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("events", _JSON, nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("before_until", _MOMENT, nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", _MOMENT, nullable=True),
        sa.Column("resume_at", _MOMENT, nullable=True),
        sa.Column("answered_at", _MOMENT, nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("removed_at", _MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('on', 'paused', 'off')", name=op.f("ck_webhook_endpoint_state")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_webhook_endpoint_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_webhook_endpoint")),
    )
    kept = sa.text("removed_at IS NULL")
    op.create_index(
        "uq_webhook_endpoint_url",
        "webhook_endpoint",
        ["brand_id", "url"],
        unique=True,
        sqlite_where=kept,
        postgresql_where=kept,
    )
    op.create_table(
        "webhook_event",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("data", _JSON, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_webhook_event_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_webhook_event")),
        sa.UniqueConstraint("brand_id", "number", name=op.f("uq_webhook_event_brand_id_number")),
    )
    unnumbered = sa.text("number IS NULL")
    op.create_index(
        "ix_webhook_event_unnumbered",
        "webhook_event",
        ["brand_id", "id"],
        sqlite_where=unnumbered,
        postgresql_where=unnumbered,
    )
    op.create_index("ix_webhook_event_at", "webhook_event", ["at"])
    op.create_table(
        "webhook_head",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_webhook_head_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_webhook_head")),
    )
    _deliveries()


def _deliveries() -> None:
    op.create_table(
        "webhook_delivery",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("tried_at", _MOMENT, nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("took", sa.Integer(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name=op.f("ck_webhook_delivery_state")),
        sa.ForeignKeyConstraint(
            ["brand_id", "endpoint_id"],
            ["webhook_endpoint.brand_id", "webhook_endpoint.id"],
            name=op.f("fk_webhook_delivery_brand_id_endpoint_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "event_id"],
            ["webhook_event.brand_id", "webhook_event.id"],
            name=op.f("fk_webhook_delivery_brand_id_event_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint(
            "brand_id", "endpoint_id", "event_id", name=op.f("uq_webhook_delivery_brand_id_endpoint_id_event_id")
        ),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index("ix_webhook_delivery_number", "webhook_delivery", ["brand_id", "endpoint_id", "number"])
    op.create_index("ix_webhook_delivery_event", "webhook_delivery", ["brand_id", "event_id"])
    op.create_index(
        "ix_webhook_delivery_waiting",
        "webhook_delivery",
        ["brand_id", "endpoint_id", "due_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )


def downgrade() -> None:
    op.drop_table("webhook_delivery")
    op.drop_table("webhook_head")
    op.drop_table("webhook_event")
    op.drop_table("webhook_endpoint")
