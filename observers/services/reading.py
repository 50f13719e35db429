"""The log of what firms read: written before a page is sent, and never changed."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from django.db import connection
from django.utils import timezone

from observers.models import Purpose, Seat, Way

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
    """See to it that the log has a part of its own for each of these months (UTC), and return how many were made."""
    first = first or timezone.now().astimezone(UTC).date()
    with connection.cursor() as cursor:
        cursor.execute("SELECT observers_make_months(%s, %s)", [first, months])
        return cursor.fetchone()[0]
