"""Rewards by rule, cause and correction."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SQLITE = [
    """
    CREATE TRIGGER adjustment_not_changed BEFORE UPDATE ON adjustment BEGIN
        SELECT RAISE(ABORT, 'adjustments are never changed');
    END
    """,
    """
    CREATE TRIGGER adjustment_not_deleted BEFORE DELETE ON adjustment BEGIN
        SELECT RAISE(ABORT, 'adjustments are never deleted');
    END
    """,
]

POSTGRESQL = [
    """
    CREATE TRIGGER adjustment_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON adjustment
    FOR EACH STATEMENT EXECUTE FUNCTION books_refuse()
    """,
]


def upgrade() -> None:
    op.create_table(
        "budget_level",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("asset", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "campaign_id"],
            ["campaign.brand_id", "campaign.id"],
            name=op.f("fk_budget_level_brand_id_campaign_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "campaign_id", "asset", "level", name=op.f("pk_budget_level")),
    )
    op.create_table(
        "adjustment",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("asset", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_adjustment_amount")),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f("fk_adjustment_brand_id_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "campaign_id"],
            ["campaign.brand_id", "campaign.id"],
            name=op.f("fk_adjustment_brand_id_campaign_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_adjustment")),
        sa.UniqueConstraint("brand_id", "key", name=op.f("uq_adjustment_brand_id_key")),
    )
    op.create_index("ix_adjustment_member", "adjustment", ["brand_id", "member_id", "created_at"], unique=False)
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("the books are not taken apart; restore a backup instead")
