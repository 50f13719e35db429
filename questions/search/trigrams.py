"""Whether the database can compare words by groups of three letters: by pg_trgm, which may be missing."""

from functools import cache

from django.db import connection


@cache
def has_trigrams() -> bool:
    """Asked once per process, so an extension added later is used after the next start."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm')")
        return cursor.fetchone()[0]
