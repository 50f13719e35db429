from django.db import migrations

# The layout of Django's database cache (`createcachetable`), for throttles while Redis is away.
CREATE = """
CREATE TABLE sermo_throttle (cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL);
CREATE INDEX sermo_throttle_expires ON sermo_throttle (expires);
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, "DROP TABLE sermo_throttle")]
