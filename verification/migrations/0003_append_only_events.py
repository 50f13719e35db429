from django.db import migrations

FORWARD = """
CREATE FUNCTION verification_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'verification events are append-only: % refused', TG_OP USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER verification_event_no_change BEFORE UPDATE OR DELETE ON verification_event
    FOR EACH ROW EXECUTE FUNCTION verification_event_is_append_only();
CREATE TRIGGER verification_event_no_truncate BEFORE TRUNCATE ON verification_event
    FOR EACH STATEMENT EXECUTE FUNCTION verification_event_is_append_only();
"""
REVERSE = """
DROP TRIGGER verification_event_no_truncate ON verification_event;
DROP TRIGGER verification_event_no_change ON verification_event;
DROP FUNCTION verification_event_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("verification", "0002_claims")]

    operations = [migrations.RunSQL(FORWARD, REVERSE)]
