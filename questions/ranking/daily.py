"""What is drawn once a day: tiers and leaderboards. And all points anew.

Tiers and boards go by the deeds dated before today (UTC), as they stand when drawn: disputes upheld, ratings and
removals since count as they are now.
"""

from datetime import date, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction

from questions.ranking.lines import EVENTS, LINES, midnight
from questions.ranking.points import write_points

ACTIVE_DAYS = 90
EVENTS_FOR_CONTRIBUTOR = 10
SPECIALTY_MINIMUM = 20  # active members
PERCENT = {"trusted": 25, "expert": 5, "top": 1}
FIRST_OF_SPECIALTY = 3
LEAST_POINTS = "0.0001"  # the least that is above none
DRAWING = 7_300_003  # number of the advisory lock under which tiers and boards are drawn

# Who is counted, with the specialty the handle shows: a finer one would undo the small-cell guard.
PEOPLE = """
CREATE TEMPORARY TABLE day_people ON COMMIT DROP AS
SELECT m.id AS member_id, m.handle, shown.code AS specialty_id, NOT coalesce(r.hides_place, false) AS on_boards,
       EXISTS (SELECT 1 FROM questions_post p
                WHERE p.author_id = m.id AND p.posted_at >= %(since)s AND p.posted_at < %(as_of)s)
    OR EXISTS (SELECT 1 FROM questions_vote v
                WHERE v.voter_id = m.id AND v.cast_at >= %(since)s AND v.cast_at < %(as_of)s)
    OR EXISTS (SELECT 1 FROM questions_importance i
                WHERE i.rater_id = m.id AND i.rated_at >= %(since)s AND i.rated_at < %(as_of)s) AS is_active
  FROM accounts_member m
  LEFT JOIN questions_memberrank r ON r.member_id = m.id
  LEFT JOIN accounts_specialty own ON own.code = m.specialty_id
  LEFT JOIN accounts_specialty shown
         ON shown.is_choice AND shown.name = coalesce(nullif(m.face ->> 'specialty', ''), own.group)
 WHERE m.standing = 'physician' AND m.user_id IS NOT NULL
"""

# Sums of each member's deeds before today: of all time, faded (month null), and of each month of the deeds' days,
# unfaded.
SUMS = f"""
CREATE TEMPORARY TABLE day_sums ON COMMIT DROP AS
{LINES}, line AS MATERIALIZED (SELECT member_id, cause, day, worth, points FROM scored WHERE day < %(day)s::date)
SELECT member_id, NULL::date AS month, sum(points) AS points, {EVENTS} AS events FROM line GROUP BY member_id
 UNION ALL
SELECT member_id, date_trunc('month', day)::date, sum(worth), {EVENTS}
  FROM line WHERE day >= %(first_month)s::date GROUP BY 1, 2
"""  # noqa: S608 - as in lines.py

SPECIALTIES = """
CREATE TEMPORARY TABLE day_specialties ON COMMIT DROP AS
SELECT specialty_id FROM day_people WHERE is_active AND specialty_id IS NOT NULL
 GROUP BY specialty_id HAVING count(*) >= %(small_cell)s
"""

PLACES = """
CREATE TEMPORARY TABLE day_places ON COMMIT DROP AS
WITH entry AS (
    SELECT s.month, NULL::varchar AS specialty_id, p.member_id, p.handle, s.points
      FROM day_sums s JOIN day_people p USING (member_id) WHERE p.on_boards AND s.points > 0
     UNION ALL
    SELECT s.month, p.specialty_id, p.member_id, p.handle, s.points
      FROM day_sums s JOIN day_people p USING (member_id) JOIN day_specialties USING (specialty_id)
     WHERE p.on_boards AND s.points > 0
)
SELECT month, specialty_id, member_id, points,
       row_number() OVER (PARTITION BY month, specialty_id ORDER BY points DESC, handle) AS place,
       rank() OVER (PARTITION BY month, specialty_id ORDER BY points DESC) AS standing
  FROM entry
"""

# Boards keep their ids, so that whoever pages through one meanwhile stays on it. Those no longer drawn go.
DROP_PLACES = """
DELETE FROM questions_boardplace USING questions_board b
 WHERE b.id = board_id
   AND (b.month IS NULL OR b.month >= %(first_month)s OR b.month < %(oldest_month)s
        OR (b.specialty_id IS NOT NULL AND b.specialty_id NOT IN (SELECT specialty_id FROM day_specialties)))
"""

DROP_BOARDS = """
DELETE FROM questions_board
 WHERE month < %(oldest_month)s
    OR (specialty_id IS NOT NULL AND specialty_id NOT IN (SELECT specialty_id FROM day_specialties))
"""

BOARDS = """
INSERT INTO questions_board (month, specialty_id, size, drawn_on)
SELECT t.month, s.specialty_id, coalesce(p.size, 0), %(day)s
  FROM (SELECT NULL::date AS month UNION ALL SELECT unnest(%(months)s::date[])) t
 CROSS JOIN (SELECT NULL::varchar AS specialty_id UNION ALL SELECT specialty_id FROM day_specialties) s
  LEFT JOIN (SELECT month, specialty_id, count(*) AS size FROM day_places GROUP BY 1, 2) p
         ON coalesce(p.month, '-infinity') = coalesce(t.month, '-infinity')
        AND coalesce(p.specialty_id, '') = coalesce(s.specialty_id, '')
    ON CONFLICT (month, specialty_id) DO UPDATE SET size = excluded.size, drawn_on = excluded.drawn_on
"""

FILL_BOARDS = """
INSERT INTO questions_boardplace (board_id, place, standing, member_id, points)
SELECT b.id, p.place, p.standing, p.member_id, p.points
  FROM day_places p
  JOIN questions_board b ON coalesce(b.month, '-infinity') = coalesce(p.month, '-infinity')
                        AND coalesce(b.specialty_id, '') = coalesce(p.specialty_id, '')
 ORDER BY b.id, p.place
"""

IN_ORDER = f"""
WITH ranked AS (
    SELECT p.member_id, p.specialty_id, coalesce(s.points, 0) AS points
      FROM day_people p LEFT JOIN day_sums s ON s.member_id = p.member_id AND s.month IS NULL
     WHERE p.is_active
), placed AS (
    SELECT ranked.*,
           rank() OVER (ORDER BY points DESC) AS standing,
           row_number() OVER (ORDER BY points DESC) AS place,
           count(*) OVER () AS members,
           rank() OVER (PARTITION BY specialty_id ORDER BY points DESC) AS in_specialty,
           row_number() OVER (PARTITION BY specialty_id ORDER BY points DESC) AS specialty_place,
           CASE WHEN specialty_id IS NULL THEN 0 ELSE count(*) OVER (PARTITION BY specialty_id) END AS of_specialty
      FROM ranked
), tiered AS (
    SELECT r.member_id, CASE
        WHEN coalesce(s.events, 0) < {EVENTS_FOR_CONTRIBUTOR} THEN 'new'
        WHEN p.member_id IS NULL OR p.points <= 0 THEN 'contributor'
        WHEN 100 * p.standing <= {PERCENT["top"]} * p.members
          OR (p.in_specialty <= {FIRST_OF_SPECIALTY} AND p.of_specialty >= {SPECIALTY_MINIMUM}) THEN 'top'
        WHEN 100 * p.standing <= {PERCENT["expert"]} * p.members THEN 'expert'
        WHEN 100 * p.standing <= {PERCENT["trusted"]} * p.members THEN 'trusted'
        ELSE 'contributor' END AS tier
      FROM questions_memberrank r
      LEFT JOIN placed p ON p.member_id = r.member_id
      LEFT JOIN day_sums s ON s.member_id = r.member_id AND s.month IS NULL
)
"""  # noqa: S608 - only the constants above are interpolated

TIERS = f"""{IN_ORDER}
UPDATE questions_memberrank r SET tier = t.tier FROM tiered t WHERE t.member_id = r.member_id AND r.tier <> t.tier
"""  # noqa: S608 - as above


def _bar(tier: str) -> str:
    """The points of the last place that is inside a tier, at least some; null where no place is."""
    last = f"{PERCENT[tier]} * members / 100"
    return f"greatest(max(points) FILTER (WHERE place = {last}), CASE WHEN max({last}) > 0 THEN {LEAST_POINTS} END)"


TIER_BARS = f"""{IN_ORDER}
INSERT INTO questions_tierbar (specialty_id, active, trusted, expert, top, drawn_on)
SELECT NULL, count(*), {_bar("trusted")}, {_bar("expert")}, {_bar("top")}, %(day)s FROM placed
 UNION ALL
SELECT specialty_id, count(*), NULL, NULL,
       greatest(max(points) FILTER (WHERE specialty_place = {FIRST_OF_SPECIALTY}), {LEAST_POINTS}), %(day)s
  FROM placed WHERE of_specialty >= {SPECIALTY_MINIMUM} GROUP BY specialty_id
"""  # noqa: S608 - as above


class Recounted(NamedTuple):
    """How many points and tiers were changed, and how many places were drawn on how many boards."""

    points: int
    tiers: int
    places: int
    boards: int


@transaction.atomic
def recount_ranks(*, months: int = 2) -> Recounted:
    """Compute all points and tiers from the rows as of today, and draw the boards of all time and the last months.

    Boards come first: members' ranks are locked, so that votes wait, only for the points and tiers. One draw at a
    time: two would each insert the places that both deleted.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DRAWING])
        day = midnight().date()  # after the wait, which may end on the next day
        cursor.execute("DROP TABLE IF EXISTS day_people, day_sums, day_specialties, day_places")
        _gather(cursor, day, months)
        boards, places = _draw_boards(cursor, day, months)
        cursor.execute(
            "INSERT INTO questions_memberrank (member_id, points, events, tier) "
            "SELECT id, 0, 0, 'new' FROM accounts_member WHERE user_id IS NOT NULL ORDER BY id "
            "ON CONFLICT DO NOTHING"
        )
        cursor.execute("SELECT 1 FROM questions_memberrank ORDER BY member_id FOR UPDATE")
        points = write_points(None, day)
        cursor.execute(TIERS)
        tiers = cursor.rowcount
        cursor.execute("DELETE FROM questions_tierbar")
        cursor.execute(TIER_BARS, {"day": day})
    return Recounted(points, tiers, places, boards)


def _gather(cursor, day: date, months: int) -> None:
    """Put members, sums, specialties and places into tables that last as long as the transaction."""
    since = midnight(day) - timedelta(days=ACTIVE_DAYS)
    cursor.execute(PEOPLE, {"since": since, "as_of": midnight(day)})
    cursor.execute(SUMS, {"members": None, "day": day, "first_month": last_months(day, months)[-1]})
    cursor.execute("ANALYZE day_people, day_sums")
    cursor.execute(SPECIALTIES, {"small_cell": settings.SMALL_CELL})
    cursor.execute(PLACES)
    cursor.execute("ANALYZE day_specialties, day_places")


def _draw_boards(cursor, day: date, months: int) -> tuple[int, int]:
    drawn = last_months(day, months)
    kept = {"first_month": drawn[-1], "oldest_month": last_months(day, settings.BOARD_MONTHS)[-1]}
    cursor.execute(DROP_PLACES, kept)
    cursor.execute(DROP_BOARDS, kept)
    cursor.execute(BOARDS, {"day": day, "months": drawn})
    boards = cursor.rowcount
    cursor.execute(FILL_BOARDS)
    return boards, cursor.rowcount


def last_months(day: date, number: int) -> list[date]:
    """The first days of the month of a day and of those before it, newest first."""
    months = 12 * day.year + day.month - 1
    return [date((months - back) // 12, (months - back) % 12 + 1, 1) for back in range(number)]
