"""The database keeps the books itself: balances follow transfers, transfers are never changed."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQLITE = [
    """
    CREATE TRIGGER transfer_applied AFTER INSERT ON transfer BEGIN
        UPDATE ledger_account SET balance = balance - NEW.amount WHERE brand_id = NEW.brand_id AND id = NEW.debit_id;
        UPDATE ledger_account SET balance = balance + NEW.amount WHERE brand_id = NEW.brand_id AND id = NEW.credit_id;
    END
    """,
    """
    CREATE TRIGGER transfer_not_changed BEFORE UPDATE ON transfer BEGIN
        SELECT RAISE(ABORT, 'transfers are never changed');
    END
    """,
    """
    CREATE TRIGGER transfer_not_deleted BEFORE DELETE ON transfer BEGIN
        SELECT RAISE(ABORT, 'transfers are never deleted');
    END
    """,
    """
    CREATE TRIGGER account_kept BEFORE DELETE ON ledger_account BEGIN
        SELECT RAISE(ABORT, 'accounts are never deleted');
    END
    """,
    """
    CREATE TRIGGER account_stays_whose_it_is BEFORE UPDATE OF brand_id, id, owner_id, purpose, asset ON ledger_account
    BEGIN
        SELECT RAISE(ABORT, 'an account does not change hands');
    END
    """,
]

POSTGRESQL = [
    # One statement's transfers at once: a batch touches its budget row a single time. A connection plans this at its
    # first transfer and keeps the plan, so whatever is best while there are few accounts must not be chosen.
    """
    CREATE FUNCTION transfer_apply() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    BEGIN
        UPDATE ledger_account SET balance = balance + change.amount
        FROM (
            SELECT brand_id, account_id, sum(amount)::bigint AS amount FROM (
                SELECT brand_id, debit_id AS account_id, -amount AS amount FROM added
                UNION ALL
                SELECT brand_id, credit_id, amount FROM added
            ) AS sides GROUP BY brand_id, account_id ORDER BY account_id
        ) AS change
        WHERE ledger_account.brand_id = change.brand_id AND ledger_account.id = change.account_id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER transfer_applied AFTER INSERT ON transfer REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION transfer_apply()
    """,
    """
    CREATE FUNCTION books_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the books are never changed: % on %', TG_OP, TG_TABLE_NAME;
    END $$
    """,
    """
    CREATE TRIGGER transfer_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON transfer
    FOR EACH STATEMENT EXECUTE FUNCTION books_refuse()
    """,
    """
    CREATE TRIGGER account_kept BEFORE DELETE OR TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION books_refuse()
    """,
    """
    CREATE TRIGGER account_stays_whose_it_is BEFORE UPDATE OF brand_id, id, owner_id, purpose, asset ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION books_refuse()
    """,
]


def upgrade() -> None:
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("the books are not taken apart; restore a backup instead")
