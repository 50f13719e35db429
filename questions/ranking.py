"""Points and tiers: the published formula, and nothing else.

Each line of a member's points comes from one deed and decays by half in 180 days, counted to the as-of moment:

    +5 / n   a colleague corroborated an answer
    -3 / n   a colleague disputed an answer, upheld: at least three disputes, and more than corroborate
    +1 / n   a colleague marked a comment helpful, the first 20 a day (UTC)
    +10      an asker credited an answer with the solution of somebody else's question
    +2 x (mean - 3) x sqrt(ratings)   colleagues rated a question important, where the mean is above 3

Rank belongs to the handle, so posts under a real name count nothing: else a vote on one would move the points
shown beside the handle and join the two. Above, n says that it was the n-th vote of the same colleague to the same
member within 30 days, by the time it was first cast. A voter's reliability multiplies votes; it is 1.0 until ten
scored outcomes exist, and none are scored yet. Reads, log-ins and referrals give nothing. Each line is rounded to
four decimals, so a sum never depends on its order.

The as-of moment is 00:00 UTC. Deeds of that day count in full, later ones not at all. A change during the day
recomputes the member touched as of the day's 00:00, so `recount` gives the same figures from the rows at any time.

Tiers are drawn once a day among members active (posted, voted or rated) in the last 90 days: New below ten
events, then Contributor; Trusted in the top quarter, Expert in the top 5 %, Top in the top 1 % or among the first
three of a specialty with 20 active members or more. Nobody without points is above Contributor.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.utils import timezone

from questions.models import MemberRank

HALF_LIFE_DAYS = 180
PAIR_DAYS = 30
ACTIVE_DAYS = 90
HELPFUL_A_DAY = 20
UPHELD_FROM = 3  # disputes
EVENTS_FOR_CONTRIBUTOR = 10
SPECIALTY_MINIMUM = 20  # active members
SHARES = {"trusted": 0.25, "expert": 0.05, "top": 0.01}

LINES = f"""
WITH verdict AS (
    SELECT v.id, v.author_id, v.post_id, v.value, v.cast_at, p.kind, p.corroborate_count, p.dispute_count,
           count(*) OVER (PARTITION BY v.voter_id, v.author_id ORDER BY v.cast_at
                          RANGE BETWEEN interval '{PAIR_DAYS} days' PRECEDING AND CURRENT ROW) AS nth
      FROM questions_vote v
      JOIN questions_post p ON p.id = v.post_id
      JOIN questions_byline b ON b.id = p.byline_id AND b.mode IN ('anonymous', 'partial')
      JOIN questions_question q ON q.id = p.question_id
     WHERE p.removed_at IS NULL AND q.status <> 'removed'
       AND (%(members)s::bigint[] IS NULL OR v.author_id = ANY(%(members)s))
), helpful AS (
    SELECT verdict.*, row_number() OVER (PARTITION BY author_id, (cast_at AT TIME ZONE 'UTC')::date
                                         ORDER BY cast_at, id) AS of_the_day
      FROM verdict WHERE kind = 'comment' AND value = 1
), line AS (
    SELECT author_id AS member_id, 'corroborated' AS cause, post_id, cast_at AS at, 5.0 / nth AS raw
      FROM verdict WHERE kind = 'answer' AND value = 1
    UNION ALL
    SELECT author_id, 'disputed', post_id, cast_at, -3.0 / nth
      FROM verdict WHERE kind = 'answer' AND value = -1
       AND dispute_count >= {UPHELD_FROM} AND dispute_count > corroborate_count
    UNION ALL
    SELECT author_id, 'helpful', post_id, cast_at, 1.0 / nth FROM helpful WHERE of_the_day <= {HELPFUL_A_DAY}
    UNION ALL
    SELECT p.author_id, 'credited', p.id, c.credited_at, 10.0
      FROM questions_credit c
      JOIN questions_post p ON p.id = c.post_id
      JOIN questions_byline b ON b.id = p.byline_id AND b.mode IN ('anonymous', 'partial')
      JOIN questions_question q ON q.id = c.question_id
     WHERE p.removed_at IS NULL AND q.status <> 'removed' AND p.author_id <> q.asker_id
       AND (%(members)s::bigint[] IS NULL OR p.author_id = ANY(%(members)s))
    UNION ALL
    SELECT q.asker_id, 'important', p.id, q.opened_at,
           2.0 * (q.importance_sum::numeric / q.importance_count - 3) * sqrt(q.importance_count::numeric)
      FROM questions_question q
      JOIN questions_post p ON p.question_id = q.id AND p.kind = 'opening'
      JOIN questions_byline b ON b.id = p.byline_id AND b.mode IN ('anonymous', 'partial')
     WHERE q.status <> 'removed' AND q.importance_count > 0 AND q.importance_sum > 3 * q.importance_count
       AND (%(members)s::bigint[] IS NULL OR q.asker_id = ANY(%(members)s))
), scored AS (
    SELECT member_id, cause, post_id, at,
           round((raw * power(0.5, greatest(0, extract(epoch FROM %(as_of)s::timestamptz - at)::double precision)
                                   / 86400 / {HALF_LIFE_DAYS})::numeric)::numeric, 4) AS points
      FROM line WHERE at < %(as_of)s::timestamptz + interval '1 day'
)
"""  # noqa: S608 - only the constants above are interpolated

LINES_OF_MEMBERS = f"{LINES} SELECT cause, post_id, at, points FROM scored ORDER BY at DESC, post_id DESC"  # noqa: S608 - as above

POINTS_ON = f"""{LINES}
SELECT member_id, sum(points), count(*) FROM scored GROUP BY member_id ORDER BY sum(points) DESC, member_id
"""  # noqa: S608 - as above

POINTS = f"""{LINES}
UPDATE questions_memberrank r
   SET points = coalesce(s.points, 0), events = coalesce(s.events, 0), as_of = %(day)s
  FROM questions_memberrank base
  LEFT JOIN (SELECT member_id, sum(points) AS points, count(*) AS events FROM scored GROUP BY member_id) s
         ON s.member_id = base.member_id
 WHERE r.member_id = base.member_id
   AND (%(members)s::bigint[] IS NULL OR r.member_id = ANY(%(members)s))
   AND (r.points, r.events, r.as_of) IS DISTINCT FROM
       (coalesce(s.points, 0), coalesce(s.events, 0), %(day)s::date)
"""  # noqa: S608 - as above


@dataclass(frozen=True)
class Line:
    """One deed and what it is worth at the as-of moment, in points."""

    cause: str
    post_id: int
    at: datetime
    points: Decimal


def midnight(day: date | None = None) -> datetime:
    """00:00 UTC of a day, of today by default."""
    return datetime.combine(day or timezone.now().astimezone(UTC).date(), time(), tzinfo=UTC)


def lines_of(member, *, as_of: datetime | None = None) -> list[Line]:
    """Every line of a member's points, newest first; their sum is the points."""
    with connection.cursor() as cursor:
        cursor.execute(
            LINES_OF_MEMBERS,
            {"members": [member.pk], "as_of": as_of or midnight()},
        )
        return [Line(*row) for row in cursor.fetchall()]


@transaction.atomic
def recompute_points(*member_ids: int) -> None:
    """Bring these members' points up to date, one after another, after a deed that changed them.

    Each member's row is locked before the deeds are read, so two deeds at once are both counted.
    """
    for member_id in sorted(set(member_ids)):
        MemberRank.objects.get_or_create(member_id=member_id)
        MemberRank.objects.select_for_update().get(member_id=member_id)
        _write_points([member_id], midnight())


def _write_points(member_ids: list[int] | None, as_of: datetime) -> int:
    """Write points and events of these members (None: of all who have a rank row); return the rows that changed."""
    with connection.cursor() as cursor:
        cursor.execute(
            POINTS,
            {"members": member_ids, "as_of": as_of, "day": as_of.date()},
        )
        return cursor.rowcount


TIERS = f"""
WITH active AS (
    SELECT m.id, m.specialty_id, r.points, r.events
      FROM accounts_member m JOIN questions_memberrank r ON r.member_id = m.id
     WHERE m.standing = 'physician' AND (
           EXISTS (SELECT 1 FROM questions_post p WHERE p.author_id = m.id AND p.posted_at >= %(since)s)
        OR EXISTS (SELECT 1 FROM questions_vote v WHERE v.voter_id = m.id AND v.cast_at >= %(since)s)
        OR EXISTS (SELECT 1 FROM questions_importance i WHERE i.rater_id = m.id AND i.rated_at >= %(since)s))
), placed AS (
    SELECT id, points, events,
           rank() OVER (ORDER BY points DESC)::float / count(*) OVER () AS share,
           rank() OVER (PARTITION BY specialty_id ORDER BY points DESC) AS in_specialty,
           CASE WHEN specialty_id IS NULL THEN 0 ELSE count(*) OVER (PARTITION BY specialty_id) END AS of_specialty
      FROM active
), tiered AS (
    SELECT r.member_id, CASE
        WHEN r.events < {EVENTS_FOR_CONTRIBUTOR} THEN 'new'
        WHEN p.id IS NULL OR p.points <= 0 THEN 'contributor'
        WHEN p.share <= {SHARES["top"]} OR (p.in_specialty <= 3 AND p.of_specialty >= {SPECIALTY_MINIMUM}) THEN 'top'
        WHEN p.share <= {SHARES["expert"]} THEN 'expert'
        WHEN p.share <= {SHARES["trusted"]} THEN 'trusted'
        ELSE 'contributor' END AS tier
      FROM questions_memberrank r LEFT JOIN placed p ON p.id = r.member_id
)
UPDATE questions_memberrank r SET tier = t.tier FROM tiered t WHERE t.member_id = r.member_id AND r.tier <> t.tier
"""  # noqa: S608 - only the constants above are interpolated


@transaction.atomic
def recount_ranks() -> tuple[int, int]:
    """Compute all points and tiers from the rows as of today; return how many of each were changed."""
    as_of = midnight()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO questions_memberrank (member_id, points, events, tier) "
            "SELECT id, 0, 0, 'new' FROM accounts_member ORDER BY id ON CONFLICT DO NOTHING"
        )
        cursor.execute("SELECT 1 FROM questions_memberrank ORDER BY member_id FOR UPDATE")
        points = _write_points(None, as_of)
        cursor.execute(TIERS, {"since": as_of - timedelta(days=ACTIVE_DAYS)})
        return points, cursor.rowcount


def points_on(day: date) -> list[tuple[int, Decimal, int]]:
    """(member id, points, events) as they stood at the end of a day (UTC), most points first; nothing is written.

    Votes withdrawn and posts removed since are not seen.
    """
    with connection.cursor() as cursor:
        cursor.execute(POINTS_ON, {"members": None, "as_of": midnight(day)})
        return cursor.fetchall()
