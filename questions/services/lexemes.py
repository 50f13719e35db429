"""In how many posts each word stem occurs, counted anew every night."""

from django.db import connection, transaction

# One statement, so that readers see the counts of one night or of the next, and who is stopped has changed nothing.
COUNT = """
WITH counted AS MATERIALIZED (
    SELECT word, ndoc FROM ts_stat('SELECT search_vector FROM questions_post WHERE removed_at IS NULL')
     WHERE length(word) <= 100
), gone AS (
    DELETE FROM questions_lexeme old WHERE NOT EXISTS (SELECT FROM counted WHERE counted.word = old.word)
)
INSERT INTO questions_lexeme AS known (word, documents) SELECT word, ndoc FROM counted ORDER BY word
ON CONFLICT (word) DO UPDATE SET documents = excluded.documents WHERE known.documents <> excluded.documents
"""
COUNTING = 7_300_004  # number of the advisory lock under which words are counted


@transaction.atomic
def recount_lexemes() -> int:
    """Count the words of all posts that stand, and return how many counts are new or other than before.

    Two at once count one after the other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTING])
        cursor.execute(COUNT)
        return cursor.rowcount
