"""Contests: teams, the score sheet, decisions, the frozen final."""

from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KEPT = ("contest_point", "contest_decision", "contest_result")

SQLITE = [
    f"""
    CREATE TRIGGER {name}_not_{done} BEFORE {act} ON {name} BEGIN
        SELECT RAISE(ABORT, 'what decided a contest is never {done}');
    END
    """
    for name in KEPT
    for act, done in (("UPDATE", "changed"), ("DELETE", "deleted"))
]

POSTGRESQL = [
    f"""
    CREATE TRIGGER {name}_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON {name}
    FOR EACH STATEMENT EXECUTE FUNCTION books_refuse()
    """
    for name in KEPT
]


def _of_campaign(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["brand_id", "campaign_id"],
        ["campaign.brand_id", "campaign.id"],
        name=op.f(f"fk_{name}_brand_id_campaign_id"),
    )


def _of_member(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f(f"fk_{name}_brand_id_member_id")
    )


def _key(name: str) -> list[sa.Column[UUID]]:
    return [sa.Column(one, sa.Uuid(), nullable=False) for one in ("brand_id", name)]


def upgrade() -> None:
    op.create_table(
        "team",
        *_key("id"),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sameness", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _of_campaign("team"),
        sa.PrimaryKeyConstraint("brand_id", "id", name=op.f("pk_team")),
        sa.UniqueConstraint("brand_id", "campaign_id", "sameness", name=op.f("uq_team_brand_id_campaign_id_sameness")),
    )
    op.create_table(
        "team_member",
        *_key("campaign_id"),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "team_id"], ["team.brand_id", "team.id"], name=op.f("fk_team_member_brand_id_team_id")
        ),
        _of_member("team_member"),
        sa.PrimaryKeyConstraint("brand_id", "campaign_id", "member_id", name=op.f("pk_team_member")),
    )
    op.create_index("ix_team_member_team", "team_member", ["brand_id", "team_id", "joined_at"], unique=False)
    op.create_table(
        "contest_point",
        *_key("campaign_id"),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _of_campaign("contest_point"),
        sa.ForeignKeyConstraint(
            ["brand_id", "referral_id"],
            ["referral.brand_id", "referral.id"],
            name=op.f("fk_contest_point_brand_id_referral_id"),
        ),
        sa.PrimaryKeyConstraint("brand_id", "campaign_id", "referral_id", name=op.f("pk_contest_point")),
    )
    op.create_table(
        "contest_decision",
        *_key("campaign_id"),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("what IN ('disqualify', 'reinstate')", name=op.f("ck_contest_decision_what")),
        _of_campaign("contest_decision"),
        _of_member("contest_decision"),
        sa.PrimaryKeyConstraint("brand_id", "campaign_id", "number", name=op.f("pk_contest_decision")),
    )
    op.create_table(
        "contest_result",
        *_key("campaign_id"),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("decisions", sa.Integer(), nullable=False),
        sa.Column("salt", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("revision > 0", name=op.f("ck_contest_result_revision")),
        _of_campaign("contest_result"),
        sa.PrimaryKeyConstraint("brand_id", "campaign_id", "revision", name=op.f("pk_contest_result")),
    )
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("the books are not taken apart; restore a backup instead")
