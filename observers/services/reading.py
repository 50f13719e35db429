"""The log of what firms read: written before a page is sent, and never changed."""

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime

from django.db import connection
from django.utils import timezone

from observers.models import Purpose, Seat, Way

logger = logging.getLogger(__name__)

MONTHS_AHEAD = 4

# One statement, so that the rows of the log and the counts that authors are shown agree whatever is killed when. The
# counts are met in the order of posts: two seats that read the same posts wait for one another, and never in a ring.
NOTE = """
WITH met AS (SELECT id, question_id, author_id FROM questions_post WHERE id = ANY(%(posts)s)),
     logged AS (
        INSERT INTO observers_read (at, firm_id, seat_id, question_id, post_id, way, purpose)
        SELECT %(at)s, %(firm)s, %(seat)s, question_id, id, %(way)s, %(purpose)s FROM met ORDER BY id)
INSERT INTO observers_readday (post_id, author_id, firm_id, day, way, purpose, reads)
SELECT id, author_id, %(firm)s, %(day)s, %(way)s, %(purpose)s, 1 FROM met ORDER BY id
    ON CONFLICT (post_id, firm_id, day, way, purpose) DO UPDATE SET reads = observers_readday.reads + 1
"""

# Both tables by what a count is of: where they differ, a row was written, changed or lost beside `note`.
COMPARED = """
WITH logged AS (
        SELECT post_id, firm_id, (at AT TIME ZONE 'UTC')::date AS day, way, purpose, count(*) AS reads
        FROM observers_read GROUP BY 1, 2, 3, 4, 5)
SELECT post_id, firm_id, day, way, purpose, coalesce(logged.reads, 0), coalesce(shown.reads, 0)
FROM logged FULL JOIN observers_readday shown USING (post_id, firm_id, day, way, purpose)
WHERE logged.reads IS DISTINCT FROM shown.reads
"""
STRANGERS = """
SELECT shown.post_id, shown.author_id, post.author_id
FROM observers_readday shown JOIN questions_post post ON post.id = shown.post_id
WHERE shown.author_id <> post.author_id
"""
ELSEWHERE = """
SELECT log.id
FROM observers_read log
    JOIN observers_seat seat ON seat.id = log.seat_id
    JOIN questions_post post ON post.id = log.post_id
WHERE log.firm_id <> seat.firm_id OR log.question_id <> post.question_id
"""


def note(
    *, seat: Seat, purpose: Purpose | str, way: Way | str, post_pks: Iterable[int], at: datetime | None = None
) -> int:
    """Log that these posts come before a seat, each once, and return how many they are.

    It is committed when this returns, unless the caller holds a transaction: so call it before anything is sent.
    """
    posts = sorted(set(post_pks))
    if not posts:
        return 0
    at = at or timezone.now()
    values = {"at": at, "day": at.astimezone(UTC).date(), "firm": seat.firm_id, "seat": seat.pk}
    values |= {"posts": posts, "way": str(way), "purpose": str(purpose)}
    with connection.cursor() as cursor:
        cursor.execute(NOTE, values)
        return cursor.rowcount


def make_months(*, first: date | None = None, months: int = MONTHS_AHEAD) -> int:
    """See to it that the log has a part of its own for each of these months (UTC), and return how many were made.

    They begin within a year of now. Reads of a month nobody had made lie in the rest, which is an error to look at.
    """
    first = first or timezone.now().astimezone(UTC).date()
    with connection.cursor() as cursor:
        cursor.execute("SELECT observers_make_months(%s, %s)", [first, months])
        made = cursor.fetchone()[0]
        cursor.execute("SELECT min(at), count(*) FROM observers_read_rest")
        earliest, strays = cursor.fetchone()
    if strays:
        logger.error(
            "%s reads since %s lie in observers_read_rest: their months were not made in time.",
            strays,
            earliest,
        )
    return made


def faults() -> Iterator[str]:
    """Where the log and the counts that authors are shown do not agree, in words."""
    with connection.cursor() as cursor:
        cursor.execute(COMPARED)
        for post, firm, day, way, purpose, logged, shown in cursor:
            yield f"post {post}, firm {firm}, {day}, {way} for {purpose}: {logged} logged, {shown} shown."
        cursor.execute(STRANGERS)
        for post, shown, author in cursor:
            yield f"post {post}: its reads are shown to member {shown}, it is by member {author}."
        cursor.execute(ELSEWHERE)
        for (read,) in cursor:
            yield f"read {read}: its firm is not that of its seat, or its discussion not that of its post."
