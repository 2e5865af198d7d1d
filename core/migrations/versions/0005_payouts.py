"""Payouts, payees and batches."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_json = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")

FIXED = (
    *("brand_id", "id", "provider", "asset", "amount", "fee", "key"),
    *("item_id", "quantity", "reward_id", "created_at"),
)
"""What a payout was made for and never changes. Its member may, when two members turn out to be one person."""
KEPT = ("payout_line", "payout_event")

SQLITE = [
    *(
        f"""
        CREATE TRIGGER {name}_not_{done} BEFORE {act} ON {name} BEGIN
            SELECT RAISE(ABORT, 'the history of payouts is never {done}');
        END
        """
        for name in KEPT
        for act, done in (("UPDATE", "changed"), ("DELETE", "deleted"))
    ),
    f"""
    CREATE TRIGGER payout_stays_what_it_is BEFORE UPDATE OF {", ".join(FIXED)} ON payout BEGIN
        SELECT RAISE(ABORT, 'what a payout is made for never changes');
    END
    """,
    """
    CREATE TRIGGER payout_settled_once BEFORE UPDATE OF state ON payout
    WHEN OLD.state IN ('completed', 'failed') AND NEW.state <> OLD.state BEGIN
        SELECT RAISE(ABORT, 'a settled payout stays settled');
    END
    """,
    """
    CREATE TRIGGER payout_not_deleted BEFORE DELETE ON payout BEGIN
        SELECT RAISE(ABORT, 'payouts are never deleted');
    END
    """,
]

POSTGRESQL = [
    *(
        f"""
        CREATE TRIGGER {name}_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON {name}
        FOR EACH STATEMENT EXECUTE FUNCTION books_refuse()
        """
        for name in KEPT
    ),
    f"""
    CREATE TRIGGER payout_stays_what_it_is BEFORE UPDATE OF {", ".join(FIXED)} ON payout
    FOR EACH STATEMENT EXECUTE FUNCTION books_refuse()
    """,
    """
    CREATE TRIGGER payout_settled_once BEFORE UPDATE OF state ON payout
    FOR EACH ROW WHEN (OLD.state IN ('completed', 'failed') AND NEW.state <> OLD.state)
    EXECUTE FUNCTION books_refuse()
    """,
    """
    CREATE TRIGGER payout_not_deleted BEFORE DELETE OR TRUNCATE ON payout
    FOR EACH STATEMENT EXECUTE FUNCTION books_refuse()
    """,
]


def upgrade() -> None:
    _payees()
    _batches()
    _payouts()
    _lines()
    _events()
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def _payees() -> None:
    op.create_table(
        "payee",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("masked", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f("fk_payee_brand_id_member_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_payee")),
    )
    op.create_index("ix_payee_fingerprint", "payee", ["brand_id", "fingerprint"], unique=False)
    op.create_index(
        "uq_payee_current",
        "payee",
        ["brand_id", "member_id", "provider"],
        unique=True,
        sqlite_where=sa.text("replaced_at IS NULL"),
        postgresql_where=sa.text("replaced_at IS NULL"),
    )


def _batches() -> None:
    op.create_table(
        "payout_batch",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("asset", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exported_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_payout_batch_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_payout_batch")),
        sa.UniqueConstraint("brand_id", "number", name=op.f("uq_payout_batch_brand_id_number")),
    )
    op.create_index("ix_payout_batch_created", "payout_batch", ["brand_id", "created_at"], unique=False)


def _payouts() -> None:
    op.create_table(
        "payout",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("asset", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("payee_id", sa.Uuid(), nullable=True),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("reward_id", sa.Uuid(), nullable=True),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("flag", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("look_ups", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("detail", _json, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payout_amount")),
        sa.CheckConstraint("fee >= 0", name=op.f("ck_payout_fee")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_payout_quantity")),
        sa.CheckConstraint(
            "state IN ('pending', 'processing', 'completed', 'failed', 'unknown')", name=op.f("ck_payout_state")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f("fk_payout_brand_id_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "payee_id"], ["payee.brand_id", "payee.id"], name=op.f("fk_payout_brand_id_payee_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "batch_id"],
            ["payout_batch.brand_id", "payout_batch.id"],
            name=op.f("fk_payout_brand_id_batch_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "reward_id"], ["reward.brand_id", "reward.id"], name=op.f("fk_payout_brand_id_reward_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_payout")),
        sa.UniqueConstraint("brand_id", "key", name=op.f("uq_payout_brand_id_key")),
    )
    op.create_index("ix_payout_due", "payout", ["state", "due_at"], unique=False)
    op.create_index("ix_payout_member", "payout", ["brand_id", "member_id", "created_at"], unique=False)
    op.create_index("ix_payout_batch", "payout", ["brand_id", "batch_id"], unique=False)


def _lines() -> None:
    op.create_table(
        "payout_line",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("reward_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payout_line_amount")),
        sa.ForeignKeyConstraint(
            ["brand_id", "payout_id"], ["payout.brand_id", "payout.id"], name=op.f("fk_payout_line_brand_id_payout_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "reward_id"], ["reward.brand_id", "reward.id"], name=op.f("fk_payout_line_brand_id_reward_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_payout_line")),
        sa.UniqueConstraint(
            "brand_id", "payout_id", "reward_id", name=op.f("uq_payout_line_brand_id_payout_id_reward_id")
        ),
    )
    op.create_index("ix_payout_line_reward", "payout_line", ["brand_id", "reward_id"], unique=False)


def _events() -> None:
    op.create_table(
        "payout_event",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("actor", sa.String(), nullable=True),
        sa.Column("detail", _json, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "payout_id"], ["payout.brand_id", "payout.id"], name=op.f("fk_payout_event_brand_id_payout_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_payout_event")),
    )
    op.create_index("ix_payout_event_payout", "payout_event", ["brand_id", "payout_id", "id"], unique=False)


def downgrade() -> None:
    raise RuntimeError("the books are not taken apart; restore a backup instead")
