"""Two members who lift each other: found from the votes, decided by a moderator."""

from datetime import date, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from accounts.roles import is_moderator
from questions import ranking
from questions.models import PairFlag, Vote
from sermo.errors import RuleBroken

NIGHTS_LOOKED_BACK = 7  # so that a night without a worker loses nobody

# For each night, what had been given in the days before. Only votes that earn points: for answers and comments under
# a handle. A pair is flagged as of the first night that shows it, and once.
FLAG = """
WITH mark AS (
    SELECT v.voter_id, v.author_id, (v.cast_at AT TIME ZONE 'UTC')::date AS day
      FROM questions_vote v
      JOIN questions_post p ON p.id = v.post_id AND p.kind <> 'opening' AND p.removed_at IS NULL
      JOIN questions_byline b ON b.id = p.byline_id AND b.mode IN ('anonymous', 'partial')
      JOIN questions_question q ON q.id = p.question_id AND q.status <> 'removed'
     WHERE v.value = 1 AND v.cast_at >= %(since)s AND v.cast_at < %(until)s
), often AS (
    SELECT voter_id, author_id, min(day) AS first_day, max(day) AS last_day
      FROM mark GROUP BY voter_id, author_id HAVING count(*) >= %(votes)s
), pair AS (
    SELECT up.voter_id AS low_id, up.author_id AS high_id,
           greatest(up.first_day, down.first_day) AS first_day, least(up.last_day, down.last_day) AS last_day
      FROM often up JOIN often down ON down.voter_id = up.author_id AND down.author_id = up.voter_id
     WHERE up.voter_id < up.author_id
       AND NOT EXISTS (SELECT 1 FROM questions_pairflag f WHERE f.low_id = up.voter_id AND f.high_id = up.author_id)
), night AS (
    SELECT low_id, high_id, series::date AS night
      FROM pair, generate_series(greatest(first_day + 1, %(first)s::date),
                                 least(last_day + %(days)s, %(last)s::date), interval '1 day') AS series
), given AS (
    SELECT low_id, high_id, night,
           count(*) FILTER (WHERE voter_id = low_id AND author_id = high_id) AS up,
           count(*) FILTER (WHERE voter_id = high_id AND author_id = low_id) AS down,
           count(*) FILTER (WHERE voter_id = low_id) AS by_low,
           count(*) FILTER (WHERE voter_id = high_id) AS by_high
      FROM night
      CROSS JOIN LATERAL (VALUES (low_id), (high_id)) AS one (voter_id)
      JOIN mark USING (voter_id)
     WHERE mark.day < night AND mark.day >= night - %(days)s
     GROUP BY low_id, high_id, night
)
INSERT INTO questions_pairflag (low_id, high_id, votes_up, votes_down, flagged_at, verdict)
SELECT DISTINCT ON (low_id, high_id) low_id, high_id, up, down, night::timestamp AT TIME ZONE 'UTC', 'open'
  FROM given
 WHERE up >= %(votes)s AND down >= %(votes)s
   AND 100 * up >= %(percent)s * by_low AND 100 * down >= %(percent)s * by_high
 ORDER BY low_id, high_id, night
    ON CONFLICT DO NOTHING
"""


class NotForYou(RuleBroken):
    message = "Only a moderator decides on a pair."


class OwnPair(RuleBroken):
    message = "Another moderator decides on a pair you are part of."


def flag_pairs(*, since: date | None = None) -> int:
    """Flag the pairs that any 00:00 UTC of the last week shows, or any since a day; return how many are new.

    What a moderator decided stays decided.
    """
    last = ranking.midnight()
    first = ranking.midnight(since) if since else last - timedelta(days=NIGHTS_LOOKED_BACK - 1)
    with connection.cursor() as cursor:
        cursor.execute(
            FLAG,
            {
                "first": first.date(),
                "last": last.date(),
                "since": first - timedelta(days=settings.PAIR_FLAG_DAYS),
                "until": last,
                "days": settings.PAIR_FLAG_DAYS,
                "votes": settings.PAIR_FLAG_VOTES,
                "percent": settings.PAIR_FLAG_PERCENT,
            },
        )
        return cursor.rowcount


def flag_all_pairs() -> int:
    """Flag what any night since the first vote shows; return how many pairs are new."""
    oldest = Vote.objects.order_by("cast_at").values_list("cast_at", flat=True).first()
    return flag_pairs(since=oldest.date()) if oldest else 0


@transaction.atomic
def decide(*, flag: PairFlag, by: User, verdict: str) -> PairFlag:
    """Say what a pair's votes for each other are worth: INNOCENT (all) or DISCOUNTED (nothing). It can be undone so.

    The points of both follow at once, tiers and boards with the next draw. Raises NotForYou, OwnPair.
    """
    if verdict not in (PairFlag.Verdict.INNOCENT, PairFlag.Verdict.DISCOUNTED):
        raise ValueError("A pair is innocent or discounted.")
    if not (is_moderator(by) and by.has_perm("questions.change_pairflag")):
        raise NotForYou
    member = by.as_member
    flag = PairFlag.objects.select_for_update().get(pk=flag.pk)
    if member and member.pk in (flag.low_id, flag.high_id):
        raise OwnPair
    if flag.verdict == verdict:
        return flag
    flag.verdict, flag.decided_at, flag.decided_by = verdict, timezone.now(), member
    flag.save(update_fields=["verdict", "decided_at", "decided_by"])
    ranking.recompute_points(flag.low_id, flag.high_id)
    return flag
