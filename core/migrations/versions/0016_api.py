"""What a brand's programs may do, and the answers they were given."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    # Keys from before could do everything.
    everything = sa.text("""'["conversions:write", "conversions:read", "results:read"]'""")
    with op.batch_alter_table("api_key") as batch:
        batch.add_column(sa.Column("scopes", _json, nullable=False, server_default=everything))
        batch.add_column(sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("used_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("api_key") as batch:
        batch.alter_column("scopes", server_default=None)
    op.create_table(
        "api_answer",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", _json, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_api_answer_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "key", name=op.f("pk_api_answer")),
    )
    op.create_index("ix_api_answer_created_at", "api_answer", ["created_at"], unique=False)


def downgrade() -> None:
    op.drop_table("api_answer")
    with op.batch_alter_table("api_key") as batch:
        batch.drop_column("used_at")
        batch.drop_column("expires_at")
        batch.drop_column("scopes")
