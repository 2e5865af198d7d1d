"""Trial campaigns."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "trial",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=False),
        sa.Column("given", sa.Integer(), nullable=False),
        sa.Column("approve", sa.String(), nullable=False),
        sa.Column("friends", sa.Integer(), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("draw_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("commitment", sa.String(), nullable=True),
        sa.Column("sealed", sa.String(), nullable=True),
        sa.Column("document", _json, nullable=True),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("over_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("0 <= given AND given <= quota", name=op.f("ck_trial_given")),
        sa.ForeignKeyConstraint(
            ["brand_id", "campaign_id"],
            ["campaign.brand_id", "campaign.id"],
            name=op.f("fk_trial_brand_id_campaign_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "campaign_id", name=op.f("pk_trial")),
    )
    op.create_index("ix_trial_closes", "trial", ["closed_at", "closes_at"], unique=False)
    op.create_table(
        "trial_application",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_version", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("friends", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["brand_id", "campaign_id"],
            ["trial.brand_id", "trial.campaign_id"],
            name=op.f("fk_trial_application_brand_id_campaign_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"],
            ["member.brand_id", "member.id"],
            name=op.f("fk_trial_application_brand_id_member_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_trial_application")),
        sa.UniqueConstraint(
            "brand_id", "campaign_id", "member_id", name=op.f("uq_trial_application_brand_id_campaign_id_member_id")
        ),
    )
    op.create_index("ix_trial_application_due", "trial_application", ["state", "due_at"], unique=False)
    op.create_index(
        "ix_trial_application_line",
        "trial_application",
        ["brand_id", "campaign_id", "state", "friends", "applied_at"],
        unique=False,
    )
    op.create_index("ix_trial_application_member", "trial_application", ["brand_id", "member_id"], unique=False)
    op.create_index("ix_trial_application_remind", "trial_application", ["remind_at"], unique=False)
    op.create_table(
        "trial_feedback",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("picture", sa.String(), nullable=True),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("1 <= rating AND rating <= 5", name=op.f("ck_trial_feedback_rating")),
        sa.ForeignKeyConstraint(
            ["brand_id", "application_id"],
            ["trial_application.brand_id", "trial_application.id"],
            name=op.f("fk_trial_feedback_brand_id_application_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "application_id", name=op.f("pk_trial_feedback")),
    )
    op.create_index(
        "ix_trial_feedback_campaign", "trial_feedback", ["brand_id", "campaign_id", "given_at"], unique=False
    )


def downgrade() -> None:
    op.drop_table("trial_feedback")
    op.drop_table("trial_application")
    op.drop_table("trial")
