"""Cases that need a person's judgement."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "review_case",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("referral_id", sa.Uuid(), nullable=True),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("facts", _json, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminded", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("choice", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("appeal_of", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(state = 'decided') = (verdict IS NOT NULL)", name=op.f("ck_review_case_verdict")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_review_case_brand_id")),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f("fk_review_case_brand_id_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "referral_id"],
            ["referral.brand_id", "referral.id"],
            name=op.f("fk_review_case_brand_id_referral_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "campaign_id"],
            ["campaign.brand_id", "campaign.id"],
            name=op.f("fk_review_case_brand_id_campaign_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "appeal_of"],
            ["review_case.brand_id", "review_case.id"],
            name=op.f("fk_review_case_brand_id_appeal_of"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_review_case")),
        sa.UniqueConstraint("brand_id", "kind", "key", name=op.f("uq_review_case_brand_id_kind_key")),
    )
    op.create_index("ix_review_case_queue", "review_case", ["brand_id", "state", "opened_at", "id"], unique=False)
    op.create_index("ix_review_case_remind", "review_case", ["state", "remind_at"], unique=False)
    op.create_index("ix_review_case_member", "review_case", ["brand_id", "member_id"], unique=False)


def downgrade() -> None:
    raise RuntimeError("decisions are not taken apart; restore a backup instead")
