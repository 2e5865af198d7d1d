"""Pictures people send."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "picture",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_picture_brand_id")),
        sa.PrimaryKeyConstraint("brand_id", "sha256", name=op.f("pk_picture")),
    )
    op.add_column("campaign", sa.Column("picture", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("campaign", "picture")
    op.drop_table("picture")
