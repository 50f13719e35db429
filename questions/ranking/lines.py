"""The lines that points are made of, each from one deed: the formula as one SQL statement."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

from django.db import connection
from django.utils import timezone

HALF_LIFE_DAYS = 180
PAIR_DAYS = 30
HELPFUL_A_DAY = 20
UPHELD_FROM = 3  # disputes
VOUCH_FAILED = 50  # points that vouching for an impostor costs

# Needs %(day)s, the as-of day, and %(members)s, ids or null for all. `fault` says why a deed counts nothing. A vouch
# that failed is no post's (0), and no deed among those from which a tier begins.
LINES = f"""
WITH verdict AS (
    SELECT v.id, v.author_id, v.post_id, v.value, p.kind, (v.cast_at AT TIME ZONE 'UTC')::date AS day, v.cast_at,
           count(*) FILTER (WHERE b.mode IN ('anonymous', 'partial'))
               OVER (PARTITION BY v.voter_id, v.author_id ORDER BY v.cast_at
                     RANGE BETWEEN interval '{PAIR_DAYS} days' PRECEDING AND CURRENT ROW) AS nth,
           CASE WHEN b.mode = 'public' THEN 'named'
                WHEN b.mode = 'masked' THEN 'masked'
                WHEN f.id IS NOT NULL THEN 'discounted'
                WHEN p.kind = 'opening' THEN 'opening'
                WHEN v.value = -1 AND NOT (p.dispute_count >= {UPHELD_FROM} AND p.dispute_count > p.corroborate_count)
                THEN 'not_upheld'
                ELSE '' END AS fault
      FROM questions_vote v
      JOIN questions_post p ON p.id = v.post_id
      JOIN questions_byline b ON b.id = p.byline_id
      JOIN questions_question q ON q.id = p.question_id
      LEFT JOIN questions_pairflag f ON f.verdict = 'discounted' AND f.low_id = least(v.voter_id, v.author_id)
                                    AND f.high_id = greatest(v.voter_id, v.author_id)
     WHERE p.removed_at IS NULL AND q.status <> 'removed'
       AND (%(members)s::bigint[] IS NULL OR v.author_id = ANY(%(members)s))
), judged AS (
    SELECT verdict.*, row_number() OVER (PARTITION BY author_id, day, kind, fault ORDER BY cast_at, id) AS of_the_day
      FROM verdict
), deed AS (
    SELECT author_id AS member_id,
           CASE WHEN kind = 'comment' THEN 'helpful' WHEN value = 1 THEN 'corroborated' ELSE 'disputed' END AS cause,
           post_id, id AS source_id, day,
           CASE WHEN kind = 'comment' THEN 1.0 WHEN value = 1 THEN 5.0 ELSE -3.0 END / nullif(nth, 0) AS raw,
           nth, NULL::numeric AS mean, NULL::integer AS ratings,
           CASE WHEN fault = '' AND kind = 'comment' AND of_the_day > {HELPFUL_A_DAY} THEN 'beyond'
                ELSE fault END AS fault
      FROM judged
    UNION ALL
    SELECT p.author_id, 'credited', p.id, c.id, (c.credited_at AT TIME ZONE 'UTC')::date, 10.0, NULL, NULL, NULL,
           CASE WHEN p.author_id = q.asker_id THEN 'own'
                WHEN b.mode = 'public' THEN 'named' WHEN b.mode = 'masked' THEN 'masked' ELSE '' END
      FROM questions_credit c
      JOIN questions_post p ON p.id = c.post_id
      JOIN questions_byline b ON b.id = p.byline_id
      JOIN questions_question q ON q.id = c.question_id
     WHERE p.removed_at IS NULL AND q.status <> 'removed'
       AND (%(members)s::bigint[] IS NULL OR p.author_id = ANY(%(members)s))
    UNION ALL
    SELECT q.asker_id, 'important', p.id, q.id, (q.opened_at AT TIME ZONE 'UTC')::date,
           2.0 * (q.importance_sum::numeric / q.importance_count - 3) * sqrt(q.importance_count::numeric),
           NULL, q.importance_sum::numeric / q.importance_count, q.importance_count,
           CASE WHEN b.mode = 'public' THEN 'named' WHEN b.mode = 'masked' THEN 'masked'
                WHEN q.importance_sum <= 3 * q.importance_count THEN 'low_mean' ELSE '' END
      FROM questions_question q
      JOIN questions_post p ON p.question_id = q.id AND p.kind = 'opening'
      JOIN questions_byline b ON b.id = p.byline_id
     WHERE q.status <> 'removed' AND q.importance_count > 0 AND b.mode NOT IN ('house', 'firm')
       AND (%(members)s::bigint[] IS NULL OR q.asker_id = ANY(%(members)s))
    UNION ALL
    SELECT m.id, 'vouch_failed', 0, l.id, (l.at AT TIME ZONE 'UTC')::date, -{VOUCH_FAILED}.0, NULL, NULL, NULL, ''
      FROM verification_vouchloss l
      JOIN accounts_member m ON m.user_id = l.voucher_id
     WHERE l.taken_back_at IS NULL AND (%(members)s::bigint[] IS NULL OR m.id = ANY(%(members)s))
), scored AS (
    SELECT member_id, cause, post_id, source_id, day, nth, mean, ratings, round(raw, 4) AS worth,
           round(raw * power(0.5::float8, (%(day)s::date - day) / {HALF_LIFE_DAYS}.0::float8)::numeric,
                 4) AS points
      FROM deed WHERE fault = '' AND day <= %(day)s::date
)
"""  # noqa: S608 - only the constants above are interpolated

EVENTS = "count(*) FILTER (WHERE cause <> 'vouch_failed')"

# `place` tells the lines of one post, cause and day apart and `total` sums a line and all before it. The order
# within a day is that of the posts, never that of the hours.
LINES_OF_MEMBER = f"""{LINES}, placed AS (
    SELECT cause, post_id, day, worth, points, nth, mean, ratings,
           row_number() OVER (PARTITION BY day, post_id, cause ORDER BY worth, source_id) AS place
      FROM scored
), ledger AS (
    SELECT placed.*, sum(points) OVER (ORDER BY day, post_id, cause, place) AS total FROM placed
)
SELECT * FROM ledger
 WHERE %(before)s::text IS NULL
    OR (day, post_id, cause, place) < (%(before_day)s::date, %(before_post)s::bigint, %(before)s, %(before_place)s)
 ORDER BY day DESC, post_id DESC, cause DESC, place DESC
 LIMIT %(limit)s
"""  # noqa: S608 - as above

# Votes of discounted pairs are one row that says only that there are some: a member knows who the other of the pair is
# likely to be, and a list would then name the voter on each post.
UNSCORED_OF_MEMBER = f"""{LINES}
SELECT NULL AS cause, NULL AS post_id, NULL::date AS day, 'discounted' AS fault
 WHERE EXISTS (SELECT 1 FROM deed WHERE fault = 'discounted' AND day <= %(day)s::date)
 UNION ALL
SELECT cause, post_id, day, fault FROM deed
 WHERE fault NOT IN ('', 'discounted') AND day <= %(day)s::date
 ORDER BY day DESC NULLS FIRST, post_id DESC, cause, fault LIMIT %(limit)s
"""  # noqa: S608 - as above

POINTS_ON = f"""{LINES}
SELECT member_id, sum(points), {EVENTS} FROM scored GROUP BY member_id ORDER BY sum(points) DESC, member_id
"""  # noqa: S608 - as above


@dataclass(frozen=True)
class Line:
    """One deed: what it was worth on its day (UTC), and what of that is left at the as-of moment, in points.

    A vouch that failed has 0 for the id of its post.

    `total` sums this line and all before it. `nth` is that of a vote; `mean` and `ratings` are those of an important
    question. Day, post, cause and place together are the line's key.
    """

    cause: str
    post_id: int
    day: date
    worth: Decimal
    points: Decimal
    nth: int | None
    mean: Decimal | None
    ratings: int | None
    place: int
    total: Decimal

    @property
    def key(self) -> tuple[date, int, str, int]:
        return self.day, self.post_id, self.cause, self.place


@dataclass(frozen=True)
class Unscored:
    """A deed that counts nothing, and why: named, masked, opening, not_upheld, beyond, own, low_mean.

    `discounted` stands alone, without cause, post and day, for all votes of discounted pairs.
    """

    cause: str | None
    post_id: int | None
    day: date | None
    fault: str


def midnight(day: date | None = None) -> datetime:
    """00:00 UTC of a day, of today by default."""
    return datetime.combine(day or timezone.now().astimezone(UTC).date(), time(), tzinfo=UTC)


def lines_of(
    member,
    *,
    as_of: date | None = None,
    before: tuple[date, int, str, int] | None = None,
    limit: int | None = None,
) -> list[Line]:
    """The lines of a member's points, newest first, those before a line's key; all of them sum up to the points."""
    day, post_id, cause, place = before or (None, None, None, None)
    with connection.cursor() as cursor:
        cursor.execute(
            LINES_OF_MEMBER,
            {
                "members": [member.pk],
                "day": as_of or midnight().date(),
                "before": cause,
                "before_day": day,
                "before_post": post_id,
                "before_place": place,
                "limit": limit,
            },
        )
        return [Line(*row) for row in cursor.fetchall()]


def unscored_of(member, *, as_of: date | None = None, limit: int | None = None) -> list[Unscored]:
    """The deeds of a member that count nothing, newest first, after one row for those of discounted pairs."""
    with connection.cursor() as cursor:
        cursor.execute(
            UNSCORED_OF_MEMBER,
            {"members": [member.pk], "day": as_of or midnight().date(), "limit": limit},
        )
        return [Unscored(*row) for row in cursor.fetchall()]


def points_on(day: date) -> list[tuple[int, Decimal, int]]:
    """(member id, points, events) as they stood at the end of a day (UTC), most points first; nothing is written.

    Votes withdrawn and posts removed since are not seen.
    """
    with connection.cursor() as cursor:
        cursor.execute(POINTS_ON, {"members": None, "day": day})
        return cursor.fetchall()
