"""How credit for orders is decided, and every decision."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
KEPT = ("attribution", "credit_share")

SQLITE = [
    *(
        f"""
        CREATE TRIGGER {name}_not_{done} BEFORE {act} ON {name} BEGIN
            SELECT RAISE(ABORT, 'decisions are never {done}');
        END
        """
        for name in KEPT
        for act, done in (("UPDATE", "changed"), ("DELETE", "deleted"))
    ),
    """
    CREATE TRIGGER credit_share_within_the_whole AFTER INSERT ON credit_share
    WHEN (
        SELECT sum(share) FROM credit_share
        WHERE brand_id = NEW.brand_id AND conversion_id = NEW.conversion_id AND revision = NEW.revision
    ) > 1000000
    BEGIN
        SELECT RAISE(ABORT, 'shares beyond the whole of an order');
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
    """
    CREATE FUNCTION credit_share_check() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT 1 FROM credit_share AS kept
            WHERE (kept.brand_id, kept.conversion_id, kept.revision) IN
                (SELECT brand_id, conversion_id, revision FROM added)
            GROUP BY kept.brand_id, kept.conversion_id, kept.revision HAVING sum(kept.share) > 1000000
        ) THEN
            RAISE EXCEPTION 'shares beyond the whole of an order';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER credit_share_within_the_whole AFTER INSERT ON credit_share REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION credit_share_check()
    """,
]


def upgrade() -> None:
    op.create_table(
        "attribution",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("campaign_version", sa.Integer(), nullable=True),
        sa.Column("referral_id", sa.Uuid(), nullable=True),
        sa.Column("policy", sa.String(), nullable=True),
        sa.Column("click_id", sa.Uuid(), nullable=True),
        sa.Column("touches", _json, nullable=False),
        sa.Column("shares", _json, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("revision > 0", name=op.f("ck_attribution_revision")),
        sa.ForeignKeyConstraint(
            ["brand_id", "conversion_id"],
            ["conversion.brand_id", "conversion.id"],
            name=op.f("fk_attribution_brand_id_conversion_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "conversion_id", "revision", name=op.f("pk_attribution")),
    )
    op.create_table(
        "credit_share",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("advocate_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.CheckConstraint("0 < share AND share <= 1000000", name=op.f("ck_credit_share_share")),
        sa.ForeignKeyConstraint(
            ["brand_id", "conversion_id", "revision"],
            ["attribution.brand_id", "attribution.conversion_id", "attribution.revision"],
            name=op.f("fk_credit_share_brand_id_conversion_id_revision"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "advocate_id"],
            ["member.brand_id", "member.id"],
            name=op.f("fk_credit_share_brand_id_advocate_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "conversion_id", "revision", "advocate_id", name=op.f("pk_credit_share")),
    )
    op.create_index(
        "ix_credit_share_advocate", "credit_share", ["brand_id", "advocate_id", "campaign_id"], unique=False
    )
    op.create_table(
        "device_consent",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_by", sa.String(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"],
            ["member.brand_id", "member.id"],
            name=op.f("fk_device_consent_brand_id_member_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "member_id", name=op.f("pk_device_consent")),
    )
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("decisions about orders are not taken apart; restore a backup instead")
