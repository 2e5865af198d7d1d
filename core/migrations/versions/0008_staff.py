"""Roles of people, codes that connect a group, the audit chain."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

SQLITE = [
    f"""
    CREATE TRIGGER audit_entry_not_{done} BEFORE {act} ON audit_entry BEGIN
        SELECT RAISE(ABORT, 'the audit log is never {done}');
    END
    """
    for act, done in (("UPDATE", "changed"), ("DELETE", "deleted"))
]

POSTGRESQL = [
    """
    CREATE TRIGGER audit_entry_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION books_refuse()
    """,
]


def upgrade() -> None:
    op.create_table(
        "audit_head",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_audit_head_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("details", _json, nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_audit_entry_number")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_audit_entry_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "number", name=op.f("pk_audit_entry")),
    )
    op.create_table(
        "staff",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("given_by", sa.String(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f("fk_staff_brand_id_member_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", "member_id", name=op.f("pk_staff")),
    )
    op.create_table(
        "staff_code",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_staff_code_brand_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_staff_code")),
    )
    op.create_table(
        "waiting_group",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("platform", "group_id", name=op.f("pk_waiting_group")),
    )
    op.add_column("community", sa.Column("partner", sa.Boolean(), nullable=False, server_default=sa.false()))
    standing = sa.text("removed_at IS NULL")
    op.create_index(
        "uq_community_standing",
        "community",
        ["platform", "group_id"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("the books are not taken apart; restore a backup instead")
