"""Indexes for words spelled almost right, where the database has the extension pg_trgm or may get it.

Where it is missing nothing happens, and search compares words in Python (questions/search/spelling.py). The indexes are
of no model, since a model's index would be demanded of every database.
"""

from django.db import Error, migrations, transaction

INDEXES = {
    "lexeme_trigrams": "questions_lexeme USING gin (lower(word) gin_trgm_ops)",
    "tag_trigrams": "questions_tag USING gin (lower(name) gin_trgm_ops)",
    "handle_trigrams": "accounts_member USING gin (lower(handle) gin_trgm_ops)",
}


def make_indexes(apps, schema_editor):
    if _made_sure_of_extension(schema_editor.connection):
        for name, what in INDEXES.items():
            schema_editor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {what}")


def drop_indexes(apps, schema_editor):
    for name in INDEXES:
        schema_editor.execute(f"DROP INDEX IF EXISTS {name}")


def _made_sure_of_extension(connection) -> bool:
    """Make the extension if there is one to make and the role may; what only tries must not end the migration."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT installed_version FROM pg_available_extensions WHERE name = 'pg_trgm'")
        found = cursor.fetchone()
    if found is None or found[0] is not None:
        return found is not None
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION pg_trgm")
    except Error:
        return False
    return True


class Migration(migrations.Migration):
    dependencies = [("questions", "0006_questions_in_full"), ("accounts", "0010_identifier_decisions")]

    operations = [migrations.RunPython(make_indexes, drop_indexes)]
