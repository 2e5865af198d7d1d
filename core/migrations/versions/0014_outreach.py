"""What is written to people unasked."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
UNDER_WAY = sa.text("state IN ('planning', 'sending')")


def upgrade() -> None:
    op.drop_index("ix_outbox_due", table_name="outbox")
    op.create_index("ix_outbox_due", "outbox", ["topic", "state", "due_at", "id"], unique=False)
    op.create_table(
        "outreach_settings",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=False),
        sa.Column("quiet_until", sa.Integer(), nullable=False),
        sa.Column("weekly_cap", sa.Integer(), nullable=False),
        sa.Column("cheers", sa.Boolean(), nullable=False),
        sa.Column("nudges", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.Boolean(), nullable=False),
        sa.Column("digested_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("quiet_from BETWEEN 0 AND 1439", name=op.f("ck_outreach_settings_quiet_from")),
        sa.CheckConstraint("quiet_until BETWEEN 0 AND 1439", name=op.f("ck_outreach_settings_quiet_until")),
        sa.CheckConstraint("weekly_cap BETWEEN 0 AND 20", name=op.f("ck_outreach_settings_weekly_cap")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_outreach_settings_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_outreach_settings")),
    )
    op.create_table(
        "outreach_choice",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("quiet", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"],
            ["member.brand_id", "member.id"],
            name=op.f("fk_outreach_choice_brand_id_member_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "member_id", name=op.f("pk_outreach_choice")),
    )
    op.create_table(
        "broadcast",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("text", JSON, nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("cursor", sa.Uuid(), nullable=True),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("planned >= 0", name=op.f("ck_broadcast_planned")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_broadcast_brand_id")),
        sa.ForeignKeyConstraint(
            ["brand_id", "created_by"],
            ["member.brand_id", "member.id"],
            name=op.f("fk_broadcast_brand_id_created_by"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_broadcast")),
    )
    op.create_index("ix_broadcast_state", "broadcast", ["state"], unique=False)
    op.create_index(
        "ix_broadcast_under_way",
        "broadcast",
        ["brand_id"],
        unique=True,
        sqlite_where=UNDER_WAY,
        postgresql_where=UNDER_WAY,
    )
    op.create_table(
        "outreach",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f("fk_outreach_brand_id_member_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "member_id", "subject", name=op.f("pk_outreach")),
    )
    op.create_index("ix_outreach_subject", "outreach", ["brand_id", "subject", "state", "reason"], unique=False)


def downgrade() -> None:
    for name in ("outreach", "broadcast", "outreach_choice", "outreach_settings"):
        op.drop_table(name)
    op.drop_index("ix_outbox_due", table_name="outbox")
    op.create_index("ix_outbox_due", "outbox", ["topic", "state", "due_at"], unique=False)
