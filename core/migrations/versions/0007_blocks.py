"""Transfers sealed in blocks."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEPT = ("block", "sealed_transfer", "published_root")

SQLITE = [
    """
    CREATE TRIGGER transfer_waits_for_its_block AFTER INSERT ON transfer BEGIN
        INSERT INTO unsealed_transfer (brand_id, id) VALUES (NEW.brand_id, NEW.id);
    END
    """,
    *(
        f"""
        CREATE TRIGGER {name}_not_{done} BEFORE {act} ON {name} BEGIN
            SELECT RAISE(ABORT, 'what is sealed is never {done}');
        END
        """
        for name in KEPT
        for act, done in (("UPDATE", "changed"), ("DELETE", "deleted"))
    ),
]

POSTGRESQL = [
    """
    CREATE FUNCTION transfer_waits() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO unsealed_transfer (brand_id, id) SELECT brand_id, id FROM added;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER transfer_waits_for_its_block AFTER INSERT ON transfer REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION transfer_waits()
    """,
    *(
        f"""
        CREATE TRIGGER {name}_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON {name}
        FOR EACH STATEMENT EXECUTE FUNCTION books_refuse()
        """
        for name in KEPT
    ),
]


def upgrade() -> None:
    op.create_table(
        "block",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("count > 0", name=op.f("ck_block_not_empty")),
        sa.CheckConstraint("height >= 0", name=op.f("ck_block_height")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_block_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "height", name=op.f("pk_block")),
    )
    op.create_table(
        "sealed_transfer",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "height"], ["block.brand_id", "block.height"], name=op.f("fk_sealed_transfer_brand_id_height")
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_sealed_transfer")),
        sa.UniqueConstraint("brand_id", "height", "position", name=op.f("uq_sealed_transfer_brand_id_height_position")),
    )
    op.create_table(
        "unsealed_transfer",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_unsealed_transfer")),
    )
    op.create_table(
        "published_root",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "height"], ["block.brand_id", "block.height"], name=op.f("fk_published_root_brand_id_height")
        ),
        sa.PrimaryKeyConstraint("brand_id", "day", name=op.f("pk_published_root")),
    )
    op.create_table(
        "root_readers",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("chat", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_root_readers_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "platform", "chat", name=op.f("pk_root_readers")),
    )
    for side in ("debit", "credit"):
        op.drop_index(f"ix_transfer_{side}", "transfer")
        op.create_index(f"ix_transfer_{side}", "transfer", ["brand_id", f"{side}_id", "amount"], unique=False)
    # What was booked before there were blocks is sealed in the first ones.
    op.execute("INSERT INTO unsealed_transfer (brand_id, id) SELECT brand_id, id FROM transfer")
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("the books are not taken apart; restore a backup instead")
