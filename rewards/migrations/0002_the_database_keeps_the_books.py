"""What no code may do: change a row of the ledger, leave a transaction unbalanced, or move a balance by hand."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION rewards_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % of % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER rewards_transaction_no_change BEFORE UPDATE OR DELETE ON rewards_transaction
    FOR EACH ROW EXECUTE FUNCTION rewards_ledger_is_append_only();
CREATE TRIGGER rewards_transaction_no_truncate BEFORE TRUNCATE ON rewards_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION rewards_ledger_is_append_only();
CREATE TRIGGER rewards_entry_no_change BEFORE UPDATE OR DELETE ON rewards_entry
    FOR EACH ROW EXECUTE FUNCTION rewards_ledger_is_append_only();
CREATE TRIGGER rewards_entry_no_truncate BEFORE TRUNCATE ON rewards_entry
    FOR EACH STATEMENT EXECUTE FUNCTION rewards_ledger_is_append_only();
CREATE TRIGGER rewards_account_no_delete BEFORE DELETE ON rewards_account
    FOR EACH ROW EXECUTE FUNCTION rewards_ledger_is_append_only();
CREATE TRIGGER rewards_account_no_truncate BEFORE TRUNCATE ON rewards_account
    FOR EACH STATEMENT EXECUTE FUNCTION rewards_ledger_is_append_only();

CREATE FUNCTION rewards_transaction_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xact := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END
$$;
CREATE TRIGGER rewards_transaction_begins BEFORE INSERT ON rewards_transaction
    FOR EACH ROW EXECUTE FUNCTION rewards_transaction_begins();

CREATE FUNCTION rewards_entry_moves_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    begun bigint;
BEGIN
    SELECT xact INTO begun FROM rewards_transaction WHERE id = NEW.transaction_id;
    IF begun IS DISTINCT FROM pg_current_xact_id()::text::bigint THEN
        RAISE EXCEPTION 'transaction % is written already', NEW.transaction_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    UPDATE rewards_account SET balance = balance + NEW.amount WHERE id = NEW.account_id
        RETURNING balance INTO NEW.balance_after;
    RETURN NEW;
END
$$;
CREATE TRIGGER rewards_entry_moves_balance BEFORE INSERT ON rewards_entry
    FOR EACH ROW EXECUTE FUNCTION rewards_entry_moves_balance();

CREATE FUNCTION rewards_account_keeps_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.balance <> 0 THEN
            RAISE EXCEPTION 'an account begins at zero' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'an account changes by entries alone' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER rewards_account_keeps_balance BEFORE INSERT OR UPDATE ON rewards_account
    FOR EACH ROW EXECUTE FUNCTION rewards_account_keeps_balance();

CREATE FUNCTION rewards_transaction_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lines integer;
    total bigint;
BEGIN
    SELECT count(*), coalesce(sum(amount), 0) INTO lines, total FROM rewards_entry WHERE transaction_id = NEW.id;
    IF lines < 2 OR total <> 0 THEN
        RAISE EXCEPTION 'transaction %: % entries, % cents', NEW.id, lines, total
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER rewards_transaction_balances AFTER INSERT ON rewards_transaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION rewards_transaction_balances();
"""
REVERSE = """
DROP TRIGGER rewards_transaction_balances ON rewards_transaction;
DROP TRIGGER rewards_account_keeps_balance ON rewards_account;
DROP TRIGGER rewards_entry_moves_balance ON rewards_entry;
DROP TRIGGER rewards_transaction_begins ON rewards_transaction;
DROP TRIGGER rewards_account_no_truncate ON rewards_account;
DROP TRIGGER rewards_account_no_delete ON rewards_account;
DROP TRIGGER rewards_entry_no_truncate ON rewards_entry;
DROP TRIGGER rewards_entry_no_change ON rewards_entry;
DROP TRIGGER rewards_transaction_no_truncate ON rewards_transaction;
DROP TRIGGER rewards_transaction_no_change ON rewards_transaction;
DROP FUNCTION rewards_transaction_balances();
DROP FUNCTION rewards_account_keeps_balance();
DROP FUNCTION rewards_entry_moves_balance();
DROP FUNCTION rewards_transaction_begins();
DROP FUNCTION rewards_ledger_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("rewards", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, REVERSE)]
